"""A single person shown from head to foot: one row for the head, the upper and the lower part."""

from __future__ import annotations

import re
from dataclasses import replace

from rpg.planners.rules.lexicon import chinese_kind, chinese_word, english_kind
from rpg.planners.rules.reading import Thing

_WHOLE = re.compile(r"\bfull[ -]?(?:body|length)\b|head to (?:toe|foot)|全身")
_PIECES = re.compile(r"[,;、和]|\band\b")
_LEAD = re.compile(r"^(?:(?:wearing|wears|with|in|dressed in)\b|(?:身穿|脚穿|穿|戴)着?)\s*")
_ZONES = ("head", "upper", "lower")


def whole(text: str) -> bool:
    """Whether a caption asks for the whole figure."""
    return bool(_WHOLE.search(text.lower()))


def parts(thing: Thing) -> list[Thing]:
    """The head, the upper and the lower part; nothing where the text does not speak of all three."""
    zones: dict[str, list[str]] = {zone: [] for zone in _ZONES}
    zone = "head"
    for piece in filter(None, map(str.strip, _PIECES.split(thing.tail))):
        zone = _zone(piece) or zone
        zones[zone].append(piece if zone == "head" else _LEAD.sub("", piece))
    if not zones["upper"] or not zones["lower"]:
        return []
    joint = " " if re.match(r" \w", thing.tail) else ", "
    texts = [joint.join([thing.name, ", ".join(zones["head"])]), ", ".join(zones["upper"]), ", ".join(zones["lower"])]
    return [replace(thing, name=text, tail="") for text in texts]


def _zone(piece: str) -> str:
    """The part of a body that the last noun of a piece belongs to."""
    found = [english_kind(word) for word in re.findall(r"[\w-]+", piece.lower())]
    found += [chinese_kind(chinese_word(piece, position)) for position in range(len(piece))]
    return next((kind for kind in reversed(found) if kind in _ZONES), "")
