"""The offline planner: a plan from the words of a caption alone, in English and Chinese."""

from __future__ import annotations

import re
from collections import Counter

from rpg.errors import PlannerError
from rpg.plan import DEFAULT_BASE_RATIO, Plan, Region
from rpg.planners.rules import english
from rpg.planners.rules.arrange import Cell, Rows, arrange, fits
from rpg.planners.rules.reading import Reading, Thing

NAME = "rules 1"
MAX_CAPTION = 8000
"""Most characters of a caption."""


def plan(caption: str) -> Plan:
    """Divide a picture by fixed rules: no model, no network.

    Raises:
        PlannerError: when the caption is no text, empty or too long.
    """
    if not isinstance(caption, str) or not caption.strip():
        raise PlannerError("The caption is empty; describe the picture, such as 'a red circle on the left and a blue square on the right'.")
    if len(caption) > MAX_CAPTION:
        raise PlannerError(f"The caption has {len(caption)} characters; the rules read at most {MAX_CAPTION}.")
    text = re.sub(r"\s+", " ", caption).strip()
    reading = english.read(text)
    return _plan(caption, text, reading)


def _plan(caption: str, text: str, reading: Reading) -> Plan:
    reading.settle_members()
    reading.settle_scenes()
    rows = arrange(reading) if reading.things else []
    background = [scene.text for scene in reading.scenes]
    prompts = [_prompt(cell, background, reading.styles) for _, cells in rows for _, cell in cells]
    split = ";".join(",".join(map(str, (height, *(width for width, _ in cells)))) for height, cells in rows)
    if len(rows) == 1:
        split = ",".join(str(width) for width, _ in rows[0][1])
    if len(prompts) < 2:
        return Plan((Region(text),), "1", text, 0.0, caption, "one", NAME)
    shared = _shared(reading.things)
    return Plan(tuple(map(Region, prompts)), split, text, DEFAULT_BASE_RATIO if shared else 0.0, caption, "", NAME)


def _shared(things: list[Thing]) -> bool:
    counts = Counter("person" if thing.person else thing.noun for thing in things for _ in range(thing.count))
    return any(count > 1 for noun, count in counts.items() if noun)


def _prompt(cell: Cell, background: list[str], styles: list[str]) -> str:
    text = (cell.name + cell.tail) if cell else "background"
    for scene in background:
        text += (", " if "," in text or scene.split(" ")[0].endswith("ing") else " ") + scene
    text = ", ".join([text, *styles])
    text = re.sub(r"\b(?:is|are) (?=\w+ing\b)", "", text)
    return re.sub(r"\s+", " ", re.sub(r"(?:\s*[,;.])+(?=\s|$)", ",", text)).strip(" ,.;:")
