"""Reads a picture of coloured shapes: which objects, where. Deterministic, and knows nothing of what was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
from PIL import Image

from rpg.shapes.training.scenes import BACKGROUNDS, COLOURS, SHAPES

OTHER = "other"
LEAST_AREA = 0.003
"""Of the picture; what is smaller is a speck."""
LEAST_PIXELS = 40
FARTHEST_COLOUR = 40.0
"""From the nearest of the colours, as CIE 1976 measures it."""
LEAST_OVERLAP = 0.72
"""Of an outline with that of its shape, as intersection over union."""
GRID = 48


@dataclass(frozen=True)
class Found:
    colour: str
    shape: str
    """Or ``OTHER``, as the colour may be."""
    box: tuple[int, int, int, int]
    """Left, top, right, bottom, in pixels."""
    pixels: np.ndarray = field(compare=False, repr=False)
    """Those that it covers: [height, width] of bool, of the whole picture."""

    @property
    def kind(self) -> tuple[str, str]:
        return self.colour, self.shape

    @property
    def centre(self) -> tuple[float, float]:
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2


def read(picture: Image.Image) -> list[Found]:
    """The objects of a picture, the largest first.

    A pixel belongs to the object colour it is nearest to; patches of one colour are objects. The outline is where a patch's
    own colour is half mixed with the background.
    """
    pixels = np.asarray(picture.convert("RGB"))
    background = _background(pixels)
    labels = _nearest(pixels, np.array([background, *COLOURS.values()], np.uint8))
    thin = np.ones((3, 3), np.uint8)
    found: list[tuple[int, Found]] = []
    patches = []
    for number in range(1, len(COLOURS) + 1):
        # Opening takes away the edges, where colour and background mix to others.
        mask = cv2.morphologyEx((labels == number).astype(np.uint8), cv2.MORPH_OPEN, thin)
        count, areas = cv2.connectedComponents(mask, connectivity=4)
        patches += [areas == area for area in range(1, count)]
    least = max(LEAST_PIXELS, LEAST_AREA * labels.size)
    patches = [patch for patch in patches if patch.sum() >= least]
    taken = np.sum(patches, axis=0, dtype=int) if patches else np.zeros(labels.shape, int)
    for patch in patches:
        # Where two colours meet in one object, the smaller patch still counts as one of its own.
        colour = np.median(pixels[patch], axis=0)
        near = cv2.dilate(patch.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool) & ((taken == 0) | patch)
        outline = near & _own(pixels, colour, background)
        top, bottom = np.flatnonzero(outline.any(axis=1))[[0, -1]]
        left, right = np.flatnonzero(outline.any(axis=0))[[0, -1]]
        box = (int(left), int(top), int(right) + 1, int(bottom) + 1)
        shape = _shape(outline[top : bottom + 1, left : right + 1])
        found.append((int(outline.sum()), Found(_colour(colour), shape, box, outline)))
    return [item for _, item in sorted(found, key=lambda pair: -pair[0])]


def lab(colours: np.ndarray) -> np.ndarray:
    return cv2.cvtColor((colours.reshape(1, -1, 3) / 255).astype(np.float32), cv2.COLOR_RGB2LAB).reshape(*colours.shape)


def _nearest(pixels: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Index of the nearest colour: [height, width]."""
    return np.linalg.norm(lab(pixels)[..., None, :] - lab(colours), axis=-1).argmin(axis=-1)


def is_background(pixels: np.ndarray) -> np.ndarray:
    """Pixels nearer to one of the backgrounds than to any object's colour: [height, width] of bool."""
    return _nearest(pixels, np.array([*BACKGROUNDS.values(), *COLOURS.values()], np.uint8)) < len(BACKGROUNDS)


def _background(pixels: np.ndarray) -> np.ndarray:
    """The picture's own shade of the background that is most of it."""
    palette = np.array([*BACKGROUNDS.values(), *COLOURS.values()], np.uint8)
    labels = _nearest(pixels, palette)
    counts = np.bincount(labels.ravel(), minlength=len(palette))[: len(BACKGROUNDS)]
    most = int(counts.argmax())
    return np.median(pixels[labels == most], axis=0) if counts[most] else np.array(palette[0])


def _own(pixels: np.ndarray, colour: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Pixels of which the colour is at least half: [height, width] of bool."""
    way = colour - background
    return ((pixels - background) @ way / max(way @ way, 1e-6)) > 0.5


def _colour(colour: np.ndarray) -> str:
    distances = np.linalg.norm(lab(np.array(list(COLOURS.values()), np.uint8)) - lab(colour[None].astype(np.uint8)), axis=-1)
    return list(COLOURS)[int(distances.argmin())] if distances.min() < FARTHEST_COLOUR else OTHER


@cache
def _templates() -> dict[str, np.ndarray]:
    templates = {}
    for name, outline in SHAPES.items():
        grid = np.zeros((GRID * 8, GRID * 8), np.uint8)
        cv2.fillPoly(grid, [np.round(np.array(outline) * (GRID * 8 - 1)).astype(np.int32)], 1)
        templates[name] = cv2.resize(grid.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA) > 0.5
    return templates


def _shape(outline: np.ndarray) -> str:
    height, width = outline.shape
    if not 0.7 < width / height < 1.43:
        return OTHER
    fitted = cv2.resize(outline.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_LINEAR) > 0.5
    overlaps = {name: (fitted & shape).sum() / (fitted | shape).sum() for name, shape in _templates().items()}
    best = max(overlaps, key=lambda name: overlaps[name])
    return best if overlaps[best] >= LEAST_OVERLAP else OTHER
