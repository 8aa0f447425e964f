"""Haoming02/sd-forge-couple: a line of the prompt for each region, in equal tiles or with a mapping."""

from __future__ import annotations

import json
import re
from typing import Any

from rpg.errors import PlanError
from rpg.foreign.grid import GridLine, placed
from rpg.foreign.pasted import Pasted
from rpg.plan import Plan
from rpg.values import shown

NAME = "Forge Couple"
_MAPPING = re.compile(r"\[\s*(?:\[[^\[\]]*\]\s*,?\s*)+\]\s*$")
_WHOLE = [0.0, 0.0, 1.0, 1.0]


def read(pasted: Pasted) -> Plan | None:
    """``None`` when the text is not of this program. A row of the mapping that covers the whole picture is the base prompt."""
    prompt, mapping = pasted.prompt, pasted.fields.get("mapping", "")
    written = _MAPPING.search(prompt)
    if written and not mapping:
        prompt, mapping = prompt[: written.start()], written[0]
    if "forge_couple" not in pasted.programs and not written:
        return None
    mode = pasted.fields.get("mode", "Advanced" if mapping else "Basic")
    if mode == "Mask":
        raise PlanError(f"{NAME} placed these regions by drawn masks, which the text does not hold; draw them anew.")
    separator = pasted.fields.get("separator", "").strip() or "\n"
    texts = [text for text in (line.strip() for line in prompt.split(separator)) if text]
    if mode == "Advanced":
        return _mapped(texts, mapping)
    return _tiled(texts, pasted.fields)


def _tiled(texts: list[str], fields: dict[str, str]) -> Plan:
    background = fields.get("background", "None")
    base, weight = "", 0.0
    if background in ("First Line", "Last Line"):
        if len(texts) < 2:
            raise PlanError(f"{NAME} takes one line as background, but the prompt has no other; add the regions' lines.")
        base = texts.pop(0 if background == "First Line" else -1)
        weight = max(0.1, _float(fields.get("background weight", "0.5"), "background weight"))
    if not texts:
        raise PlanError(f"{NAME} has a line of the prompt for each region, and there is none; paste the prompt too.")
    lines = [GridLine(1.0, (1.0,) * len(texts))]
    columns = fields.get("direction", "Horizontal") == "Vertical"
    regions = [{"prompt": text} for text in texts]
    return Plan.from_dict({**placed(lines, regions, columns), "base_prompt": base, "base_ratio": weight / (weight + 1)})


def _mapped(texts: list[str], mapping: str) -> Plan:
    rows = _rows(mapping)
    if len(rows) != len(texts):
        raise PlanError(
            f"{NAME}'s mapping has {len(rows)} rows, but the prompt has {len(texts)} lines; paste the prompt's lines together "
            "with their mapping."
        )
    pairs = list(zip(texts, rows))
    whole = [(text, weight) for text, (box, weight) in pairs if box == _WHOLE]
    local = [(text, box, weight) for text, (box, weight) in pairs if box != _WHOLE]
    if not local:
        raise PlanError(f"Every row of {NAME}'s mapping covers the whole picture; a plan needs regions within it.")
    data: dict[str, Any] = {"split_ratio": "", "regions": [{"prompt": text, "area": {"box": box}} for text, box, _ in local]}
    mean = sum(weight for *_, weight in local) / len(local)
    base = sum(weight for _, weight in whole)
    data["base_prompt"] = ", ".join(text for text, _ in whole)
    data["base_ratio"] = base / (base + mean) if base + mean > 0 else 0.0
    if len({weight for *_, weight in local}) > 1:
        data["notes"] = f"{NAME}'s weights of single regions are left out: regions on top cover those below."
    return Plan.from_dict(data)


def _rows(mapping: str) -> list[tuple[list[float], float]]:
    """[left, top, right, bottom] and the weight of every row: ``[x1, x2, y1, y2, weight]`` or ``["x1:x2", "y1:y2", weight]``."""
    try:
        data = json.loads(mapping) if mapping else None
    except ValueError:
        data = None
    if not isinstance(data, list) or not data:
        raise PlanError(f"{NAME}'s mapping is {shown(mapping)}; it must be a list of rows such as [[0, 0.5, 0, 1, 1], ...].")
    rows = []
    for number, row in enumerate(data, 1):
        parts = [part for cell in row for part in str(cell).split(":")] if isinstance(row, list) else []
        if len(parts) == 5 and not parts[0].strip():
            continue
        if len(parts) != 5:
            raise PlanError(
                f"Row {number} of {NAME}'s mapping is {shown(row)}; it needs x from and to, y from and to, and a weight."
            )
        left, right, top, bottom, weight = (_float(part, f"row {number}") for part in parts)
        rows.append(([left, top, right, bottom], weight))
    return rows


def _float(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise PlanError(f"{NAME}'s {where} holds {shown(text)}, which is not a number.") from None
