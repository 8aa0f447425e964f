"""A model's answer is checked before it is believed: what its plan says, against the caption and the instructions.

The caption is read by the offline rules. Each check gives a sentence for the model and the user. Where the rules do not read the
caption, what needs its words is not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from rpg.plan import Plan
from rpg.planners import rules
from rpg.planners.instructions import EXAMPLE
from rpg.planners.rules.content import HAN, content_words, is_read, lost, stem
from rpg.planners.rules.lexicon import BEINGS, COUNTS, english_kind, is_adjective, is_colour, plain, singular, word_set
from rpg.planners.rules.reading import Thing

_ENGLISH = re.compile(r"\bEnglish\b")
_FOREIGN = re.compile(r"[^\W\d_a-zA-ZÀ-ɏ]")
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|「[^」]*」")
_MOST_FOREIGN = 0.3
"""Share of letters that are not Latin from which a prompt counts as not English."""
_NUMBERS = {count: {word, str(count)} for word, count in COUNTS.items()}
_SEVERAL = word_set("pair couple both twin twins duo trio several many group row")
_COLOURS = {"gray": "grey", "golden": "gold", "blonde": "blond"}


def faults(plan: Plan, instructions: str) -> list[str]:
    """What is wrong with the plan that a model gave for its caption.

    Args:
        instructions: what the model was told, without the caption.
    """
    prompts = [region.prompt for region in plan.regions]
    things = _things(plan.caption)
    found = [*_foreign(prompts, instructions), *_copied(prompts, plan.caption, instructions), *_alike(prompts, things)]
    found += _undivided(prompts, plan.caption, things)
    if not found and not HAN.search(plan.caption):
        found = [*_lost_things(prompts, things), *_lost_numbers(prompts, plan.base_prompt, things)]
        found += _lost_colours(prompts, plan.caption) if things else []
    return found


def merged(plan: Plan) -> list[str]:
    """Several of a kind that share a region; a few get one each."""
    things = [] if HAN.search(plan.caption) else _things(plan.caption)
    few = _too_few([region.prompt for region in plan.regions], things)
    return [sentence for wanted, sentence in few if wanted <= rules.MOST_ENTITIES]


def _things(caption: str) -> list[Thing]:
    """What the caption names; nothing for a long description, of which the rules see only a part."""
    if len(caption) > rules.LONGEST_READ or not is_read(caption):
        return []
    things = rules.read(caption).things
    return things if len(things) <= rules.MOST_ENTITIES and all(thing.noun for thing in things) else []


def _foreign(prompts: list[str], instructions: str) -> Iterator[str]:
    for number, prompt in enumerate(prompts, 1):
        letters = re.sub(r"[\W\d_]", "", _QUOTED.sub("", prompt))
        if _ENGLISH.search(instructions) and len(_FOREIGN.findall(letters)) > _MOST_FOREIGN * len(letters):
            yield f"The prompt of region {number} is not in English; write all prompts in English."


def _copied(prompts: list[str], caption: str, instructions: str) -> Iterator[str]:
    """Words of the instructions, or of their example, that have nothing to do with the caption."""
    known = set(map(stem, content_words(caption)))
    start = EXAMPLE.search(instructions)
    example = set(pairwise(content_words(instructions[start.start() :]))) if start else set()
    instructions = " ".join(instructions.lower().split())
    for number, prompt in enumerate(prompts, 1):
        words = content_words(prompt)
        copied = [pair for pair in pairwise(words) if pair in example and not known & set(map(stem, pair))]
        if len(prompt.split()) > 2 and not known & set(map(stem, words)) and " ".join(prompt.lower().split()) in instructions:
            yield f"The prompt of region {number} is text of the instructions; describe what the caption names."
        elif len(copied) > 1 or any(is_colour(pair[0]) for pair in copied):
            yield f"The prompt of region {number} has {' '.join(copied[0])!r} from the example; describe what the caption names."


def _alike(prompts: list[str], things: list[Thing]) -> Iterator[str]:
    different = len(set(prompts))
    if different < min(len(prompts), len({thing.name + thing.tail for thing in things})):
        same = max(prompts, key=prompts.count)
        numbers = [str(number) for number, prompt in enumerate(prompts, 1) if prompt == same]
        yield f"Regions {' and '.join(numbers)} have the same prompt; give each entity of the caption a region of its own."


def _undivided(prompts: list[str], caption: str, things: list[Thing]) -> Iterator[str]:
    """A region that shows all of several things."""
    nouns = set(map(_head, things))
    for number, prompt in enumerate(prompts, 1):
        if len(things) < 2:
            return
        named = (
            nouns <= set(map(stem, content_words(prompt))) if len(nouns) > 2 else 1 < len(nouns) == len(nouns & _shown(prompt))
        )
        if named or prompt.split() == caption.split() or not (HAN.search(caption) or lost(caption, [prompt])):
            yield f"The prompt of region {number} shows all that the caption names; give each entity a region of its own."


def _lost_things(prompts: list[str], things: list[Thing]) -> Iterator[str]:
    words = [word for prompt in prompts for word in content_words(prompt)]
    stems = set(map(stem, words))
    people = any(english_kind(word) in ("person", "group") for word in words)
    for thing in things:
        nouns = [word for word in content_words(thing.name + thing.tail) if english_kind(word) or not is_adjective(word)]
        seen = (thing.person and people) or stems & {_head(thing), *map(stem, nouns)}
        if thing.kind in BEINGS | {"thing"} and not seen:
            yield f"No region shows {plain(thing.many or thing.name)!r}, which the caption names."


def _lost_numbers(prompts: list[str], base: str, things: list[Thing]) -> Iterator[str]:
    """Fewer regions of a kind than the caption counts, without a word for the number."""
    texts = [re.findall(r"[\w'’-]+", text.lower()) for text in [*prompts, base]]
    for wanted, sentence in _too_few(prompts, things):
        told = _NUMBERS.get(wanted, {str(wanted)}) | _SEVERAL
        if wanted <= max(_NUMBERS) and not any(told & set(text) for text in texts):
            yield sentence


def _too_few(prompts: list[str], things: list[Thing]) -> Iterator[tuple[int, str]]:
    """How many the caption names of each kind that the regions show fewer of, and the sentence for it."""
    words = [word for prompt in prompts for word in re.findall(r"[\w'’-]+", prompt.lower())]
    for noun in dict.fromkeys(thing.noun for thing in things):
        wanted = sum(thing.count for thing in things if thing.noun == noun)
        shown = sum(singular(word) == noun.rpartition(" ")[2] for word in words)
        if 0 < shown < wanted:
            yield wanted, f"The caption names {wanted} of {noun!r}, the regions show {shown}."


def _lost_colours(prompts: list[str], caption: str) -> Iterator[str]:
    said = " ".join(map(_spelt, content_words(" ".join(prompts))))
    for colour in dict.fromkeys(_spelt(word) for word in content_words(caption) if is_colour(word)):
        if not re.search(rf"\b{colour}", said):
            yield f"No region has {colour!r}, which the caption names."


def _shown(prompt: str) -> set[str]:
    """The head nouns of what a prompt shows side by side."""
    return set(map(_head, rules.read(prompt).things))


def _head(thing: Thing) -> str:
    return stem(thing.noun.rpartition(" ")[2])


def _spelt(colour: str) -> str:
    return _COLOURS.get(colour, colour)
