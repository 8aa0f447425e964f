"""The tokens of a grid, shared out among regions and base prompt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rpg.areas.areas import Areas
from rpg.areas.layout import fractions

Weights = NDArray[np.float64]


class Patch(NamedTuple):
    """A window of a token grid, and how much of every token in it one region takes."""

    region: int
    window: tuple[slice, slice]
    """Rows and columns of the grid."""
    weights: Weights
    """[height, width] of the window, 0..1."""


class Shares(NamedTuple):
    """Who takes how much of the tokens of one grid; the shares of a token sum to 1."""

    patches: list[Patch]
    """Of the regions that take anything."""
    base: Weights
    """[height, width] of the grid: the base prompt's."""


@lru_cache(maxsize=16)
def shares(areas: Areas, base_ratios: tuple[float, ...], height: int, width: int) -> Shares:
    """Share out a grid of ``height`` x ``width`` tokens; the base prompt takes ``base_ratios`` of what regions cover."""
    return share_out(coverage(areas, height, width), base_ratios)


def coverage(areas: Areas, height: int, width: int) -> Weights:
    """[regions, height, width]: how much of each token each region covers.

    Where the grid has as many rows and columns as the layout, every token is one region's, and every region has one. A coarser
    side is shared by area instead.
    """
    cover = np.zeros((areas.layout.count, height, width))
    cells = iter(areas.regions)
    rows = areas.layout.rows
    for row, (vertical, part) in zip(rows, side_shares([row.height for row in rows], height)):
        for horizontal, other in side_shares(row.widths, width):
            cover[next(cells)][vertical, horizontal] += np.outer(part, other)
    return cover


def share_out(cover: Weights, base_ratios: Sequence[float]) -> Shares:
    """Shares from what regions cover: ``cover`` [regions, height, width] is reduced where they overlap, and the base prompt takes
    what they leave."""
    taken = cover / np.maximum(cover.sum(0), 1) * (1 - np.array(base_ratios))[:, None, None]
    base = 1 - taken.sum(0)
    base[base < 1e-9] = 0  # rounding
    patches = []
    for region, weights in enumerate(taken):
        if weights.any():
            window = (_extent(weights.any(1)), _extent(weights.any(0)))
            patches.append(Patch(region, window, weights[window]))
    return Shares(patches, base)


def _extent(taken: NDArray[np.bool_]) -> slice:
    places = np.flatnonzero(taken)
    return slice(int(places[0]), int(places[-1]) + 1)


def side_shares(ratios: Sequence[float], size: int) -> list[tuple[slice, list[float]]]:
    """Divide ``size`` tokens of one side: the tokens that each part touches, and its share of them."""
    edges = fractions(ratios)
    count = len(ratios)
    if size >= count:
        cuts = [0]
        for number, edge in enumerate(edges[1:], 1):
            nearest = math.floor(edge * size + 0.5)
            cuts.append(min(max(nearest, cuts[-1] + 1), size - (count - number)))
        return [(slice(start, stop), [1.0] * (stop - start)) for start, stop in pairwise(cuts)]
    parts = []
    for low, high in pairwise(edges):
        first = min(math.floor(low * size), size - 1)
        last = max(min(math.ceil(high * size), size), first + 1)
        part = [max(0.0, min(high * size, token + 1) - max(low * size, token)) for token in range(first, last)]
        parts.append((slice(first, last), part))
    return parts
