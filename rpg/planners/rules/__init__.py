"""The offline planner: a plan from the words of a caption alone, in English and Chinese."""

from __future__ import annotations

import re

from rpg.areas.layout import MAX_REGIONS
from rpg.errors import PlannerError
from rpg.plan import DEFAULT_BASE_RATIO, Plan, Region, shows_nothing
from rpg.planners.rules import figure, writing
from rpg.planners.rules.arrange import Rows, arrange, fits
from rpg.planners.rules.chinese import reader as chinese
from rpg.planners.rules.chinese.translation import translate
from rpg.planners.rules.english import reader as english
from rpg.planners.rules.reading import Reading

NAME = "rules 1"
MAX_CAPTION = 4000
"""Most characters of a caption."""

_NETWORK = re.compile(r"<[^<>]{1,100}>")
"""``<lora:name:1>``: stays in the base prompt, says nothing about regions."""
_HAN = re.compile(r"[㐀-鿿]")


def plan(caption: str) -> Plan:
    """Divide a picture by fixed rules: no model, no network.

    Things that the caption lists become regions, where it says that they stand; what it says of their
    surroundings and style goes to all of them. A caption that names one thing gives one region.

    Raises:
        PlannerError: when the caption is no text, empty or too long.
    """
    if not isinstance(caption, str) or not re.search(r"\w", caption) or shows_nothing(caption):
        raise PlannerError("The caption names nothing; describe the picture, such as 'a cat on the left and a dog on the right'.")
    if len(caption) > MAX_CAPTION:
        raise PlannerError(f"The caption has {len(caption)} characters; the offline planner reads at most {MAX_CAPTION}.")
    text = re.sub(r"\s+", " ", caption).strip()
    words = _NETWORK.sub("", text) if re.search(r"\w", _NETWORK.sub("", text)) else text
    reading = chinese.read(words) if _HAN.search(text) else english.read(words)
    reading.settle_tags()
    reading.settle_members()
    standing = _standing(caption, text, reading)
    if standing:
        return standing
    reading.settle_scenes()
    translated = translate(reading) if _HAN.search(text) else None
    reading = translated or reading
    rows, notes = _rows(reading)
    if sum(len(cells) for _, cells in rows) < 2:
        base = writing.composed(reading) if translated and reading.things else text
        notes.append("The caption names one thing, so one region shows it all.")
        return Plan((Region(base),), "1", base, 0.0, caption, " ".join(notes), NAME)
    base = writing.composed(reading) if translated else text
    repeated = [noun for noun, count in writing.classes(reading.things).items() if count > 1 and noun]
    if repeated:
        base = base if translated else writing.counted(reading, text)
        notes.append(f"Several of one class ({', '.join(repeated)}), so the base prompt counts them and is mixed in.")
    else:
        notes.append("All are of different classes, so no base prompt is mixed in.")
    if _HAN.search(text) and not translated:
        notes.append("The region prompts stay Chinese, which most Stable Diffusion checkpoints do not read; translate them.")
    regions = tuple(Region(writing.prompt(cell, reading) or text) for _, cells in rows for _, cell in cells)
    return Plan(regions, _split_ratio(rows), base, DEFAULT_BASE_RATIO if repeated else 0.0, caption, " ".join(notes), NAME)


def _rows(reading: Reading) -> tuple[Rows, list[str]]:
    """The layout, and notes on what decided it; no rows where nothing is named or a plan cannot hold it all."""
    things = reading.things
    if not things:
        return [], []
    if len(things) > MAX_REGIONS:
        return [], [f"The caption names more things than the {MAX_REGIONS} regions of a plan."]
    notes = []
    while sum(thing.count for thing in things) > MAX_REGIONS or not fits(rows := arrange(reading)):
        most = max(things, key=lambda thing: thing.count)
        if most.count == 1:
            return [], ["The places that the caption names take more regions than a plan can hold."]
        notes = [f"{most.count} of one thing are too many for regions of their own, so they share one."]
        most.name, most.count, most.members = most.many or most.name, 1, []
    if any(thing.count > 6 for thing in things):
        notes.append("So many of one thing are laid out in rows; some may merge in the picture.")
    if any(cell is None for _, cells in rows for _, cell in cells):
        notes.append("Regions of which the caption says nothing show the background.")
    named = any(thing.place or thing.relation for thing in things) or reading.order
    return rows, ["Regions stand where the caption places them." if named else "Regions follow the order of the caption.", *notes]


def _standing(caption: str, text: str, reading: Reading) -> Plan | None:
    """A plan of three rows for a single person who is shown from head to foot."""
    things = reading.things
    if len(things) != 1 or not things[0].person or things[0].count > 1 or not figure.whole(text):
        return None
    prompts = [writing.prompt(thing, reading) for thing in figure.parts(things[0])]
    if not prompts:
        return None
    note = (
        "A single person shown from head to foot: one row each for head, upper and lower part, held together by the base prompt."
    )
    return Plan(tuple(map(Region, prompts)), ";".join("1" * len(prompts)), text, DEFAULT_BASE_RATIO, caption, note, NAME)


def _split_ratio(rows: Rows) -> str:
    if len(rows) == 1:
        return ",".join(str(width) for width, _ in rows[0][1])
    return ";".join(",".join(map(str, (height, *(width for width, _ in cells)))) for height, cells in rows)
