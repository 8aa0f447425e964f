"""What all providers of language models have in common."""

from __future__ import annotations

import os
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rpg.errors import LLMError
from rpg.llm import addresses, packages
from rpg.llm.question import Event, EventKind, Question


@dataclass(frozen=True)
class Provider(ABC):
    """A model, the address where it answers, and the key that may go there; see :meth:`at`.

    A class for each provider says what it can do and how it is asked.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    """For the user; what stands in brackets is left out of sentences."""
    package: ClassVar[str]
    """The package that must be installed."""
    models: ClassVar[tuple[str, ...]]
    """Suggestions, the default first."""
    base_url: ClassVar[str] = ""
    needs_base_url: ClassVar[bool] = False
    needs_key: ClassVar[bool] = False
    key_env: ClassVar[tuple[str, ...]] = ()
    """Environment variables that can hold the key for ``base_url``."""
    sees_pictures: ClassVar[bool] = True
    takes_schema: ClassVar[bool] = True
    takes_bounds: ClassVar[bool] = True
    """Whether a schema may bound texts and lists (``maxLength``, ``maxItems``)."""
    takes_examples: ClassVar[bool] = True
    """Whether its models learn from an example; small ones copy it."""
    max_tokens: ClassVar[int | None] = None
    """Longest answer where a question names none; ``None`` where the provider has a limit of its own."""

    model: str
    url: str
    key: str = field(repr=False)

    @classmethod
    def at(cls, model: str = "", base_url: str = "", api_key: str = "") -> Provider:
        """The provider with its default model, own address and the environment's key, unless others are given.

        Raises:
            LLMError: when it cannot be used, or address or key are missing or not allowed.
        """
        if why_not := cls.why_not():
            raise LLMError(why_not)
        url = addresses.allowed(base_url, cls.base_url)
        if cls.needs_base_url and not url:
            raise LLMError("base_url is empty; give the server's address, such as http://127.0.0.1:11434/v1 for Ollama.")
        own = url == cls.base_url
        key = addresses.checked_key(api_key) or (cls.environment_key() if own else "")
        if own and cls.needs_key and not key:
            raise LLMError(f"{cls.label} needs a key; fill in api_key or set the environment variable {cls.key_env[0]}.")
        return cls(model.strip() or cls.models[0], url, key)

    @classmethod
    def why_not(cls) -> str:
        """What to install before it can be used; empty when nothing is missing."""
        return packages.missing(cls.package)

    @classmethod
    def environment_key(cls) -> str:
        return next((value for name in cls.key_env if (value := os.environ.get(name, "").strip())), "")

    @property
    def short_label(self) -> str:
        """The provider as it stands in sentences."""
        return self.label.partition(" (")[0]

    @property
    def short_model(self) -> str:
        """The model as it stands in sentences."""
        return self.model

    def limit(self, question: Question) -> int | None:
        """Most tokens of the answer."""
        return question.max_tokens or self.max_tokens

    def redact(self, text: str) -> str:
        """``text`` without the key."""
        return text.replace(self.key, "***") if len(self.key) >= 8 else text

    def list_models(self) -> Sequence[str]:
        """The models that can be asked: the server's own list, where it has one.

        Raises:
            LLMError: when the server cannot be asked.
        """
        return self.models

    @abstractmethod
    def ask(self, question: Question, channel: Channel) -> str:
        """Hand what the model says to ``channel``; returns a sentence that would explain a broken answer, or "".

        Raises:
            LLMError: when there is no answer.
        """


class Left(Exception):
    """Ends a provider's thread after its caller has left."""


class Channel:
    """Between a provider, which asks in a thread of its own, and its caller, who may leave at any time."""

    def __init__(self, provider: Provider) -> None:
        self.inbox: queue.SimpleQueue[Event | str | Exception] = queue.SimpleQueue()
        self.left = threading.Event()
        self.closers: list[Callable[[], object]] = []
        """Called when the caller leaves."""
        self.usage: tuple[int, int] | None = None
        """Tokens in and out, where the provider says."""
        self._redact = provider.redact

    def emit(self, kind: EventKind, text: str) -> None:
        if self.left.is_set():
            raise Left
        if text:
            self.inbox.put(Event(kind, self._redact(text)))
