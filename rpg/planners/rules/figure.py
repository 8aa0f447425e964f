"""A single person shown from head to foot: one row for the head, the upper and the lower part."""

from __future__ import annotations

import re

from rpg.planners.rules.lexicon import chinese_word, english_kind, chinese_kind

_WHOLE = re.compile(r"\bfull[ -]?(?:body|length)\b|head to (?:toe|foot)|全身")
_PIECES = re.compile(r"\s*(?:[,;]\s*(?:and )?|\band\b|、|(?<=[^\s])和(?=.))\s*")
_LEAD = re.compile(r"^(?:(?:wearing|wears|with|in|dressed in)\b|穿着|戴着|身穿|头戴|脚穿|,|，)\s*")
_ZONES = ("head", "upper", "lower")


def parts(name: str, tail: str) -> list[str] | None:
    """Prompts for head, upper and lower part, where the text says enough for all three."""
    rows: dict[str, list[str]] = {"head": [name]}
    zone = "head"
    for piece in filter(None, _PIECES.split(tail)):
        words = _LEAD.sub("", piece.strip())
        zone = _zone(words) or zone
        rows.setdefault(zone, []).append(piece.strip() if zone == "head" else words)
    if not set(_ZONES) <= rows.keys():
        return None
    return [(" " if zone == "head" and name.isascii() else "").join(rows[zone][:2]) + "".join(", " + more for more in rows[zone][2:]) if zone == "head" else ", ".join(rows[zone]) for zone in _ZONES]


def whole(text: str) -> bool:
    """Whether a caption asks for the whole figure."""
    return bool(_WHOLE.search(text.lower()))
