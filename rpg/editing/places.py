"""Boxes for places: a side of the picture, beside something, or where little is drawn yet."""

from __future__ import annotations

import numpy as np
from PIL import Image

from rpg.areas.layout import Box
from rpg.planners.rules.reading import Place

_THIRDS = {-1: (0.0, 0.4), 0: (0.3, 0.7), 1: (0.6, 1.0)}
SIZES = (0.8, 0.65, 0.5, 0.4, 0.3)
"""Of what is added, the largest first, in shares of the shorter side of the place."""
DRAWN = 12
"""Grey levels between neighbouring pixels, where something is drawn and no noise."""


def side_box(place: Place) -> Box:
    """The part of the picture that a place names; all of it where nothing is said."""
    left, right = (0.0, 1.0) if place.column is None else _THIRDS[_sign(place.column)]
    top, bottom = (0.0, 1.0) if place.row is None else _THIRDS[_sign(place.row)]
    return Box(left, top, right, bottom)


def beside_box(box: Box, place: Place) -> Box:
    """The part of the picture that lies at a place from a box; all of it where none is left."""
    left, top, right, bottom = 0.0, 0.0, 1.0, 1.0
    if place.column:
        left, right = (box.right, 1.0) if place.column > 0 else (0.0, box.left)
    if place.row:
        top, bottom = (box.bottom, 1.0) if place.row > 0 else (0.0, box.top)
    return Box(left, top, right, bottom) if left < right and top < bottom else Box(0, 0, 1, 1)


def clear_box(picture: Image.Image, within: Box, like: Box | None = None) -> Box:
    """Where within a box there is most room for something square, or for what is at ``like`` now."""
    grey = np.asarray(picture.convert("L"), np.float32)
    height, width = grey.shape
    steps = np.abs(np.diff(grey, axis=0, prepend=grey[:1])) + np.abs(np.diff(grey, axis=1, prepend=grey[:, :1]))
    if like:  # it will not be there any more
        steps[
            round(like.top * height) : round(like.bottom * height) + 2, round(like.left * width) : round(like.right * width) + 2
        ] = 0
    sums = np.pad((steps > DRAWN).astype(np.float64), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    left, top = round(within.left * width), round(within.top * height)
    right, bottom = round(within.right * width), round(within.bottom * height)
    short = min(right - left, bottom - top)
    sizes = [(round(short * share), round(short * share)) for share in SIZES]
    if like:
        wide, high = round((like.right - like.left) * width), round((like.bottom - like.top) * height)
        sizes = [(min(wide, right - left), min(high, bottom - top))]
    best: tuple[float, Box] | None = None
    for w, h in ((max(wide, 1), max(high, 1)) for wide, high in sizes):
        drawn = sums[h:, w:] - sums[:-h, w:] - sums[h:, :-w] + sums[:-h, :-w]  # of every box of this size, by its corner
        room = drawn[top : bottom - h + 1, left : right - w + 1] / (w * h)
        rows, columns = np.indices(room.shape)
        off = np.hypot(rows - (room.shape[0] - 1) / 2, columns - (room.shape[1] - 1) / 2) / max(sum(room.shape), 1)
        row, column = np.unravel_index(int((room + 0.01 * off).argmin()), room.shape)
        x, y = left + int(column), top + int(row)
        box = Box(x / width, y / height, min((x + w) / width, 1.0), min((y + h) / height, 1.0))
        if best is None or room[row, column] < best[0]:
            best = float(room[row, column]), box
        if room[row, column] == 0:
            return box
    assert best is not None
    return best[1]


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
