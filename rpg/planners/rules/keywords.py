"""Captions in the syntax of the extension regional-prompter, which are plans already.

``common ADDCOMM base ADDBASE a ADDCOL b ADDROW c``: the common prompt leads every other one, the base prompt is mixed in,
``ADDCOL`` begins a column and ``ADDROW`` a row. ``BREAK`` separates columns where neither is used; beside them it is the host's
chunk break. Ratios are no part of it: there they have a field of their own, and are equal without. See its README.
"""

from __future__ import annotations

import re

from rpg.planners.rules.content import shows

_KEYWORDS = re.compile(r"\s*\b(ADDCOMM|ADDBASE|ADDCOL|ADDROW|BREAK)\b\s*")
BASE_RATIO = 0.2
"""What that extension mixes in where nothing is said."""


def rows_of(text: str) -> tuple[list[list[str]], str]:
    """The regions' prompts in rows, and the base prompt; no rows where the text has no such keyword or names no region."""
    grid = re.search(r"\bADD(?:COL|ROW)\b", text)
    pieces = _KEYWORDS.split(text)
    common = base = ""
    rows: list[list[str]] = [[]]
    part = pieces[0]
    for keyword, following in zip(pieces[1::2], pieces[2::2], strict=True):
        if keyword == "BREAK" and grid:
            part += f" BREAK {following}"
            continue
        if keyword == "ADDCOMM":
            common = _joined(common, part)
        elif keyword == "ADDBASE":
            base = _joined(base, part)
        else:
            rows[-1].append(part)
            if keyword == "ADDROW":
                rows.append([])
        part = following
    rows[-1].append(part)
    if len(pieces) < 3 or not any(shows(cell) for row in rows for cell in row):
        return [], ""
    cells = [[_joined(common, cell) for cell in row if grid or cell.strip(" ,")] for row in rows]
    cells = [
        [cell if shows(cell) else _joined(cell, base if shows(base) else "plain background") for cell in row] for row in cells
    ]
    return [row for row in cells if row], _joined(common, base) if base else ""


def _joined(*texts: str) -> str:
    return ", ".join(filter(None, (text.strip(" ,") for text in texts)))
