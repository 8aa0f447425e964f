"""Sees the coloured shapes in pictures of the embedded model: colours by hue, shapes by their outlines.

Drawn scenes, sharp or as blurred as the model's pictures, are read without a mistake: 200 of 200 (tests/shapes/test_sight.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from rpg.shapes.training.scenes import BACKGROUNDS, COLOURS, SHAPES

LEAST_AREA = 0.002
"""Of the picture; what is smaller is a speck."""
DIRECTIONS = 48
FARTHEST = 0.09
"""From a shape's outline; in the model's pictures none is farther than 0.06 from its own."""
FINER = 3
"""How often a picture is enlarged, so that contours run between its pixels."""
_DARK, _VIVID = 90, 95
"""Brightness below which a pixel is black, and saturation above which it is coloured: no background is."""


@dataclass(frozen=True)
class Seen:
    colour: str
    shape: str | None
    """None where it is like no shape that the model knows."""
    box: tuple[float, float, float, float]
    """Left, top, right, bottom, in fractions of the picture."""

    @property
    def centre(self) -> tuple[float, float]:
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2


def objects(picture: Image.Image) -> list[Seen]:
    """The objects in a picture, the largest first."""
    import cv2

    larger = picture.convert("RGB").resize((FINER * picture.width, FINER * picture.height), Image.Resampling.BICUBIC)
    hues = _hues(np.asarray(larger))
    height, width = hues.shape
    found: list[tuple[float, Seen]] = []
    for number, colour in enumerate(COLOURS, 1):
        mask = cv2.morphologyEx((hues == number).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for contour in contours:
            area = cv2.contourArea(contour)
            if area >= LEAST_AREA * height * width:
                x, y, w, h = cv2.boundingRect(contour)
                box = (x / width, y / height, (x + w) / width, (y + h) / height)
                found.append((area, Seen(colour, _shape(contour), box)))
    return [seen for _, seen in sorted(found, key=lambda pair: -pair[0])]


def background(picture: Image.Image) -> str:
    """Of which colour the background is."""
    pixels = np.asarray(picture.convert("RGB"))
    rest = pixels[_hues(pixels) == 0]
    middle = np.median(rest, axis=0) if len(rest) else np.zeros(3)
    return min(BACKGROUNDS, key=lambda name: float(np.abs(middle - BACKGROUNDS[name]).sum()))


def _hues(pixels: Any) -> Any:
    """For each pixel the number of its colour, from 1; 0 is background: [height, width]."""
    import cv2

    hue, saturation, value = (channel.astype(int) for channel in cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)))
    names = [name for name in COLOURS if name != "black"]
    centres = cv2.cvtColor(np.array([[COLOURS[name] for name in names]], np.uint8), cv2.COLOR_RGB2HSV)[0, :, 0].astype(int)
    distance = np.abs(hue[..., None] - centres)
    nearest = np.minimum(distance, 180 - distance).argmin(axis=-1)
    numbers = np.array([list(COLOURS).index(name) + 1 for name in names])[nearest]
    numbers[saturation < _VIVID] = 0
    numbers[value < _DARK] = list(COLOURS).index("black") + 1
    return numbers


def _shape(contour: Any) -> str | None:
    outline = _outline(contour)
    distances = {name: float(np.sqrt(np.mean((outline - known) ** 2))) for name, known in _known().items()}
    best = min(distances, key=lambda name: distances[name])
    return best if distances[best] < FARTHEST else None


@cache
def _known() -> dict[str, Any]:
    import cv2

    known = {}
    for name, points in SHAPES.items():
        drawn = np.zeros((402, 402), np.uint8)
        cv2.fillPoly(drawn, [np.round(np.array(points) * 400).astype(np.int32)], (1,))
        known[name] = _outline(cv2.findContours(drawn, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0])
    return known


def _outline(contour: Any) -> Any:
    """How far a contour is from its centre in each direction, as a share of the root of its area: [DIRECTIONS]."""
    import cv2

    moments = cv2.moments(contour)
    area = max(moments["m00"], 1)
    x, y = contour[:, 0].T - np.array([[moments["m10"]], [moments["m01"]]]) / area
    sectors = (np.arctan2(y, x) / (2 * np.pi) * DIRECTIONS).astype(int) % DIRECTIONS
    counts = np.bincount(sectors, minlength=DIRECTIONS)
    sums = np.bincount(sectors, np.hypot(x, y), minlength=DIRECTIONS)
    (some,) = counts.nonzero()
    return np.interp(np.arange(DIRECTIONS), some, sums[some] / counts[some], period=DIRECTIONS) / np.sqrt(area)
