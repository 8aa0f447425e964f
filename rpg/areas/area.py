"""A region's own place in the picture: a box, or a mask that is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpg.areas import masks
from rpg.areas.layout import Box
from rpg.errors import PlanError
from rpg.values import known_fields, number, shown

Weights = NDArray[np.float64]

LEAST_SIDE = 0.002
"""Of a box: half a token of the largest pictures."""
FINE = 256
"""Places on the longer side at which soft edges are looked at."""


@dataclass(frozen=True)
class Area:
    """A box or a mask.

    Fields:
        box: left, top, right, bottom in fractions of the picture.
        mask: a PNG in base64, stretched over the picture; black is outside, white inside, grey a part. Kept as small as
            tokens need (:mod:`rpg.areas.masks`).
        feather: width of the soft edge, half of it outside, as a share of the picture's shorter side.

    Raises:
        PlanError
    """

    box: Box | None = None
    mask: str | None = None
    feather: float = 0.0

    def __post_init__(self) -> None:
        if (self.box is None) == (self.mask is None):
            raise PlanError("area must have either a box, such as [0, 0, 0.5, 1], or a mask.")
        if self.box is not None:
            object.__setattr__(self, "box", _box(self.box))
        if self.mask is not None:
            object.__setattr__(self, "mask", masks.kept(self.mask))
        feather = number("feather", self.feather, 0, 1, meaning="a number from 0 (hard edges) to 1 (as wide as the shorter side)")
        object.__setattr__(self, "feather", feather)

    @classmethod
    def from_value(cls, value: object) -> Area:
        """From a mapping with the names of the fields."""
        if isinstance(value, Area):
            return value
        if not isinstance(value, Mapping):
            raise PlanError(f"area is {shown(value)}; it must be an object with a box or a mask.")
        return cls(**known_fields(cls, value, noun="region's area"))

    def to_dict(self) -> dict[str, Any]:
        """JSON primitives only; what is unset is left out."""
        place: dict[str, Any] = {"mask": self.mask} if self.box is None else {"box": list(self.box)}
        return {**place, "feather": self.feather} if self.feather else place

    @property
    def bounds(self) -> Box:
        """The box around it, without its soft edge."""
        return self.box or masks.bounds(self.mask or "")

    def weights(self, height: int, width: int) -> Weights:
        """[height, width]: how much of every token of a grid lies in it, 0 to 1."""
        if not self.feather:
            return self._sharp(height, width)
        times = math.ceil(FINE / max(height, width))
        soft = self._sharp(height * times, width * times)
        reach = self.feather * min(soft.shape)
        for axis in (0, 1):
            for _ in range(2):
                soft = _blurred(soft, reach / 2, axis)
        return _rounded(soft.reshape(height, times, width, times).mean((1, 3)))

    def _sharp(self, height: int, width: int) -> Weights:
        if self.box is None:
            assert self.mask is not None
            return _rounded(masks.weights(self.mask, height, width))
        left, top, right, bottom = self.box
        return np.outer(_side(top, bottom, height), _side(left, right, width))


def _box(value: object) -> Box:
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 4:
        raise PlanError(f"box is {shown(value)}; it must be [left, top, right, bottom] in fractions of the picture.")
    box = Box(*(number("box", edge, 0, 1, meaning="four numbers from 0 to 1: [left, top, right, bottom]") for edge in value))
    if box.right - box.left < LEAST_SIDE or box.bottom - box.top < LEAST_SIDE:
        raise PlanError(
            f"box is {list(box)}; left must be smaller than right and top smaller than bottom, each by at least {LEAST_SIDE}."
        )
    return box


def _side(low: float, high: float, size: int) -> Weights:
    """How much of each of ``size`` tokens of one side lies between two fractions: whole tokens, as those of cells are, or by
    length where there is not a whole one."""
    first, last = (math.floor(edge * size + 0.5) for edge in (low, high))
    tokens = np.arange(size)
    if last > first:
        return ((tokens >= first) & (tokens < last)).astype(float)
    parts: Weights = np.clip(np.minimum(high * size, tokens + 1) - np.maximum(low * size, tokens), 0, 1)
    return parts


def _blurred(values: Weights, width: float, axis: int) -> Weights:
    """The mean of ``width`` places along an axis; beyond the picture it goes on as at its edge."""
    size, pad = values.shape[axis], math.ceil(width / 2) + 1
    wide = np.pad(np.moveaxis(values, axis, -1), [(0, 0), (pad, pad)], mode="edge")
    sums = np.concatenate([np.zeros((len(wide), 1)), wide.cumsum(-1)], axis=-1)
    ends = [np.arange(size) + pad + 0.5 + side * width / 2 for side in (-1, 1)]
    low, high = (sums[:, place.astype(int)] + place % 1 * wide[:, place.astype(int)] for place in ends)
    means: Weights = np.moveaxis((high - low) / width, -1, axis)
    return means


def _rounded(weights: Weights) -> Weights:
    """Without the last digits, so that what is whole is 1 and what is outside 0."""
    rounded: Weights = np.clip(weights, 0, 1).round(4)
    return rounded
