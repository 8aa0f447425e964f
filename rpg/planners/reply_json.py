"""Answers in JSON: the form of the built-in instructions, and the likeness that models make of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rpg.planners import outline
from rpg.planners.outline import Outline, Unreadable

_MOST_BRACES = 200
"""Braces that are tried as the start of an object."""

_NAMES = {
    "rows": ("rows",),
    "split_ratio": ("splitratio", "finalsplitratio", "ratio", "最终分割比例", "分割比例"),
    "regions": ("regions", "regionalprompt", "regionalprompts", "regionprompts", "prompts", "columns", "区域提示词", "区域"),
    "base_prompt": ("baseprompt", "基础提示词"),
    "base_ratio": ("baseratio", "基础比例"),
    "notes": ("notes", "reasoning", "explanation", "recaption", "entities", "keyentities", "analysis"),
    "height": ("height", "rowheight"),
    "width": ("width", "regionwidth"),
    "prompt": ("prompt", "regionalprompt", "description", "text", "content", "caption"),
    "negative_prompt": ("negativeprompt",),
}
_LOOKS_LIKE_A_PLAN = re.compile(
    r"[\"'“](?:rows|regions|(?:final[ _])?split[ _]?ratio|regional[ _]prompts?)[\"'”]\s*:", re.IGNORECASE
)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)|[{}]', re.DOTALL)
_SLIPS = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\Z))|//[^\n]*|,(?=\s*[}\]])', re.DOTALL)
"""Comments, and commas after the last item."""


@dataclass(frozen=True)
class Found:
    """Where the last object that looks like a plan stands in the answer, and the plan or what is wrong with it."""

    start: int
    end: int
    outline: Outline | None
    problem: Unreadable | None


def find_plan(answer: str) -> Found | None:
    """The last plan in JSON, or the last failed attempt at one."""
    found, position, budget = None, 0, 4 * len(answer)
    for _ in range(_MOST_BRACES):
        start = answer.find("{", position)
        if start < 0 or budget < 0:
            break
        try:
            value, end = _decode(answer, start)
        except Unreadable as problem:
            end = start + 1
            budget -= len(answer) - start
            if _LOOKS_LIKE_A_PLAN.search(answer, start):
                found = Found(start, len(answer), None, problem)
        else:
            budget -= end - start
            if (fields := _plan_fields(value)) is not None:
                try:
                    found = Found(start, end, _outline(fields), None)
                except Unreadable as problem:
                    found = Found(start, end, None, problem)
        position = end
    return found


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise Unreadable(f"The JSON gives {twice!r:.40} twice in one object; keep one.")
    return result


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_unique, parse_int=float)


def _decode(answer: str, start: int) -> tuple[object, int]:
    """The object that begins at ``start``, and where it ends."""
    try:
        return _DECODER.raw_decode(answer, start)
    except (ValueError, RecursionError) as error:
        problem = error
    end = _closing(answer, start)
    text = _SLIPS.sub(lambda match: match[1] or "", answer[start:end])
    for attempt in (text, text.translate(str.maketrans("“”", '""')), text.rstrip("` \n") + "}"):
        try:
            return _DECODER.raw_decode(attempt)[0], end
        except (ValueError, RecursionError):
            continue
    if not isinstance(problem, json.JSONDecodeError):
        raise Unreadable("The JSON is nested too deeply.")
    if problem.pos >= len(answer.rstrip("` \n")) or problem.msg.startswith("Unterminated"):
        raise Unreadable(f"The JSON is cut off after {answer.rstrip()[-30:]!r}; give the whole object.")
    around = answer[max(start, problem.pos - 20) : problem.pos + 20]
    raise Unreadable(f"The JSON cannot be read near {around!r}: {problem.msg}.")


def _closing(answer: str, start: int) -> int:
    """Where the brace at ``start`` is closed; the end of the answer if it is not."""
    depth = 0
    for token in _TOKEN.finditer(answer, start):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if depth == 0:
            return token.end()
    return len(answer)


def _known(value: object, *names: str) -> dict[str, Any]:
    """Those of ``names`` that an object has, under whatever spelling."""
    if not isinstance(value, Mapping):
        return {}
    spelled = {re.sub(r"[\W_]+", "", str(key)).lower(): item for key, item in value.items()}
    return {name: spelled[other] for name in names for other in reversed(_NAMES[name]) if other in spelled}


def _plan_fields(value: object) -> dict[str, Any] | None:
    """The fields of a plan, also when it lies one level deeper; ``None`` for other objects."""
    for candidate in (value, *(value.values() if isinstance(value, Mapping) else ())):
        fields = _known(candidate, "rows", "split_ratio", "regions", "base_prompt", "base_ratio", "notes")
        if "rows" in fields or ("regions" in fields and not _known(candidate, "height", "width")):
            return fields
    return None


def _outline(fields: dict[str, Any]) -> Outline:
    if "rows" in fields:
        regions, ratio = _rows(fields["rows"])
    else:
        regions = _regions(fields["regions"])
        ratio = _ratio(fields.get("split_ratio"), len(regions))
    given = fields.get("base_prompt")
    if given is not None and not isinstance(given, str):
        raise Unreadable(f"base_prompt is {given!r:.40}; it must be a text.")
    share = fields.get("base_ratio")
    return Outline(
        prompts=[_prompt(region, number) for number, region in enumerate(regions, 1)],
        split_ratio=ratio,
        negative_prompts=[_known(region, "negative_prompt").get("negative_prompt") for region in regions],
        base_prompt=None if given is None else outline.base_prompt(given),
        base_ratio=None if share is None else outline.base_ratio(share),
        notes=_words(fields.get("notes", "")),
    )


def _rows(rows: object) -> tuple[list[object], str]:
    """All regions, and the split ratio that their heights and widths make."""
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        raise Unreadable("rows must be a list of at least one row, each with a height and its regions.")
    fields = [_known(row, "height", "regions", "prompt") if isinstance(row, Mapping) else {"regions": row} for row in rows]
    heights = _sides([row.get("height") for row in fields], "The height of row {}")
    regions: list[object] = []
    sides = []
    for number, (row, height) in enumerate(zip(fields, heights, strict=True), 1):
        cells = _regions(row["regions"]) if "regions" in row else [rows[number - 1]]
        if not cells:
            raise Unreadable(f"Row {number} has no regions.")
        widths = [_known(cell, "width").get("width") for cell in cells]
        sides.append((height, _sides(widths, f"In row {number} the width of region {{}}")))
        regions += cells
    return regions, outline.split_ratio(sides)


def _sides(values: list[object], what: str) -> list[str]:
    """Heights or widths; where none is given they are equal."""
    if all(value is None for value in values):
        return ["1"] * len(values)
    return [outline.number_text(value, what.format(number)) for number, value in enumerate(values, 1)]


def _regions(value: object) -> list[object]:
    if isinstance(value, str):
        return list(outline.split_breaks(value))
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, Sequence):
        return list(value)
    raise Unreadable(f"regions is {value!r:.40}; it must be a list of regions.")


def _prompt(region: object, number: int) -> str:
    prompt = region if isinstance(region, str) else _known(region, "prompt").get("prompt")
    if not isinstance(prompt, str):
        raise Unreadable(f"Region {number} has no prompt.")
    return prompt


def _ratio(value: object, regions: int) -> str:
    if value is None and regions == 1:
        return "1"
    if isinstance(value, Sequence) and not isinstance(value, str):
        rows = [row if isinstance(row, Sequence) and not isinstance(row, str) else None for row in value]
        if None in rows:
            value = ",".join(outline.number_text(number, "A number of split_ratio") for number in value)
        else:
            value = ";".join(
                ",".join(outline.number_text(number, "A number of split_ratio") for number in row) for row in rows if row
            )
    if not isinstance(value, str):
        raise Unreadable("split_ratio is missing; it must be a text such as '1,1' or '1,1,1;2,1,1'.")
    return outline.ratio_text(value, regions)


def _words(value: object) -> str:
    """Notes of any shape as text."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str) if value else ""
