"""``/rpg/v1/check`` and ``/rpg/v1/edit``: pictures that are sent are looked at and edited."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields
from typing import Any

from fastapi import Body
from PIL import Image

from rpg.editing.edit import carried_out, operations_for
from rpg.editing.marks import edited_infotext, operation_dict, verdict_dict
from rpg.editing.operations import operations_from
from rpg.editing.painter import Painter
from rpg.editing.pictures import Described, png, read_picture
from rpg.editing.refinement import Looker, checklist_for, critic_of
from rpg.editing.repaint import Masking
from rpg.editing.waiting import check_size
from rpg.errors import EditingError
from rpg.llm import Event, Picture
from rpg.plan import Plan
from rpg.values import check_text, known_fields, number
from rpg.webui.refusals import refusing

MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class Sent:
    """A picture as base64, and what it was to show, where its infotext does not say so."""

    image: object = field(repr=False)
    caption: str = ""
    plan: object = None

    def __post_init__(self) -> None:
        check_text("caption", self.caption, EditingError)

    @property
    def described(self) -> Described:
        plan = None if self.plan is None else Plan.from_dict(self.plan)
        return Described(*read_picture(Picture.from_base64(self.image).data), self.caption, plan)


@dataclass(frozen=True)
class Sampling:
    """How parts are painted; None is as the picture's infotext says, or usual."""

    steps: int | None = None
    cfg_scale: float | None = None
    sampler_name: str | None = None
    scheduler: str | None = None
    negative_prompt: str | None = None

    def __post_init__(self) -> None:
        for name, least, most in (("steps", 1, 1000), ("cfg_scale", 0, 1000)):
            if (value := getattr(self, name)) is not None:
                number(name, value, least, most, meaning=f"a number between {least} and {most}", error=EditingError)
        for name in ("sampler_name", "scheduler", "negative_prompt"):
            if (value := getattr(self, name)) is not None:
                check_text(name, value, EditingError)

    @property
    def given(self) -> dict[str, Any]:
        return {item.name: value for item in fields(self) if (value := getattr(self, item.name)) is not None}


@dataclass(frozen=True)
class WantedEdit:
    """What an edit shall do: an instruction in words, or operations as they are, with or without a mask for the only one."""

    instruction: str = ""
    operations: object = None
    mask: object = field(default=None, repr=False)
    seed: int | None = None

    def __post_init__(self) -> None:
        check_text("instruction", self.instruction, EditingError)
        if bool(self.instruction.strip()) == bool(self.operations):
            raise EditingError("Give an instruction, such as 'make the left star green', or operations, and not both.")
        if self.mask is not None and not (isinstance(self.operations, list) and len(self.operations) == 1):
            raise EditingError("A mask goes with one operation; give operations with one entry.")
        if self.seed is not None:
            number("seed", self.seed, 0, MAX_SEED, meaning=f"a whole number from 0 to {MAX_SEED}", error=EditingError)


@dataclass(frozen=True)
class EditingHost:
    """What the routes need of the webui.

    Fields:
        painter: for a picture, its infotext, and what is said otherwise.
        job: while it is open, the webui makes nothing else.
        stopping: whether the user wants nothing more to begin.
    """

    painter: Callable[[Image.Image, str, Mapping[str, Any]], Painter]
    job: Callable[[], AbstractContextManager[None]]
    stopping: Callable[[], bool]


def add_edit_routes(app: Any, host: EditingHost, protection: dict[str, Any]) -> None:
    def check(request: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
        """Whether a picture shows what its plan or a caption says."""
        sent, looker = _read(request, Sent, Looker)
        given, log = sent.described, _Log()
        model = looker.model_for(log)
        verdict = critic_of(model).check(given.picture, checklist_for(model, given.shown_plan))
        return {**verdict_dict(verdict), "log": log.lines}

    def edit(request: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
        """A picture as an instruction wants it."""
        sent, wanted, looker, masking, sampling = _read(request, Sent, WantedEdit, Looker, Masking, Sampling)
        given, log = sent.described, _Log()
        picture = given.picture
        seed = random.randrange(MAX_SEED) if wanted.seed is None else int(wanted.seed)
        mask = None if wanted.mask is None else read_picture(Picture.from_base64(wanted.mask).data, "mask")[0].convert("L")
        if mask:
            check_size(mask, picture)
        operations = operations_from(wanted.operations, given.prompt) if wanted.operations else []
        with host.job():
            model = looker.model_for(log, host.stopping)
            operations = operations or operations_for(wanted.instruction, picture, critic_of(model), model, given.prompt)
            painter = host.painter(picture, given.infotext, sampling.given)
            done = carried_out(operations, picture, painter, seed=seed, masking=masking, mask=mask, plan=given.known_plan)
        infotext = edited_infotext(given.infotext, given.prompt, list(done.operations))
        return {
            "image": base64.b64encode(png(done.picture, infotext)).decode(),
            "mask": base64.b64encode(png(done.mask)).decode(),
            "operations": [operation_dict(operation) for operation in done.operations],
            "infotext": infotext,
            "seed": seed,
            "log": log.lines,
        }

    for route in (check, edit):
        app.add_api_route(f"/rpg/v1/{route.__name__}", refusing(route), methods=["POST"], **protection)


class _Log:
    """What a model reports meanwhile, as sentences."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, event: Event) -> None:
        if event.kind in ("status", "cost"):
            self.lines.append(event.text)


def _read(request: object, *kinds: type) -> list[Any]:
    """One of each kind from a request that has the fields of all.

    Raises:
        RPGError: naming the unknown or wrong field.
    """
    given = known_fields(kinds, request, noun="request", required=("image",), error=EditingError)
    return [kind(**{item.name: given[item.name] for item in fields(kind) if item.name in given}) for kind in kinds]
