"""Complementary regional diffusion in one cross-attention layer: pure tensor functions.

The reference code attends over the whole picture once for every region and crops afterwards. A query's
cross-attention depends on no other query, so cropping the queries first gives the same numbers, at a cost that
does not grow with the number of regions. Which queries attend to what is found out once for each token grid
(:func:`route`); a layer then attends in one batch for all regions of one size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from rpg.conditioning import Table
from rpg.errors import GenerationError
from rpg.layout import Rect


@dataclass(eq=False)
class Call:
    """One attention, in every item of its batch to another conditioning."""

    context: Tensor
    """[batch, context tokens, channels]"""
    queries: Tensor | None = None
    """[batch, tokens]: their numbers among the queries of all rows, counted row by row. None: all, row by row."""
    projected: dict[object, Tensor] = field(default_factory=dict)
    """Keys and values of ``context``, kept by whoever computes them."""


class Routing(NamedTuple):
    """What the queries of one token grid attend to."""

    base: Call | None
    """All rows to the base prompt; None if nothing of it is mixed in."""
    parts: list[Call]
    """The regions; without ``base`` also the rows in which no region differs from it."""
    rows: slice
    """The rows that ``parts`` give."""
    places: list[tuple[Tensor, Tensor | None]]
    """Where each token of ``rows`` finds its results among those of ``parts`` [tokens], and how much of each it
    takes [tokens, 1]. One place, taken whole, unless regions share tokens."""
    share: float | Tensor
    """Share of the regions, as against the base prompt, in ``rows``: a number or [rows, tokens, 1]."""


Attend = Callable[[Tensor, Call], Tensor]
"""``attend(queries [batch, tokens, channels], call)``: attention to ``call.context``, same shape."""


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


def regional_attention(queries: Tensor, routing: Routing, attend: Attend) -> Tensor:
    """``(1 - share) * base + share * regional``, each token with the regions that own it.

    Args:
        queries: [rows, tokens, channels].

    Source: RPG (arXiv 2401.11708), section 2.3, in the attention-level form of its reference code.
    """
    tokens = queries.flatten(0, 1)
    parts = [attend(tokens[call.queries], call).flatten(0, 1) for call in routing.parts]
    base = None if routing.base is None else attend(queries, routing.base)
    if not parts:
        return base
    regional = _collect(torch.cat(parts), routing.places).unflatten(0, (-1, queries.shape[1]))
    if base is None:
        return regional
    share = routing.share
    base[routing.rows].lerp_(regional, share.to(base.dtype) if isinstance(share, Tensor) else share)
    return base


def _collect(results: Tensor, places: list[tuple[Tensor, Tensor | None]]) -> Tensor:
    return sum(results[place] if share is None else results[place] * share.to(results.dtype) for place, share in places)


class _Job(NamedTuple):
    """Tokens, the same of one or more rows, that attend to one conditioning."""

    rows: list[int]
    segment: int
    tokens: Tensor
    portions: Tensor
    """How much of the result goes into each token, beside the base prompt's and other regions'."""


def route(  # noqa: PLR0917
    context: Tensor,
    table: Table,
    numbers: Sequence[Sequence[int]] | None,
    grid: tuple[int, int],
    rects: Sequence[Rect],
    base_ratios: Sequence[float],
) -> Routing:
    """Find out which queries of a token grid attend to what.

    Args:
        context: [rows, tokens, channels], joined conditionings.
        table: where in it they lie: first the base prompt's, then one for each region.
        numbers: of the conditionings of each row; those with equal numbers are equal, and done once. All regions of
            one size then go in one call. None: every call has one item for each row, in order.
        grid: (height, width) of the token grid.
        rects: the part of the grid that each region owns.
        base_ratios: the share of the base prompt in each region.
    """
    count = grid[0] * grid[1]
    everything = range(len(context))
    steered = [row for row in everything if numbers is None or len(set(numbers[row])) > 1]
    rows = range(steered[0], steered[-1] + 1) if steered else range(0)
    jobs = list(_jobs(rows, numbers, grid, rects, base_ratios))
    base = Call(context[:, slice(*table[0])]) if any(base_ratios) or not steered else None
    if base is None and len(rows) < len(context):
        jobs += [_Job([row], 0, torch.arange(count), torch.ones(count)) for row in everything if row not in rows]
        rows = everything
    if not jobs:
        return Routing(base, [], slice(0), [], 0)

    batches: dict[object, list[_Job]] = {}
    for job in jobs:
        start, stop = table[job.segment]
        alike = job.segment if numbers is None else (stop - start, len(job.rows) * len(job.tokens))
        batches.setdefault(alike, []).append(job)
    jobs = [job for batch in batches.values() for job in batch]

    def cells(job: _Job, first: int = 0) -> Tensor:
        return torch.cat([(row - first) * count + job.tokens for row in job.rows])

    def segment(job: _Job) -> Tensor:
        return context[job.rows[0], slice(*table[job.segment])]

    device = context.device
    parts = [
        Call(torch.stack([segment(job) for job in batch]), torch.stack([cells(job) for job in batch]).to(device))
        for batch in batches.values()
    ]
    targets = torch.cat([cells(job, rows.start) for job in jobs]).to(device)
    portions = torch.cat([job.portions.repeat(len(job.rows)) for job in jobs]).to(device)
    share = portions.new_zeros(len(rows) * count).index_add_(0, targets, portions)
    places = _places(targets, portions / share[targets].clamp_min(1e-6), len(share))
    uniform = len(set(base_ratios)) == 1
    return Routing(
        base, parts, slice(rows.start, rows.stop), places, 1 - base_ratios[0] if uniform else share.view(len(rows), count, 1)
    )


def _jobs(
    rows: range,
    numbers: Sequence[Sequence[int]] | None,
    grid: tuple[int, int],
    rects: Sequence[Rect],
    base_ratios: Sequence[float],
) -> Iterator[_Job]:
    cells = torch.arange(grid[0] * grid[1]).view(grid)
    for segment, (rect, base_ratio) in enumerate(zip(rects, base_ratios), 1):
        tokens = cells[rect.top : rect.bottom, rect.left : rect.right].flatten()
        portions = torch.outer(torch.tensor(rect.rows), torch.tensor(rect.columns)).flatten() * (1 - base_ratio)
        alike: dict[int, list[int]] = {}
        for row in rows:
            alike.setdefault(row if numbers is None else numbers[row][segment], []).append(row)
        yield from (_Job(group, segment, tokens, portions) for group in alike.values())


def _places(targets: Tensor, shares: Tensor, count: int) -> list[tuple[Tensor, Tensor | None]]:
    """Turn around which of ``count`` tokens each result is for: where each token finds its results."""
    sources = targets.argsort(stable=True)
    targets = targets[sources]
    nth = torch.arange(len(targets), device=targets.device) - torch.searchsorted(targets, targets)
    places = []
    for number in range(int(nth.max()) + 1):
        chosen = nth == number
        place, share = targets.new_zeros(count), shares.new_zeros(count, 1)
        place[targets[chosen]] = sources[chosen]
        share[targets[chosen], 0] = shares[sources[chosen]]
        places.append((place, share))
    return places if len(places) > 1 else [(places[0][0], None)]
