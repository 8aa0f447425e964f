"""The text that tells a model how to plan: the built-in one, and the user's own files.

A template is a ``.txt`` file; its name is the file's. ``{caption}`` stands for the caption and ``{size}`` for a sentence with
the picture's size where it is known; without ``{caption}`` both follow at the end. A first line ``version: 2`` gives the
version that is kept in the plan; without it a few digits of the text's hash do.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rpg.errors import PlannerError
from rpg.planners.request import Subject
from rpg.values import shown

BUILT_IN = Path(__file__).parent / "data"
DEFAULT = "default"
FOLDER_VARIABLE = "RPG_TEMPLATES"
"""Environment variable: where the user's own templates lie."""
MAX_TEMPLATE = 64 * 1024
"""Largest template file in bytes."""

MOST_IN_A_ROW = 16
"""Rows of a plan and regions of a row that a model can ask for by the schema."""

EXAMPLE = re.compile(r"^#*\s*Examples?\b", re.MULTILINE | re.IGNORECASE)
_NUMBER = {"type": "number"}
_TEXT = {"type": "string", "maxLength": 600}
"""Twice what the longest prompt needs; a small model in a loop stops here."""


def _object(**properties: object) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _list(items: object) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": MOST_IN_A_ROW}


SCHEMA = _object(
    notes=_TEXT,
    rows=_list(_object(height=_NUMBER, regions=_list(_object(width=_NUMBER, prompt=_TEXT)))),
    base_prompt=_TEXT,
    base_ratio=_NUMBER,
)
"""JSON schema of the answer that the built-in template asks for."""


@dataclass(frozen=True)
class Template:
    name: str
    version: str
    text: str
    built_in: bool = False

    @property
    def wants_json(self) -> bool:
        """Whether the template asks for the JSON of :data:`SCHEMA`."""
        return "JSON" in self.text and '"rows"' in self.text

    @property
    def without_example(self) -> Template:
        """Without what stands behind a heading "Example"; the user's own templates stay as they are."""
        return replace(self, text=EXAMPLE.split(self.text, maxsplit=1)[0]) if self.built_in else self

    def fill(self, subject: Subject) -> str:
        """The message for the model."""
        size = (
            f"The picture is {subject.width} pixels wide and {subject.height} high." if subject.width and subject.height else ""
        )
        if "{caption}" in self.text:
            return self.text.replace("{size}", size).replace("{caption}", subject.caption)
        return "\n".join([self.text.rstrip(), "", f"Caption: {subject.caption}", *([size] if size else []), ""])


def templates() -> list[str]:
    """Names of all templates, the built-in one first. A file of the user's with the same name takes its place."""
    return list(_files())


def load_template(name: str = "") -> Template:
    """
    Raises:
        PlannerError: when there is no such template, or it cannot be read.
    """
    name = name.strip() or DEFAULT
    files = _files()
    if name not in files:
        raise PlannerError(f"template is {shown(name)}; it must be one of {', '.join(files)}.")
    try:
        with files[name].open("rb") as file:
            data = file.read(MAX_TEMPLATE + 1)
        text = data.decode("utf-8-sig")
    except (OSError, ValueError):
        raise PlannerError(f"The template {name!r} cannot be read; it must be a text file in UTF-8.") from None
    if len(data) > MAX_TEMPLATE:
        raise PlannerError(f"The template {name!r} is larger than {MAX_TEMPLATE // 1024} KB; make it shorter.")
    if not text.strip():
        raise PlannerError(f"The template {name!r} is empty; write into it how to plan, or choose another.")
    version = hashlib.sha256(data).hexdigest()[:8]
    if first := re.match(r"version:\s*(\S{1,20})\s*\n", text):
        version, text = first[1], text[first.end() :]
    return Template(name, version, text, files[name].parent == BUILT_IN)


def _files() -> dict[str, Path]:
    files = {path.stem: path for path in sorted(BUILT_IN.glob("*.txt"))}
    folder = Path(os.environ.get(FOLDER_VARIABLE) or BUILT_IN)
    if folder.is_dir():
        files |= {path.stem: path for path in sorted(folder.glob("*.txt")) if path.is_file()}
    return files
