"""Pictures that a picture starts from or follows, checked before a model sees them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rpg.errors import GenerationError

KINDS = ("canny", "depth", "pose", "lineart", "mlsd", "normal", "scribble", "seg", "softedge", "tile")
"""Of controls."""
OWN_KINDS = ("canny", "depth")
"""Those that the embedded model's ControlNet follows."""
OWN_CONTROLS: Mapping[str, str | None] = MappingProxyType(dict.fromkeys(OWN_KINDS))
"""The same as kinds and their ControlNets; see :class:`Control`."""
STRENGTH = 0.75
"""The webui's."""
CANNY = (100, 200)
"""Thresholds of the gradient, on pictures of 0 to 255; the webui's."""
STEP = 8
"""Of widths and heights; by one a picture may be stretched."""
GREY = 12
"""Levels between a pixel's channels, at most, on average, in a hint without colours."""
HALF = 127
"""Brightness; outlines are mostly black."""


@dataclass(frozen=True)
class Control:
    """A ControlNet and what it follows.

    Attributes:
        model: a folder in diffusers' format; None: the embedded model's own.
        hint: a PIL picture of outlines, depth, a pose, ..., of the size of the picture.
    """

    model: str | None
    hint: Any
    scale: float = 1.0


@dataclass(frozen=True)
class Inputs:
    """PIL pictures, all of the size of the picture to make.

    Attributes:
        mask: white where the picture to start from is made anew.
        strength: how far from the picture, 0 to 1.
    """

    controls: tuple[Control, ...] = ()
    image: Any = None
    mask: Any = None
    strength: float = STRENGTH

    def __bool__(self) -> bool:
        return bool(self.controls) or self.image is not None


def check_strength(strength: float, steps: int) -> None:
    """Raises:
    GenerationError: when nothing is left to do.
    """
    if int(steps * strength) < 1:
        raise GenerationError(f"strength is {strength:g}, which is no step of {steps}; give more of either.")


def fitting(picture: Any, area: int, width: int | None = None, height: int | None = None) -> tuple[int, int]:
    """Width and height of a picture of about ``area`` pixels, or of what is given, in the shape of another."""
    shape = picture.width / picture.height
    width = width or _eights(height * shape if height else math.sqrt(area * shape))
    return width, height or _eights(width / shape)


def sized(name: str, picture: Any, size: tuple[int, int]) -> Any:
    """The picture, brought to a width and a height.

    Raises:
        GenerationError: when it has another shape.
    """
    width, height = size
    if abs(picture.width * height - picture.height * width) > STEP * max(picture.size):
        raise GenerationError(
            f"{name} is {picture.width}x{picture.height} and the picture to make {width}x{height}: it would be stretched; cut it "
            "to that shape, or choose a width and a height of its shape."
        )
    return picture.resize(size)


def check_hint(name: str, kind: str, hint: Any) -> None:
    """Raises:
    GenerationError: when outlines or depth look like something else.
    """
    from PIL import ImageChops, ImageStat

    red, green, blue = hint.split()
    spread = max(ImageStat.Stat(ImageChops.difference(*pair)).mean[0] for pair in ((red, green), (green, blue)))
    if kind == "depth" and spread > GREY:
        raise GenerationError(f"{name} is in colours; a hint of the kind depth is grey, and the nearer the brighter.")
    if kind == "canny" and (spread > GREY or ImageStat.Stat(green).mean[0] > HALF):
        raise GenerationError(
            f"{name} does not look like outlines: a hint of the kind canny is white lines on black. Of a photograph it has to be "
            "made; black lines on white have to be inverted."
        )


def outlines(picture: Any) -> Any:
    """The hint for ``canny`` of a photograph.

    Raises:
        GenerationError: when OpenCV is missing.
    """
    try:
        import cv2
        import numpy as np
    except ImportError:
        raise GenerationError("Making outlines needs OpenCV; install it with: pip install opencv-python-headless") from None
    from PIL import Image

    return Image.fromarray(cv2.Canny(np.asarray(picture.convert("L")), *CANNY)).convert("RGB")


def _eights(pixels: float) -> int:
    return max(round(pixels / STEP), 1) * STEP
