"""An instruction in simple words, such as "make the left star green and remove the lamp", read by rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PIL import Image

from rpg.areas.layout import Box
from rpg.editing.chinese import in_english
from rpg.editing.critic import Critic
from rpg.editing.operations import MAX_OPERATIONS, Operation, OperationKind, fitted, is_css_colour
from rpg.editing.places import beside_box, clear_box, side_box
from rpg.editing.reading import checklist_of_phrases, entity_of
from rpg.editing.words import read
from rpg.errors import EditingError
from rpg.planners.rules.claims import opposite
from rpg.planners.rules.lexicon import article
from rpg.planners.rules.reading import Place, Thing
from rpg.values import shown

MAX_INSTRUCTION = 2000
"""Characters."""

_VERB = (
    "add|put|draw|insert|remove|delete|erase|take away|get rid of|replace|exchange|swap|change|turn|make|paint|colou?r|recolou?r"
    "|move|shift"
)
_CLAUSES = re.compile(rf"\s*(?:[;.]+|,?\s*\b(?:and|then)\b(?: then)?\s+(?=(?:{_VERB})\b)|,\s*(?=(?:{_VERB})\b))\s*")
_OF = r"(?:the colou?r of )?"
_FORMS: list[tuple[OperationKind, re.Pattern[str]]] = [
    ("add", re.compile(r"(?:add|put|draw|insert)\s+(?P<new>.+)")),
    ("remove", re.compile(r"(?:remove|delete|erase|take away|get rid of)\s+(?P<old>.+)")),
    (
        "move",
        re.compile(r"(?:move|shift)\s+(?P<old>.+?)\s+(?P<where>(?:to|towards?|into|above|below|over|under|left|right)\b.*)"),
    ),
    (
        "recolour",
        re.compile(rf"(?:make|paint|colou?r|recolou?r|turn|change)\s+{_OF}(?P<old>.+?)\s+(?:to |into |in )?(?P<colour>\w+)"),
    ),
    ("replace", re.compile(r"(?:replace|exchange|swap)\s+(?P<old>.+?)\s+(?:with|by|for|against)\s+(?P<new>.+)")),
    ("replace", re.compile(r"(?:change|turn|make)\s+(?P<old>.+?)\s+(?:in)?to\s+(?P<new>.+)")),
]
_POLITE = re.compile(r"\b(?:please|can you|could you)\b,?\s*|[!?]+(?=\s|$)")
_SEVERAL = re.compile(r"\s*(?:,\s*(?:and\s+)?|\band\s+)(?=the\b)")
_ON_SEVERAL = re.compile(r"(remove|delete|erase|take away|get rid of|make|paint|colou?r|recolou?r|turn)\s+(the\b.*)")
_BARE = re.compile(r"^(?:the|an?|that|this) ")


@dataclass(frozen=True)
class Wish:
    """What a clause of an instruction asks for.

    Fields:
        old: what is there: "the left star".
        new: what shall be there: "a blue heart on the right".
        where: where it shall be: "to the right".
        colour: that it shall have.
    """

    kind: OperationKind
    old: str = ""
    new: str = ""
    where: str = ""
    colour: str = ""


def wishes(instruction: str) -> list[Wish]:
    """
    Raises:
        EditingError: when a clause is none of the known forms.
    """
    if not instruction.strip():
        raise EditingError("The instruction is empty; say what to change, such as 'make the left star green'.")
    if len(instruction) > MAX_INSTRUCTION:
        raise EditingError(f"The instruction has {len(instruction)} characters; at most {MAX_INSTRUCTION} are read.")
    words = _POLITE.sub("", in_english(instruction).lower()).strip(" .!?")
    clauses = [each for clause in _CLAUSES.split(words) if clause for each in _each(clause)]
    if len(clauses) > MAX_OPERATIONS:
        raise EditingError(f"The instruction has {len(clauses)} parts; at most {MAX_OPERATIONS} are done at once.")
    return [_wish(clause) for clause in clauses]


def _each(clause: str) -> list[str]:
    """A clause about "the square and the circle", once for each."""
    if not (found := _ON_SEVERAL.fullmatch(clause)):
        return [clause]
    verb, rest = found.groups()
    *others, last = _SEVERAL.split(rest)
    colour = None if _FORMS[1][1].fullmatch(clause) else re.search(r"\s+(?:to |into |in )?\w+$", last)
    ending = colour[0] if colour else ""
    return [f"{verb} {other}{ending}" for other in others] + [f"{verb} {last}"]


def _wish(clause: str) -> Wish:
    words = " ".join(clause.split())
    for kind, form in _FORMS:
        found = form.fullmatch(words)
        if found and (kind != "recolour" or is_css_colour(found["colour"])):
            return Wish(kind, **found.groupdict())
    raise EditingError(
        f"{shown(clause)} is no instruction that the rules know; write 'add ...', 'remove ...', 'replace ... with ...', "
        "'make ... green' or 'move ... to the left', or let a model read it."
    )


def operations_of(instruction: str, picture: Image.Image, critic: Critic, caption: str = "") -> list[Operation]:
    """The operations that an instruction asks for, where the critic finds what it names.

    Args:
        caption: of the picture, where it is known.

    Raises:
        EditingError, LLMError: when the instruction cannot be read, or what it names is not there.
    """
    wanted = wishes(instruction)
    spots = [_spot(wish) for wish in wanted]
    names = [wish.old for wish in wanted if wish.old] + [spot.anchor for spot in spots if spot.anchor]
    found = _find(list(dict.fromkeys(names)), picture, critic)
    return [_operation(wish, spot, found, picture, caption) for wish, spot in zip(wanted, spots)]


@dataclass(frozen=True)
class _Spot:
    """Where a wish wants its thing: at a place of the picture, or at one beside what ``anchor`` names."""

    thing: str
    place: Place
    anchor: str = ""


def _spot(wish: Wish) -> _Spot:
    text = f"a thing {wish.where}" if wish.kind == "move" else wish.new
    first, *others = read(text).things or [Thing(text, "", "")]
    if others and others[0].relation and others[0].relation[1] is first:
        return _Spot(first.name, opposite(others[0].relation[0]), others[0].name)
    if first.relation:
        return _Spot(first.name, first.relation[0], first.relation[1].name)
    return _Spot(f"{first.name} {first.tail.strip()}".strip() if first.name else text, first.place or Place())


def _find(phrases: list[str], picture: Image.Image, critic: Critic) -> dict[str, Box]:
    if not phrases:
        return {}
    checklist = checklist_of_phrases(phrases)
    findings = critic.check(picture, checklist).findings
    found = {}
    for phrase, check in zip(phrases, checklist.checks):
        finding = findings[check.id]
        if not (finding.passed and finding.box):
            raise EditingError(f"{shown(phrase)} is not found in the picture. {finding.evidence}".strip())
        found[phrase] = finding.box
    return found


def _operation(wish: Wish, spot: _Spot, found: dict[str, Box], picture: Image.Image, caption: str) -> Operation:
    if wish.kind == "add":
        within = beside_box(found[spot.anchor], spot.place) if spot.anchor else side_box(spot.place)
        return Operation("add", clear_box(picture, within), spot.thing, caption)
    box = found[wish.old]
    if wish.kind == "remove":
        return Operation("remove", box, "", caption)
    name = article(_BARE.sub("", wish.old))
    if wish.kind == "move":
        within = beside_box(found[spot.anchor], spot.place) if spot.anchor else side_box(spot.place)
        return Operation("move", box, name, caption, target=fitted(box, clear_box(picture, within, box)))
    if wish.kind == "recolour":
        noun = entity_of(wish.old).noun
        return Operation("recolour", box, article(f"{wish.colour} {noun}"), caption, colour=wish.colour)
    return Operation("replace", box, spot.thing, caption)
