"""Asking to the end."""

import base64
from collections.abc import Callable

from rpg.llm import Answer, Event, Message, Picture, Provider, Question, ask
from rpg.llm.asking import ignore, result_of

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")
SCHEMA = {"type": "object", "properties": {"rows": {"type": "array", "items": {"type": "string"}}}, "required": ["rows"]}


def question(text: str = "a cat and a dog", *pictures: Picture, timeout: float = 5.0) -> Question:
    return Question([Message("user", text, pictures)], schema=SCHEMA, timeout=timeout)


def asked(
    provider: Provider, asking: Question, cancelled: Callable[[], bool] = lambda: False, events: list[Event] | None = None
) -> Answer:
    """The answer; ``events`` takes what happens meanwhile."""
    return result_of(ask(provider, asking, cancelled), ignore if events is None else events.append)


def statuses(events: list[Event]) -> list[str]:
    return [event.text for event in events if event.kind == "status"]


def joined(events: list[Event], kind: str) -> str:
    return "".join(event.text for event in events if event.kind == kind)
