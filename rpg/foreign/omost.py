"""lllyasviel/Omost: a canvas written as Python, or its rectangles as JSON."""

from __future__ import annotations

import ast
import difflib
import json
import re
from typing import Any

from rpg.errors import PlanError
from rpg.foreign.pasted import Pasted
from rpg.plan import Plan
from rpg.values import shown

NAME = "Omost"
SIDE = 90
"""Its canvas has 90 x 90 fields."""
LOCATIONS = {
    "in the center": (45, 45),
    "on the left": (15, 45),
    "on the right": (75, 45),
    "on the top": (45, 15),
    "on the bottom": (45, 75),
    "on the top-left": (15, 15),
    "on the top-right": (75, 15),
    "on the bottom-left": (15, 75),
    "on the bottom-right": (75, 75),
}
"""Middle of the area, x and y."""
OFFSETS = {
    "no offset": (0, 0),
    "slightly to the left": (-10, 0),
    "slightly to the right": (10, 0),
    "slightly to the upper": (0, -10),
    "slightly to the lower": (0, 10),
    "slightly to the upper-left": (-10, -10),
    "slightly to the upper-right": (10, -10),
    "slightly to the lower-left": (-10, 10),
    "slightly to the lower-right": (10, 10),
}
AREAS = {
    "a small square area": (50, 50),
    "a small vertical area": (40, 60),
    "a small horizontal area": (60, 40),
    "a medium-sized square area": (60, 60),
    "a medium-sized vertical area": (50, 80),
    "a medium-sized horizontal area": (80, 50),
    "a large square area": (70, 70),
    "a large vertical area": (60, 90),
    "a large horizontal area": (90, 60),
}
"""Width and height."""


def read(pasted: Pasted) -> Plan | None:
    """``None`` when the text is not of this program. What is nearer to the viewer lies on top."""
    text = pasted.text
    if "canvas" in text and re.search(r"\.(?:add_local|set_global)_description\s*\(", text):
        return _from_code(text)
    if text.startswith("[") and '"rect"' in text:
        return _from_rectangles(text)
    return None


def _from_code(text: str) -> Plan:
    """The code is read, never run."""
    block = re.search(r"```(?:python)?\s*\n(.*?)```", text, re.DOTALL)
    try:
        tree = ast.parse((block[1] if block else text).strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise PlanError(f"{NAME}'s canvas is not whole Python: {error}.") from None
    base, found = "", []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        name = call.func.attr  # type: ignore[attr-defined]
        if name == "set_global_description":
            base = _said(_values(call, name))
        elif name == "add_local_description":
            values = _values(call, name)
            found.append((_distance(values), {"prompt": _said(values), "area": {"box": _box(values)}}))
    return _plan(base, found)


def _values(call: ast.Call, name: str) -> dict[str, Any]:
    values = {}
    for keyword in call.keywords:
        try:
            values[str(keyword.arg)] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            raise PlanError(
                f"{NAME}'s {name} has a {keyword.arg} that is not a plain value; write texts, numbers and lists."
            ) from None
    return values


def _said(values: dict[str, Any]) -> str:
    details = values.get("detailed_descriptions", [])
    texts = [values.get("description"), *(details if isinstance(details, list) else [])]
    texts += [values.get(name) for name in ("tags", "atmosphere", "style", "quality_meta")]
    return " ".join(text.strip(",. ") + "." for text in texts if isinstance(text, str) and text.strip(",. "))


def _distance(values: dict[str, Any]) -> float:
    distance = values.get("distance_to_viewer", 0)
    return float(distance) if isinstance(distance, (int, float)) else 0.0


def _box(values: dict[str, Any]) -> list[float]:
    x, y = _known(values, "location", LOCATIONS)
    right, down = _known(values, "offset", OFFSETS)
    width, height = _known(values, "area", AREAS)
    edges = (x + right - width / 2, y + down - height / 2, x + right + width / 2, y + down + height / 2)
    return [round(min(max(edge / SIDE, 0), 1), 4) for edge in edges]


def _known(values: dict[str, Any], name: str, known: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """Models miswrite the names a little; Omost takes the closest too."""
    value = str(values.get(name, "")).lower()
    close = difflib.get_close_matches(value, known, n=1, cutoff=0.5)
    if not close:
        raise PlanError(f"{NAME}'s {name} is {shown(values.get(name))}; it must be one of {', '.join(known)}.")
    return known[close[0]]


def _from_rectangles(text: str) -> Plan:
    """``[{"rect": [top, bottom, left, right], "prefixes": [...], "suffixes": [...]}, ...]``, the picture's own first."""
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PlanError(f"{NAME}'s rectangles are not valid JSON: {error}.") from None
    base, found = "", []
    for number, item in enumerate(items, 1):
        rect = item.get("rect") if isinstance(item, dict) else None
        if not (isinstance(rect, list) and len(rect) == 4 and all(isinstance(edge, (int, float)) for edge in rect)):
            raise PlanError(f"{NAME}'s rectangle {number} is {shown(item)}; it needs a rect of top, bottom, left and right.")
        texts = [part for name in ("prefixes", "suffixes") for part in item.get(name) or []]
        prompt = " ".join(str(part).strip() for part in texts)
        top, bottom, left, right = (round(edge / SIDE, 4) for edge in rect)
        if [top, bottom, left, right] == [0, 1, 0, 1] and not base:
            base = prompt
        else:
            found.append((_distance(item), {"prompt": prompt, "area": {"box": [left, top, right, bottom]}}))
    return _plan(base, found)


def _plan(base: str, found: list[tuple[float, dict[str, Any]]]) -> Plan:
    if not found:
        raise PlanError(f"{NAME}'s canvas has no local descriptions; a plan needs regions.")
    regions = [region for _, region in sorted(found, key=lambda pair: -pair[0])]
    return Plan.from_dict({"split_ratio": "", "base_prompt": base, "regions": regions})
