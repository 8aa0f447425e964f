"""What a model is asked, what it answers, and what it says meanwhile."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

from rpg.errors import LLMError, RPGError
from rpg.values import check_text, number

MAX_PICTURE = 20 * 1024 * 1024
"""Largest picture in bytes."""
LONGEST_TIMEOUT = 3600

_SIGNATURES = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"), (b"RIFF", "image/webp"))

EventKind = Literal["status", "reasoning", "text", "cost"]


@dataclass(frozen=True)
class Picture:
    """A PNG, JPEG, WebP or GIF file.

    Raises:
        LLMError: when ``data`` is something else.
    """

    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.data) > MAX_PICTURE:
            raise LLMError(f"image is larger than {MAX_PICTURE // 1024**2} MB; make the picture smaller.")
        _ = self.media_type

    @classmethod
    def from_base64(cls, text: object) -> Picture:
        """A picture from base64 or a data URL."""
        check_text("image", text, LLMError)
        encoded = re.sub(r"\Adata:[^,]{0,100},", "", str(text))
        if len(encoded) > MAX_PICTURE * 4 // 3 + 4:
            raise LLMError(f"image is larger than {MAX_PICTURE // 1024**2} MB; make the picture smaller.")
        try:
            return cls(base64.b64decode("".join(encoded.split()), validate=True))
        except (binascii.Error, ValueError):
            raise LLMError("image is not base64; send the picture's bytes as base64 or as a data URL.") from None

    @cached_property
    def media_type(self) -> str:
        for start, media_type in _SIGNATURES:
            if self.data.startswith(start):
                return media_type
        raise LLMError("image is no PNG, JPEG, WebP or GIF file; send one of these as base64 or as a data URL.")

    @property
    def url(self) -> str:
        """The picture as a data URL."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True)
class Message:
    role: Literal["user", "assistant"]
    text: str
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True)
class Question:
    """A chat that the model shall go on with.

    Fields:
        schema: JSON schema of the answer. Providers that take none answer as the messages ask them to, and what a server
            makes of it is its own affair: read the answer with care.
        max_tokens: longest answer, thoughts included where the provider counts them; ``None`` leaves it to the provider.
        timeout: seconds without a sign of life after which the question is given up.
    """

    messages: Sequence[Message]
    schema: Mapping[str, Any] | None = None
    max_tokens: int | None = None
    timeout: float = 180.0

    @property
    def has_pictures(self) -> bool:
        return any(message.pictures for message in self.messages)


def check_timeout(seconds: object, error: type[RPGError]) -> None:
    meaning = f"a number of seconds above 0, at most {LONGEST_TIMEOUT}"
    number("timeout", seconds, 1e-9, LONGEST_TIMEOUT, meaning=meaning, error=error)


class Answer(NamedTuple):
    text: str
    reasoning: str
    remark: str
    """What would explain it if the answer is broken."""


@dataclass(frozen=True)
class Event:
    """Something to show while a model answers.

    ``status`` is a sentence for the user, ``reasoning`` a piece of the model's thoughts, ``text`` a piece of its answer, ``cost``
    what the answer took.
    """

    kind: EventKind
    text: str
