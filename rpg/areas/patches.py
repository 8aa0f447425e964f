"""The tokens of a grid, shared out among regions and base prompt."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rpg.areas.area import Weights
from rpg.areas.areas import Areas
from rpg.areas.layout import fractions
from rpg.errors import PlanError


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
    """[regions, height, width]: how much of each token each region covers and keeps from those above it."""
    asked = _asked(areas, height, width)
    cover = np.zeros_like(asked)
    free = np.ones((height, width))
    for layer in _layers(areas):
        for region in layer:
            cover[areas.regions[region]] += asked[region] * free
        free = free * np.clip(1 - asked[layer].sum(0), 0, 1)
    if areas.layout is not None and any(areas.own):
        cover /= cover.sum(0)  # cells tile the picture, also where a token is shared among cells above and below others
    return cover


def _layers(areas: Areas) -> Iterator[list[int]]:
    """Numbers of regions from the topmost: an area of its own is a layer, cells with none between them are one together."""
    for _, layer in groupby(reversed(range(len(areas.own))), lambda region: region if areas.own[region] else None):
        yield list(layer)


def _asked(areas: Areas, height: int, width: int) -> Weights:
    """[regions, height, width]: how much of each token each region would cover by itself.

    Where the grid has as many rows and columns as the layout, every token is one cell's, and every cell has one. A coarser side
    is shared by area instead.
    """
    asked = np.zeros((len(areas.own), height, width))
    for weights, area in zip(asked, areas.own):
        if area is not None:
            weights[:] = area.weights(height, width)
    if areas.layout is None:
        return asked
    cells = iter([weights for weights, area in zip(asked, areas.own) if area is None])
    rows = areas.layout.rows
    for row, (vertical, part) in zip(rows, side_shares([row.height for row in rows], height)):
        for horizontal, other in side_shares(row.widths, width):
            next(cells)[vertical, horizontal] = np.outer(part, other)
    return asked


def check_sizes(areas: Areas, height: int, width: int) -> None:
    """
    Args:
        height, width: of the latent.

    Raises:
        PlanError: when a region's own area is less than one token large, or when nothing of a region is seen.
    """
    if not any(areas.own):
        return
    asked, seen = _asked(areas, height, width).sum((1, 2)), coverage(areas, height, width).sum((1, 2))
    for region, area in enumerate(areas.own):
        if area is not None and asked[region] < 1:
            raise PlanError(
                f"Region {region + 1}: its area is less than 8 x 8 pixels large in a picture of {8 * width} x {8 * height}; make "
                "it larger, or remove the region."
            )
        if seen[areas.regions[region]] < min(1, asked[region]) / 2:
            raise PlanError(f"Region {region + 1} is hidden under later regions; move it behind them, or make it larger.")


def share_out(cover: Weights, base_ratios: Sequence[float]) -> Shares:
    """Shares from what regions cover: ``cover`` [regions, height, width] is reduced where it is more than 1, and the base prompt
    takes what they leave."""
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
