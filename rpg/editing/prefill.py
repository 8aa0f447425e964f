"""What a place shows before it is painted anew: near to what it shall show, so that little noise is enough."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageColor

from rpg.editing.masks import pixel_bounds
from rpg.errors import EditingError

REACH = 4
"""Pixels around a hole from which it is filled."""


def filled(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """The picture with what is around the mask drawn on into it (Telea, 2004; OpenCV's)."""
    try:
        import cv2
    except ImportError:
        raise EditingError("Taking things out of pictures needs OpenCV; install opencv-python-headless.") from None
    hole = (np.asarray(mask) > 0).astype(np.uint8)
    result: Image.Image = Image.fromarray(cv2.inpaint(np.asarray(picture.convert("RGB")), hole, REACH, cv2.INPAINT_TELEA))
    return result


def tinted(picture: Image.Image, mask: Image.Image, colour: str) -> Image.Image:
    """The picture with the masked part in another colour, its light and shade kept.

    Args:
        colour: a name of CSS, such as "green".
    """
    pixels = np.asarray(picture.convert("RGB"), np.float32)
    inside = np.asarray(mask) > 127
    if not inside.any():
        return picture
    middle = np.median(pixels[inside], axis=0)
    wanted = np.array(ImageColor.getrgb(colour.replace(" ", ""))[:3], np.float32)
    shifted: Image.Image = Image.fromarray((pixels + wanted - middle).clip(0, 255).astype(np.uint8))
    result: Image.Image = Image.composite(shifted, picture.convert("RGB"), mask)
    return result


def put(picture: Image.Image, thing: Image.Image, mask: Image.Image, target: tuple[int, int, int, int]) -> Image.Image:
    """Put the masked part of ``thing`` into the middle of a place of the picture, smaller if it does not fit.

    Args:
        target: left, top, right, bottom in pixels.

    Returns:
        The mask of where it is now; the picture is changed.
    """
    left, top, right, bottom = pixel_bounds(mask)
    scale = min(1.0, (target[2] - target[0]) / (right - left), (target[3] - target[1]) / (bottom - top))
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    cut, outline = (image.crop((left, top, right, bottom)).resize(size) for image in (thing, mask))
    corner = (target[0] + target[2] - size[0]) // 2, (target[1] + target[3] - size[1]) // 2
    picture.paste(cut, corner, outline)
    there: Image.Image = Image.new("L", picture.size)
    there.paste(outline, corner)
    return there
