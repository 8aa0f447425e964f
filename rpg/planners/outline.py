"""What is common to the forms in which models answer: the outline of a plan, and numbers as models write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

_WIDTHS = str.maketrans("０１２３４５６７８９．，、；％", "0123456789.,,;%")
_BREAK = re.compile(r"[*_\[<(【]{0,3}\bBREAK\b[*_\]>)】]{0,3}|^[\W_]{0,8}break[\W_]{0,8}$", re.MULTILINE)
_PERCENT = re.compile(r"(\d{1,12}(?:\.\d{1,12})?|\.\d{1,12})\s*%")


class Unreadable(Exception):
    """An answer that is no plan, in a sentence for the model and the user."""


@dataclass
class Outline:
    """An answer that has the form of a plan. ``None``: the answer does not say."""

    prompts: list[str]
    split_ratio: str
    negative_prompts: list[str | None] | None = None
    base_prompt: str | None = None
    base_ratio: float | None = None
    notes: str = ""


def ratio_text(text: str, regions: int = 0) -> str:
    """A split ratio as the grammar wants it: percentages as decimals, and no height in front of a single row.

    Such a height is taken for one where it is 1, the others sum up to 1 and are as many as there are ``regions``.
    """
    text = _PERCENT.sub(lambda match: digits(Decimal(match[1]) / 100), text.translate(_WIDTHS)).strip(" .,;\n[](){}")
    first, *widths = text.split(",")
    if len(widths) == regions > 1 and ";" not in text:
        try:
            if float(first) == 1 and abs(sum(map(float, widths)) - 1) < 0.03:
                return ",".join(widths)
        except ValueError:
            pass
    return text


def number_text(value: object, what: str) -> str:
    """A height or width, given as number or text."""
    if isinstance(value, str) and 0 < len(value) <= 30:
        return ratio_text(value)
    if isinstance(value, float):
        return digits(Decimal(repr(value)))
    raise Unreadable(f"{what} is {value!r:.40}; it must be a number above 0.")


def split_ratio(rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """The split ratio of rows, each a height and the widths of its regions."""
    if len(rows) == 1:
        return ",".join(rows[0][1])
    return ";".join(",".join([height, *(widths if len(widths) > 1 else ())]) for height, widths in rows)


def base_ratio(value: object) -> float:
    """A base ratio, given as number, decimal or percentage."""
    try:
        number = float(ratio_text(value)) if isinstance(value, str) and len(value) <= 30 else value
    except ValueError:
        number = None
    if not isinstance(number, float) or not 0 <= number <= 1:
        raise Unreadable(f"The base ratio is {value!r:.40}; it must be one number from 0 to 1.")
    return number


def base_prompt(value: str) -> str:
    """A base prompt; a word that means "none" is none."""
    value = value.strip().strip("\"'“”").strip()
    return "" if value.lower().strip(" .()[]") in ("", "none", "n/a", "null", "not needed", "无", "不需要") else value


def split_breaks(text: str) -> list[str]:
    """Region prompts out of one text with BREAK between them."""
    parts = [part.strip() for part in _BREAK.split(text)]
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def digits(value: Decimal) -> str:
    """Shortest decimal notation without an exponent."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text
