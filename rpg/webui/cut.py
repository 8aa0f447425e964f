"""The part of a plan that a host renders, where that is not the whole picture: the surroundings of a mask, a tile."""

from __future__ import annotations

from dataclasses import replace

from rpg.areas.layout import Box
from rpg.plan import Plan

WHOLE = Box(0.0, 0.0, 1.0, 1.0)
SLIVER = 0.01
"""A region of which less than this share of the part's width or height is in it is left out."""


def cut(plan: Plan, part: Box) -> Plan:
    """``plan`` for ``part`` of its picture alone."""
    if part == WHOLE:
        return plan
    width, height = part.right - part.left, part.bottom - part.top
    boxes = iter(zip(plan.regions, plan.areas.layout.boxes))
    regions, rows = [], list[list[float]]()
    for row in plan.areas.layout.rows:
        sides: list[float] = []
        for _, (region, box) in zip(row.widths, boxes):
            across = (min(box.right, part.right) - max(box.left, part.left)) / width
            down = (min(box.bottom, part.bottom) - max(box.top, part.top)) / height
            if min(across, down) > SLIVER:
                regions.append(region)
                sides = sides or [down]
                sides.append(across)
        if sides:
            rows.append(sides)
    if len(rows) == 1:
        rows = [rows[0][1:]]
    split_ratio = ";".join(",".join(f"{side:.6f}" for side in sides) for sides in rows)
    return replace(plan, regions=tuple(regions), split_ratio=split_ratio)
