"""Masks of what is in a box: which pixels are painted anew. 255 is anew, 0 stays; between them old and new are mixed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from PIL import Image, ImageFilter

from rpg.areas.layout import Box
from rpg.editing.masks import box as _box
from rpg.editing.masks import grabcut as _grabcut
from rpg.editing.masks import sam as _sam
from rpg.errors import EditingError
from rpg.values import shown

METHODS = ("grabcut", "box", "sam")
DEFAULT_METHOD = METHODS[0]


def mask_of(
    picture: Image.Image, box: Box, method: str = DEFAULT_METHOD, *, folder: str = "", preserved: Sequence[Box] = ()
) -> Image.Image:
    """What stands in a box, as a picture of the same size in mode L.

    Args:
        method: ``grabcut`` (what differs from the colours around the box), ``box`` (all of it, with soft edges), or ``sam``.
        folder: of a Segment Anything model in transformers' format, for ``sam``.
        preserved: boxes of other things, which stay, unless nothing else is there.

    Raises:
        EditingError: when there is no such method, or it cannot be used.
    """
    finders: dict[str, Callable[[Image.Image, Box], Any]] = {
        "grabcut": _grabcut.find,
        "box": _box.find,
        "sam": partial(_sam.find, folder=folder),
    }
    if method not in finders:
        raise EditingError(f"mask is {shown(method)}; it must be one of {', '.join(METHODS)}.")
    found = finders[method](picture.convert("RGB"), box)
    whole = found.copy()
    for other in preserved:
        left, top, right, bottom = _box.pixels(other, picture.size)
        found[top:bottom, left:right] = 0
    found = found if found.any() else whole
    mask: Image.Image = Image.fromarray(found)
    return mask


def grown(mask: Image.Image, by: int, blur: float = 0.0) -> Image.Image:
    """A mask that reaches ``by`` pixels farther, with edges as soft as ``blur`` pixels."""
    wider: Image.Image = mask.filter(ImageFilter.MaxFilter(2 * by + 1)) if by > 0 else mask
    softer: Image.Image = wider.filter(ImageFilter.GaussianBlur(blur)) if blur else wider
    return softer


def pixel_bounds(mask: Image.Image) -> tuple[int, int, int, int]:
    """The smallest box in pixels around what is painted anew.

    Raises:
        EditingError: when the mask is empty.
    """
    found: tuple[int, int, int, int] | None = mask.getbbox()
    if found is None:
        raise EditingError("The mask is empty; there is nothing to paint anew.")
    return found
