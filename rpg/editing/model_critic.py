"""A critic that is a model, and the checklist that a model makes of a caption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image

from rpg.areas.layout import Box
from rpg.editing.asking import BOX, BOX_RULE, TEXT, Model, box_of, items_of, list_schema, object_schema, quoted, text_of
from rpg.editing.checklist import (
    MAX_CHECKS,
    MAX_COUNT,
    Check,
    Checklist,
    Entity,
    numbered,
)
from rpg.editing.critic import Finding, Verdict
from rpg.editing.reading import boxes_of
from rpg.errors import EditingError
from rpg.plan import Plan
from rpg.values import number, shown

MAX_ENTITIES = 32

VERDICT = object_schema(
    answers=list_schema(object_schema(id=TEXT, evidence=TEXT, **{"pass": {"type": "boolean"}}, box=BOX), MAX_CHECKS)
)
_INDEX = {"type": "integer"}
CHECKLIST = object_schema(
    entities=list_schema(object_schema(name=TEXT, noun=TEXT, details=TEXT, regions=list_schema(_INDEX, MAX_COUNT)), MAX_ENTITIES),
    checks=list_schema(
        object_schema(
            kind=TEXT,
            statement=TEXT,
            entity=_INDEX,
            other=_INDEX,
            side=TEXT,
            count=_INDEX,
        ),
        MAX_CHECKS,
    ),
)

_CHECK = """Look at the picture and say of each statement whether it is true of it. Be strict: what you cannot see is false.

{checks}

Answer with JSON: {{"answers": [{{"id": "...", "evidence": "what you see, in a few words", "pass": true, "box": [0, 0, 0, 0]}}]}}
Give one answer for each id and no others. The box is where that stands which the statement is about, also if the statement is
false; of something that may not be there or of which there are too many, it is one that is too much. {box_rule}"""

_LIST = """A picture was made from this caption: {caption}
It was divided into these regions:
{regions}

Turn the caption into a list of entities and a list of checks, each of which can be answered by looking at the picture.
- An entity is a thing or a being: its name with the attributes before the noun ("a red apple"), the noun alone ("apple"), other
  details ("with a green leaf") or "", and the numbers of the regions that show it, one for each time it is there.
- A check has a kind, a statement in a short sentence, and the numbers of the entities that it is about, from 1, or 0 for
  none. Kinds: object (something is there), attribute (an entity has its attributes), count (how many of a noun there are, in
  "count"), relation (the entity is on that side of the other: left, right, above, below), absent (something is not there).
Answer with JSON: {{"entities": [{{"name": "...", "noun": "...", "details": "", "regions": [1]}}], "checks": [{{"kind": "object",
"statement": "...", "entity": 1, "other": 0, "side": "", "count": 1}}]}}"""


@dataclass(frozen=True)
class ModelCritic:
    """A model that sees pictures."""

    model: Model

    def check(self, picture: Image.Image, checklist: Checklist) -> Verdict:
        """
        Raises:
            LLMError: when there is no answer that can be used.
        """
        text = _CHECK.format(checks=checklist.text, box_rule=BOX_RULE)
        return self.model.ask(text, VERDICT, lambda data: read_verdict(data, checklist), picture)


def read_verdict(data: object, checklist: Checklist) -> Verdict:
    """
    Raises:
        EditingError: when an id is unknown or missing or answered twice, or an answer makes no sense.
    """
    findings: dict[str, Finding] = {}
    for item in items_of(data, "answers", MAX_CHECKS):
        id = text_of(item, "id")
        if id not in checklist.ids:
            raise EditingError(f"There is no check {shown(id)}; the ids are {', '.join(checklist.ids)}.")
        if id in findings:
            raise EditingError(f"{id} is answered twice; answer it once.")
        if not isinstance(item.get("pass"), bool):
            raise EditingError(f"pass of {id} is {shown(item.get('pass'))}; it must be true or false.")
        findings[id] = Finding(item["pass"], text_of(item, "evidence", required=False), box_of(item.get("box"), id))
    missing = [id for id in checklist.ids if id not in findings]
    if missing:
        raise EditingError(f"There is no answer to {', '.join(missing)}.")
    return Verdict(checklist, findings)


def checklist_by_model(model: Model, plan: Plan) -> Checklist:
    """What a picture made by a plan has to show, in a model's words.

    Raises:
        LLMError: when there is no answer that can be used.
    """
    regions = "\n".join(f"{index}: {quoted(region.prompt)}" for index, region in enumerate(plan.regions, 1))
    text = _LIST.format(caption=quoted(plan.main_prompt), regions=regions)
    return model.ask(text, CHECKLIST, lambda data: read_checklist(data, plan))


def read_checklist(data: object, plan: Plan) -> Checklist:
    """
    Raises:
        EditingError: when an entity or a check makes no sense.
    """
    boxes = boxes_of(plan)
    entities = tuple(_entity(item, boxes) for item in items_of(data, "entities", MAX_ENTITIES))
    checks = [_check(item, entities) for item in items_of(data, "checks", MAX_CHECKS)]
    return Checklist(plan.main_prompt, entities, numbered(checks))


def _entity(item: dict[str, Any], boxes: list[Box]) -> Entity:
    regions = item.get("regions")
    if not isinstance(regions, list) or not 0 < len(regions) <= MAX_COUNT:
        raise EditingError(f"regions is {shown(regions)}; it must be a list of the numbers of regions.")
    places = tuple(boxes[_whole("A region", region, 1, len(boxes)) - 1] for region in regions)
    return Entity(text_of(item, "name"), text_of(item, "noun"), places, text_of(item, "details", required=False))


def _check(item: dict[str, Any], entities: tuple[Entity, ...]) -> Check:
    entity, other = (_whole(name, item.get(name, 0), 0, len(entities)) - 1 for name in ("entity", "other"))
    kind: Any = item.get("kind")
    count = _whole("count", item.get("count", 1), 0, MAX_COUNT)
    return Check(
        "",
        kind,
        text_of(item, "statement"),
        entities[entity].noun if entity >= 0 else "",
        entity if entity >= 0 and kind in ("attribute", "relation") else None,
        other if other >= 0 else None,
        item.get("side") or None,
        count if kind == "count" else 1,
    )


def _whole(name: str, value: object, least: int, most: int) -> int:
    result = number(name, value, least, most, meaning=f"a whole number from {least} to {most}", error=EditingError)
    if result != int(result):
        raise EditingError(f"{name} is {shown(value)}; it must be a whole number.")
    return int(result)
