"""From a reading to the texts of a plan."""

from __future__ import annotations

import re
from collections import Counter

from rpg.planners.rules.arrange import Cell
from rpg.planners.rules.content import shows
from rpg.planners.rules.lexicon import chinese_kind, plural
from rpg.planners.rules.reading import Reading, Thing

BACKGROUND = "plain background"
_NUMBERS = ["no", "a", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_CHINESE_NUMBERS = "零一两三四五六七八九十"
_PREPOSITION = re.compile(
    r"(?:in|on|at|by|near|under|inside|outside|behind|over|through|along|around|against|beside|next to|\w+ing) "
)
_PROGRESSIVE = re.compile(r"\b(?:is|are) (?=\w+ing\b)")
_LOOSE = re.compile(
    r"(?:\s(?:is|are|was|were|and|while|with|then|there|stands|sits|lies|lay|hangs|both))+(?=\s*(?:,|$))", re.IGNORECASE
)
"""Words that have lost what they led to."""


def prompt(cell: Cell, reading: Reading) -> str:
    """A region's prompt: the thing itself, then what all regions share."""
    text = cell.name + cell.tail if cell else ""
    for scene in (scene.text for scene in reading.scenes):
        apart = not reading.joint or "," in text or not _PREPOSITION.match(scene)
        text += (", " if apart else " ") + scene if text else scene
    text = ", ".join(filter(None, [text or background(reading), *reading.styles]))
    return tidy(text if cell else re.sub("^on (?=an? )", "", text), reading)


def showing(text: str, reading: Reading) -> str:
    """A region's prompt, with the background where it shows nothing."""
    return text if shows(text) else ", ".join(filter(None, [text, background(reading)]))


def tidy(text: str, reading: Reading) -> str:
    """Without double spaces, stray punctuation and "is" before a participle."""
    text = _LOOSE.sub("", _PROGRESSIVE.sub("", text))
    text = re.sub(r",\s*(?:is|are) ", ", ", text)
    text = re.sub(r"\s*(?:[,;.]\s*)*[,;](?:\s*[,;.])*\s*", ", ", text)
    text = re.sub(r"\s+", " ", text).strip(" ,.;:、")
    return text if reading.joint else text.replace(", ", "，")


def background(reading: Reading) -> str:
    return BACKGROUND if reading.joint else "空白背景"


def classes(things: list[Thing]) -> Counter[str]:
    """How many of each class: all people are of one."""
    return Counter(
        "person" if thing.person else thing.noun for thing in things for _ in range(thing.count) if thing.kind != "section"
    )


def counted(reading: Reading, text: str) -> str:
    """The caption, led by how many of each person or thing there are, unless it already counts them."""
    counts = Counter({thing.noun: 0 for thing in reading.things})
    for thing in reading.things:
        counts[thing.noun] += thing.count
    said = reading.counted
    if all(count == 1 or noun in said for noun, count in counts.items()):
        return text
    repeated = Counter(classes(reading.things)).most_common(1)[0][0]
    nouns = [
        noun
        for noun in counts
        if noun == repeated or (repeated == "person" and any(thing.noun == noun and thing.person for thing in reading.things))
    ]
    if reading.joint:
        return f"{_series([_many(noun, counts[noun]) for noun in nouns], reading)}, {text}"
    return f"{_series([_chinese_many(noun, counts[noun], reading) for noun in nouns], reading)}，{text}"


def composed(reading: Reading) -> str:
    """A sentence for a reading that was translated: its things with their numbers, then what they share."""
    phrases = []
    for thing in reading.things:
        words = re.sub("^an? ", "", thing.name)
        phrases.append(thing.name if thing.count == 1 else f"{_number(thing.count)} {plural(words)}")
    scenes = " ".join(scene.text for scene in reading.scenes)
    return ", ".join(filter(None, [f"{_series(phrases, reading)} {scenes}".strip(), *reading.styles]))


def _many(noun: str, count: int) -> str:
    return f"a {noun}" if count == 1 else f"{_number(count)} {plural(noun)}"


def _chinese_many(noun: str, count: int, reading: Reading) -> str:
    name = next(thing.name for thing in reading.things if thing.noun == noun)
    measure = re.match("一([个只位名条张本把台件束杯瓶扇座棵朵颗])", name)
    number = _CHINESE_NUMBERS[count] if count <= 10 else str(count)
    return f"{'一' if count == 1 else number}{measure[1] if measure else '只' if chinese_kind(noun) == 'animal' else '个'}{noun}"


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def _series(phrases: list[str], reading: Reading) -> str:
    if len(phrases) < 2:
        return "".join(phrases)
    comma, last = (", ", " and ") if reading.joint else ("、", "和")
    return comma.join(phrases[:-1]) + last + phrases[-1]
