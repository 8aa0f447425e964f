"""What stands where in a picture of coloured shapes: measured, so that a test need not have an opinion."""

from __future__ import annotations

import numpy as np
from PIL import Image

COLOURS = {"red": (225, 30, 30), "blue": (40, 80, 215), "green": (40, 160, 60), "yellow": (240, 215, 50)}


def mask(image: Image.Image, colour: str) -> np.ndarray:
    """Pixels that are nearer to ``colour`` than most shades between it and the background: [height, width] of bool."""
    pixels = np.asarray(image.convert("RGB")).astype(int)
    return np.abs(pixels - COLOURS[colour]).sum(axis=2) < 130


def shape_of(image: Image.Image, colour: str, left: float, right: float) -> str | None:
    """The shape that has ``colour`` in the columns from ``left`` to ``right`` (fractions of the width), if it is there.

    It must cover 2 % of the picture, and nine tenths of the colour must lie in those columns. Shapes are told apart by how
    much of their bounding box they fill: a square all of it, a disc pi / 4.
    """
    colours = mask(image, colour)
    height, width = colours.shape
    inside = colours[:, round(left * width) : round(right * width)]
    if inside.sum() < 0.02 * height * width or inside.sum() < 0.9 * colours.sum():
        return None
    rows, columns = (np.quantile(axis, (0.005, 0.995)) for axis in np.nonzero(inside))
    tall, wide = rows[1] - rows[0] + 1, columns[1] - columns[0] + 1
    fill = inside.sum() / (tall * wide)
    if not 0.75 < tall / wide < 1.33:
        return "other"
    return "square" if fill > 0.88 else "circle" if fill > 0.7 else "other"
