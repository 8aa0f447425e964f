"""Masks: PNGs in base64, grey levels of which are weights."""

from __future__ import annotations

import base64
import binascii
import io
import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rpg.areas.layout import Box
from rpg.errors import PlanError
from rpg.values import shown

MAX_BYTES = 4 * 1024 * 1024
"""Of one PNG that comes in."""
MAX_SIDE = 4096
"""In pixels, of one that comes in."""
KEPT_SIDE = 256
"""Of those that are kept: a picture 2048 pixels wide has as many tokens."""

_ADDRESS = re.compile(r"data:image/png;base64,", re.IGNORECASE)


def kept(text: object) -> str:
    """The mask as plans keep it: base64 of a grey PNG of at most :data:`KEPT_SIDE` pixels on a side, without more.

    Args:
        text: base64 of a PNG, or its data URL. Where it is transparent is outside.

    Raises:
        PlanError: with what is wrong with it.
    """
    if not isinstance(text, str):
        raise PlanError(f"mask is {shown(text)}; it must be a PNG as base64 text.")
    text = "".join(_ADDRESS.sub("", text.strip(), count=1).split())
    image = _opened(text)
    grey = _grey(image)
    if max(grey.size) > KEPT_SIDE:
        scale = KEPT_SIDE / max(grey.size)
        width, height = (max(round(side * scale), 1) for side in grey.size)
        grey = grey.resize((width, height), Image.Resampling.BOX)
    if not np.asarray(grey).any():
        raise PlanError("mask is empty; it must be white where the region lies.")
    written = _written(grey)
    as_kept = image.mode == "L" and image.size == grey.size and "transparency" not in image.info
    return text if as_kept and len(text) <= len(written) else written


def weights(text: str, height: int, width: int) -> NDArray[np.float64]:
    """[height, width]: the mean of a kept mask over every token, 0 to 1."""
    return _resized(text, (0, 0, 1, 1), (width, height))


def bounds(text: str) -> Box:
    """The box around all that is at least half as white as a kept mask is anywhere."""
    pixels = _pixels(text)
    inside = pixels >= pixels.max() / 2
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    height, width = inside.shape
    return Box(columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height)


def cut(text: str, part: tuple[float, float, float, float]) -> str | None:
    """A kept mask of a part of the picture alone: left, top, right, bottom in fractions. None: nothing of it lies there."""
    grey = np.round(255 * _resized(text, part, (KEPT_SIDE, KEPT_SIDE))).astype("uint8")
    return _written(Image.fromarray(grey)) if grey.any() else None


def _resized(text: str, part: tuple[float, float, float, float], size: tuple[int, int]) -> NDArray[np.float64]:
    """[height, width] of ``size`` (width, height)."""
    image = Image.fromarray(_pixels(text))
    box = tuple(edge * side for edge, side in zip(part, image.size * 2))
    return np.asarray(image.resize(size, Image.Resampling.BOX, box), float)


@lru_cache(maxsize=128)
def _pixels(text: str) -> NDArray[np.float32]:
    """[height, width], 0 to 1."""
    return np.asarray(_grey(_opened(text)), np.float32) / 255


def _opened(text: str) -> Image.Image:
    """With a size that is allowed; its pixels are not read yet."""
    if len(text) > MAX_BYTES * 4 // 3 + 4:
        raise PlanError(f"mask has {len(text) * 3 // 4} bytes; at most {MAX_BYTES} are allowed.")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise PlanError(f"mask is {shown(text)}, which is not base64; it must be a PNG as base64 text.") from None
    try:
        image = Image.open(io.BytesIO(data), formats=["PNG"])
    except Exception as error:  # Pillow raises many kinds for files that are broken
        raise PlanError(f"mask is no PNG that can be read: {_first_line(error)}.") from None
    if max(image.size) > MAX_SIDE:
        raise PlanError(f"mask has {image.width} x {image.height} pixels; at most {MAX_SIDE} on a side are allowed.")
    return image


def _grey(image: Image.Image) -> Image.Image:
    """The weights as grey levels."""
    try:
        if image.mode.startswith("I"):  # 16 bits
            return Image.fromarray((np.asarray(image, np.int64) // 257).astype("uint8"))
        grey = image.convert("L")
        if "A" in image.mode or "transparency" in image.info:
            grey = Image.composite(grey, Image.new("L", image.size), image.convert("RGBA").getchannel("A"))
        return grey
    except Exception as error:  # likewise
        raise PlanError(f"mask is no PNG that can be read: {_first_line(error)}.") from None


def _written(grey: Image.Image) -> str:
    file = io.BytesIO()
    grey.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].strip(" .")[:120]
