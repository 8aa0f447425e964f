"""Complementary regional diffusion in one cross-attention layer: pure tensor functions.

The reference code attends over the whole picture once for every region and crops afterwards. A query's
cross-attention depends on no other query, so cropping the queries first gives the same numbers, at a cost that
does not grow with the number of regions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from rpg.errors import GenerationError
from rpg.layout import Rect

Attend = Callable[[Tensor, int], Tensor]
"""``attend(queries [rows, tokens, channels], segment)``: attention to one segment of the context, same shape."""


def token_grid(latent: tuple[int, int], tokens: int) -> tuple[int, int]:
    """Height and width of the token grid that has ``tokens`` tokens.

    Every level of the UNet halves the latent's (height, width) and rounds up.

    Raises:
        GenerationError: when no level has that many tokens.
    """
    height, width = latent
    while height * width > max(tokens, 1):
        height, width = (height + 1) // 2, (width + 1) // 2
    if height * width != tokens:
        raise GenerationError(
            f"A cross-attention layer got {tokens} tokens, which is no level of a {latent[0]}x{latent[1]} latent; "
            "another extension seems to merge or resize them there. Turn it off, or turn RPG off."
        )
    return height, width


def regional_attention(
    queries: Tensor, grid: tuple[int, int], rects: Sequence[Rect], base_ratios: Sequence[float], attend: Attend
) -> Tensor:
    """``base_ratio * base + (1 - base_ratio) * regional``, each token with the regions that own it.

    Args:
        queries: [rows, height * width, channels].
        grid: (height, width).
        rects: the part of the grid that each region owns.
        base_ratios: the share of the base prompt in each region.
        attend: segment 0 is the base prompt, segment r the r-th region.

    Source: RPG (arXiv 2401.11708), section 2.3, in the attention-level form of its reference code.
    """
    tokens = queries.unflatten(1, grid)
    if any(base_ratios):
        mixed = attend(queries, 0).unflatten(1, grid) * _base_share(queries, grid, rects, base_ratios)
    else:
        mixed = torch.zeros_like(tokens)
    for segment, (rect, base_ratio) in enumerate(zip(rects, base_ratios), 1):
        if base_ratio == 1:
            continue
        window = (slice(None), slice(rect.top, rect.bottom), slice(rect.left, rect.right))
        part = tokens[window]
        regional = attend(part.flatten(1, 2), segment).unflatten(1, part.shape[1:3])
        mixed[window] += regional * (1 - base_ratio) if rect.owns_all else regional * _share(rect, 1 - base_ratio, regional)
    return mixed.flatten(1, 2)


def _base_share(like: Tensor, grid: tuple[int, int], rects: Sequence[Rect], base_ratios: Sequence[float]) -> Tensor | float:
    """Share of the base prompt in every token: one number, or [height, width, 1]."""
    if len(set(base_ratios)) == 1:
        return base_ratios[0]
    share = like.new_zeros(*grid, 1)
    for rect, base_ratio in zip(rects, base_ratios):
        share[rect.top : rect.bottom, rect.left : rect.right] += _share(rect, base_ratio, share)
    return share


def _share(rect: Rect, factor: float, like: Tensor) -> Tensor:
    """A rectangle's share of each of its tokens, times ``factor``: [height, width, 1]."""
    rows = like.new_tensor(rect.rows)
    return (rows[:, None] * like.new_tensor(rect.columns) * factor)[..., None]
