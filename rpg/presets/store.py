"""A folder of presets: ``NAME.json``, each a plan that may lack prompts (a layout to be filled in)."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from rpg.errors import PlanError
from rpg.plan import Plan, load_plan_json
from rpg.values import shown, text_bytes

MAX_PRESETS = 1000
MAX_NAME = 120
"""Most bytes of a name: file systems allow 255 with the ending."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
"""What some file system refuses in a name."""
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices."""


class Presets:
    """The presets in a folder, which is made at the first one, and those that come along, which the user's hide.

    Raises:
        PlanError: with the sentence that the user sees.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """The user's own in alphabetical order, then those that come along."""
        own = sorted((path.stem for path in self.folder.glob("*.json")), key=str.casefold)
        return own + [name for name in included() if name not in own]

    def load(self, name: str) -> dict[str, Any]:
        """The plan's dict; prompts may be empty."""
        path = self._path(name)
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            if clean(name) in included():
                return draft(included()[clean(name)])
            raise PlanError(f"There is no preset {shown(name)}.", 404) from None
        except (OSError, UnicodeDecodeError) as error:
            raise PlanError(f"The preset {shown(name)} cannot be read: {error}.") from None
        return draft(load_plan_json(text))

    def save(self, name: str, data: object) -> str:
        """Keep a plan's dict, in the place of what had the name. Returns the name as it was cleaned."""
        path = self._path(name)
        if not path.exists() and sum(1 for _ in self.folder.glob("*.json")) >= MAX_PRESETS:
            raise PlanError(f"There are {MAX_PRESETS} presets already; delete one first.")
        self._write(path, json.dumps(draft(data), ensure_ascii=False, indent=2))
        return path.stem

    def rename(self, name: str, new: str) -> str:
        """Returns the new name as it was cleaned."""
        path, target = self._path(name), self._path(new)
        if not path.exists():
            raise PlanError(f"There is no preset {shown(name)} of your own to rename; save it under another name.", 404)
        if target.exists() and not target.samefile(path):
            raise PlanError(f"There is a preset {shown(target.stem)} already; choose another name.", 409)
        path.replace(target)
        return target.stem

    def delete(self, name: str) -> None:
        """One of those that come along is only hidden by the user's: it cannot be deleted."""
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            why = "comes along and cannot be deleted" if clean(name) in included() else "does not exist"
            raise PlanError(f"The preset {shown(name)} {why}.", 404) from None

    def _path(self, name: str) -> Path:
        return self.folder / f"{clean(name)}.json"

    def _write(self, path: Path, text: str) -> None:
        """In whole or not at all, also if the machine stops meanwhile."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=self.folder, suffix=".tmp", delete=False) as file:
                try:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                    file.close()
                    os.replace(file.name, path)
                except OSError:
                    Path(file.name).unlink()
                    raise
        except OSError as error:
            raise PlanError(f"The preset cannot be saved in {self.folder}: {error.strerror}.", 500) from None


def clean(name: object) -> str:
    """A name that every file system takes: what some refuse becomes ``-``.

    Raises:
        PlanError: when nothing is left, or too much.
    """
    if not isinstance(name, str):
        raise PlanError(f"The preset's name is {shown(name)}; it must be a text.")
    text = _FORBIDDEN.sub("-", unicodedata.normalize("NFC", " ".join(name.split())))
    text = text.strip(" .").removesuffix(".json").strip(" .")
    if not text.strip("-"):
        raise PlanError(f"The preset's name is {shown(name)}; give it one with letters or digits.")
    if text_bytes(text) > MAX_NAME:
        raise PlanError(f"The preset's name has {text_bytes(text)} bytes; at most {MAX_NAME} are allowed.")
    return f"{text}-" if _RESERVED.fullmatch(text) else text.encode("utf-8", "replace").decode()


def draft(data: object) -> dict[str, Any]:
    """The dict of a plan whose prompts may be empty, checked like a plan."""
    regions = data.get("regions") if isinstance(data, Mapping) else None
    if not isinstance(regions, list):
        return Plan.from_dict(data).to_dict()
    empty = [index for index, region in enumerate(regions) if not _prompt(region).strip()]
    filled = [_with_prompt(region, "-") if index in empty else region for index, region in enumerate(regions)]
    result = Plan.from_dict({**data, "regions": filled}).to_dict()  # type: ignore[dict-item]
    for index in empty:
        result["regions"][index]["prompt"] = ""
    return result


def _prompt(region: object) -> str:
    prompt = region.get("prompt") if isinstance(region, Mapping) else region
    return prompt if isinstance(prompt, str) else "-"


def _with_prompt(region: object, prompt: str) -> object:
    return {**region, "prompt": prompt} if isinstance(region, Mapping) else prompt


def with_texts_of(preset: Mapping[str, Any], present: object) -> dict[str, Any]:
    """A preset of which regions without a prompt keep the texts of the draft that is there, region by region, and what was
    common to them."""
    old = present.get("regions", []) if isinstance(present, Mapping) else []
    regions = [dict(region) for region in preset["regions"]]
    for region, before in zip(regions, old if isinstance(old, list) else []):
        if not region["prompt"] and isinstance(before, Mapping):
            region.update({key: value for key, value in before.items() if key != "area"})
    lacks = any(not region["prompt"] for region in preset["regions"])
    common = present.get("common_prompt") if lacks and isinstance(present, Mapping) else None
    return {**({"common_prompt": common} if common else {}), **preset, "regions": regions}


@cache
def included() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((Path(__file__).parent / "included.json").read_text("utf-8"))
    return data


def user_folder() -> Path:
    """Where programs keep a user's data on this system, in a folder of its own."""
    if sys.platform == "win32":
        base = os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "sd-webui-rpg"
