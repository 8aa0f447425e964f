"""The critic of pictures of the embedded model: no model, no network. It sees coloured shapes and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import hypot

from PIL import Image

from rpg.areas.layout import Box
from rpg.editing.checklist import Check, Checklist, Entity
from rpg.editing.critic import Finding, Verdict
from rpg.errors import EditingError
from rpg.shapes import sight
from rpg.shapes.sight import Seen
from rpg.shapes.training.scenes import BACKGROUNDS, COLOURS, SHAPES


class ShapesCritic:
    """Answers by :mod:`rpg.shapes.sight`."""

    def check(self, picture: Image.Image, checklist: Checklist) -> Verdict:
        """
        Raises:
            EditingError: when the checklist is about other things than coloured shapes.
        """
        look = _Look(checklist, colours_and_shapes(checklist), sight.objects(picture), sight.background(picture))
        return Verdict(checklist, {check.id: look.finding(check) for check in checklist.checks})


ColourAndShape = tuple[str | None, str | None]
"""Colour and shape; None is any."""


def colours_and_shapes(checklist: Checklist) -> list[ColourAndShape]:
    """Colour and shape of each entity.

    Raises:
        EditingError: when the checklist is about other things than coloured shapes.
    """
    return [_kind(entity) for entity in checklist.entities]


def _kind(entity: Entity) -> ColourAndShape:
    words = entity.name.split()
    colour = next((word for word in words if word in COLOURS), None)
    shape = entity.noun if entity.noun in SHAPES else None
    others = [word for word in words if word not in (colour, shape, "a", "an", "the")]
    if shape is None or others or entity.details:
        raise EditingError(
            f"The offline critic sees coloured shapes only, not {entity.prompt!r}; choose a critic that sees pictures."
        )
    return colour, shape


@dataclass(frozen=True)
class _Look:
    checklist: Checklist
    kinds: Sequence[ColourAndShape]
    seen: Sequence[Seen]
    background: str

    def finding(self, check: Check) -> Finding:
        if check.kind == "relation":
            return self._relation(check)
        if check.kind == "absent":
            return self._absent(check)
        if check.kind == "attribute" and check.entity is None:
            wanted = [name for name in BACKGROUNDS if name in check.statement.split()]
            return Finding(not wanted or wanted == [self.background], f"The background is {self.background}.")
        kind = (None, check.noun) if check.entity is None else self.kinds[check.entity]
        found = self._of(kind)
        if check.entity is not None:
            found = _nearest(found, self.checklist.entities[check.entity].boxes[0])
        evidence = "There is none." if not found else "There is one." if len(found) == 1 else f"There are {len(found)}."
        if check.kind == "count":
            extra = [item for item in self._unwanted() if item in found]
            box = _box((extra or found)[-1]) if len(found) > check.count else None
            return Finding(len(found) == check.count, evidence, box)
        if len(found) >= check.count:
            return Finding(True, evidence, _box(found[0]))
        return Finding(False, evidence, self._instead(check))

    def _of(self, kind: ColourAndShape) -> list[Seen]:
        colour, shape = kind
        return [item for item in self.seen if colour in (None, item.colour) and shape in (None, item.shape)]

    def _unwanted(self) -> list[Seen]:
        """The objects that stand for no entity, the smallest last."""
        left = list(self.seen)
        for entity, kind in zip(self.checklist.entities, self.kinds):
            for item in [item for item in left if item in self._of(kind)][: entity.count]:
                left.remove(item)
        return left

    def _instead(self, check: Check) -> Box | None:
        """Where something unwanted of the same shape stands, of another colour than it should have."""
        return next((_box(item) for item in self._unwanted() if item.shape == check.noun), None)

    def _absent(self, check: Check) -> Finding:
        if check.noun:
            found = [item for item in self.seen if check.noun in (item.colour, item.shape, f"{item.colour} {item.shape}")]
        else:
            found = self._unwanted()
        if not found:
            return Finding(True)
        return Finding(False, f"There is a {found[-1].colour} {found[-1].shape or 'thing'}.", _box(found[-1]))

    def _relation(self, check: Check) -> Finding:
        assert check.entity is not None
        assert check.other is not None
        axis, sign = (0 if check.side in ("left", "right") else 1), (1 if check.side in ("left", "above") else -1)
        pairs = list(product(self._of(self.kinds[check.entity]), self._of(self.kinds[check.other])))
        holds = any(sign * (other.centre[axis] - one.centre[axis]) > 0 for one, other in pairs)
        return Finding(holds, "" if pairs else "They are not both there.", _box(pairs[0][0]) if pairs else None)


def _nearest(found: Sequence[Seen], place: Box) -> list[Seen]:
    """The nearest to the middle of a place first."""
    x, y = (place.left + place.right) / 2, (place.top + place.bottom) / 2
    return sorted(found, key=lambda seen: hypot(seen.centre[0] - x, seen.centre[1] - y))


def _box(seen: Seen) -> Box:
    return Box(*seen.box)
