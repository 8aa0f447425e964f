"""How much a picture's regions fall apart where they meet: the jump of colour across their borders against those inside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import permutations
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from rpg.areas.layout import Box, Layout
from tests.benchmarks.composition.judge import is_background, lab

REACH = 6
"""Pixels to either side of a line: past the blur of a latent's edge, and within the smallest region's margin."""
EDGE = 9
"""Pixels: twice how far an object's edge may reach, and one."""
SPACING = 4
"""Pixels between two lines inside."""
LEAST_FREE = 0.15
"""Of a line's pixels, to either side of it, that are background."""


class Line(NamedTuple):
    """A vertical line of a picture (or of its transpose): column ``x``, rows ``top`` to ``bottom``."""

    x: int
    top: int
    bottom: int


def seam(picture: Image.Image, layout: Layout) -> float | None:
    """The jump of colour across the worst border beyond the usual jump inside regions, in units of CIE 1976, of which people
    see about 2.3. Only the background counts, as objects may lie where they like. None where no border has any.
    """
    pixels = np.asarray(picture.convert("RGB"))
    # Away from objects, whose edges mix with the background.
    free = cv2.erode(is_background(pixels).astype(np.uint8), np.ones((EDGE, EDGE), np.uint8)).astype(bool)
    colours = lab(pixels)
    borders: list[float] = []
    inside: list[float] = []
    for turned in (False, True):
        image, mask = (colours.swapaxes(0, 1), free.T) if turned else (colours, free)
        boxes = [Box(box.top, box.left, box.bottom, box.right) if turned else box for box in layout.boxes]
        borders += _jumps(image, mask, _borders(mask, boxes))
        inside += _jumps(image, mask, _inside(mask, boxes))
    return max(0.0, max(borders) - float(np.median(inside or [0.0]))) if borders else None


def _jumps(colours: np.ndarray, free: np.ndarray, lines: Iterable[Line]) -> list[float]:
    """Of every line that is background for long enough: the median over its pixels."""
    found = []
    for x, top, bottom in lines:
        left, right = x - REACH - 1, x + REACH
        both = free[top:bottom, left] & free[top:bottom, right]
        if both.mean() >= LEAST_FREE:
            jumps = np.linalg.norm(colours[top:bottom, right] - colours[top:bottom, left], axis=-1)
            found.append(float(np.median(jumps[both])))
    return found


def _borders(pixels: np.ndarray, boxes: list[Box]) -> Iterator[Line]:
    """Between neighbours from left to right."""
    height, width = pixels.shape
    for left, right in permutations(boxes, 2):
        top, bottom = round(max(left.top, right.top) * height), round(min(left.bottom, right.bottom) * height)
        if abs(left.right - right.left) < 1e-6 and bottom - top > 2 * REACH:
            yield Line(round(left.right * width), top, bottom)


def _inside(pixels: np.ndarray, boxes: list[Box]) -> Iterator[Line]:
    height, width = pixels.shape
    for box in boxes:
        for x in range(round(box.left * width) + REACH + 1, round(box.right * width) - REACH, SPACING):
            yield Line(x, round(box.top * height), round(box.bottom * height))
