"""Answers in OpenAI's chat completions protocol: in pieces or whole, and in the shapes that servers give them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from rpg.llm import failures
from rpg.llm.provider import Channel, Provider
from rpg.llm.question import EventKind

_THOUGHTS = ("reasoning_content", "reasoning")
"""Fields of a message; servers that have both repeat themselves."""


def read_stream(provider: Provider, response: Any, channel: Channel) -> str:
    """Hand on what arrives; returns the remark (see :meth:`Provider.ask`)."""
    content_type = response.response.headers.get("content-type", "")
    if "html" in content_type:
        raise failures.not_the_protocol(provider, "a web page")
    if "application/json" in content_type:  # the server does not stream
        body = response.response.read().decode()
        return read_whole(provider, json.loads(body, object_hook=lambda item: SimpleNamespace(**item)), channel)
    finish = ""
    refusal = ""
    for chunk in response:
        _note_usage(chunk, channel)
        for choice in getattr(chunk, "choices", None) or ():
            finish = choice.finish_reason or finish
            refusal += _emit(choice.delta, channel)
    return _remark(provider, finish, refusal) if finish or refusal else "The connection may have broken off before the end."


def read_whole(provider: Provider, completion: Any, channel: Channel) -> str:
    """An answer in one piece."""
    choices = getattr(completion, "choices", None)
    if not choices:
        if error := getattr(completion, "error", None):
            raise failures.broken_off(provider, str(getattr(error, "message", error)))
        raise failures.not_the_protocol(provider, "a web page" if "<html" in str(completion).lower() else "no choices")
    _note_usage(completion, channel)
    refusal = _emit(choices[0].message, channel)
    return _remark(provider, getattr(choices[0], "finish_reason", None) or "", refusal)


def _note_usage(answer: Any, channel: Channel) -> None:
    usage = getattr(answer, "usage", None)
    asked, answered = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    if isinstance(asked, int) and isinstance(answered, int):
        channel.usage = asked, answered


def _remark(provider: Provider, finish: str, refusal: str) -> str:
    if refusal or finish == "content_filter":
        raise failures.declined(provider, refusal or "content filter")
    return failures.CUT if finish == "length" else ""


def _emit(message: Any, channel: Channel) -> str:
    """Pass on the thoughts and the text of a message or a piece of one; returns its refusal."""
    thoughts = (list(_parts(getattr(message, name, None), "reasoning")) for name in _THOUGHTS)
    for kind, text in next(filter(None, thoughts), []) + list(_parts(getattr(message, "content", None), "text")):
        channel.emit(kind, text)
    return getattr(message, "refusal", None) or ""


def _parts(content: Any, kind: EventKind) -> Iterator[tuple[EventKind, str]]:
    """The texts in a message's content: a text, or parts of it of which some are thoughts."""
    if isinstance(content, str):
        yield kind, content
    elif isinstance(content, list):
        for part in content:
            yield from _parts(part, kind)
    elif content:
        part = content if isinstance(content, Mapping) else getattr(content, "__dict__", {})
        if str(part.get("type", "")).startswith(("thinking", "reasoning")):
            kind = "reasoning"
        for name in ("text", "thinking", "reasoning", "summary", "content"):
            yield from _parts(part.get(name), kind)
