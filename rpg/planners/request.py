"""What a planner is asked, what it reports while it works, and how it fails."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

from rpg.errors import PlannerError

MAX_CAPTION = 16 * 1024
"""Longest caption in characters."""
MAX_IMAGE = 20 * 1024 * 1024
"""Largest reference picture in bytes."""
LONGEST_TIMEOUT = 3600

_SIGNATURES = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"), (b"RIFF", "image/webp"))


class PlanningStopped(PlannerError):
    """The user or the host asked the planner to stop."""


class ReplyError(PlannerError):
    """An answer that is no plan. ``raw`` is what the model wrote."""

    def __init__(self, message: str, raw: str = "", status_code: int = 422) -> None:
        super().__init__(message, status_code)
        self.raw = raw


@dataclass(frozen=True)
class PlanEvent:
    """Something to show while a plan is being made.

    ``status`` is a sentence for the user, ``reasoning`` a piece of the model's thoughts, ``text`` a piece of its answer.
    """

    kind: Literal["status", "reasoning", "text"]
    text: str


@dataclass(frozen=True)
class PlanRequest:
    """What to plan, and who plans it.

    Fields:
        caption: what the picture shall show.
        provider: one of :func:`rpg.planners.providers`.
        model: empty for the provider's default; for ``transformers`` a folder.
        base_url: another address than the provider's own; it never gets a key from the environment.
        api_key: empty for the key in the environment.
        template: name of an instruction template; empty for the built-in one.
        image: reference picture as base64 or data URL (PNG, JPEG, WebP or GIF).
        timeout: seconds without a sign of life after which the planner gives up.
    """

    caption: str
    provider: str = "rules"
    model: str = ""
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    template: str = ""
    image: str = field(default="", repr=False)
    timeout: float = 180.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name != "timeout" and not isinstance(value, str):
                raise PlannerError(f"{item.name} is a {type(value).__name__}; it must be a text.")
        if not self.caption.strip():
            raise PlannerError("caption is empty; describe the picture that shall be planned.")
        if len(self.caption) > MAX_CAPTION:
            raise PlannerError(f"caption has {len(self.caption)} characters; at most {MAX_CAPTION} can be planned.")
        timeout = self.timeout
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout <= LONGEST_TIMEOUT:
            raise PlannerError(f"timeout is {timeout!r:.40}; it must be a number of seconds above 0, at most {LONGEST_TIMEOUT}.")
        if self.image:
            _ = self.picture

    @classmethod
    def from_dict(cls, data: object, caption: str = "") -> PlanRequest:
        """A request from the API's ``planner`` object; ``caption`` is used where the object has none.

        Raises:
            PlannerError: naming the unknown or wrong field.
        """
        if not isinstance(data, Mapping):
            raise PlannerError(f"planner is a {type(data).__name__}; it must be an object such as {{'provider': 'rules'}}.")
        known = [item.name for item in fields(cls)]
        for key in data:
            if key not in known:
                raise PlannerError(f"Unknown field {key!r:.60} in planner; it has {', '.join(known)}.")
        return cls(**{"caption": caption, **data})

    @property
    def picture(self) -> tuple[str, bytes]:
        """Media type and bytes of the reference picture.

        Raises:
            PlannerError: when ``image`` is something else.
        """
        encoded = re.sub(r"\Adata:[^,]{0,100},", "", self.image)
        if len(encoded) > MAX_IMAGE * 4 // 3 + 4:
            raise PlannerError(f"image is larger than {MAX_IMAGE // 1024**2} MB; make the picture smaller.")
        try:
            data = base64.b64decode("".join(encoded.split()), validate=True)
        except (binascii.Error, ValueError):
            raise PlannerError("image is not base64; send the picture's bytes as base64 or as a data URL.") from None
        for start, media_type in _SIGNATURES:
            if data.startswith(start):
                return media_type, data
        raise PlannerError("image is no PNG, JPEG, WebP or GIF file; send one of these as base64 or as a data URL.")

    @property
    def picture_url(self) -> str:
        """The reference picture as a data URL."""
        media_type, data = self.picture
        return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
