"""The checklist of a plan, by rules: no model, no network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rpg.areas.layout import Box
from rpg.editing.checklist import (
    Check,
    Checklist,
    Entity,
    Side,
    attribute_checks,
    nothing_else,
    numbered,
    object_checks,
    relation,
    setting_check,
    without,
)
from rpg.editing.places import side_box
from rpg.editing.words import read
from rpg.plan import Plan
from rpg.planners.rules.lexicon import is_adjective
from rpg.planners.rules.reading import Place, Reading, Thing

_WITHOUT = re.compile(r"\b(?:without (?:an?|any) |with no |there (?:is|are) no )([\w-]+(?: [\w-]+)?)", re.IGNORECASE)
_WHITE_SPACE = re.compile(r"\s+")
_PLAIN = re.compile(r"on an? (?P<words>[\w -]+ )?background|plain background")


def checklist_of(plan: Plan) -> Checklist:
    """What a picture made by a plan has to show.

    What a region shows has to be there with its attributes, as often as the plan has it. Where the regions stand counts if the
    caption says so, or if there is no caption. Nothing else may be there where the plan shows nothing but things on a plain
    background.

    Raises:
        EditingError: when the plan names nothing that can be checked.
    """
    boxes, prompts = zip(*_regions(plan))
    readings = [read(prompt) for prompt in prompts]
    entities, firsts = _entities(boxes, prompts, readings)
    setting = _shared(readings)
    checks = object_checks(entities) + attribute_checks(entities)
    if not plan.caption or _places(plan.caption):
        checks += _relations(entities, firsts, boxes)
    if setting:
        checks.append(setting_check(setting))
    checks += [without(name) for name in dict.fromkeys(map(_absent, _WITHOUT.findall(plan.main_prompt)))]
    if entities and (_PLAIN.fullmatch(setting) or not any(reading.scenes for reading in readings)):
        checks.append(nothing_else(entities))
    return Checklist(plan.main_prompt, entities, numbered(checks), setting)


def checklist_of_phrases(phrases: list[str]) -> Checklist:
    """Whether each of the things is there, and so where: "a red circle", "the lamp"."""
    entities = tuple(entity_of(phrase) for phrase in phrases)
    checks = [
        Check("", "attribute", f"There is {phrase}.", entity.noun, number)
        for number, (phrase, entity) in enumerate(zip(phrases, entities))
    ]
    return Checklist(", ".join(phrases), entities, numbered(checks))


def entity_of(phrase: str) -> Entity:
    """What a phrase names, at the place that it says."""
    thing = _named(phrase)
    return _entity(thing, (side_box(thing.place or Place()),))


def _regions(plan: Plan) -> list[tuple[Box, str]]:
    """Box and prompt of each region; one that spans several cells has them all."""
    boxes: dict[int, Box] = {}
    for box, region in zip(plan.areas.boxes, plan.areas.regions):
        boxes[region] = _around(boxes[region], box) if region in boxes else box
    return [(box, plan.regions[number].prompt) for number, box in boxes.items()]


def boxes_of(plan: Plan) -> list[Box]:
    """The box of each of the plan's regions, with those cells that go on with it."""
    whole = dict(zip(dict.fromkeys(plan.areas.regions), (box for box, _ in _regions(plan))))
    return [whole[region] for region in plan.areas.regions]


def _around(one: Box, other: Box) -> Box:
    return Box(min(one.left, other.left), min(one.top, other.top), max(one.right, other.right), max(one.bottom, other.bottom))


def _entities(
    boxes: Sequence[Box], prompts: Sequence[str], readings: Sequence[Reading]
) -> tuple[tuple[Entity, ...], list[int | None]]:
    """The entities of all regions, equal ones as one; and for each region the number of the one that it shows, if it is one."""
    found: list[Entity] = []
    firsts: list[int | None] = []
    for box, prompt, reading in zip(boxes, prompts, readings):
        things = [single for thing in reading.things for single in _singles(thing)]
        if not things and not reading.scenes:
            things = [_named(prompt)]
        numbers = []
        for thing in things:
            entity = _entity(thing, (box,) * thing.count)
            same = next((n for n, other in enumerate(found) if replace(other, boxes=()) == replace(entity, boxes=())), None)
            if same is None:
                found.append(entity)
            else:
                found[same] = replace(entity, boxes=found[same].boxes + entity.boxes)
            numbers.append(len(found) - 1 if same is None else same)
        firsts.append(numbers[0] if len(numbers) == 1 else None)
    return tuple(found), firsts


def _singles(thing: Thing) -> list[Thing]:
    """Those of a group of which more is said, and the others."""
    others = thing.count - len(thing.members)
    return [*thing.members, *([replace(thing, count=others, members=[])] if others > 0 else [])]


def _named(phrase: str) -> Thing:
    """A thing that a phrase names; what the rules do not know stays as it is."""
    things = read(phrase).things
    return things[0] if things else Thing(phrase.strip(), phrase.strip(), "")


def _entity(thing: Thing, boxes: tuple[Box, ...]) -> Entity:
    name = _WHITE_SPACE.sub(" ", thing.name).strip()
    return Entity(name, thing.noun or name, boxes, _WHITE_SPACE.sub(" ", _WITHOUT.sub("", thing.tail)).strip(" ,.;"))


def _absent(words: str) -> str:
    """The first noun of two words, with an adjective."""
    first, _, second = words.partition(" ")
    return words if second and is_adjective(first) else first


def _shared(readings: Sequence[Reading]) -> str:
    """The surroundings that every region names."""
    first, *others = [[scene.text for scene in reading.scenes] for reading in readings]
    return ", ".join(text for text in first if all(text in texts for texts in others))


def _places(caption: str) -> bool:
    """Whether a caption says where things stand."""
    reading = read(caption)
    return bool(reading.order) or any(thing.place or thing.relation for thing in reading.things)


def _relations(entities: tuple[Entity, ...], firsts: Sequence[int | None], boxes: Sequence[Box]) -> list[Check]:
    """Neighbours in a row, and everything in a row with everything in the next."""
    rows: list[list[int]] = []
    for number, box in enumerate(boxes):
        if rows and abs(boxes[rows[-1][0]].top - box.top) < 1e-6:
            rows[-1].append(number)
        else:
            rows.append([number])
    pairs: list[tuple[int, Side, int]] = [
        (a, "left", b) for row in rows for a, b in pairwise(row) if boxes[a].right <= boxes[b].left
    ]
    pairs += [(a, "above", b) for above, below in pairwise(rows) for a in above for b in below if boxes[a].bottom <= boxes[b].top]
    checks = []
    for one, side, other in pairs:
        first, second = firsts[one], firsts[other]
        if first is not None and second is not None and entities[first].count == entities[second].count == 1:
            checks.append(relation(entities, first, side, second))
    return checks
