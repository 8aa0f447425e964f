"""What differs from the colours around a box (GrabCut: Rother et al., 2004; OpenCV's). Nothing has to be downloaded."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from rpg.areas.layout import Box
from rpg.editing.masks import box as whole
from rpg.errors import EditingError

ROUNDS = 4
MARGIN = 0.15
"""Around the box, as a share of it: where the outside is learnt from begins there."""
LEAST, MOST = 0.05, 0.98
"""Of the box; less or more is no object, and the box stands for it."""


def find(picture: Image.Image, box: Box) -> Any:
    """[height, width] of uint8."""
    try:
        import cv2
    except ImportError:
        raise EditingError("The mask 'grabcut' needs OpenCV; install opencv-python-headless, or use the mask 'box'.") from None
    width, height = picture.size
    left, top, right, bottom = whole.pixels(box, picture.size)
    across, down = round(MARGIN * (right - left)) + 1, round(MARGIN * (bottom - top)) + 1
    x, y = max(left - across, 1), max(top - down, 1)
    rectangle = (x, y, min(right + across, width - 1) - x, min(bottom + down, height - 1) - y)
    if rectangle[2] < 3 or rectangle[3] < 3 or rectangle[2] * rectangle[3] > 0.95 * width * height:
        return whole.find(picture, box)
    labels = np.zeros((height, width), np.uint8)
    cv2.setRNGSeed(0)
    bgr = cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR)
    cv2.grabCut(bgr, labels, rectangle, np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_RECT)
    found = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    inside = found[top:bottom, left:right].mean()
    if not LEAST < inside < MOST:
        return whole.find(picture, box)
    return found.astype(np.uint8) * 255
