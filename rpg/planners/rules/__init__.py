"""The offline planner: a plan from the words of a caption alone, in English and Chinese."""

from __future__ import annotations

import re

from rpg.areas.layout import MAX_REGIONS
from rpg.errors import PlannerError
from rpg.plan import DEFAULT_BASE_RATIO, Plan, Region, shows_nothing
from rpg.planners.rules import figure, keywords, writing
from rpg.planners.rules.arrange import Rows, arrange, fits, split_ratio
from rpg.planners.rules.chinese import reader as chinese
from rpg.planners.rules.chinese.translation import translate
from rpg.planners.rules.content import HAN, is_chinese, is_read, lost
from rpg.planners.rules.english import reader as english
from rpg.planners.rules.english.marks import find_marks
from rpg.planners.rules.notes import note
from rpg.planners.rules.reading import Reading
from rpg.planners.rules.syntax import Syntax

NAME = "rules 2"
LONGEST_READ = 4000
"""Most characters of a caption."""
MOST_ENTITIES = 6
"""Most things of prose, or without a place or number of their own, that get a region; the base prompt shows the others."""
_PROSE = 3
"""Sentences from which a caption is prose, and no list."""
_NAMELESS = "The caption names nothing; describe the picture, such as 'a cat on the left and a dog on the right'."


def plan(caption: str, width: int | None = None, height: int | None = None) -> Plan:
    """Divide a picture by fixed rules: no model, no network.

    Things that the caption lists become regions, where it says that they stand; what it says of their
    surroundings and style goes to all of them. A caption that names one thing gives one region. What is in
    no region is left to the base prompt, which is then mixed in: no word that shows something is lost.

    Args:
        width, height: of the picture in pixels; unknown, it counts as square.

    Raises:
        PlannerError: when the caption is no text, empty or too long.
    """
    if not isinstance(caption, str) or not re.search(r"\w", caption) or shows_nothing(caption):
        raise PlannerError(_NAMELESS)
    if len(caption) > LONGEST_READ:
        raise PlannerError(f"The caption has {len(caption)} characters; the offline planner reads at most {LONGEST_READ}.")
    text = re.sub(r"\s+", " ", caption).strip()
    return _by_keywords(caption, text) or _by_words(caption, text, width / height if width and height else 1.0)


def read(caption: str) -> Reading:
    """What a caption says, before it is laid out. Names may hold characters that stand for syntax."""
    text = re.sub(r"\s+", " ", caption).strip()
    han = is_chinese(text)
    reading = _read(Syntax(text, han).words, han)
    reading.settle_scenes()
    return reading


def _read(words: str, han: bool) -> Reading:
    reading: Reading = (chinese if han else english).read(words)
    reading.settle_tags()
    reading.settle_members()
    return reading


def _by_keywords(caption: str, text: str) -> Plan | None:
    rows, base = keywords.rows_of(text)
    if not 0 < sum(map(len, rows)) <= MAX_REGIONS:
        return None
    regions = tuple(Region(_balanced(cell)) for row in rows for cell in row)
    ratio = ";".join(",".join("1" * (len(row) + (len(rows) > 1 and len(row) > 1))) for row in rows)
    said = note("keywords", is_chinese(text))
    return Plan(regions, ratio, _balanced(base), keywords.BASE_RATIO if base else 0.0, caption, said, NAME)


def _by_words(caption: str, text: str, aspect: float) -> Plan:
    han = is_chinese(text)
    syntax = Syntax(text, han)
    if not syntax.is_whole and shows_nothing(_balanced(text)):
        raise PlannerError(_NAMELESS)
    reading = _read(syntax.words, han)
    if standing := _standing(reading, syntax.words, han):
        prompts, ratio, said = standing
        regions = tuple(Region(syntax.restore(prompt)) for prompt in prompts)
        return Plan(regions, ratio, "", DEFAULT_BASE_RATIO, caption, said, NAME)
    reading.settle_scenes()
    translated = translate(reading) if han and not syntax else None
    reading = translated or reading
    prose = len(re.findall(r"[^\W\d_][.!?](?:\s|$)|[。！？]", caption)) >= _PROSE
    limited = reading.limit(MOST_ENTITIES, prose)
    rows, notes = _rows(reading, aspect, han, MOST_ENTITIES if prose else MAX_REGIONS)
    if sum(len(cells) for _, cells in rows) < 2:
        prompt = writing.composed(reading) if translated and reading.things and not limited else ""
        prompt = prompt if prompt and not lost(HAN.sub(" ", syntax.words), [prompt]) else _balanced(text)
        notes = notes or [note(_why_whole(syntax.words, reading), han)]
        return Plan((Region(prompt),), "1", "", 0.0, caption, " ".join(notes), NAME)
    prompts = [writing.prompt(cell, reading) for _, cells in rows for _, cell in cells]
    words = HAN.sub(" ", syntax.words) if translated else syntax.words
    left = limited or syntax.lost(prompts) or bool(lost(words, prompts))
    base = writing.composed(reading) if translated and not left else ""
    repeated = [noun for noun, count in writing.classes(reading.things).items() if count > 1 and noun]
    if repeated:
        base = base if translated or limited else syntax.restore(writing.counted(reading, syntax.words))
        notes.append(note("one class", han, ", ".join(repeated)))
    else:
        notes.append(note("rest" if left else "classes", han))
    if han:
        notes.append(note("English" if translated else "Chinese", han))
    base = "" if base == text else base  # an empty one is the main prompt, which the user goes on to change
    regions = tuple(Region(writing.showing(syntax.restore(prompt), reading)) for prompt in prompts)
    return Plan(regions, split_ratio(rows), base, DEFAULT_BASE_RATIO if repeated or left else 0.0, caption, " ".join(notes), NAME)


def _rows(reading: Reading, aspect: float, han: bool, most: int) -> tuple[Rows, list[str]]:
    """The layout of at most ``most`` things, and notes on what decided it; no rows where nothing or too much is named."""
    things = reading.things
    if not things:
        return [], []
    if len(things) > MAX_REGIONS:
        return [], [note("too many", han, MAX_REGIONS)]
    notes = []
    while sum(thing.count for thing in things) > most or not fits(rows := arrange(reading, aspect)):
        group = max(things, key=lambda thing: thing.count)
        if group.count == 1:
            return [], [note("too many places", han)]
        notes = [note("shared region", han, group.count)]
        group.name, group.count, group.members = group.many or group.name, 1, []
    if any(thing.count > 6 for thing in things):
        notes.append(note("merging", han))
    if any(cell is None for _, cells in rows for _, cell in cells):
        notes.append(note("background", han))
    if sum(len(cells) for _, cells in rows) < 2:
        return rows, []
    named = any(thing.place or thing.relation for thing in things) or reading.order
    return rows, [note("places" if named else "order", han), *notes]


def _standing(reading: Reading, text: str, han: bool) -> tuple[list[str], str, str] | None:
    """Prompts, split ratio and note of three rows for a single person who is shown from head to foot."""
    things = reading.things
    if len(things) != 1 or not things[0].person or things[0].count > 1 or not figure.whole(text):
        return None
    prompts = [writing.prompt(thing, reading) for thing in figure.parts(things[0])]
    return (prompts, ";".join("1" * len(prompts)), note("standing", han)) if prompts else None


def _why_whole(words: str, reading: Reading) -> str:
    """The name of the note on a caption that gave no more than one region."""
    if not is_read(words):
        return "language"
    if reading.things:
        return "one thing"
    placed = HAN.search(words) is None and any(mark.kind == "side" for mark in find_marks(words.lower()))
    return "places without things" if placed else "nothing"


def _balanced(text: str) -> str:
    """The text, without the brackets that nothing opens or closes."""
    syntax = Syntax(text, is_chinese(text))
    return text if syntax.is_whole else syntax.restore(syntax.words).strip() or writing.BACKGROUND
