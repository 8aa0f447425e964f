"""Ask a model: in a thread of its own, so that it can be left at once, and again after a wait while the server is busy."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, Literal, NamedTuple

from rpg.errors import PlannerError
from rpg.planners.registry import Provider
from rpg.planners.reply import MAX_REPLY, LiveThoughts, split_reasoning
from rpg.planners.request import PlanEvent, PlanningStopped, PlanRequest, ReplyError

ATTEMPTS = 3
"""How often a busy or broken server is asked before the planner gives up."""
FIRST_WAIT = 2.0
"""Seconds before the second attempt, twice as many before the third, unless the server names a time."""
LONGEST_WAIT = 90.0
"""A server that wants a longer wait gets no second attempt."""
LONGEST_CALL = 1800.0
"""Seconds after which even a server that keeps talking is left."""
POLL = 0.05
"""Seconds between two looks at ``cancelled``."""

Kind = Literal["status", "reasoning", "text"]
Emit = Callable[[Kind, str], None]
Message = tuple[Literal["user", "assistant"], str]


class Busy(PlannerError):
    """The server may answer if it is asked again, ``after`` so many seconds if it said so."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message, 503)
        self.after = after


@dataclass
class Call:
    """One question to a model, as the provider's module gets it.

    A provider is a function ``ask(call, emit) -> remark``: it hands what arrives to ``emit`` and returns a sentence that would
    explain a broken answer, or "". When its caller has left, ``left`` is set, ``emit`` raises and ``closers`` are called.
    """

    provider: Provider
    request: PlanRequest
    model: str
    url: str
    key: str = field(repr=False)
    messages: list[Message]
    schema: dict[str, Any] | None
    closers: list[Callable[[], object]] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)

    @property
    def label(self) -> str:
        """The provider as it stands in sentences for the user."""
        return self.provider.label.partition(" (")[0]

    def redact(self, text: str) -> str:
        """``text`` without the key."""
        return text.replace(self.key, "***") if len(self.key) >= 8 else text


class Answer(NamedTuple):
    text: str
    reasoning: str
    remark: str
    """What would explain it if the answer is broken."""


class _Left(Exception):
    """Ends a provider's thread after its caller has left."""


def ask_model(call: Call, cancelled: Callable[[], bool]) -> Generator[PlanEvent, None, Answer]:
    """The model's answer; a busy server is asked again.

    Raises:
        PlanningStopped: when cancelled.
        PlannerError: when there is no answer.
    """
    for attempt in range(2, ATTEMPTS + 1):
        try:
            return (yield from _listen(call, cancelled))
        except Busy as error:
            wait = FIRST_WAIT * 2 ** (attempt - 2) if error.after is None else error.after
            if wait > LONGEST_WAIT:
                raise
            yield from _wait(wait, f"{error} Attempt {attempt} of {ATTEMPTS} in {{}} s.", cancelled)
    return (yield from _listen(call, cancelled))


def _wait(seconds: float, sentence: str, cancelled: Callable[[], bool]) -> Generator[PlanEvent, None, None]:
    end = time.monotonic() + seconds
    shown = -1
    while (left := end - time.monotonic()) > 0:
        if cancelled():
            raise PlanningStopped("Planning was stopped.")
        if (whole := int(left) + 1) != shown:
            shown = whole
            yield PlanEvent("status", sentence.format(whole))
        time.sleep(min(POLL, left))


def _listen(call: Call, cancelled: Callable[[], bool]) -> Generator[PlanEvent, None, Answer]:
    """Collect the answer while telling the model's thoughts from its text."""
    text: list[str] = []
    reasoning: list[str] = []
    live = LiveThoughts()
    size = 0
    events = _events(call, cancelled)
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            remark: str = end.value
            break
        size += len(event.text) if event.kind != "status" else 0
        if size > MAX_REPLY:
            events.close()
            raise ReplyError(f"{call.label} wrote more than {MAX_REPLY} characters; try another model.", "".join(text), 502)
        if event.kind != "text":
            if event.kind == "reasoning":
                reasoning.append(event.text)
            yield event
            continue
        text.append(event.text)
        yield from _shown(live.feed(event.text))
    yield from _shown(live.feed("", last=True))
    thoughts, answer = split_reasoning(call.redact("".join(text)))
    return Answer(answer, "".join(reasoning) or thoughts, remark)


def _shown(pieces: Iterable[tuple[bool, str]]) -> Iterator[PlanEvent]:
    for thought, piece in pieces:
        if piece:
            yield PlanEvent("reasoning" if thought else "text", piece)


def _events(call: Call, cancelled: Callable[[], bool]) -> Generator[PlanEvent, None, str]:
    """What the provider's thread emits; returns its remark."""
    call = replace(call, closers=[], left=threading.Event())
    inbox: queue.SimpleQueue[PlanEvent | str | Exception] = queue.SimpleQueue()

    def emit(kind: Kind, text: str) -> None:
        if call.left.is_set():
            raise _Left
        if text:
            inbox.put(PlanEvent(kind, call.redact(text)))

    def work() -> None:
        try:
            inbox.put(import_module(f"rpg.planners.{call.provider.module}").ask(call, emit))
        except Exception as error:
            inbox.put(error)

    threading.Thread(target=work, name="rpg-planner", daemon=True).start()
    end = time.monotonic() + LONGEST_CALL
    try:
        while True:
            if cancelled():
                raise PlanningStopped("Planning was stopped.")
            if time.monotonic() > end:
                raise PlannerError(f"{call.label} did not finish within {LONGEST_CALL:g} s; try another model.", 504)
            try:
                item = inbox.get(timeout=POLL)
            except queue.Empty:
                continue
            if isinstance(item, str):
                return item
            if isinstance(item, Exception):
                raise _sentence(item, call) from None
            yield item
    finally:
        call.left.set()
        while call.closers:
            with suppress(RuntimeError):  # httpcore 0.15 complains when a client is closed under a running request
                call.closers.pop()()


def _sentence(error: Exception, call: Call) -> PlannerError:
    """The error for the user: without the key, and without the library's exception, which holds the headers."""
    if not isinstance(error, PlannerError):
        return PlannerError(call.redact(f"{call.label} failed: {type(error).__name__}: {short(str(error))}."), 502)
    error.detail = call.redact(str(error))
    error.args = (error.detail,)
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def short(text: str) -> str:
    """A server's own words, short enough for a sentence."""
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= 200 else text[:197] + "..."
