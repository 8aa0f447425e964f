"""Ask a model: in a thread of its own, so that it can be left at once, and again after a wait while the server is busy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from queue import Empty
from typing import TypeVar

from rpg.errors import BusyError, LLMError, ReplyError, Stopped
from rpg.llm import trust
from rpg.llm.failures import short
from rpg.llm.provider import Channel, Provider
from rpg.llm.question import Answer, Event, Question
from rpg.llm.thoughts import LiveThoughts, split_reasoning

ATTEMPTS = 3
"""How often a busy or broken server is asked."""
FIRST_WAIT = 2.0
"""Seconds before the second attempt, twice as many before the third, unless the server names a time."""
LONGEST_WAIT = 90.0
"""A server that wants a longer wait gets no second attempt."""
LONGEST_ANSWER = 1800.0
"""Seconds after which even a server that keeps talking is left."""
MAX_ANSWER = 256 * 1024
"""Most characters that are taken from a model, thoughts included."""
LOOP = 4096
"""Characters at the end of an answer that, if they are one phrase over and over, show that it will not end."""
LONGEST_PHRASE = 400
POLL = 0.05
"""Seconds between two looks at ``cancelled``."""


T = TypeVar("T")


def never() -> bool:
    """Where nobody cancels."""
    return False


def ignore(event: Event) -> None:
    """Where nobody listens."""


def result_of(events: Generator[Event, None, T], on_event: Callable[[Event], object] = ignore) -> T:
    """What a generator of events returns; the events go to ``on_event``."""
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            result: T = end.value
            return result
        on_event(event)


def ask(
    provider: Provider, question: Question, cancelled: Callable[[], bool], attempts: int = ATTEMPTS
) -> Generator[Event, None, Answer]:
    """The model's answer; a busy server is asked again.

    Args:
        cancelled: asked several times a second; when true, the model is left.
        attempts: how often a busy server is asked.

    Raises:
        Stopped: when cancelled.
        LLMError: when there is no answer; a :class:`ReplyError` where it has no end.
    """
    if not provider.sees_pictures and question.has_pictures:
        raise LLMError(f"{provider.label} cannot see pictures; remove the image or choose another provider.")
    start, attempt = time.monotonic(), 1
    while True:
        try:
            return (yield from _listen(provider, question, cancelled))
        except BusyError as error:
            if error.loading:
                waited = time.monotonic() - start
                if waited > question.timeout:
                    raise
                yield from _wait(FIRST_WAIT, f"{error} Asking again in {{}} s; {waited:.0f} s so far.", cancelled)
                continue
            wait = FIRST_WAIT * 2 ** (attempt - 1) if error.after is None else error.after
            attempt += 1
            if attempt > attempts or wait > LONGEST_WAIT:
                raise
            yield from _wait(wait, f"{error} Attempt {attempt} of {attempts} in {{}} s.", cancelled)


def _wait(seconds: float, sentence: str, cancelled: Callable[[], bool]) -> Generator[Event, None, None]:
    end = time.monotonic() + seconds
    told = -1
    while (left := end - time.monotonic()) > 0:
        if cancelled():
            raise Stopped("The model was stopped.")
        if (whole := int(left) + 1) != told:
            told = whole
            yield Event("status", sentence.format(whole))
        time.sleep(min(POLL, left))


def _listen(provider: Provider, question: Question, cancelled: Callable[[], bool]) -> Generator[Event, None, Answer]:
    """Collect the answer while telling the model's thoughts from its text."""
    text: list[str] = []
    reasoning: list[str] = []
    live = LiveThoughts()
    size = looked = 0
    events = _events(provider, question, cancelled)
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            remark: str = end.value
            break
        if event.kind not in ("reasoning", "text"):
            yield event
            continue
        size += len(event.text)
        pieces = text if event.kind == "text" else reasoning
        pieces.append(event.text)
        wrong = f"{provider.short_label} wrote more than {MAX_ANSWER} characters; try another model." if size > MAX_ANSWER else ""
        if size - looked > LONGEST_PHRASE and not wrong:
            looked = size
            if loops("".join(pieces[-LOOP:])):
                wrong = f"{provider.short_label} says the same over and over; try another model."
        if wrong:
            events.close()
            raise ReplyError(wrong, "".join(text), 502)
        if event.kind == "text":
            yield from _told_apart(live.feed(event.text))
        else:
            yield event
    yield from _told_apart(live.feed("", last=True))
    thoughts, answer = split_reasoning(provider.redact("".join(text)))
    if reasoning and not remark and not "".join(text).strip():  # the server took the answer for thoughts
        return Answer("".join(reasoning), "", remark)
    return Answer(answer, "".join(reasoning) or thoughts, remark)


def loops(text: str) -> bool:
    """Whether a text ends with a short phrase over and over."""
    end = text[-LOOP:]
    return len(end) == LOOP and any(end[period:] == end[:-period] for period in range(1, LONGEST_PHRASE))


def _told_apart(pieces: Iterable[tuple[bool, str]]) -> Iterator[Event]:
    for thought, piece in pieces:
        if piece:
            yield Event("reasoning" if thought else "text", piece)


def _events(provider: Provider, question: Question, cancelled: Callable[[], bool]) -> Generator[Event, None, str]:
    """What the provider's thread emits; returns its remark."""
    channel = Channel(provider)
    start = time.monotonic()

    def work() -> None:
        try:
            trust.check_target(provider.url)
            channel.inbox.put(provider.ask(question, channel))
        except Exception as error:
            channel.inbox.put(error)

    threading.Thread(target=work, name="rpg-llm", daemon=True).start()
    try:
        while True:
            if cancelled():
                raise Stopped("The model was stopped.")
            if time.monotonic() > start + LONGEST_ANSWER:
                raise LLMError(f"{provider.short_label} did not finish within {LONGEST_ANSWER:g} s; try another model.", 504)
            try:
                item = channel.inbox.get(timeout=POLL)
            except Empty:
                continue
            if isinstance(item, str):
                tokens = f"{channel.usage[0]} tokens in, {channel.usage[1]} out, " if channel.usage else ""
                yield Event("cost", f"{tokens}{time.monotonic() - start:.1f} s")
                return item
            if isinstance(item, Exception):
                raise _sentence(item, provider) from None
            yield item
    finally:
        channel.left.set()
        while channel.closers:
            with suppress(RuntimeError):  # httpcore 0.15 complains when a client is closed under a running request
                channel.closers.pop()()


def _sentence(error: Exception, provider: Provider) -> LLMError:
    """The error for the user: without the key, and without the library's exception, which holds the headers."""
    if not isinstance(error, LLMError):
        said = f"{provider.short_label} failed: {type(error).__name__}: {short(str(error))}."
        return LLMError(provider.redact(said), 502)
    error.detail = provider.redact(str(error))
    error.args = (error.detail,)
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
