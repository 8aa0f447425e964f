"""Each region's part of the latent denoised by itself: the paper's equations at their word (RPG, section 2.3).

Regional attention steers what a place shows, not where objects begin and end: that is decided in the first steps, by layers
that see the whole picture. In steps in which no region sees the others, each gets its own object.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rpg.areas.patches import Patch, Shares
from rpg.steering.conditioning import Joined

Denoise = Callable[[Tensor, Tensor], Tensor]
"""``denoise(latent [rows, channels, height, width], context [rows, tokens, channels])``: the UNet's answer, as high and wide."""


def denoise_apart(denoise: Denoise, latent: Tensor, joined: Joined, shares: Shares) -> Tensor:
    """Denoise the window of every patch of ``latent`` [rows, channels, height, width] with its region's prompt, lay the results
    side by side, and mix them with the whole latent denoised with the base prompt.

    Args:
        denoise: gets several times the rows where windows are of one size, patch by patch.
        shares: of the latent; if the base prompt has none, it is not asked for.
    """
    context, table = joined
    result: Tensor | None = None
    if shares.base.any():
        base = denoise(latent, context[:, slice(*table[0])].contiguous())
        result = base * base.new_tensor(shares.base)
    alike: dict[object, list[tuple[Patch, Tensor, Tensor]]] = {}
    for patch in shares.patches:
        rows, columns = patch.window
        part, prompt = latent[..., rows, columns], context[:, slice(*table[patch.region + 1])]
        alike.setdefault((part.shape, prompt.shape), []).append((patch, part, prompt))
    for parts in alike.values():
        answers = denoise(torch.cat([part for _, part, _ in parts]), torch.cat([prompt for *_, prompt in parts]))
        for (patch, *_), answer in zip(parts, answers.chunk(len(parts)), strict=True):
            if result is None:
                result = answer.new_zeros(*answer.shape[:2], *latent.shape[2:])
            rows, columns = patch.window
            whole = bool((patch.weights == 1).all())
            result[..., rows, columns] += answer if whole else answer * answer.new_tensor(patch.weights)
    assert result is not None  # shares sum to 1
    return result
