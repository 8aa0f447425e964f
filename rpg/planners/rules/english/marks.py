"""The words of an English caption that say where things stand."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rpg.planners.rules.reading import Place

_NOWHERE = Place()


@dataclass(frozen=True)
class Mark:
    """A stretch of text that names an order, a row of the picture, a side of it, or a relation to what follows."""

    kind: str  # "order", "row", "side", "sides" (both), "relation", "between"
    start: int
    end: int
    order: str = ""
    place: Place = _NOWHERE
    labels: bool = False
    """Whether the words stand before what they place ("left:")."""


_AREA = r"(?:[ -]hand)? (?:side|corner|half|part|edge|third|area|section|column|panel)"
_SIDE = (
    rf"(?:(?:top|upper|bottom|lower)[ -]?(?:left|right|center|middle)|(?:upper|lower)(?={_AREA}\b)"
    r"|left|right|top|bottom|middle|cent(?:er|re))"
)
_FRAME = r"(?: of (?:the|this|an?) (?:picture|image|frame|scene|canvas|photo|composition|page)\b)?"
_ORDER = re.compile(
    r"(?:(?:arranged|ordered|lined up|going) )?(?:(?:from )?(left|right|top|bottom) to (?:the )?(left|right|top|bottom)\b"
    r"|side by side|in a (?:single |horizontal )?(?:row|line)\b|in a (?:vertical )?(?:column|stack)\b|in (?:a|the) grid\b"
    r"|in(?:to)? (?:an? |the )?x[ -]shaped?(?: pattern)?\b)"
)
_ROW = re.compile(
    r"(?:(?:in|on|at) )?(?:the )?"
    r"\b(top|upper|first|second|third|fourth|fifth|middle|center|bottom|lower|last) (?:row|shelf|line)\b(?: of\b)?"
)
_PLACE = re.compile(
    rf"\b(?:to|on|at|in|from|towards?|into) (?:(?:the|its|his|her|their) )?(?:(?:far|very|extreme) )?"
    rf"{_SIDE}\b(?! hand\b(?! side))(?:{_AREA}\b)?{_FRAME}"
    rf"|\b(?:the )?(?:far )?{_SIDE}{_AREA}\b{_FRAME}"
    rf"|\bthe {_SIDE}(?= of (?:the|it)\b| (?:is|has|shows)\b){_FRAME}"
    rf"|\({_SIDE}\)|\b{_SIDE}(?= ?:)|\b(?:left|right)(?= ?(?:[,.;]|$| and\b| of\b))"
)
_BOTH_SIDES = re.compile(rf"\b(?:on|at|to) (?:both|either|each) sides?\b{_FRAME}(?: of\b(?: it\b| them\b)?)?")
_OFFSETS = {
    **dict.fromkeys(("on top of", "atop", "above", "over", "behind", "hidden behind", "hidden by"), Place(-1, None)),
    **dict.fromkeys(("below", "underneath", "under", "beneath", "in front of"), Place(1, None)),
    **dict.fromkeys(("next to", "beside", "alongside", "near to", "near", "close to", "adjacent to"), Place(None, -1)),
    **dict.fromkeys(("on the side of", "on side of", "by the side of", "at the side of"), Place(None, -1)),
    "by": Place(None, -1),
    "between": Place(None, 1),
}
"""Where what was named before stands, of what follows."""
_BY = r"(?<!ed )(?<!en )(?<!wn )(?<!lit )(?<!held )(?<!made )by(?= (?:an?|the)\b)"
"""Beside, and not "made by the baker"."""
_RELATION = re.compile(
    rf"\b(?:(?:directly|just|right|placed|partially|partly) )?({'|'.join(words for words in _OFFSETS if words != 'by')}|{_BY})\b"
)
DEPTH = ("in front of", "behind", "hidden by")
"""Words of :data:`_OFFSETS` for what is nearer or farther: farther is drawn higher."""
_ROWS = {"top": -9, "upper": -9, "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "middle": 2, "center": 2}


def find_marks(text: str) -> list[Mark]:
    """All marks of a text in lower case, in order, without overlaps."""
    both = [Mark("sides", *match.span()) for match in _BOTH_SIDES.finditer(text)]
    found = [*_orders(text), *_rows(text), *_places(text), *both, *_relations(text)]
    marks: list[Mark] = []
    for mark in sorted(found, key=lambda mark: (mark.start, -mark.end)):
        if not marks or mark.start >= marks[-1].end:
            marks.append(mark)
    return marks


def side(words: str) -> Place:
    """The place that words such as "upper left" name."""
    row = -1 if re.search("top|upper", words) else 1 if re.search("bottom|lower", words) else None
    column = -1 if "left" in words else 1 if "right" in words else None
    return Place(row, column) if (row, column) != (None, None) else Place(None, 0)


def _orders(text: str) -> list[Mark]:
    marks = []
    for match in _ORDER.finditer(text):
        words = match.group()
        order = "X" if "x" in words else "grid" if "grid" in words else "column" if re.search("column|stack", words) else "row"
        if match[1] in ("top", "bottom"):
            order = "column"
        if match[1] in ("right", "bottom"):
            order = "reversed " + order
        if match[1] is None or {match[1], match[2]} in ({"left", "right"}, {"top", "bottom"}):
            marks.append(Mark("order", *match.span(), order=order))
    return marks


def _rows(text: str) -> list[Mark]:
    return [Mark("row", *match.span(), place=Place(_ROWS.get(match[1], 9)), labels=True) for match in _ROW.finditer(text)]


def _places(text: str) -> list[Mark]:
    marks = []
    for match in _PLACE.finditer(text):
        start, end = match.span()
        of = re.compile(r"(?: side)? of\b").match(text, end)
        place = side(match.group())
        if of and match.group() != "on top" and place != Place(None, 0):
            marks.append(Mark("relation", start, of.end(), place=place))
        elif not of:
            marks.append(
                Mark("side", start, end, place=place, labels=match.group().startswith("the ") or text[end : end + 1] == ":")
            )
    return marks


def _relations(text: str) -> list[Mark]:
    return [
        Mark("between" if match[1] == "between" else "relation", *match.span(), place=_OFFSETS[match[1]])
        for match in _RELATION.finditer(text)
    ]
