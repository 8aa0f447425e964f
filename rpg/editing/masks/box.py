"""All of a box, with soft edges inside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from rpg.areas.layout import Box

SOFT = 0.06
"""Width of the soft edge, as a share of the box's shorter side."""


def find(picture: Image.Image, box: Box) -> Any:
    """[height, width] of uint8."""
    left, top, right, bottom = pixels(box, picture.size)
    edge = max(1, round(SOFT * min(right - left, bottom - top)))
    across, down = (_ramp(length, edge) for length in (right - left, bottom - top))
    mask = np.zeros((picture.height, picture.width), np.uint8)
    mask[top:bottom, left:right] = np.round(255 * np.minimum(down[:, None], across[None]))
    return mask


def pixels(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a box in a picture of that size; at least one of each."""
    width, height = size
    left, top = min(round(box.left * width), width - 1), min(round(box.top * height), height - 1)
    return left, top, max(round(box.right * width), left + 1), max(round(box.bottom * height), top + 1)


def _ramp(length: int, edge: int) -> Any:
    """From soft to full to soft: [length]."""
    positions = np.arange(1, length + 1)
    return np.clip(np.minimum(positions, positions[::-1]) / (edge + 1), 0, 1)
