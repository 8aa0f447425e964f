"""Lines of cells, as other programs divide a picture: rows of cells, or columns of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from rpg.areas.layout import Layout, Row


@dataclass(frozen=True)
class GridLine:
    """A row of cells, or a column of cells.

    Fields:
        size: of the line beside the others.
        cells: the sizes of the cells along it.
    """

    size: float
    cells: tuple[float, ...]


def placed(lines: Sequence[GridLine], regions: Sequence[dict[str, Any]], columns: bool) -> dict[str, Any]:
    """``split_ratio`` and ``regions`` of a plan, cell by cell.

    Columns of several cells are no split ratio: their regions become boxes.

    Args:
        regions: line by line.
        columns: whether the lines stand beside one another, with their cells from top to bottom.
    """
    if not columns:
        return {"split_ratio": _ratio(lines), "regions": list(regions)}
    if all(len(line.cells) == 1 for line in lines):
        return {"split_ratio": _ratio([GridLine(1.0, tuple(line.size for line in lines))]), "regions": list(regions)}
    if len(lines) == 1:
        return {"split_ratio": _ratio([GridLine(size, (1.0,)) for size in lines[0].cells]), "regions": list(regions)}
    boxes = [
        {"box": [left, top, right, bottom]}
        for line, (left, right) in zip(lines, _spans([line.size for line in lines]))
        for top, bottom in _spans(line.cells)
    ]
    return {"split_ratio": "", "regions": [{**region, "area": box} for region, box in zip(regions, boxes)]}


def _ratio(rows: Sequence[GridLine]) -> str:
    heights = [1.0] if len(rows) == 1 else [row.size for row in rows]
    return Layout(tuple(Row(height, row.cells) for height, row in zip(heights, rows))).text


def _spans(sizes: Sequence[float]) -> list[tuple[float, float]]:
    edges = [0.0, *accumulate(sizes)]
    return [(round(low / edges[-1], 6), round(high / edges[-1], 6)) for low, high in pairwise(edges)]
