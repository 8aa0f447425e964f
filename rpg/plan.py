"""The plan: what planners produce, the panel edits, the API accepts, infotext stores and attention consumes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from rpg import values
from rpg.areas.area import Area
from rpg.areas.areas import Areas
from rpg.areas.layout import MAX_REGIONS, Layout
from rpg.areas.masks import MAX_BYTES
from rpg.errors import PlanError
from rpg.networks import without_networks
from rpg.values import check_text, known_fields, noun_for, shown, text_bytes

VERSION = 2
"""Schema of the dict and JSON forms; raised when an old reader would misread a new plan. In version 1 a plan without
``latent_ratio`` meant 0."""
DEFAULT_BASE_RATIO = 0.4
"""Middle of the paper's 0.35 to 0.55 for several entities of one class, on the side of the regions."""
MAX_TEXT = 64 * 1024
"""Most bytes of text in one plan, all fields together."""
MAX_MASKS = 48 * 1024
"""Most bytes of all masks of one plan, as it keeps them: a picture's infotext holds them."""
MAX_JSON = 4 * (MAX_TEXT + MAX_BYTES)
"""Most bytes of a plan's JSON: of escaped texts, and of masks as they come in."""

RATIOS = {
    "base_ratio": "0 (no base prompt) to 1 (only the base prompt)",
    "latent_ratio": "0 (attention alone) to 1 (every region by itself to the end)",
}
"""The fields that are shares, and what their ends mean."""
DEFAULT_LATENT_RATIO = 0.3
"""Of models that do not say what suits them. Published methods bind regions for 0.1 to 0.25 of the steps."""
LATENT_RATIO_KEY = "rpg.latent_ratio"
"""In the metadata of a checkpoint's file: the latent ratio that suits the model."""
SETTINGS: dict[str, Any] = {"common_prompt": "", "latent_ratio": None}
"""The fields that the user decides and planners never do, and what they are where nobody says."""

_BREAK = re.compile(r"\s*\bBREAK\b\s*")
_PUNCTUATION = re.compile(r"[\s,，、;；.。]+")


def shows_nothing(text: str) -> bool:
    """Whether there is nothing but tags of networks and punctuation."""
    return not _PUNCTUATION.sub("", without_networks(text))


@dataclass(frozen=True)
class Region:
    """What one region shows, and where. ``None`` means the same as the whole picture, and the next cell of the split ratio.

    Fields:
        area: its own place, on top of those of earlier regions.
    """

    prompt: str
    negative_prompt: str | None = None
    base_ratio: float | None = None
    area: Area | None = None

    def __post_init__(self) -> None:
        check_text("prompt", self.prompt)
        if not self.prompt.strip():
            raise PlanError("prompt is empty; describe what the region shows, or remove the region.")
        if shows_nothing(self.prompt):
            raise PlanError(f"prompt is {shown(self.prompt)}, which shows nothing; describe what the region shows, too.")
        if self.negative_prompt is not None:
            check_text("negative_prompt", self.negative_prompt)
        if self.base_ratio is not None:
            object.__setattr__(self, "base_ratio", _ratio("base_ratio", self.base_ratio))
        if self.area is not None:
            object.__setattr__(self, "area", Area.from_value(self.area))

    @classmethod
    def from_value(cls, value: object) -> Region:
        """A region from its prompt alone, or from a mapping with the names of the fields."""
        if isinstance(value, Region):
            return value
        if isinstance(value, str):
            return cls(value)
        if not isinstance(value, Mapping):
            raise PlanError(
                f"{shown(value)} is neither a prompt nor an object with prompt, negative_prompt, base_ratio and area."
            )
        return cls(**known_fields(cls, value, required=("prompt",)))

    def to_dict(self) -> dict[str, Any]:
        """JSON primitives only; what is unset is left out."""
        given = {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}
        return {**given, "area": self.area.to_dict()} if self.area else given


@dataclass(frozen=True)
class Plan:
    """Regions, where they lie, and how much of the base prompt is mixed into them.

    Fields:
        regions: those without an area fill the cells, row by row, from left to right. Later ones lie on top.
        split_ratio: see :mod:`rpg.areas.layout`; empty where every region has an area of its own.
        base_prompt: describes the whole picture; empty means the main prompt.
        base_ratio: share of the base prompt in every region, 0 (none) to 1 (nothing else).
        caption: the text that the plan was made from.
        notes: what the planner said about it.
        planned_by: planner, model and instruction version; empty when written by hand.
        latent_ratio: share of the steps, from the first, in which every region's part of the latent is denoised by itself
            (:mod:`rpg.steering.latents`), 0 (none) to 1 (all); None: what suits the model (:meth:`for_model`).
        common_prompt: stands in front of every region's prompt (:meth:`written_out`), not of the base prompt.

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
    latent_ratio: float | None = None
    common_prompt: str = ""

    def __post_init__(self) -> None:
        for name in ("base_prompt", "caption", "notes", "planned_by", "common_prompt"):
            check_text(name, getattr(self, name))
        object.__setattr__(self, "regions", tuple(self.regions))
        layout = _layout(self.split_ratio, [region.area for region in self.regions])
        object.__setattr__(self, "split_ratio", layout.text if layout else "")
        object.__setattr__(self, "base_ratio", _ratio("base_ratio", self.base_ratio))
        if self.latent_ratio is not None:
            object.__setattr__(self, "latent_ratio", _ratio("latent_ratio", self.latent_ratio))
        size = sum(len(region.area.mask or "") for region in self.regions if region.area)
        if size > MAX_MASKS:
            raise PlanError(f"The masks hold {size} bytes; at most {MAX_MASKS} fit into a picture. Give them simpler outlines.")
        size = sum(map(text_bytes, self._texts()))
        if size > MAX_TEXT:
            raise PlanError(f"The plan holds {size} bytes of text; at most {MAX_TEXT} are allowed.")

    def _texts(self) -> list[str]:
        texts = [self.base_prompt, self.caption, self.notes, self.planned_by, *map(self._in_common, self.regions)]
        return texts + [region.negative_prompt or "" for region in self.regions]

    def _in_common(self, region: Region) -> str:
        """The region's prompt behind the common one, of which a comment at the end goes no further."""
        common = self.common_prompt.strip().removesuffix(",")
        joint = "\n, " if "#" in common else ", "
        return f"{common}{joint}{region.prompt}" if common else region.prompt

    @cached_property
    def areas(self) -> Areas:
        kinds = [(region.prompt, region.negative_prompt, ratio) for region, ratio in zip(self.regions, self.base_ratios)]
        own = [region.area for region in self.regions]
        return Areas.of(_layout(self.split_ratio, own), kinds, own)

    @property
    def base_ratios(self) -> tuple[float, ...]:
        """The share of the base prompt in each region."""
        return tuple(self.base_ratio if region.base_ratio is None else region.base_ratio for region in self.regions)

    def written_out(self) -> Plan:
        """The plan that says in every region's own prompt what is common to all."""
        if not self.common_prompt:
            return self
        regions = tuple(replace(region, prompt=self._in_common(region)) for region in self.regions)
        return replace(self, regions=regions, common_prompt="")

    def for_model(self, latent_ratio: float = DEFAULT_LATENT_RATIO) -> Plan:
        """The plan with nothing left to the model, which says what suits it."""
        return self if self.latent_ratio is not None else replace(self, latent_ratio=latent_ratio)

    @property
    def main_prompt(self) -> str:
        """Stands for the webui's main prompt where there is none: the caption, the base prompt, or all region prompts."""
        return self.caption or self.base_prompt or ", ".join(dict.fromkeys(map(self._in_common, self.regions)))

    @classmethod
    def from_dict(cls, data: object) -> Plan:
        """A plan from the dict that the API accepts and :meth:`to_dict` writes.

        ``regions`` is a list of prompts or of objects (see :class:`Region`), or one string with ``BREAK``
        between the regions. Without ``split_ratio`` those without an area are equal columns.
        """
        if isinstance(data, Mapping) and "version" in data:
            version = data["version"]
            if type(version) is not int or not 1 <= version <= VERSION:
                raise PlanError(f"version is {shown(version)}; this extension reads plans of version 1 to {VERSION}.")
            former = {"latent_ratio": 0} if version == 1 else {}
            data = {**former, **{key: value for key, value in data.items() if key != "version"}}
        given = known_fields(cls, data, required=("regions",))
        items = _region_items(given["regions"])
        own = [item.get("area") if isinstance(item, Mapping) else getattr(item, "area", None) for item in items]
        if "split_ratio" in given:  # before what a region says: that may be empty while the plan is being written
            _layout(given["split_ratio"], own)
        given["regions"] = regions_from(items)
        given.setdefault("split_ratio", Layout.columns(own.count(None)).text if None in own else "")
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """JSON primitives only; what is empty or unset is left out."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        filled = {name: value for name, value in given.items() if value != SETTINGS.get(name, "")}
        return {"version": VERSION, **filled, "split_ratio": self.split_ratio, "regions": [r.to_dict() for r in self.regions]}

    @classmethod
    def from_json(cls, text: str) -> Plan:
        return cls.from_dict(load_plan_json(text))

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False)


def regions_from(value: object) -> tuple[Region, ...]:
    """Regions from a list of prompts or objects, or from one string with ``BREAK`` between the regions."""
    regions = []
    for number, item in enumerate(_region_items(value), 1):
        try:
            regions.append(Region.from_value(item))
        except PlanError as error:
            raise PlanError(f"Region {number}: {error}") from None
    return tuple(regions)


def _region_items(value: object) -> Sequence[object]:
    """What each region is made from; a ``BREAK`` behind the last one begins no other."""
    if isinstance(value, str):
        items: Sequence[object] = _BREAK.split(value.strip())
        items = items[:-1] if len(items) > 1 and not items[-1] else items
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        items = value
    else:
        raise PlanError(f"regions is {shown(value)}; it must be a list of prompts or one string with BREAK between the regions.")
    if not items:
        raise PlanError("regions is empty; give at least one region prompt.")
    if len(items) > MAX_REGIONS:
        raise PlanError(f"There are {len(items)} region prompts; at most {MAX_REGIONS} are allowed.")
    return items


def _layout(split_ratio: object, own: Sequence[object]) -> Layout | None:
    """The cells for the regions of which ``own`` is None; None: there are no such regions.

    Raises:
        PlanError, LayoutError: when there are not as many.
    """
    prompts = own.count(None)
    if not prompts and split_ratio == "" and own:
        return None
    layout = Layout.parse(split_ratio)  # type: ignore[arg-type]
    if layout.count != prompts:
        noun = noun_for("prompt", prompts) + (" without an area" if len(own) > prompts else "")
        raise PlanError(
            f"split_ratio '{layout.text}' makes {layout.count} {noun_for('region', layout.count)}, but there "
            f"{'is' if prompts == 1 else 'are'} {prompts} region {noun}; make the two numbers equal."
        )
    return layout


def settings_of(data: object) -> dict[str, Any]:
    """The :data:`SETTINGS` in the dict of a plan, also of an unfinished one: a new plan keeps them.

    Raises:
        PlanError: when one is out of bounds.
    """
    if not isinstance(data, Mapping):
        return {}
    given = {name: data[name] for name in SETTINGS if data.get(name) is not None}
    return {name: _ratio(name, value) if name in RATIOS else check_text(name, value) for name, value in given.items()}


def suited_latent_ratio(metadata: Mapping[str, Any] | None) -> float:
    """What a checkpoint's metadata says of its latent ratio, or the value for all models that do not say."""
    try:
        return _ratio("latent_ratio", float((metadata or {})[LATENT_RATIO_KEY]))
    except (KeyError, TypeError, ValueError, PlanError):
        return DEFAULT_LATENT_RATIO


def load_plan_json(text: object) -> object:
    """A plan's JSON, or a planner's settings in its place (see :func:`rpg.values.load_json`)."""
    return values.load_json(text, MAX_JSON)


def _ratio(name: str, value: object) -> float:
    return values.number(name, value, 0, 1, meaning=f"a number from {RATIOS[name]}")
