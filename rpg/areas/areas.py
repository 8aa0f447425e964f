"""Where a plan's regions lie: the cells of a layout, some of which span its rows, and areas of their own."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from rpg.areas.area import Area
from rpg.areas.layout import Box, Layout


@dataclass(frozen=True)
class Areas:
    """Where a plan's regions lie. Later ones lie on top and take the place from those below; what nothing covers is the base
    prompt's.

    Fields:
        layout: the cells, counted row by row; None: every region has an area of its own.
        own: for each region its area; None: it fills the next cell.
        regions: for each region the one that its place shows: itself, or that of the cell above, which goes on in its cell.
    """

    layout: Layout | None
    own: tuple[Area | None, ...]
    regions: tuple[int, ...]

    @property
    def boxes(self) -> tuple[Box, ...]:
        """For each region the box around its own place."""
        cells = iter(self.layout.boxes if self.layout else ())
        return tuple(area.bounds if area else next(cells) for area in self.own)

    @classmethod
    def of(cls, layout: Layout | None, kinds: Sequence[Hashable] = (), own: Sequence[Area | None] = ()) -> Areas:
        """The areas of regions, of which equal ``kinds`` say the same; without them, each cell is a region.

        A split ratio can write a cell that spans rows only once in each of them. So equal cells one below the other are one
        region. What it could have written as one cell is meant as several things: cells beside each other, also where such
        rows lie one below the other (four squares), and rows that repeat as a whole.

        Args:
            own: see :class:`Areas`; without it, all regions fill cells.
        """
        own = tuple(own) or (None,) * (layout.count if layout else 0)
        regions = list(range(len(own)))
        if layout is not None and kinds:
            cells = [region for region, area in enumerate(own) if area is None]
            for one, other in _going_on(layout, [kinds[region] for region in cells]):
                regions[cells[other]] = regions[cells[one]]
        return cls(layout, own, tuple(regions))


def _going_on(layout: Layout, kinds: Sequence[Hashable]) -> Iterator[tuple[int, int]]:
    """Pairs of cells, one below the other, that are one region."""
    for above, below in pairwise(_rows(layout)):
        pairs = [(one, other) for one in _alone(above, kinds) for other in _alone(below, kinds)]
        going_on = [pair for pair in pairs if kinds[pair[0]] == kinds[pair[1]] and _same_borders(layout, *pair)]
        if len(going_on) < len(below):
            yield from going_on


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
