"""Complementary regional diffusion in one cross-attention layer: pure tensor functions.

The reference code attends over the whole picture once for every region and crops afterwards. A query's
cross-attention depends on no other query, so cropping the queries first gives the same numbers, at a cost that
does not grow with the number of regions. Which queries attend to what is found out once for each token grid
(:func:`route`); a layer then attends in one batch for all regions of about one size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from rpg.areas.layout import Rect
from rpg.errors import GenerationError
from rpg.steering.conditioning import Table


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
    places: Tensor
    """[tokens]: where each token of ``rows`` finds its result among those of ``parts``. Where regions share tokens,
    [most regions of a token, tokens]."""
    weights: Tensor | None
    """How much a token takes from each of its places: [most regions of a token, tokens, 1]. None: the one whole."""
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
    regional = (parts[0] if len(parts) == 1 else torch.cat(parts))[routing.places]
    if routing.weights is not None:
        regional = (regional * routing.weights.to(regional.dtype)).sum(0)
    regional = regional.unflatten(0, (-1, queries.shape[1]))
    if base is None:
        return regional
    share = routing.share
    base[routing.rows].lerp_(regional, share.to(base.dtype) if isinstance(share, Tensor) else share)
    return base


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
        numbers: of the conditionings of each row; those with equal numbers are equal, and done once. Regions of
            about one size go in one call. None: every call has one item for each row, in order.
        grid: (height, width) of the token grid.
        rects: the part of the grid that each region owns.
        base_ratios: the share of the base prompt in each region.
    """
    count = grid[0] * grid[1]
    everything = range(len(context))
    steered = [row for row in everything if numbers is None or len(set(numbers[row])) > 1]
    rows = range(steered[0], steered[-1] + 1) if steered else range(0)
    jobs = list(_jobs(rows, numbers, grid, rects, base_ratios))
    # Contiguous: projecting a view costs a copy of the weights for each row.
    base = Call(context[:, slice(*table[0])].contiguous()) if any(base_ratios) or not steered else None
    if base is None and len(rows) < len(context):
        jobs += [_Job([row], 0, torch.arange(count), torch.ones(count)) for row in everything if row not in rows]
        rows = everything
    if not jobs:
        return Routing(base, [], slice(0), torch.empty(0), None, 0)

    batches: dict[object, list[_Job]] = {}
    for job in jobs:
        start, stop = table[job.segment]
        # Within a power of two: what the smaller ones are padded with costs less than another call.
        alike = job.segment if numbers is None else (stop - start, (len(job.rows) * len(job.tokens)).bit_length())
        batches.setdefault(alike, []).append(job)

    parts: list[Call] = []
    sources, targets, portions = [], [], []
    done = 0
    for batch in batches.values():
        own = [torch.cat([row * count + job.tokens for row in job.rows]) for job in batch]
        queries = pad_sequence(own, batch_first=True)
        segments = torch.stack([context[job.rows[0], slice(*table[job.segment])] for job in batch])
        parts.append(Call(segments, queries.to(context.device)))
        for item, job in enumerate(batch):
            sources.append(torch.arange(len(own[item])) + item * queries.shape[1] + done)
            targets.append(own[item] - rows.start * count)
            portions.append(job.portions.repeat(len(job.rows)))
        done += queries.numel()
    device = context.device
    target, portion = torch.cat(targets), torch.cat(portions)
    taken = torch.zeros(len(rows) * count).index_add_(0, target, portion)
    places, weights = _places(torch.cat(sources), target, portion / taken[target].clamp_min(1e-6), len(taken))
    share = 1 - base_ratios[0] if len(set(base_ratios)) == 1 else taken.view(len(rows), count, 1).to(device)
    return Routing(
        base, parts, slice(rows.start, rows.stop), places.to(device), None if weights is None else weights.to(device), share
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


def _places(sources: Tensor, targets: Tensor, weights: Tensor, count: int) -> tuple[Tensor, Tensor | None]:
    """``places`` and ``weights`` of a :class:`Routing`: result ``sources[i]`` goes to token ``targets[i]``."""
    order = targets.argsort(stable=True)
    sources, targets, weights = sources[order], targets[order], weights[order]
    nth = torch.arange(len(targets)) - torch.searchsorted(targets, targets)  # of its token
    places = torch.zeros(int(nth.max()) + 1, count, dtype=torch.long)
    shares = torch.zeros(*places.shape, 1)
    places[nth, targets] = sources
    shares[nth, targets, 0] = weights
    return (places[0], None) if len(places) == 1 else (places, shares)
