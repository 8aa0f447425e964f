"""A file of prompts: one a line, as JSON or as a plain caption."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rpg.errors import PlanError, PlannerError, RPGError
from rpg.llm import Picture
from rpg.plan import Plan
from rpg.planners import Planner, PlanRequest, Subject
from rpg.values import check_text, known_fields, load_json, number, shown

MAX_LINE = 1024 * 1024
"""Most bytes of a line."""
LARGEST_SEED = 2**32 - 1
LONGEST_MADE = 16384
"""Pixels of a side."""
MOST_TOLD = 20
"""Wrong lines that are told at once."""


@dataclass(frozen=True)
class JobLine:
    """What a line may say; what it leaves out is as in :class:`Defaults`.

    Fields:
        caption: what the picture shall show.
        plan: as the API takes it; then nothing is planned.
        planner: the fields of :class:`rpg.planners.Planner`, except for the key.
        width, height: in pixels, multiples of 8.
    """

    caption: str = ""
    plan: Any = None
    planner: Any = None
    negative_prompt: str | None = None
    seed: int | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class Defaults:
    """What holds where a line says nothing. ``width`` and ``height`` are 0 until the model is known.

    Fields:
        seed: of the first line; the next ones count up.
        settings: of the plans that are made (:data:`rpg.plan.SETTINGS`).
    """

    planner: Planner = field(default_factory=Planner)
    seed: int = 0
    width: int = 0
    height: int = 0
    negative_prompt: str = ""
    image: Picture | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchJob:
    """A picture that is wanted; ``line`` is where its line stands in the file, from 1."""

    line: int
    wanted: Plan | PlanRequest = field(repr=False)
    seed: int
    width: int
    height: int
    negative_prompt: str = ""

    @property
    def caption(self) -> str:
        return self.wanted.main_prompt if isinstance(self.wanted, Plan) else self.wanted.subject.caption

    @property
    def plan_key(self) -> str:
        """Of everything that its plan depends on."""
        if isinstance(self.wanted, Plan):
            return _digest(self.wanted.to_dict())
        subject, planner = asdict(self.wanted.subject), asdict(self.wanted.planner)
        image = self.wanted.subject.image
        seen = hashlib.sha256(image.data).hexdigest() if image else ""
        return _digest({**subject, "image": seen, **planner, **self.wanted.settings, "api_key": "", "timeout": 0})

    def name(self, settings: str) -> str:
        """Its picture's file name; ``settings`` is what else the picture depends on, the model above all."""
        picture = [self.plan_key, self.seed, self.width, self.height, self.negative_prompt, settings]
        return f"{self.line:05}-{_digest(picture)}.png"


def read(path: Path, defaults: Defaults) -> Iterator[BatchJob]:
    """The jobs in a file, one by one; empty lines are left out.

    Raises:
        PlanError: at a line that is wrong, with its number and field.
    """
    for line, text in _lines(path):
        yield _job(line, text, defaults)


def check(path: Path, defaults: Defaults) -> int:
    """Number of jobs in a file.

    Raises:
        PlanError: when there are none, or naming the lines that are wrong.
    """
    count, wrong = 0, []
    for line, text in _lines(path):
        try:
            _job(line, text, defaults)
        except RPGError as error:
            wrong.append(str(error))
            if len(wrong) == MOST_TOLD:
                wrong.append("Perhaps there are more.")
                break
        count += 1
    if wrong:
        raise PlanError("\n".join([f"{path} has lines that make no sense; nothing was made.", *wrong]))
    if not count:
        raise PlanError(f"{path} holds no prompts; write one a line, as a caption or as JSON.")
    return count


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as file:
        for place, raw in enumerate(file, 1):
            try:
                text = raw.decode("utf-8-sig" if place == 1 else "utf-8").strip()
            except UnicodeDecodeError:
                raise PlanError(f"Line {place}: it is not UTF-8; save the file in that encoding.") from None
            if text:
                yield place, text


def _job(line: int, text: str, defaults: Defaults) -> BatchJob:
    try:
        said = _line(text)
        width, height = side("width", said.width), side("height", said.height)
        seed = (defaults.seed + line - 1) % (LARGEST_SEED + 1)
        if said.seed is not None:
            seed = _whole("seed", said.seed, 0, LARGEST_SEED)
        width, height = width or defaults.width, height or defaults.height
        if said.negative_prompt is not None:
            check_text("negative_prompt", said.negative_prompt)
        negative_prompt = defaults.negative_prompt if said.negative_prompt is None else said.negative_prompt
        return BatchJob(line, _wanted(said, defaults, width, height), seed, width, height, negative_prompt)
    except RPGError as error:
        raise PlanError(f"Line {line}: {error}") from None


def _line(text: str) -> JobLine:
    if not text.startswith("{"):
        return JobLine(text)
    try:
        data = load_json(text, MAX_LINE, "line")
    except PlanError as error:
        raise PlanError(f'{error} A caption that begins with a brace is written as {{"caption": "{{..."}}.') from None
    return JobLine(**known_fields(JobLine, data, noun="line"))


def _wanted(said: JobLine, defaults: Defaults, width: int, height: int) -> Plan | PlanRequest:
    check_text("caption", said.caption)
    if said.plan is not None:
        if said.planner is not None:
            raise PlanError("There are both plan and planner; keep one.")
        try:
            plan = Plan.from_dict(said.plan)
        except RPGError as error:
            raise PlanError(f"plan: {error}") from None
        return replace(plan, caption=said.caption) if said.caption.strip() else plan
    planner = defaults.planner
    if said.planner is not None:
        given = known_fields(Planner, said.planner, noun="planner", error=PlannerError)
        if "api_key" in given:
            raise PlannerError("planner holds api_key; keys do not belong into a file: name its variable with --key-variable.")
        planner = Planner(**given)
    return PlanRequest(Subject(said.caption, width or None, height or None, defaults.image), planner, defaults.settings)


def side(name: str, value: object) -> int:
    """``value`` as pixels, a multiple of 8; 0 where it is not told."""
    if value is None:
        return 0
    side = _whole(name, value, 8, LONGEST_MADE)
    if side % 8:
        raise PlanError(f"{name} is {side}; it must be a multiple of 8.")
    return side


def _whole(name: str, value: object, least: int, most: int) -> int:
    meaning = f"a whole number from {least} to {most}"
    found = number(name, value, least, most, meaning=meaning)
    if not found.is_integer():
        raise PlanError(f"{name} is {shown(value)}; it must be {meaning}.")
    return int(found)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
