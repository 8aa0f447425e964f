"""Where a plan's regions lie, against the words about places in its caption: checked, not believed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations, pairwise

from rpg.areas.layout import Box
from rpg.plan import Plan
from rpg.planners import rules
from rpg.planners.rules.content import HAN, content_words, is_read, stem
from rpg.planners.rules.lexicon import plain, translation
from rpg.planners.rules.reading import Reading, Thing

THINNEST = 0.05
"""Share of the picture's side below which a region is hardly seen."""
_NEAR = 0.02
"""Shares of the picture that count as one."""
_OFF = 0.05
"""How far beyond the picture's middle, in shares, a region may lie for something of the other side."""
_AXES = (("column", "on the left", "on the right", "{} to the left of {}"), ("row", "at the top", "at the bottom", "{} above {}"))
_ORDERED = re.compile(r"(?:left|right|top|bottom) to|[左右上下][到至往向]")
_VAGUE = re.compile(
    r"\b(?:behind|front|hidden|next to|near|beside|besides|alongside|close to|adjacent|between|by|side|sides|around)\b|[旁前后间]"
)
"""Words that relate things without a side of the picture."""

_NUMBERED = re.compile(r"\b(?:row|shelf|line)\b|[排行层]")
"""Words that count rows: the reading's numbers are no sides then."""


def misplaced(plan: Plan) -> list[str]:
    """Where the plan contradicts what its caption says about places, in sentences for the model and the user."""
    if len(plan.caption) > rules.LONGEST_READ or not is_read(plan.caption):
        return []
    reading = rules.read(plan.caption)
    middles = _middles(plan, reading.things)
    found = []
    for axis, (name, before, after, between) in enumerate(_AXES):
        wrong = [
            (first, second)
            for first, second in dict.fromkeys(_pairs(reading, plan.caption, name))
            if first in middles and second in middles and middles[first][axis] > middles[second][axis] - _NEAR
        ]
        found += [f"The caption has {between.format(_said(first), _said(second))}; the plan does not." for first, second in wrong]
        for thing, middle in middles.items():
            side = getattr(thing.place, name) if thing.place else None
            off = side in (-1, 1) and not _NUMBERED.search(plan.caption) and (middle[axis] - 0.5) * side < -_OFF
            if off and not any(thing in pair for pair in wrong):
                here, there = (before, after) if side == -1 else (after, before)
                found.append(f"The caption has {_said(thing)} {here}; its region lies {there}.")
    return found


def thin(plan: Plan) -> list[str]:
    """Regions that are too small to show anything."""
    found = []
    for number, box in enumerate(plan.areas.boxes, 1):
        for side, share in (("width", box.right - box.left), ("height", box.bottom - box.top)):
            if share < THINNEST:
                found.append(f"Region {number} has {share:.1%} of the picture's {side}, too little to be seen.")
    return found


def _pairs(reading: Reading, caption: str, axis: str) -> Iterator[tuple[Thing, Thing]]:
    """Things of which the caption says that the first stands left of, or above, the second."""
    things = reading.things
    for one, other in combinations([thing for thing in things if thing.place], 2):
        sides = getattr(one.place, axis), getattr(other.place, axis)
        if None not in sides and sides[0] != sides[1]:
            yield (one, other) if sides[0] < sides[1] else (other, one)
    for thing in things if not _VAGUE.search(caption) else []:
        offset, anchor = thing.relation or (None, thing)
        if offset and None in (offset.row, offset.column) and (step := getattr(offset, axis)):
            yield (thing, anchor) if step < 0 else (anchor, thing)
    if reading.order.endswith("row" if axis == "column" else "column") and _ORDERED.search(caption):
        yield from pairwise(reversed(things) if reading.order.startswith("reversed") else things)


def _middles(plan: Plan, things: list[Thing]) -> dict[Thing, tuple[float, float]]:
    """The middle of the regions of each thing, in shares of the picture."""
    boxes: dict[Thing, list[Box]] = {}
    for region, box in zip(plan.regions, plan.areas.boxes, strict=True):
        if thing := _shown(region.prompt, things):
            boxes.setdefault(thing, []).append(box)
    middles = {}
    for thing, parts in boxes.items():
        areas = [(box.right - box.left) * (box.bottom - box.top) for box in parts]
        xs = sum(area * (box.left + box.right) / 2 for area, box in zip(areas, parts, strict=True))
        ys = sum(area * (box.top + box.bottom) / 2 for area, box in zip(areas, parts, strict=True))
        middles[thing] = (xs / sum(areas), ys / sum(areas))
    return middles


def _shown(prompt: str, things: list[Thing]) -> Thing | None:
    """The thing that a prompt names first; None where it might be several."""
    words = list(map(stem, content_words(prompt)))
    named = [thing for thing in things if _noun(thing) in words]
    if not named:
        return None
    noun = min(map(_noun, named), key=words.index)
    alike = [thing for thing in named if _noun(thing) == noun]
    scores = [len(set(words) & set(map(stem, content_words(thing.name + thing.tail)))) for thing in alike]
    return alike[scores.index(max(scores))] if scores.count(max(scores)) == 1 else None


def _noun(thing: Thing) -> str:
    """The last word of a thing's noun, in English; empty where that is not known."""
    noun = translation(thing.noun) if HAN.search(thing.noun) else thing.noun
    return stem(noun.rpartition(" ")[2]) if noun else ""


def _said(thing: Thing) -> str:
    return repr(plain(thing.many or thing.name))
