"""Where a plan's regions lie: the cells of a layout, some of which span its rows."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from rpg.areas.layout import Layout


@dataclass(frozen=True)
class Areas:
    """Where a plan's regions lie.

    Fields:
        layout: its cells, counted row by row.
        regions: for each cell the region that it shows: its own, or that of the cell above, which goes on in it.
    """

    layout: Layout
    regions: tuple[int, ...]

    @classmethod
    def of(cls, layout: Layout, kinds: Sequence[Hashable] = ()) -> Areas:
        """The areas of regions, of which equal ``kinds`` say the same; without them, each cell is a region.

        A split ratio can write a cell that spans rows only once in each of them. So equal cells one below the other are one
        region. What it could have written as one cell is meant as several things: cells beside each other, also where such
        rows lie one below the other (four squares), and rows that repeat as a whole.
        """
        regions = list(range(layout.count))
        for above, below in pairwise(_rows(layout)) if kinds else ():
            pairs = [(one, other) for one in _alone(above, kinds) for other in _alone(below, kinds)]
            going_on = [pair for pair in pairs if kinds[pair[0]] == kinds[pair[1]] and _same_borders(layout, *pair)]
            if len(going_on) < len(below):
                for one, other in going_on:
                    regions[other] = regions[one]
        return cls(layout, tuple(regions))


def _rows(layout: Layout) -> list[range]:
    """The numbers of the cells of each row."""
    return [range(*pair) for pair in pairwise([0, *accumulate(len(row.widths) for row in layout.rows)])]


def _alone(row: range, kinds: Sequence[Hashable]) -> Iterator[int]:
    """The cells with no equal one beside them."""
    for cell in row:
        if not any(beside in row and kinds[beside] == kinds[cell] for beside in (cell - 1, cell + 1)):
            yield cell


def _same_borders(layout: Layout, *cells: int) -> bool:
    one, other = (layout.boxes[cell] for cell in cells)
    return math.isclose(one.left, other.left, abs_tol=1e-9) and math.isclose(one.right, other.right, abs_tol=1e-9)
