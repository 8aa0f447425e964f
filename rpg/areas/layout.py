"""Split ratios, and the boxes they stand for.

Grammar (RPG, section 2.2 and the reference code): rows are separated by ``;``. The first number of a row is
its height, the others are the widths of its regions; a row with one number is one region of that height.
Without ``;`` the numbers are the widths of the columns of a single row.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import accumulate, pairwise
from typing import NamedTuple

from rpg.errors import LayoutError
from rpg.values import shown

MAX_REGIONS = 64
MAX_CONTRAST = 1000
"""Largest allowed quotient of two ratios of one side."""
LONGEST_RATIO = 8192
"""Longest split ratio in characters."""
LIMITS = {"regions": MAX_REGIONS, "contrast": MAX_CONTRAST, "text": LONGEST_RATIO}

_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)", re.ASCII)


class Box(NamedTuple):
    """A part of the picture, in fractions of it."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Row:
    height: float
    widths: tuple[float, ...]


@dataclass(frozen=True)
class Layout:
    """Rows of regions. Regions are counted row by row, from left to right."""

    rows: tuple[Row, ...]

    @classmethod
    def parse(cls, text: str) -> Layout:
        """Read a split ratio such as ``1,1`` or ``1,1,1;2,1,1``; signs and digits may be as wide as Chinese ones.

        Raises:
            LayoutError: with the sentence that the user sees.
        """
        if not isinstance(text, str):
            raise LayoutError(f"split_ratio is {shown(text)}; it must be a text such as '1,1' or '1,1,1;2,1,1'.")
        if not text.strip():
            raise LayoutError("split_ratio is empty; write the widths of the columns such as '1,1', or rows such as '1;1'.")
        if len(text) > LONGEST_RATIO:
            raise LayoutError(f"split_ratio has {len(text)} characters; at most {LONGEST_RATIO} are allowed.")
        narrow = unicodedata.normalize("NFKC", text).replace("、", ",")
        cells = [[_number(cell, text) for cell in row.split(",")] for row in narrow.split(";")]
        if len(cells) == 1:
            rows = [Row(1.0, tuple(cells[0]))]
        else:
            rows = [Row(height, tuple(widths) or (1.0,)) for height, *widths in cells]
        regions = sum(len(row.widths) for row in rows)
        if regions > MAX_REGIONS:
            raise LayoutError(f"split_ratio {shown(text)} has {regions} regions; at most {MAX_REGIONS} are allowed.")
        _check_contrast("row heights", [row.height for row in rows], text)
        for number, row in enumerate(rows, 1):
            _check_contrast(f"widths of row {number}", row.widths, text)
        return cls(tuple(rows))

    @classmethod
    def columns(cls, count: int) -> Layout:
        """``count`` equal columns."""
        return cls.parse(",".join(["1"] * count))

    @property
    def text(self) -> str:
        """The split ratio in its shortest form; ``parse`` gives back an equal layout."""
        if len(self.rows) == 1:
            return ",".join(map(_digits, self.rows[0].widths))
        return ";".join(",".join(map(_digits, (row.height, *(row.widths if row.widths != (1.0,) else ())))) for row in self.rows)

    @property
    def count(self) -> int:
        """Number of regions."""
        return sum(len(row.widths) for row in self.rows)

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """One box for each region."""
        edges = fractions([row.height for row in self.rows])
        boxes = []
        for row, top, bottom in zip(self.rows, edges, edges[1:], strict=False):
            columns = fractions(row.widths)
            boxes += [Box(left, top, right, bottom) for left, right in pairwise(columns)]
        return tuple(boxes)


def fractions(ratios: Sequence[float]) -> list[float]:
    """Edges between the parts: from 0.0 to 1.0, one more than there are ratios."""
    total = math.fsum(ratio / max(ratios) for ratio in ratios)
    sums = accumulate(ratio / max(ratios) for ratio in ratios)
    return [0.0, *(min(part / total, 1.0) for part in sums)][:-1] + [1.0]


def _number(cell: str, text: str) -> float:
    cell = cell.strip()
    if not cell:
        raise LayoutError(f"split_ratio {shown(text)} has an empty cell; write a number on both sides of every ',' and ';'.")
    value = float(cell) if _NUMBER.fullmatch(cell) else math.nan
    if not (math.isfinite(value) and value > 0):
        raise LayoutError(
            f"split_ratio {shown(text)}: {shown(cell)} is not a number above 0; write something like '1,1' or '1,1,1;2,1,1'."
        )
    return value


def _check_contrast(side: str, ratios: Sequence[float], text: str) -> None:
    if max(ratios) / MAX_CONTRAST > min(ratios):
        raise LayoutError(
            f"split_ratio {shown(text)}: the {side} go from {_digits(min(ratios))} to {_digits(max(ratios))}; "
            f"the largest may be at most {MAX_CONTRAST} times the smallest."
        )


def _digits(value: float) -> str:
    """Shortest decimal notation that reads back as the same number (no exponent)."""
    digits = format(Decimal(repr(value)), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
