"""Each region's part of the latent denoised by itself: the paper's equations at their word (RPG, section 2.3).

Regional attention steers what a place shows, not where objects begin and end: that is decided in the first steps, by layers
that see the whole picture. In steps in which no region sees the others, each gets its own object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from rpg.areas.layout import Rect
from rpg.steering.conditioning import Joined

Denoise = Callable[[Tensor, Tensor], Tensor]
"""``denoise(latent [rows, channels, height, width], context [rows, tokens, channels])``: the UNet's answer, as high and wide."""


def denoise_apart(
    denoise: Denoise, latent: Tensor, joined: Joined, rects: Sequence[Rect], base_ratios: Sequence[float]
) -> Tensor:
    """Denoise every region's rectangle of ``latent`` [rows, channels, height, width] with its own prompt, lay the results side by
    side, and mix them with the whole latent denoised with the base prompt.

    Args:
        denoise: gets several times the rows where regions are of one size, region by region.
        rects: the regions' rectangles of the latent.
        base_ratios: the share of the base prompt in each region; if all are 0, it is not asked for.
    """
    context, table = joined
    base = denoise(latent, context[:, slice(*table[0])].contiguous()) if any(base_ratios) else None
    parts = [(..., slice(rect.top, rect.bottom), slice(rect.left, rect.right)) for rect in rects]
    alike: dict[object, list[int]] = {}
    for number, (part, segment) in enumerate(zip(parts, table[1:], strict=True)):
        alike.setdefault((latent[part].shape, segment.stop - segment.start), []).append(number)
    result: Tensor | None = None
    for numbers in alike.values():
        contexts = torch.cat([context[:, slice(*table[number + 1])] for number in numbers])
        answers = denoise(torch.cat([latent[parts[number]] for number in numbers]), contexts)
        for number, answer in zip(numbers, answers.chunk(len(numbers)), strict=True):
            rect, part = rects[number], parts[number]
            own = answer if base is None else torch.lerp(answer, base[part], base_ratios[number])
            if result is None:
                result = own.new_zeros(*own.shape[:2], *latent.shape[2:])
            result[part] += own if rect.owns_all else own * own.new_tensor(rect.rows)[:, None] * own.new_tensor(rect.columns)
    assert result is not None  # a layout has regions
    return result
