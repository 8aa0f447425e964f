"""A region that is selected in the layout editor, painted anew where it lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from rpg.areas.patches import coverage
from rpg.editing.masks import grown, pixel_bounds
from rpg.editing.masks.box import SOFT
from rpg.editing.operations import Operation
from rpg.errors import EditingError
from rpg.plan import MAX_JSON, Plan
from rpg.values import load_json


@dataclass(frozen=True)
class Chosen:
    """
    Fields:
        plan: as the editor shows it now.
        region: index of the selected one.
    """

    plan: Plan
    region: int

    @classmethod
    def from_json(cls, text: str) -> Chosen:
        """
        Raises:
            EditingError: when no region is selected.
            RPGError: when the plan is not finished.
        """
        given = load_json(text, MAX_JSON, "region", EditingError) if text.strip() else None
        if not isinstance(given, Mapping) or set(given) != {"plan", "region"}:
            raise EditingError("The page does not say which region is selected; select one in the layout editor.")
        plan, region = Plan.from_dict(given["plan"]), given["region"]
        if type(region) is not int or not 0 <= region < len(plan.regions):
            raise EditingError("No region is selected; select the one to be painted anew in the layout editor.")
        return cls(plan, region)

    def mask(self, size: tuple[int, int]) -> Image.Image:
        """What of the region is seen, with soft edges, in a picture of that width and height."""
        areas = self.plan.areas
        seen = coverage(areas, size[1], size[0])[areas.regions[self.region]]
        mask = Image.fromarray(np.round(255 * seen).astype(np.uint8))
        if mask.getbbox() is None:
            raise EditingError(f"Region {self.region + 1} is hidden by others; lay it above them to paint it anew.")
        left, top, right, bottom = pixel_bounds(mask)
        return grown(mask, 0, SOFT * min(right - left, bottom - top) / 2)

    @property
    def operation(self) -> Operation:
        return Operation("replace", self.plan.areas.boxes[self.region], self.plan.regions[self.region].prompt)
