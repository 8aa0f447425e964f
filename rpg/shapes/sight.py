"""Sees the coloured shapes in pictures of the embedded model: colours by hue, shapes by their contours' proportions.

Drawn scenes, sharp or as blurred as the model's pictures, are read without a mistake: 200 of 200 (tests/test_sight.py).
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
FARTHEST = 0.2
"""From the proportions of a shape."""
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
    proportions = _proportions(contour)
    distances = {name: float(np.linalg.norm(proportions - known)) for name, known in _known().items()}
    best = min(distances, key=lambda name: distances[name])
    return best if distances[best] < FARTHEST else None


@cache
def _known() -> dict[str, Any]:
    return {name: _proportions(np.round(np.array(outline) * 400).astype(np.int32)[:, None]) for name, outline in SHAPES.items()}


def _proportions(contour: Any) -> Any:
    """Share of the box and of the hull that a contour fills, the height of its centre, and its width by its height."""
    import cv2

    _, y, w, h = cv2.boundingRect(contour)
    area, moments = cv2.contourArea(contour), cv2.moments(contour)
    hull = max(cv2.contourArea(cv2.convexHull(contour)), 1)
    down = (moments["m01"] / max(moments["m00"], 1) - y) / h
    # A contour runs through the middles of its pixels.
    return np.array([area / (max(w - 1, 1) * max(h - 1, 1)), area / hull, 2 * down, np.log(w / h)])
