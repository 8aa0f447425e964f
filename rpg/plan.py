"""The plan: what planners produce, the panel edits, the API accepts, infotext stores and attention consumes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

from rpg.errors import PlanError
from rpg.layout import MAX_REGIONS, Layout

VERSION = 1
"""Schema of the dict and JSON forms; raised when an old reader would misread a new plan."""
DEFAULT_BASE_RATIO = 0.4
"""Middle of the paper's 0.35 to 0.55 for several entities of one class, on the side of the regions."""
MAX_TEXT = 64 * 1024
"""Most bytes of text in one plan, all fields together."""

RATIOS = {
    "base_ratio": "0 (no base prompt) to 1 (only the base prompt)",
    "latent_ratio": "0 (attention alone) to 1 (every region by itself to the end)",
}
"""The fields that are shares, and what their ends mean."""

_BREAK = re.compile(r"\s*\bBREAK\b\s*")


@dataclass(frozen=True)
class Region:
    """What one region shows. ``None`` means the same as the whole picture."""

    prompt: str
    negative_prompt: str | None = None
    base_ratio: float | None = None

    def __post_init__(self) -> None:
        _check_text("prompt", self.prompt)
        if not self.prompt.strip():
            raise PlanError("prompt is empty; describe what the region shows, or remove the region.")
        if self.negative_prompt is not None:
            _check_text("negative_prompt", self.negative_prompt)
        if self.base_ratio is not None:
            object.__setattr__(self, "base_ratio", _ratio("base_ratio", self.base_ratio))

    @classmethod
    def from_value(cls, value: object) -> Region:
        """A region from its prompt alone, or from a mapping with the names of the fields."""
        if isinstance(value, Region):
            return value
        if isinstance(value, str):
            return cls(value)
        if not isinstance(value, Mapping):
            raise PlanError(f"{_show(value)} is neither a prompt nor an object with prompt, negative_prompt and base_ratio.")
        return cls(**_known_fields(cls, value, required=("prompt",)))


@dataclass(frozen=True)
class Plan:
    """Regions, where they lie, and how much of the base prompt is mixed into them.

    Fields:
        regions: row by row, from left to right.
        split_ratio: see :mod:`rpg.layout`.
        base_prompt: describes the whole picture; empty means the main prompt.
        base_ratio: share of the base prompt in every region, 0 (none) to 1 (nothing else).
        caption: the text that the plan was made from.
        notes: what the planner said about it.
        planned_by: planner, model and instruction version; empty when written by hand.
        latent_ratio: share of the steps, from the first, in which every region's part of the latent is denoised by itself
            (:mod:`rpg.latents`), 0 (none) to 1 (all).

    Raises:
        PlanError, LayoutError: when a field is out of bounds; nothing is repaired in silence.
    """

    regions: tuple[Region, ...]
    split_ratio: str
    base_prompt: str = ""
    base_ratio: float = DEFAULT_BASE_RATIO
    caption: str = ""
    notes: str = ""
    planned_by: str = ""
    latent_ratio: float = 0.0

    def __post_init__(self) -> None:
        for name in ("base_prompt", "caption", "notes", "planned_by"):
            _check_text(name, getattr(self, name))
        layout = Layout.parse(self.split_ratio)
        object.__setattr__(self, "regions", tuple(self.regions))
        object.__setattr__(self, "split_ratio", layout.text)
        for name in RATIOS:
            object.__setattr__(self, name, _ratio(name, getattr(self, name)))
        if layout.count != len(self.regions):
            raise PlanError(
                f"split_ratio '{layout.text}' makes {layout.count} {_plural('region', layout.count)}, but there "
                f"{'is' if len(self.regions) == 1 else 'are'} {len(self.regions)} region {_plural('prompt', len(self.regions))}; "
                "make the two numbers equal."
            )
        size = sum(map(_bytes, self._texts()))
        if size > MAX_TEXT:
            raise PlanError(f"The plan holds {size} bytes of text; at most {MAX_TEXT} are allowed.")

    def _texts(self) -> list[str]:
        texts = [self.base_prompt, self.caption, self.notes, self.planned_by]
        return texts + [text for region in self.regions for text in (region.prompt, region.negative_prompt or "")]

    @cached_property
    def layout(self) -> Layout:
        return Layout.parse(self.split_ratio)

    @property
    def base_ratios(self) -> tuple[float, ...]:
        """The share of the base prompt in each region."""
        return tuple(self.base_ratio if region.base_ratio is None else region.base_ratio for region in self.regions)

    @classmethod
    def from_dict(cls, data: object) -> Plan:
        """A plan from the dict that the API accepts and :meth:`to_dict` writes.

        ``regions`` is a list of prompts or of objects (see :class:`Region`), or one string with ``BREAK``
        between the regions. Without ``split_ratio`` the regions are equal columns.
        """
        if isinstance(data, Mapping) and "version" in data:
            version = data["version"]
            if type(version) is not int or not 1 <= version <= VERSION:
                raise PlanError(f"version is {_show(version)}; this extension reads plans of version 1 to {VERSION}.")
            data = {key: value for key, value in data.items() if key != "version"}
        values = _known_fields(cls, data, required=("regions",))
        values["regions"] = regions_from(values["regions"])
        values.setdefault("split_ratio", Layout.columns(len(values["regions"])).text)
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """JSON primitives only; what is empty or unset is left out."""
        regions = [{key: value for key, value in asdict(region).items() if value is not None} for region in self.regions]
        filled = {key: value for key, value in asdict(self).items() if value != "" and (key, value) != ("latent_ratio", 0)}
        return {"version": VERSION, **filled, "regions": regions}

    @classmethod
    def from_json(cls, text: str) -> Plan:
        return cls.from_dict(load_json(text))

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False)


def regions_from(value: object) -> tuple[Region, ...]:
    """Regions from a list of prompts or objects, or from one string with ``BREAK`` between the regions."""
    if isinstance(value, str):
        items: Sequence[object] = _BREAK.split(value.strip())
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        items = value
    else:
        raise PlanError(f"regions is {_show(value)}; it must be a list of prompts or one string with BREAK between the regions.")
    if not items:
        raise PlanError("regions is empty; give at least one region prompt.")
    if len(items) > MAX_REGIONS:
        raise PlanError(f"There are {len(items)} region prompts; at most {MAX_REGIONS} are allowed.")
    regions = []
    for number, item in enumerate(items, 1):
        try:
            regions.append(Region.from_value(item))
        except PlanError as error:
            raise PlanError(f"Region {number}: {error}") from None
    return tuple(regions)


def load_json(text: str) -> object:
    """JSON without its loopholes: no NaN, no key given twice, bounded in size and depth.

    Raises:
        PlanError: when ``text`` is not such JSON.
    """
    if not isinstance(text, str):
        raise PlanError(f"The plan is {_show(text)}; it must be a JSON text.")
    if _bytes(text) > 4 * MAX_TEXT:
        raise PlanError(f"The plan's JSON has {_bytes(text)} bytes; at most {4 * MAX_TEXT} are allowed.")
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise PlanError(f"The plan is not valid JSON: {error}.") from None


def _no_constant(name: str) -> None:
    raise PlanError(f"The plan's JSON holds {name}; only finite numbers are allowed.")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise PlanError(f"The plan's JSON gives {_show(twice)} twice; keep one.")
    return result


def _known_fields(cls: type, data: object, required: tuple[str, ...]) -> dict[str, Any]:
    """``data`` as keyword arguments of the dataclass ``cls``; unknown and missing names are refused."""
    if not isinstance(data, Mapping):
        raise PlanError(f"The {cls.__name__.lower()} is {_show(data)}; it must be an object with named fields.")
    known = [field.name for field in fields(cls)]
    for key in data:
        if key not in known:
            raise PlanError(f"Unknown field {_show(key)}; a {cls.__name__.lower()} has {', '.join(known)}.")
    for name in required:
        if name not in data:
            raise PlanError(f"{name} is missing; a {cls.__name__.lower()} needs it.")
    return dict(data)


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise PlanError(f"{name} is {_show(value)}; it must be a text.")


def _ratio(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise PlanError(f"{name} is {_show(value)}; it must be a number from {RATIOS[name]}.")
    return float(value)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _show(value: object) -> str:
    """A value as it can stand in an error sentence."""
    try:
        text = repr(value)
    except Exception:  # a value too deep or too large to print still needs its sentence
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else noun + "s"
