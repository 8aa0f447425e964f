"""Each region's part of the latent denoised by itself: the paper's equations at their word (RPG, section 2.3).

Regional attention steers what a place shows, not where objects begin and end: that is decided at the strongest noise, by layers
that see the whole picture. While no region sees the others, each gets its own object. Right afterwards the whole picture is seen
again and the noise is still strong: a region's prompt names one object where there are several, and the UNet takes the others
away. The base prompt names them all, so that a share of it keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import torch
from torch import Tensor

from rpg.areas.patches import Patch, Shares
from rpg.steering.calls import LatentWindow
from rpg.steering.conditioning import Joined

Denoise = Callable[[Tensor, Tensor, Sequence[LatentWindow], Sequence[int | None]], Tensor]
"""``denoise(latent [rows, channels, height, width], context [rows, tokens, channels], windows, regions)``: the UNet's answer, as
high and wide. The rows are those of several windows of one size, one after the other; in each lies the region of that number."""


class StandIn(Protocol):
    """What has taken the UNet's place and adds something that is as large as the picture, such as ControlNet."""

    def cut(self, window: LatentWindow, latent: tuple[int, int]) -> AbstractContextManager[None]:
        """While the context lasts, it adds what belongs to a window of the latent, whose height and width are given."""

    def context(self, tokens: Tensor, base: Tensor) -> Tensor:
        """A region's tokens [rows, tokens, channels] in the form that it expects, which the base prompt's have."""


TRAINED_STEPS = 1000
"""Of every Stable Diffusion: how often noise is added until nothing else is left."""
SETTLED = 0.6
"""Share of the noise after which objects no longer vanish: from there on base ratios are the plan's own."""
LEAST_BASE_RATIO = 0.6
"""Until then."""
GUIDANCE_APART = 1.5
"""Times what the guidance scale is above 1, while regions are denoised by themselves: an object stands out of the noise by
then, or is lost."""

EVENED = 8
"""Latents of a side from which on one more, a neighbour's, changes nothing that can be seen."""


def share_done(timestep: float) -> float:
    """How far along the noise that the UNet is trained with a picture is, from 0 (all noise) to 1, whatever the sampler, its
    number of steps and their spacing."""
    return 1 - (timestep + 1) / TRAINED_STEPS


def base_ratios_at(done: float, base_ratios: tuple[float, ...]) -> tuple[float, ...]:
    """The share of the base prompt in each region's attention at this share of the noise, after latent steps."""
    if done < SETTLED:
        return tuple(max(base_ratio, LEAST_BASE_RATIO) for base_ratio in base_ratios)
    return base_ratios


def denoise_apart(denoise: Denoise, latent: Tensor, joined: Joined, shares: Shares, *, plain_rest: bool) -> Tensor:
    """Denoise the window of every patch of ``latent`` [rows, channels, height, width] with its region's prompt, and lay the
    results side by side. Where regions leave something, the whole picture is denoised with the base prompt, too; elsewhere that
    would cost a second pass, and bind nothing.

    Args:
        denoise: gets several times the rows where windows are of one size, patch by patch.
        shares: of the latent, of base ratios of 0.
        plain_rest: let no object begin in what regions leave: the base prompt names theirs, which would stand there once more.
    """
    context, table = joined
    result: Tensor | None = None
    if shares.base.any():
        rest = denoise(latent, context[:, slice(*table[0])].contiguous(), [(slice(None), slice(None))], [None])
        base = rest.new_tensor(shares.base)
        result = base * (_plain(rest, latent, base).to(rest) if plain_rest else rest)
    alike: dict[object, list[tuple[Patch, LatentWindow, Tensor]]] = {}
    for patch, window in zip(shares.patches, _evened(shares.patches, latent.shape[2:])):
        prompt = context[:, slice(*table[patch.region + 1])]
        alike.setdefault((_size(window), prompt.shape), []).append((patch, window, prompt))
    for parts in alike.values():
        windows = [window for _, window, _ in parts]
        regions = [patch.region for patch, *_ in parts]
        seen = torch.cat([latent[..., rows, columns] for rows, columns in windows])
        answers = denoise(seen, torch.cat([prompt for *_, prompt in parts]), windows, regions)
        for (patch, window, _), answer in zip(parts, answers.chunk(len(parts)), strict=True):
            if result is None:
                result = answer.new_zeros(*answer.shape[:2], *latent.shape[2:])
            rows, columns = patch.window
            own = answer[..., _within(rows, window[0]), _within(columns, window[1])]
            whole = bool((patch.weights == 1).all())
            result[..., rows, columns] += own if whole else own * own.new_tensor(patch.weights)
    assert result is not None  # shares sum to 1
    return result


def _evened(patches: Sequence[Patch], latent: Sequence[int]) -> list[LatentWindow]:
    """The patches' windows; one that is a row or column shorter than another also sees one of its neighbour's. Thirds of a
    picture then go into one call of the UNet, which costs less than two for fewer latents."""
    sizes = [_size(patch.window) for patch in patches]

    def near(length: int, other: int) -> bool:
        return other == length or (other == length + 1 and length >= EVENED)

    windows = []
    for patch, (height, width) in zip(patches, sizes):
        size = max(other for other in sizes if near(height, other[0]) and near(width, other[1]))
        rows, columns = (_grown(*each) for each in zip(patch.window, size, latent))
        windows.append((rows, columns))
    return windows


def _size(window: LatentWindow) -> tuple[int, int]:
    rows, columns = window
    return rows.stop - rows.start, columns.stop - columns.start


def _grown(part: slice, length: int, limit: int) -> slice:
    """A part of that length that holds another, and ends before ``limit``."""
    start = min(part.start, limit - length)
    return slice(start, start + length)


def _within(part: slice, whole: slice) -> slice:
    """Where a part lies in another that holds it."""
    return slice(part.start - whole.start, part.stop - whole.start)


def _plain(answer: Tensor, latent: Tensor, where: Tensor) -> Tensor:
    """The UNet's answer by which the picture becomes of one colour ``where`` [height, width], which are weights.

    A latent is a picture and noise, and the answer, whether it is the noise or a velocity, is linear in both. Where the picture
    is of one colour, the answer thus differs from its mean as the latent does from its own, times a factor of the answer's kind
    and the noise's strength: the one by which the UNet's answer fits best.
    """
    answer, latent, where = answer.float(), latent[:, : answer.shape[1]].float(), where.float() / where.float().sum()
    mean = (answer * where).sum((2, 3), keepdim=True)
    noise = latent - (latent * where).sum((2, 3), keepdim=True)
    power = (noise.square() * where).sum((2, 3), keepdim=True)
    factor = (noise * (answer - mean) * where).sum((2, 3), keepdim=True) / power.clamp(min=1e-12)
    return mean + factor * noise
