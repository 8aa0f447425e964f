"""Files of the command line: plans, and pictures with their infotext."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rpg.editing.pictures import png
from rpg.errors import PlanError
from rpg.infotext import PLAN, Infotext, infotext_in
from rpg.plan import Plan


def read_plan(path: Path) -> Plan:
    """The plan in a JSON file, in a picture, or in an infotext that was saved as text.

    Raises:
        PlanError: when there is none, or when it makes no sense.
    """
    text = _picture_text(path)
    if text is None:
        text = _file_text(path)
        if f"{PLAN}: " not in text or text.lstrip().startswith("{"):
            return Plan.from_json(text)
    return _planned(path, Infotext.parse(text))[1]


def read_remake(path: Path) -> tuple[Infotext, Plan]:
    """How a picture was made that has a plan.

    Raises:
        PlanError: when it has none, or when its infotext makes no sense.
    """
    text = _picture_text(path)
    return _planned(path, Infotext.parse(_file_text(path) if text is None else text))


def _planned(path: Path, infotext: Infotext) -> tuple[Infotext, Plan]:
    if infotext.plan is None:
        raise PlanError(f"{path} carries no plan: it was made without RPG.")
    return infotext, infotext.plan


def _picture_text(path: Path) -> str | None:
    """The infotext in a picture; ``None`` if the file is no picture."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            text = infotext_in(picture)
    except UnidentifiedImageError:
        return None
    if not text:
        raise PlanError(f"{path} carries no plan; only pictures made by RPG do.")
    return text


def _file_text(path: Path) -> str:
    """The text in a file, in the encodings of JSON, with or without a byte order mark."""
    data = path.read_bytes()
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        text = ""
    if "{" not in text:
        raise PlanError(f"{path} is neither a plan in JSON nor a picture.")
    return text


def save(pictures: Sequence[Any], infotexts: Sequence[Infotext], path: Path) -> list[Path]:
    """Write pictures with their infotexts, and their plan beside them.

    Args:
        path: of the picture; with a number for each if there are several.

    Returns:
        The pictures' paths, and the plan's as the last.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [path] if len(pictures) == 1 else [path.with_stem(f"{path.stem}-{number}") for number in range(1, len(pictures) + 1)]
    for name, picture, infotext in zip(names, pictures, infotexts, strict=True):
        name.write_bytes(png(picture, str(infotext)))
    plan = infotexts[0].plan
    assert plan is not None
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps(plan.to_dict(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return [*names, beside]
