"""What the editing room asks of models: answers by schema, read strictly, asked for once more where they are wrong."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from PIL import Image

from rpg.areas.layout import Box
from rpg.errors import EditingError, ReplyError
from rpg.llm import Answer, Event, Message, Picture, Provider, Question, ask_and_read
from rpg.llm.asking import ignore, never, result_of
from rpg.values import load_json, number, shown

LONGEST_SEEN = 1024
"""Pixels of a side of a picture that a model gets."""
SCALE = 1000
"""Boxes are asked for in thousandths of the picture, as several models are trained to give them."""
MAX_REPLY = 64 * 1024
MOST_WORDS = 300
"""Characters of one text in an answer."""

T = TypeVar("T")

TEXT = {"type": "string", "maxLength": MOST_WORDS}
BOX = {"type": "array", "items": {"type": "integer"}, "maxItems": 4}
BOX_RULE = f"A box is [left, top, right, bottom] in thousandths of the picture, from 0 to {SCALE}; [] where there is nothing."


@dataclass(frozen=True)
class Model:
    """A model that is asked, and who hears of it.

    Fields:
        on_event: gets what happens meanwhile.
        cancelled: asked several times a second; when true, the model is left.
    """

    provider: Provider
    timeout: float = 180.0
    on_event: Callable[[Event], object] = field(default=ignore, repr=False)
    cancelled: Callable[[], bool] = field(default=never, repr=False)

    def ask(self, text: str, schema: dict[str, Any], read: Callable[[Any], T], *pictures: Image.Image) -> T:
        """What ``read`` makes of the JSON that the model answers.

        Raises:
            ReplyError: when ``read`` raises an :class:`EditingError` twice.
            Stopped, LLMError: when there is no answer.
        """
        question = Question([Message("user", text, [sent(picture) for picture in pictures])], schema, timeout=self.timeout)

        def read_answer(answer: Answer, last: bool) -> T:
            try:
                return read(load_json(_unwrapped(answer.text), MAX_REPLY, "answer", EditingError))
            except EditingError as error:
                raise ReplyError(str(error), answer.text) from None

        return result_of(ask_and_read(self.provider, question, read_answer, self.cancelled), self.on_event)


def sent(picture: Image.Image) -> Picture:
    """A picture as a model gets it."""
    small = picture.convert("RGB")
    small.thumbnail((LONGEST_SEEN, LONGEST_SEEN))
    file = io.BytesIO()
    small.save(file, "PNG")
    return Picture(file.getvalue())


def object_schema(**properties: object) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def list_schema(items: object, most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most}


def items_of(data: object, name: str, most: int) -> list[Any]:
    """The list ``name`` of an answer.

    Raises:
        EditingError: when it is no list or too long.
    """
    items = data.get(name) if isinstance(data, dict) else None
    if not isinstance(items, list):
        raise EditingError(f"The answer must be an object with a list {name!r}.")
    if len(items) > most:
        raise EditingError(f"{name} has {len(items)} entries; at most {most} are read.")
    for item in items:
        if not isinstance(item, dict):
            raise EditingError(f"{name} holds {shown(item)}; it must be an object.")
    return items


def text_of(item: dict[str, Any], name: str, *, required: bool = True) -> str:
    """A text in one line."""
    value = item.get(name, "")
    if not isinstance(value, str) or (required and not value.strip()):
        raise EditingError(f"{name} is {shown(value)}; it must be a text.")
    if len(value) > MOST_WORDS:
        raise EditingError(f"{name} has {len(value)} characters; at most {MOST_WORDS} are read.")
    return re.sub(r"[\x00-\x20\x7f\u2028\u2029]+", " ", value.encode("utf-8", "replace").decode()).strip()


def box_of(value: object, what: str) -> Box | None:
    """A box as :data:`BOX_RULE` wants it.

    Raises:
        EditingError: when it is none, is empty, or lies outside the picture.
    """
    if value is None or value == []:
        return None
    if not isinstance(value, list) or len(value) != 4:
        raise EditingError(f"The box of {what} is {shown(value)}; it must be [left, top, right, bottom] or [].")
    meaning = f"a number from 0 to {SCALE}, inside the picture"
    left, top, right, bottom = (
        number(f"A side of the box of {what}", side, 0, SCALE, meaning=meaning, error=EditingError) / SCALE for side in value
    )
    if not (left < right and top < bottom):
        raise EditingError(f"The box of {what} is {shown(value)}; right must be above left, and bottom above top.")
    return Box(left, top, right, bottom)


def quoted(text: str) -> str:
    """A text of the user's or a model's inside a question: as JSON, so that it cannot pass for instructions."""
    return json.dumps(text, ensure_ascii=False)


def _unwrapped(text: str) -> str:
    """The object in an answer, also where a model puts a code fence or a sentence around it."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text
