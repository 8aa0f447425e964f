"""Complementary regional diffusion in one cross-attention layer: pure tensor functions.

The reference code attends over the whole picture once for every region and crops afterwards. A query's
cross-attention depends on no other query, so cropping the queries first gives the same numbers, at a cost that
does not grow with the number of regions. Which queries attend to what is found out once for each token grid
(:func:`route`); a layer then attends in one batch for all regions of about one size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from rpg.areas.area import Weights
from rpg.areas.patches import Patch, Shares
from rpg.errors import GenerationError
from rpg.steering.conditioning import Table


@dataclass(frozen=True, eq=False)
class QueryBatch:
    """Queries that attend at once, in every item of the batch to another conditioning."""

    context: Tensor
    """[batch, context tokens, channels]"""
    queries: Tensor | None = None
    """[batch, tokens]: their numbers among the queries of all rows, counted row by row. None: all, row by row."""
    carried: tuple[int | None, ...] = ()
    """For each item, the region of which networks of its own act on it; none where no region has any."""


class Routing(NamedTuple):
    """What the queries of one token grid attend to."""

    base: QueryBatch | None
    """All rows to the base prompt; None if nothing of it is mixed in."""
    parts: list[QueryBatch]
    """The regions; without ``base`` also the rows in which no region differs from it."""
    rows: slice
    """The rows that ``parts`` give."""
    places: Tensor
    """[tokens]: where each token of ``rows`` finds its result among those of ``parts``. Where regions share tokens,
    [most regions of a token, tokens]."""
    weights: Tensor | None
    """How much a token takes from each of its places: [most regions of a token, tokens, 1]. None: the one whole."""
    share: float | Tensor
    """Share of the regions, as against the base prompt, in ``rows``: a number or [tokens, 1]."""


Attend = Callable[[Tensor, QueryBatch], Tensor]
"""``attend(queries [batch, tokens, channels], batch)``: attention to ``batch.context``, same shape."""


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
    parts = [attend(tokens[batch.queries], batch).flatten(0, 1) for batch in routing.parts]
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


class _Group(NamedTuple):
    """Tokens, the same of one or more rows, that attend to one conditioning."""

    rows: list[int]
    segment: int
    tokens: Tensor
    portions: Tensor
    """How much of the result goes into each token, beside the base prompt's and other regions'."""
    carried: int | None = None
    """The region of which networks of its own act on it."""


def route(
    context: Tensor,
    table: Table,
    numbers: Sequence[Sequence[int]] | None,
    shares: Shares,
    *,
    covered: Shares | None = None,
    carriers: frozenset[int] = frozenset(),
) -> Routing:
    """Find out which queries of a token grid attend to what.

    Args:
        context: [rows, tokens, channels], joined conditionings.
        table: where in it they lie: first the base prompt's, then one for each region.
        numbers: of the conditionings of each row; those with equal numbers are equal, and done once. Regions of
            about one size go in one call. None: every call has one item for each row, in order.
        shares: of the regions and the base prompt in the tokens of the grid.
        carriers: regions with networks of their own, which act on the base prompt's keys and values in their tokens, too.
        covered: the shares as if nothing of the base prompt were mixed in; needed with ``carriers``.
    """
    count = shares.base.size
    everything = range(len(context))
    steered = [row for row in everything if carriers or numbers is None or len(set(numbers[row])) > 1]
    rows = range(steered[0], steered[-1] + 1) if steered else range(0)
    groups = list(_groups(rows, numbers, shares, carriers))
    if covered is not None and carriers:
        base_of, rest = _bases(shares, covered, carriers)
        groups += _groups(rows, numbers, Shares(base_of, rest), carriers, segment=0)
        groups += _groups(rows, numbers, Shares([Patch(-1, _EVERYWHERE, rest)] if rest.any() else [], rest), segment=0)
        shares = Shares(shares.patches, np.zeros_like(rest))
    # Contiguous: projecting a view costs a copy of the weights for each row.
    base = QueryBatch(context[:, slice(*table[0])].contiguous()) if shares.base.any() or not steered else None
    if base is None and len(rows) < len(context):
        groups += [_Group([row], 0, torch.arange(count), torch.ones(count)) for row in everything if row not in rows]
        rows = everything
    if not groups:
        return Routing(base, [], slice(0), torch.empty(0), None, 0)

    batches: dict[object, list[_Group]] = {}
    for group in groups:
        start, stop = table[group.segment]
        # Within a power of two: what the smaller ones are padded with costs less than another call.
        size = stop - start, (len(group.rows) * len(group.tokens)).bit_length()
        alike = (group.segment, group.carried) if numbers is None else size
        batches.setdefault(alike, []).append(group)

    parts: list[QueryBatch] = []
    sources, targets, portions = [], [], []
    done = 0
    for batch in batches.values():
        own = [torch.cat([row * count + group.tokens for row in group.rows]) for group in batch]
        queries = pad_sequence(own, batch_first=True)
        segments = torch.stack([context[group.rows[0], slice(*table[group.segment])] for group in batch])
        parts.append(
            QueryBatch(segments, queries.to(context.device), tuple(group.carried for group in batch) if carriers else ())
        )
        for item, group in enumerate(batch):
            sources.append(torch.arange(len(own[item])) + item * queries.shape[1] + done)
            targets.append(own[item] - rows.start * count)
            portions.append(group.portions.repeat(len(group.rows)))
        done += queries.numel()
    device = context.device
    taken = 1 - torch.tensor(shares.base, dtype=torch.float32).view(count, 1)
    target, portion = torch.cat(targets), torch.cat(portions)
    weights = portion / taken[target % count, 0].clamp_min(1e-6)
    places, shown = _places(torch.cat(sources), target, weights, len(rows) * count)
    share = 1 - float(shares.base[0, 0]) if np.ptp(shares.base) < 1e-9 else taken.to(device)
    return Routing(
        base, parts, slice(rows.start, rows.stop), places.to(device), None if shown is None else shown.to(device), share
    )


_EVERYWHERE = (slice(None), slice(None))


def _groups(
    rows: range,
    numbers: Sequence[Sequence[int]] | None,
    shares: Shares,
    carriers: frozenset[int] = frozenset(),
    segment: int | None = None,
) -> Iterator[_Group]:
    """What attends to each region's own conditioning, or to one ``segment``."""
    cells = torch.arange(shares.base.size).view(shares.base.shape)
    for patch in shares.patches:
        number = patch.region + 1 if segment is None else segment
        portions = torch.tensor(patch.weights, dtype=torch.float32).flatten()
        tokens = cells[patch.window].flatten()
        alike: dict[int, list[int]] = {}
        for row in rows:
            alike.setdefault(row if numbers is None else numbers[row][number], []).append(row)
        for group in alike.values():
            carried = patch.region if patch.region in carriers else None
            yield _Group(group, number, tokens[portions > 0], portions[portions > 0], carried)


def _bases(shares: Shares, covered: Shares, carriers: frozenset[int]) -> tuple[list[Patch], Weights]:
    """The base prompt's share inside each of ``carriers``, and the rest of it."""
    own = {patch.region: patch for patch in shares.patches}
    patches, rest = [], shares.base.copy()
    for patch in covered.patches:
        if patch.region in carriers:
            weights = patch.weights - (own[patch.region].weights if patch.region in own else 0)
            weights[weights < 1e-9] = 0  # rounding
            rest[patch.window] -= weights
            if weights.any():
                patches.append(Patch(patch.region, patch.window, weights))
    rest[rest < 1e-9] = 0
    return patches, rest


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
