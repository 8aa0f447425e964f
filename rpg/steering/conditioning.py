"""Text conditionings of the base prompt and of the regions, joined into one context that describes itself.

A joined context carries several conditionings one after another along the token axis. The segment table says
where each one lies: entry 0 is the base prompt, entry r the r-th region. Every row of a batch, positive or
negative, has the same table, so cross-attention need not know which rows are which.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rpg.errors import GenerationError

MAX_STRETCH = 4
"""How many times its longer side a segment may grow until positive and negative are equally long."""


class Segment(NamedTuple):
    """Tokens ``start`` to ``stop`` of a context."""

    start: int
    stop: int


Table = tuple[Segment, ...]


class Joined(NamedTuple):
    context: Tensor
    """[rows, tokens, channels]"""
    table: Table


def join(segments: Sequence[Tensor]) -> Joined:
    """Join conditionings along the token axis.

    Args:
        segments: the base prompt's [rows, tokens, channels], then one tensor for each region with the same
            rows, or with one row that stands for all of them. Token counts may differ.
    """
    rows, _, channels = segments[0].shape
    for number, segment in enumerate(segments):
        if segment.shape[0] not in (1, rows) or segment.shape[2] != channels:
            raise GenerationError(
                f"The conditioning of region {number} has shape {tuple(segment.shape)}, the base prompt's "
                f"{tuple(segments[0].shape)}; rows and channels must agree. Are they from the same text encoder?"
            )
    stops = torch.tensor([segment.shape[1] for segment in segments]).cumsum(0).tolist()
    table = tuple(Segment(start, stop) for start, stop in zip([0, *stops], stops))
    return Joined(torch.cat([segment.expand(rows, -1, -1) for segment in segments], dim=1), table)


def join_pair(positive: Sequence[Tensor], negative: Sequence[Tensor], stretch: int | None = MAX_STRETCH) -> tuple[Joined, Joined]:
    """Join positive and negative conditionings so that both get the same segment table, without changing a picture.

    Attention over a context that is repeated a whole number of times equals attention over it once, so each
    pair of segments is repeated up to its common multiple. Where that would be longer than ``stretch`` times
    the longer of the two, nothing is repeated: the contexts differ in length, and so can be told apart.
    ``None`` sets no bound.
    """
    if len(positive) != len(negative):
        raise GenerationError(f"Got {len(positive)} positive and {len(negative)} negative conditionings; they come in pairs.")
    lengths = [(a.shape[1], b.shape[1]) for a, b in zip(positive, negative)]
    if stretch is not None and any(math.lcm(*pair) > stretch * max(pair) for pair in lengths):
        first, second = join(positive), join(negative)
        if first.context.shape[1] == second.context.shape[1] and first.table != second.table:
            second = join([_repeat(negative[0], 2), *negative[1:]])
        return first, second
    common = [math.lcm(*pair) for pair in lengths]
    return (
        join([_repeat(segment, length // segment.shape[1]) for segment, length in zip(positive, common)]),
        join([_repeat(segment, length // segment.shape[1]) for segment, length in zip(negative, common)]),
    )


def distinct(context: Tensor, table: Table, merge: bool = True) -> list[list[int]]:
    """Number the conditionings of every row of a joined context, so that equal ones have equal numbers.

    A conditioning that only repeats another counts as equal, as attention cannot tell them apart. Without
    ``merge`` all are held for different.
    """
    if not merge:
        return [list(range(row * len(table), (row + 1) * len(table))) for row in range(len(context))]
    numbers: dict[bytes, int] = {}
    values = context.detach().cpu().contiguous().view(torch.uint8).numpy()  # bytes, as not every dtype can be compared
    return [[numbers.setdefault(_once(row[start:stop]), len(numbers)) for start, stop in table] for row in values]


def _once(segment: Any) -> bytes:
    """The shortest beginning of ``segment`` [tokens, bytes] that makes it up by repetition."""
    tokens = len(segment)
    periods = (period for period in range(1, tokens) if tokens % period == 0)
    return next((segment[:period] for period in periods if (segment[period:] == segment[:-period]).all()), segment).tobytes()


def _repeat(segment: Tensor, times: int) -> Tensor:
    return segment.repeat(1, times, 1) if times > 1 else segment
