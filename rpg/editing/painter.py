"""Who paints: a host, or a pipeline."""

from __future__ import annotations

from typing import Protocol

from PIL import Image

from rpg.plan import Plan


class Painter(Protocol):
    def generate(self, plan: Plan, seed: int) -> Image.Image:
        """A new picture, of the size of the first."""

    def repaint(self, picture: Image.Image, mask: Image.Image, plan: Plan, strength: float, seed: int) -> Image.Image:
        """The picture with the masked part painted anew, in the same size.

        Args:
            mask: in mode L, as large as the picture: 255 is painted anew.
            plan: of the whole picture.
            strength: how much of what is there is painted over, above 0 (nothing) to 1 (all).
        """
