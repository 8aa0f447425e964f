"""Pictures from outside, and what they say of themselves."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from rpg.errors import EditingError, RPGError
from rpg.infotext import PLAN, PNG_KEY, Infotext, infotext_in, with_values
from rpg.networks import without_networks
from rpg.plan import Plan
from rpg.planners import PlanRequest, Subject, make_plan

LONGEST_EDITED = 8192
"""Pixels of a side."""


@dataclass(frozen=True)
class Described:
    """A picture and what it was to show.

    Fields:
        infotext: that it carries.
        caption, plan: instead of what the infotext says.
    """

    picture: Image.Image = field(repr=False)
    infotext: str = ""
    caption: str = ""
    plan: Plan | None = None

    @cached_property
    def told(self) -> Infotext:
        try:
            return Infotext.parse(self.infotext)
        except RPGError:
            return Infotext("")

    @property
    def prompt(self) -> str:
        """Of the whole picture; empty where it is not known."""
        return self.caption.strip() or (self.plan.main_prompt if self.plan else without_networks(self.told.prompt))

    @property
    def known_plan(self) -> Plan | None:
        """That of the picture, if it has one."""
        return self.plan or (None if self.caption.strip() else self.told.plan)

    def with_plan(self, plan: Plan) -> Described:
        """The picture as one that was to show ``plan``."""
        return Described(self.picture, with_values(self.infotext or self.prompt, {PLAN: plan.to_json()}), self.caption, plan)

    @property
    def shown_plan(self) -> Plan:
        """What it was to show; without a plan, as the rules divide its prompt.

        Raises:
            RPGError: when nothing says it, or the rules cannot read it.
        """
        if plan := self.known_plan:
            return plan
        if not self.prompt:
            raise EditingError("Nothing says what the picture was to show: it carries no infotext; give a caption.")
        return make_plan(PlanRequest(Subject(self.prompt, *self.picture.size)))


def read_picture(data: bytes | Path, name: str = "image") -> tuple[Image.Image, str]:
    """A file's picture and its infotext.

    Args:
        name: for sentences.

    Raises:
        EditingError: when it is no picture, broken, or too large.
    """
    try:
        with Image.open(data if isinstance(data, Path) else io.BytesIO(data)) as file:
            if max(file.size) > LONGEST_EDITED:
                raise EditingError(
                    f"{name} has {file.width} x {file.height} pixels; at most {LONGEST_EDITED} a side can be edited."
                )
            converted: Image.Image = file.convert("RGB")
            return converted, infotext_in(file)
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise EditingError(f"{name} is no picture.") from None
    except (OSError, SyntaxError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise EditingError(f"{name} is a broken picture ({error}).") from None


def png(picture: Image.Image, infotext: str = "") -> bytes:
    """A PNG file that carries its infotext."""
    info, file = PngInfo(), io.BytesIO()
    if infotext:
        info.add_text(PNG_KEY, infotext)
    picture.save(file, "PNG", pnginfo=info)
    return file.getvalue()
