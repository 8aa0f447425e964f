"""Values that come from outside: quoted in sentences, checked, and read from strict JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from rpg.errors import PlanError, RPGError
from rpg.json_faults import fault

MAX_SHOWN = 60
"""Longest quotation in a sentence."""


def shown(value: object) -> str:
    """A value as it can stand in a sentence."""
    try:
        text = repr(value)
    except Exception:  # a value too deep or too large to print still needs its sentence
        text = f"a {type(value).__name__}"
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def noun_for(noun: str, count: int) -> str:
    return noun if count == 1 else noun + "s"


def text_bytes(text: str) -> int:
    """Size in UTF-8; halves of characters count too."""
    return len(text.encode("utf-8", "surrogatepass"))


def check_text(name: str, value: object, error: type[RPGError] = PlanError) -> str:
    if not isinstance(value, str):
        raise error(f"{name} is {shown(value)}; it must be a text.")
    return value


def number(name: str, value: object, least: float, most: float, *, meaning: str, error: type[RPGError] = PlanError) -> float:
    """``value`` from ``least`` to ``most``; ``meaning`` says in the sentence what would be right."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (least <= value <= most and math.isfinite(value)):
        raise error(f"{name} is {shown(value)}; it must be {meaning}.")
    return float(value)


def known_fields(
    cls: type | tuple[type, ...],
    data: object,
    *,
    noun: str = "",
    required: tuple[str, ...] = (),
    error: type[RPGError] = PlanError,
) -> dict[str, Any]:
    """``data`` as keyword arguments of the dataclass ``cls``, or of several in one object; unknown and missing names are refused.

    Args:
        noun: what the sentences call it; by default the class's name in lower case.
    """
    classes = cls if isinstance(cls, tuple) else (cls,)
    noun = noun or classes[0].__name__.lower()
    if not isinstance(data, Mapping):
        raise error(f"The {noun} is {shown(data)}; it must be an object with named fields.")
    known = [field.name for one in classes for field in fields(one)]
    for key in data:
        if key not in known:
            raise error(f"Unknown field {shown(key)}; a {noun} has {', '.join(known)}.")
    for name in required:
        if name not in data:
            raise error(f"{name} is missing; a {noun} needs it.")
    return dict(data)


def load_json(text: object, limit: int, noun: str = "plan", error: type[RPGError] = PlanError) -> object:
    """JSON without its loopholes: no NaN, no key given twice, at most ``limit`` bytes.

    Raises:
        RPGError: of the kind ``error``, when ``text`` is not such JSON; its sentence calls it ``noun``.
    """

    def no_constant(name: str) -> None:
        raise error(f"The {noun}'s JSON holds {name}; only finite numbers are allowed.")

    def unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        if len(result) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise error(f"The {noun}'s JSON gives {shown(twice)} twice; keep one.")
        return result

    if not isinstance(text, str):
        raise error(f"The {noun} is {shown(text)}; it must be a JSON text.")
    if text_bytes(text) > limit:
        raise error(f"The {noun}'s JSON has {text_bytes(text)} bytes; at most {limit} are allowed.")
    try:
        return json.loads(text, parse_constant=no_constant, object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as cause:
        raise error(f"The {noun} is not valid JSON: {fault(text, cause)}.") from None
