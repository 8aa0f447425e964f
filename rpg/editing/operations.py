"""What is changed in a picture: operations, and which of them mends what a critic found wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from PIL import ImageColor

from rpg.areas.layout import Box
from rpg.editing.checklist import Check, Entity
from rpg.editing.critic import Finding, Verdict
from rpg.errors import EditingError
from rpg.values import check_text, known_fields, number, shown

OperationKind = Literal["add", "remove", "replace", "recolour", "move"]
OPERATION_KINDS = get_args(OperationKind)
MAX_OPERATIONS = 16
"""In one edit."""
MAX_PROMPT = 2000
"""Characters."""


@dataclass(frozen=True)
class Operation:
    """One change of a part of the picture.

    Fields:
        box: where the thing is, or shall be.
        prompt: what the box shows afterwards.
        base_prompt: what the whole picture shows afterwards.
        colour: of what is recoloured: a name such as "green".
        target: of what is moved: where to.
    """

    kind: OperationKind
    box: Box
    prompt: str
    base_prompt: str = ""
    colour: str = ""
    target: Box | None = None

    def __post_init__(self) -> None:
        if self.kind not in OPERATION_KINDS:
            raise EditingError(f"kind is {shown(self.kind)}; it must be one of {', '.join(OPERATION_KINDS)}.")
        for name in ("prompt", "base_prompt", "colour"):
            check_text(name, getattr(self, name), EditingError)
            if len(getattr(self, name)) > MAX_PROMPT:
                raise EditingError(f"{name} has {len(getattr(self, name))} characters; at most {MAX_PROMPT} are allowed.")
        if self.kind in ("add", "replace") and not self.prompt.strip():
            raise EditingError(f"There is nothing to {self.kind}; say in prompt what the box shall show.")
        if (self.kind == "move") != (self.target is not None):
            raise EditingError("target is the box where a thing is moved to; it goes with move and no other operation.")
        if self.kind == "recolour" and not is_css_colour(self.colour):
            raise EditingError(f"colour is {shown(self.colour)}; it must be the name of a colour, such as 'green'.")
        for box in (self.box, self.target):
            if box and not (0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1):
                raise EditingError(
                    f"A box is {shown(box)}; it must lie in the picture, with right above left and bottom above top."
                )

    @property
    def sentence(self) -> str:
        """What is done, for the user."""
        what = self.prompt.strip() or "what is there"
        return {
            "add": f"Add {what}.",
            "remove": "Remove what is there.",
            "replace": f"Put {what} in its place.",
            "recolour": f"Make it {self.colour}: {what}.",
            "move": f"Move {what}.",
        }[self.kind]


def operations_from(data: object, base_prompt: str = "") -> list[Operation]:
    """Operations from a list of objects, their boxes as [left, top, right, bottom] in fractions of the picture.

    Args:
        base_prompt: of those that have none.

    Raises:
        EditingError: naming the unknown or wrong field.
    """
    if not isinstance(data, list) or not 0 < len(data) <= MAX_OPERATIONS:
        raise EditingError(f"operations is {shown(data)}; it must be a list of 1 to {MAX_OPERATIONS} operations.")
    return [_operation_from(item, base_prompt) for item in data]


def _operation_from(data: object, base_prompt: str) -> Operation:
    given = known_fields(Operation, data, required=("kind", "box"), error=EditingError)
    for name in ("box", "target"):
        if given.get(name) is not None:
            given[name] = _box_from(name, given[name])
    return Operation(**{"prompt": "", "base_prompt": base_prompt, **given})


def _box_from(name: str, value: object) -> Box:
    sides = list(value.values()) if isinstance(value, dict) and list(value) == list(Box._fields) else value
    if not isinstance(sides, list) or len(sides) != 4:
        raise EditingError(f"{name} is {shown(value)}; it must be [left, top, right, bottom] in fractions of the picture.")
    return Box(*(number(f"A side of {name}", side, 0, 1, meaning="a number from 0 to 1", error=EditingError) for side in sides))


def is_css_colour(name: str) -> bool:
    """Whether a word is the name of a colour (those of CSS)."""
    return name.lower().replace(" ", "") in ImageColor.colormap


def repair(verdict: Verdict, attempt: int = 0) -> Operation | None:
    """The operation that mends one failed object; None where no part of the picture is to blame.

    What is missing comes first, then what is too much, then what stands elsewhere.

    Args:
        attempt: counts up; of several places, another each time.
    """
    kinds = ("add", "recolour", "replace", "remove", "move")
    return min(mends(verdict, attempt), key=lambda operation: kinds.index(operation.kind), default=None)


def mends(verdict: Verdict, attempt: int = 0) -> list[Operation]:
    """An operation for each failed object."""
    found = [operation for check, finding in verdict.failed if (operation := _repair(verdict, check, finding, attempt))]
    return list(dict.fromkeys(found))


def neighbours(box: Box, verdict: Verdict) -> list[Box]:
    """The boxes of what is as it should be and reaches into a box with less than half of itself, so that it is no part of the
    thing there. What is larger than the box is held for what stands behind it."""
    seen = dict.fromkeys(finding.box for finding in verdict.findings.values() if finding.passed and finding.box)
    return [other for other in seen if _size(other) <= _size(box) and 0 < _size(_common(box, other)) < _size(other) / 2]


def _common(one: Box, other: Box) -> Box:
    return Box(*map(max, one[:2], other[:2]), *map(min, one[2:], other[2:]))


def _size(box: Box) -> float:
    return max(0.0, box.right - box.left) * max(0.0, box.bottom - box.top)


def _repair(verdict: Verdict, check: Check, finding: Finding, attempt: int) -> Operation | None:
    checklist = verdict.checklist
    base, box = checklist.caption, finding.box
    if check.kind in ("absent", "count"):
        return Operation("remove", box, checklist.setting, base) if box else None
    entity = _entity(verdict, check)
    if entity is None:
        return None
    prompt = f"{entity.prompt} {checklist.setting}".strip()
    if check.kind == "relation":
        return Operation("move", box, prompt, base, target=fitted(box, entity.boxes[0])) if box else None
    if box is None or check.kind == "object":
        return Operation("add", entity.boxes[attempt % entity.count], prompt, base)
    if is_css_colour(entity.attributes) and not entity.details:
        return Operation("recolour", box, prompt, base, colour=entity.attributes)
    return Operation("replace", box, prompt, base)


def _entity(verdict: Verdict, check: Check) -> Entity | None:
    """What a check is about; None where it is about the whole picture."""
    entities = verdict.checklist.entities
    if check.entity is not None:
        return entities[check.entity]
    return next((entity for entity in entities if entity.noun == check.noun), None)


def fitted(box: Box, place: Box) -> Box:
    """A box of the same size, smaller where it must be, in the middle of a place."""
    width, height = min(box.right - box.left, place.right - place.left), min(box.bottom - box.top, place.bottom - place.top)
    left, top = (place.left + place.right - width) / 2, (place.top + place.bottom - height) / 2
    return Box(left, top, min(left + width, 1.0), min(top + height, 1.0))
