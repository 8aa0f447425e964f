"""The part of a plan that a host renders, where that is not the whole picture: the surroundings of a mask, a tile."""

from __future__ import annotations

import math
from dataclasses import replace

from rpg.areas import masks
from rpg.areas.area import Area
from rpg.areas.layout import Box, Layout
from rpg.areas.patches import coverage
from rpg.plan import Plan

WHOLE = Box(0.0, 0.0, 1.0, 1.0)
SLIVER = 0.01
"""A region of which less than this share of the part's width or height is in it is left out."""


def cut(plan: Plan, part: Box) -> Plan:
    """``plan`` for ``part`` of its picture alone."""
    if part == WHOLE:
        return plan
    cells, split_ratio = _cells(plan.areas.layout, part) if plan.areas.layout else ([], "")
    in_part = iter(cells)
    regions = []
    for region in plan.regions:
        if region.area is not None:
            if area := _area(region.area, part):
                regions.append(replace(region, area=area))
        elif next(in_part):
            regions.append(region)
    if not regions:  # it is the base prompt's alone
        return replace(plan, regions=(replace(plan.regions[0], area=None, base_ratio=1),), split_ratio="1", latent_ratio=0)
    return replace(plan, regions=tuple(regions), split_ratio=split_ratio)


def seen_in(plan: Plan, height: int, width: int) -> Plan:
    """``plan`` without the regions that no token of a latent shows; the last region, if it is one of them, is all that is left.

    Args:
        height, width: of the latent.
    """
    areas = plan.areas
    tokens = coverage(areas, height, width).sum((1, 2))
    kept = [number for number, shown in enumerate(areas.regions) if tokens[shown] >= 1]
    if len(kept) == len(plan.regions):
        return plan
    if len(plan.regions) - 1 not in kept:
        return replace(plan, regions=(replace(plan.regions[-1], area=None),), split_ratio="1")
    places = {number: plan.regions[number].area or Area(areas.boxes[number]) for number in kept}
    return replace(plan, regions=tuple(replace(plan.regions[n], area=area) for n, area in places.items()), split_ratio="")


def _cells(layout: Layout, part: Box) -> tuple[list[bool], str]:
    """Which cells lie in the part, and their split ratio."""
    boxes = iter(layout.boxes)
    kept, rows = [], list[list[float]]()
    for row in layout.rows:
        sides: list[float] = []
        for _, box in zip(row.widths, boxes):
            inner = _inside(box, part)
            kept.append(inner is not None)
            if inner is not None:
                sides = sides or [inner.bottom - inner.top]
                sides.append(inner.right - inner.left)
        if sides:
            rows.append(sides)
    if len(rows) == 1:
        rows = [rows[0][1:]]
    return kept, ";".join(",".join(f"{side:.6f}" for side in sides) for sides in rows)


def _inside(box: Box, part: Box) -> Box | None:
    """``box`` in fractions of the part; None: too little of it lies there."""
    width, height = part.right - part.left, part.bottom - part.top
    left, right = ((min(max(edge, part.left), part.right) - part.left) / width for edge in (box.left, box.right))
    top, bottom = ((min(max(edge, part.top), part.bottom) - part.top) / height for edge in (box.top, box.bottom))
    return Box(left, top, right, bottom) if min(right - left, bottom - top) > SLIVER else None


def _area(area: Area, part: Box) -> Area | None:
    scale = math.sqrt((part.right - part.left) * (part.bottom - part.top))  # exact where both are of one shape
    feather = min(area.feather / scale, 1)
    if area.box is None:
        mask = masks.cut(area.mask or "", part)
        return None if mask is None else Area(mask=mask, feather=feather)
    box = _inside(area.box, part)
    return None if box is None else Area(box, feather=feather)
