"""The part of a picture that a painter gets to see, and in which size."""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image

from rpg.areas.layout import Box
from rpg.cut import cut, seen_in
from rpg.editing.masks import pixel_bounds
from rpg.plan import Plan

PADDING = 0.25
"""Around what is painted anew, as a share of its longer side: the painter sees so much of what stays."""
LEAST_PADDING = 8
"""Pixels."""


class Window(NamedTuple):
    """In pixels of the picture."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, size: tuple[int, int]) -> Box:
        """In fractions of a picture of that size."""
        return Box(self.left / size[0], self.top / size[1], self.right / size[0], self.bottom / size[1])

    def part_of(self, plan: Plan, size: tuple[int, int], painted: tuple[int, int]) -> Plan:
        """The plan of a picture of that size, for this part of it alone.

        Args:
            painted: width and height in which the part is painted.
        """
        return seen_in(cut(plan, self.of(size)), painted[1] // 8, painted[0] // 8)

    def painted_size(self, native: int) -> tuple[int, int]:
        """At least so many pixels along the shorter side, or as it is if that is larger; multiples of 8."""
        across, down = self.right - self.left, self.bottom - self.top
        scale = max(1.0, native / min(across, down))
        return max(8, round(across * scale / 8) * 8), max(8, round(down * scale / 8) * 8)


def window_of(mask: Image.Image, size: tuple[int, int]) -> Window:
    """The mask's bounds, padded, and not much longer than high.

    Raises:
        EditingError: when the mask is empty.
    """
    left, top, right, bottom = pixel_bounds(mask)
    padding = max(LEAST_PADDING, round(PADDING * max(right - left, bottom - top)))
    side = max(right - left, bottom - top) + 2 * padding
    (left, right), (top, bottom) = _around(left, right, side, size[0]), _around(top, bottom, side, size[1])
    return Window(left, top, right, bottom)


def _around(start: int, end: int, length: int, limit: int) -> tuple[int, int]:
    """A stretch of that length around another, inside 0 to ``limit``."""
    length = min(length, limit)
    first = min(max((start + end - length) // 2, 0), limit - length)
    return first, first + length
