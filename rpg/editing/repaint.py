"""Carries out an operation: the mask, what the place shows first, the painter, and the old pixels everywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from PIL import Image, ImageChops

from rpg.areas.area import Area
from rpg.areas.layout import MAX_REGIONS, Box
from rpg.editing.masks import DEFAULT_METHOD, METHODS, grown, mask_of, pixel_bounds
from rpg.editing.masks.box import pixels
from rpg.editing.operations import Operation, OperationKind
from rpg.editing.painter import Painter
from rpg.editing.prefill import filled, put, tinted
from rpg.errors import EditingError
from rpg.networks import with_networks_of
from rpg.plan import Plan, Region
from rpg.values import check_text, shown

STRENGTHS: dict[OperationKind, float] = {"add": 0.9, "remove": 0.3, "replace": 0.9, "recolour": 0.45, "move": 0.3}
"""How much is painted over."""
GROWTH = 0.02
"""How far a hole reaches beyond the thing that was in it, as a share of the picture's shorter side."""
EMPTY = "plain background"
"""The prompt of a place where nothing shall be."""


@dataclass(frozen=True)
class Masking:
    """How things are cut out.

    Fields:
        cut_out: a method of :func:`rpg.editing.masks.mask_of`.
        sam: the folder of a Segment Anything model, for the method of that name.
    """

    cut_out: str = DEFAULT_METHOD
    sam: str = ""

    def __post_init__(self) -> None:
        check_text("sam", self.sam, EditingError)
        if self.cut_out not in METHODS:
            raise EditingError(f"cut_out is {shown(self.cut_out)}; it must be one of {', '.join(METHODS)}.")


BY_DEFAULT = Masking()


@dataclass(frozen=True)
class Repainted:
    picture: Image.Image = field(repr=False)
    mask: Image.Image = field(repr=False)


def repaint(
    operation: Operation,
    picture: Image.Image,
    painter: Painter,
    seed: int,
    masking: Masking = BY_DEFAULT,
    *,
    mask: Image.Image | None = None,
    preserved: Sequence[Box] = (),
    plan: Plan | None = None,
) -> Repainted:
    """The picture with the operation done; outside the mask every pixel is as before.

    Args:
        mask: instead of one that is made: of what is painted anew, or of what is moved.
        preserved: boxes of things that stay.
        plan: of the picture, where it is known: its regions go on around what is painted.

    Raises:
        EditingError: when the mask cannot be made, or is empty.
    """
    picture = picture.convert("RGB")
    mask = mask or made_mask(operation, picture, masking, preserved)
    pixel_bounds(mask)
    hole = _hole(mask) if operation.kind == "move" else mask
    start = picture
    if operation.kind in ("remove", "move", "replace"):
        start = filled(picture, hole)
    elif operation.kind == "recolour":
        start = tinted(picture, mask, operation.colour)
    new = painter.repaint(start, hole, plan_of(operation, hole, plan), STRENGTHS[operation.kind], seed).convert("RGB")
    result = Image.composite(new, picture, hole)
    if operation.target:  # the thing keeps its pixels
        there = put(result, picture, mask, pixels(operation.target, picture.size))
        hole = ImageChops.lighter(hole, there)
    return Repainted(result, hole)


def made_mask(
    operation: Operation, picture: Image.Image, masking: Masking = BY_DEFAULT, preserved: Sequence[Box] = ()
) -> Image.Image:
    """What is painted anew, or moved: all of the box where something new comes, else the thing in it."""
    if operation.kind in ("add", "replace"):
        return mask_of(picture, operation.box, "box", preserved=preserved)
    mask = mask_of(picture, operation.box, masking.cut_out, folder=masking.sam, preserved=preserved)
    return _hole(mask) if operation.kind == "remove" else mask


def _hole(mask: Image.Image) -> Image.Image:
    return grown(mask, max(2, round(GROWTH * min(mask.size))))


def plan_of(operation: Operation, hole: Image.Image, plan: Plan | None = None) -> Plan:
    """What the picture shows while the hole is painted: there the operation's prompt, around it what the picture's plan says.

    Args:
        plan: of the picture, where it is known.
    """
    prompt = EMPTY if operation.kind == "move" or not operation.prompt.strip() else operation.prompt
    if plan is None or len(plan.regions) >= MAX_REGIONS:
        return Plan((Region(prompt),), "1", operation.base_prompt, 0.0, latent_ratio=0)
    width, height = hole.size
    left, top, right, bottom = pixel_bounds(hole)
    own = Region(prompt, base_ratio=0, area=Area(Box(left / width, top / height, right / width, bottom / height)))
    base = with_networks_of(plan.base_prompt, operation.base_prompt or plan.base_prompt)
    return replace(plan, regions=(*plan.regions, own), base_prompt=base, latent_ratio=None)
