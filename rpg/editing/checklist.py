"""What a picture has to show, as checks that are fixed once and answered by their ids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from rpg.areas.layout import Box
from rpg.errors import EditingError
from rpg.planners.rules.lexicon import article, plural
from rpg.values import check_text, shown

CheckKind = Literal["object", "attribute", "count", "relation", "absent"]
Side = Literal["left", "right", "above", "below"]
CHECK_KINDS, SIDES = get_args(CheckKind), get_args(Side)
MAX_CHECKS = 64
"""In one checklist."""
MAX_COUNT = 64

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@dataclass(frozen=True)
class Entity:
    """Something that the picture shows ``len(boxes)`` times.

    Fields:
        name: one of it with its attributes: "a red circle".
        noun: without them: "circle".
        boxes: where the plan has each of them.
        details: what else is said of it: "in a black dress".
    """

    name: str
    noun: str
    boxes: tuple[Box, ...]
    details: str = ""

    @property
    def count(self) -> int:
        return len(self.boxes)

    @property
    def attributes(self) -> str:
        """The words before the noun: "red"."""
        words = self.name.removesuffix(self.noun).split()
        return " ".join(words[1:] if words and words[0] in ("a", "an", "the") else words)

    @property
    def prompt(self) -> str:
        """Of a region that shows one of it."""
        return f"{self.name} {self.details}".strip()

    @property
    def phrase(self) -> str:
        """All of it: "two red circles"."""
        if self.count == 1:
            return self.name
        return f"{number_word(self.count)} {plural(f'{self.attributes} {self.noun}'.strip())}"


@dataclass(frozen=True)
class Check:
    """One question about a picture.

    Fields:
        id: by which it is answered.
        noun: of an object or a count.
        entity, other: numbers in the checklist's entities; ``entity`` is None where a check is about a noun or all the picture.
        side: of a relation: on which side of ``other`` the ``entity`` is.
        count: how many there are of a noun.
        statement: a sentence that is true of the picture or not.
    """

    id: str
    kind: CheckKind
    statement: str
    noun: str = ""
    entity: int | None = None
    other: int | None = None
    side: Side | None = None
    count: int = 1

    def __post_init__(self) -> None:
        for name in ("id", "statement", "noun"):
            check_text(name, getattr(self, name), EditingError)
        if self.kind not in CHECK_KINDS:
            raise EditingError(f"kind is {shown(self.kind)}; it must be one of {', '.join(CHECK_KINDS)}.")
        if self.kind == "relation" and (self.side not in SIDES or self.entity is None or self.other is None):
            raise EditingError("A relation needs two entities and a side: left, right, above or below.")


@dataclass(frozen=True)
class Checklist:
    """All checks of one picture.

    Fields:
        caption: what they were made from.
        setting: the surroundings that all regions share: "on a white background".
    """

    caption: str
    entities: tuple[Entity, ...]
    checks: tuple[Check, ...]
    setting: str = ""

    def __post_init__(self) -> None:
        if not self.checks:
            raise EditingError("There is nothing to check; describe what the picture shows.")
        if len(self.checks) > MAX_CHECKS:
            raise EditingError(f"There are {len(self.checks)} checks; at most {MAX_CHECKS} are allowed.")
        for check in self.checks:
            for number in (check.entity, check.other):
                if number is not None and not 0 <= number < len(self.entities):
                    raise EditingError(f"Check {check.id!r} is about entity {number}; there are {len(self.entities)}.")

    def __getitem__(self, id: str) -> Check:
        return next(check for check in self.checks if check.id == id)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(check.id for check in self.checks)

    @property
    def text(self) -> str:
        """A line for each check, as a critic reads it."""
        return "\n".join(f"{check.id}: {check.statement}" for check in self.checks)


def number_word(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def object_checks(entities: tuple[Entity, ...]) -> list[Check]:
    """That each noun is there, and as often as it should be."""
    totals: dict[str, int] = {}
    for entity in entities:
        totals[entity.noun] = totals.get(entity.noun, 0) + entity.count
    named = {entity.noun: entity.name if entity.noun == entity.name else article(entity.noun) for entity in entities}
    checks = [Check("", "object", f"There is {named[noun]}.", noun) for noun in totals]
    for noun, count in totals.items():
        one, several = f"There is exactly one {noun}.", f"There are exactly {number_word(count)} {plural(noun)}."
        checks.append(Check("", "count", one if count == 1 else several, noun, count=count))
    return checks


def attribute_checks(entities: tuple[Entity, ...]) -> list[Check]:
    """That each entity has what is said of it."""
    checks = []
    for number, entity in enumerate(entities):
        if entity.attributes:
            there = f"There is {entity.phrase}." if entity.count == 1 else f"There are {entity.phrase}."
            checks.append(Check("", "attribute", there, entity.noun, number, count=entity.count))
        if entity.details:
            about = f"This is true of {entity.name}: {entity.details}."
            checks.append(Check("", "attribute", about, entity.noun, number, count=entity.count))
    return checks


def relation(entities: tuple[Entity, ...], first: int, side: Side, second: int) -> Check:
    """That the first entity is on that side of the second."""
    one, other = entities[first].name, entities[second].name
    said = {
        "left": f"{one} is to the left of {other}.",
        "right": f"{one} is to the right of {other}.",
        "above": f"{one} is above {other}.",
        "below": f"{one} is below {other}.",
    }[side]
    return Check("", "relation", said[0].upper() + said[1:], entities[first].noun, first, second, side)


def setting_check(setting: str) -> Check:
    return Check("", "attribute", f"This is true of the whole picture: {setting}.")


def nothing_else(entities: tuple[Entity, ...]) -> Check:
    named = ", ".join(entity.phrase for entity in entities)
    return Check("", "absent", f"Besides {named} the picture shows no other subject.")


def without(what: str) -> Check:
    return Check("", "absent", f"There is no {what}.", what)


def numbered(checks: list[Check]) -> tuple[Check, ...]:
    """The first checks, as many as a list may hold, with their ids: ``object-1``, ``object-2``, ``count-1``."""
    given: dict[str, int] = {}
    result = []
    for check in checks[:MAX_CHECKS]:
        given[check.kind] = given.get(check.kind, 0) + 1
        result.append(replace(check, id=f"{check.kind}-{given[check.kind]}"))
    return tuple(result)
