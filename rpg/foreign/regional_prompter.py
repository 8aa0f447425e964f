"""hako-mikan/sd-webui-regional-prompter: prompts divided by ``BREAK``, ``ADDCOL`` and ``ADDROW``, and a ratio."""

from __future__ import annotations

import re
from typing import Any

from rpg.errors import PlanError
from rpg.foreign.grid import GridLine, placed
from rpg.foreign.pasted import Pasted
from rpg.plan import Plan
from rpg.values import noun_for, shown

NAME = "Regional Prompter"
_KEYS = re.compile(r"\b(BREAK|ADDCOL|ADDROW)\b")


def read(pasted: Pasted) -> Plan | None:
    """``None`` when the text is not of this program.

    Its common prompt is that of the plan, and stands before the base prompt, too; what it mixes in (base prompt) is the base
    prompt, or nothing. ``ADDROW`` and ``ADDCOL`` in the prompt say how many cells there are; without them, the ratio.
    """
    prompt = pasted.prompt
    if "RP" not in pasted.programs and not re.search(r"\b(?:BREAK|ADDCOL|ADDROW|ADDCOMM|ADDBASE)\b", prompt):
        return None
    mode = pasted.fields.get("divide mode", "Matrix")
    if mode in ("Mask", "Prompt"):
        where = {"Mask": "drawn masks", "Prompt": "words of the prompt"}[mode]
        raise PlanError(
            f"{NAME} placed these regions by {where} (divide mode {mode}), which the text does not hold; draw them anew."
        )
    submode = pasted.fields.get("matrix submode", mode).strip().title()
    if submode == "Random":
        raise PlanError(f"{NAME} placed these regions by chance (split mode Random); divide the picture anew.")
    columns = submode in ("Rows", "Vertical")  # its Rows are cells from top to bottom: columns of cells come first

    if "disable convert" not in pasted.fields.get("options", ""):
        prompt = re.sub(r"\bAND\b", "BREAK", prompt)
    common, prompt = _before("ADDCOMM", prompt, pasted.on("use common"))
    base, prompt = _before("ADDBASE", prompt, pasted.on("use base"))
    texts, shape = _cells(prompt, columns)
    ratio = pasted.fields.get("ratios", "").strip()
    if pasted.on("flip"):
        ratio = ratio.translate(str.maketrans(",;", ";,"))
    lines = _lines(ratio, texts, shape, columns)
    written = "" if all(texts) else common  # what is common fills a cell that says nothing
    regions: list[dict[str, Any]] = [{"prompt": ", ".join(filter(None, (written, text)))} for text in texts]
    _add_negatives(regions, pasted)
    shares = _shares(pasted.fields.get("base ratios", ""), len(texts)) if base else [0.0]
    if len(shares) > 1:
        for region, share in zip(regions, shares):
            region["base_ratio"] = share
    base = base and ", ".join(filter(None, (common, base)))
    shared = {"common_prompt": "" if written else common, "base_prompt": base}
    return Plan.from_dict({**placed(lines, regions, columns), **shared, "base_ratio": shares[0]})


def _before(key: str, prompt: str, on: bool) -> tuple[str, str]:
    """What stands before a key (or before the first division, if the setting is on), and the rest."""
    if key in prompt:
        first, _, rest = prompt.partition(key)
        return first.strip().strip(",").strip(), rest
    if not on:
        return "", prompt
    found = _KEYS.search(prompt)
    if not found:
        return prompt.strip(), ""
    return prompt[: found.start()].strip().strip(",").strip(), prompt[found.end() :]


def _cells(prompt: str, columns: bool) -> tuple[list[str], list[int]]:
    """The texts of the cells, and how many each line has; one line where only BREAK divides them."""
    if not re.search(r"\bADD(?:COL|ROW)\b", prompt):
        texts = [text.strip() for text in re.split(r"\bBREAK\b", prompt)]
        return texts, [len(texts)]
    outer, inner = ("ADDCOL", "ADDROW") if columns else ("ADDROW", "ADDCOL")
    lines = [re.split(rf"\b{inner}\b", line) for line in re.split(rf"\b{outer}\b", prompt)]
    return [text.strip() for line in lines for text in line], [len(line) for line in lines]


def _lines(ratio: str, texts: list[str], shape: list[int], columns: bool) -> list[GridLine]:
    """The ratio as lines of as many cells as there are texts; equal ones without a ratio."""
    divided = len(shape) > 1 or shape == [1]
    if not ratio:
        return [GridLine(1.0, (1.0,) * count) for count in shape]
    outer, inner = (",", ";") if columns else (";", ",")
    one_way = ";" not in ratio
    if one_way and divided and max(shape) == 1:  # lines of one cell each: the numbers are the sizes of the lines
        lines = [GridLine(_number(size, ratio), (1.0,)) for size in ratio.split(",")]
    elif one_way:
        lines = [GridLine(1.0, tuple(_number(size, ratio) for size in ratio.split(",")))]
    else:
        lines = []
        for text in ratio.split(outer):
            size, *cells = (_number(number, ratio) for number in text.split(inner))
            lines.append(GridLine(size, tuple(cells) or (1.0,)))
    given = [len(line.cells) for line in lines]
    total = sum(given)
    if total != len(texts):
        raise PlanError(
            f"{NAME}'s ratio {shown(ratio)} makes {total} {noun_for('region', total)}, but the prompt has {len(texts)}; "
            "paste both as they belong together; where the first part is base or common, say 'Use base: On' or 'Use common: On' "
            "on a line."
        )
    if divided and given != shape:
        raise PlanError(
            f"{NAME}'s ratio {shown(ratio)} divides otherwise than ADDROW and ADDCOL in the prompt; make the two agree."
        )
    return lines


def _number(text: str, ratio: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise PlanError(f"{NAME}'s ratio {shown(ratio)} holds {shown(text.strip())}; it takes numbers above 0.")
    return value


def _shares(text: str, count: int) -> list[float]:
    """One share of the base prompt for all, or one for each region."""
    numbers = [number.strip() for number in re.split("[,;]", text) if number.strip()] or ["0"]
    if len(numbers) not in (1, count):
        raise PlanError(
            f"{NAME}'s base ratios {shown(text)} are {len(numbers)}, but there are {count} regions; give one, or one each."
        )
    try:
        return [float(number) for number in numbers]
    except ValueError:
        raise PlanError(f"{NAME}'s base ratios are {shown(text)}; they must be numbers from 0 to 1.") from None


def _add_negatives(regions: list[dict[str, Any]], pasted: Pasted) -> None:
    """A negative prompt with BREAK has a part for each region; the first may be common to all."""
    parts = [part.strip() for part in _KEYS.split(pasted.negative_prompt)[::2]]
    if len(parts) == 1:
        return
    common = parts.pop(0) if pasted.on("use ncommon") or len(parts) == len(regions) + 1 else ""
    if len(parts) != len(regions):
        raise PlanError(f"The negative prompt has {len(parts)} parts, but there are {len(regions)} regions; make the two equal.")
    for region, part in zip(regions, parts):
        region["negative_prompt"] = ", ".join(filter(None, (common, part)))
