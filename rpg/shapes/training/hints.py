"""What a ControlNet follows, drawn from a scene: its outlines, and how near its objects are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from rpg.shapes.training.scenes import SUPERSAMPLING, Scene, outline

THRESHOLDS = (100, 200)
"""Of Canny's gradient, the webui's."""


def silhouettes(scene: Scene, brightness: Sequence[int] | None = None, background: int = 0) -> Image.Image:
    """Depth: every object filled with its brightness, 0 to 255, the nearer the brighter. [height, width], grey.

    Args:
        brightness: one for each object; white by default.
    """
    picture = Image.new("L", (scene.width * SUPERSAMPLING, scene.height * SUPERSAMPLING), background)
    canvas = ImageDraw.Draw(picture)
    for thing, value in zip(scene.things, brightness or [255] * len(scene.things), strict=True):
        canvas.polygon(outline(thing, SUPERSAMPLING), fill=value)
    return picture.reduce(SUPERSAMPLING)


def canny(scene: Scene) -> Image.Image:
    """Outlines one pixel wide, white on black, as Canny finds them where colours differ enough."""
    import cv2

    return Image.fromarray(cv2.Canny(np.asarray(silhouettes(scene)), *THRESHOLDS))


def lines(scene: Scene, width: int) -> Image.Image:
    """Outlines as a hand draws them: white on black, ``width`` pixels wide."""
    picture = Image.new("L", (scene.width, scene.height))
    canvas = ImageDraw.Draw(picture)
    for thing in scene.things:
        points = outline(thing)
        canvas.line([*points, *points[:2]], fill=255, width=width, joint="curve")
    return picture
