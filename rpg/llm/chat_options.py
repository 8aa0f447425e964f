"""The options of a chat completion, and what servers refuse of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rpg.llm.provider import Provider
from rpg.llm.question import Question

_REFUSALS = {
    "stream_options": ((400, 422), re.compile(r"stream_options")),
    "stream": ((400, 422), re.compile(r"\bstream")),
    "response_format": (
        (400, 404, 422, 500, 501),
        re.compile(r"(?i)response_?format|schema|grammar|guided|structured|for format|requested parameters"),
    ),
    "max_tokens": ((400, 422), re.compile(r"max_tokens")),
    "max_completion_tokens": ((400, 422), re.compile(r"max_completion_tokens")),
}
"""How servers refuse an option: by status and words."""

_refused: set[tuple[str, str, str]] = set()
"""Options without which a server answered, by address and model."""


def options_for(provider: Provider, question: Question, limit_option: str) -> dict[str, Any]:
    """All that the question wants and the server has not refused before; ``limit_option`` is the name of the longest answer."""
    options: dict[str, Any] = {"stream_options": {"include_usage": True}, "stream": True}
    if question.schema and provider.takes_schema:
        schema = question.schema if provider.takes_bounds else unbounded(question.schema)
        form = {"name": "answer", "strict": True, "schema": schema}
        options["response_format"] = {"type": "json_schema", "json_schema": form}
    if limit := provider.limit(question):
        options[limit_option] = limit
    for name in [name for name in options if (provider.url, provider.model, name) in _refused]:
        drop(options, name)
    return options


def unbounded(schema: Any) -> Any:
    """A JSON schema without bounds of texts and lists."""
    if isinstance(schema, Mapping):
        return {name: unbounded(value) for name, value in schema.items() if name not in ("maxLength", "maxItems")}
    return schema


def refused_by(error: Any, options: Iterable[str]) -> str | None:
    """The option that an ``openai.APIStatusError`` is about."""

    def is_about(name: str) -> bool:
        statuses, words = _REFUSALS[name]
        return error.status_code in statuses and bool(words.search(str(error)))

    return next(filter(is_about, options), None)


def drop(options: dict[str, Any], name: str) -> None:
    options.pop(name, None)
    if name == "stream":
        options.pop("stream_options", None)


def remember(provider: Provider, names: Iterable[str]) -> None:
    """The server answered without these options: next time it is asked so at once."""
    _refused.update((provider.url, provider.model, name) for name in names)
