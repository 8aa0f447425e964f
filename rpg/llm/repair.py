"""Ask a model for something that has to be read, and once more where it cannot be."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TypeVar

from rpg.errors import ReplyError
from rpg.llm.asking import ATTEMPTS, ask
from rpg.llm.failures import CUT
from rpg.llm.provider import Provider
from rpg.llm.question import Answer, Event, Message, Question

MOST_SENT_BACK = 4000
"""Characters of a wrong answer that the model sees again: the chat has to fit what it reads."""
_REPAIR = "That answer cannot be used: {error} Answer again, completely, in the form that was asked for."

T = TypeVar("T")


def ask_and_read(
    provider: Provider,
    question: Question,
    read: Callable[[Answer, bool], T],
    cancelled: Callable[[], bool],
    attempts: int = ATTEMPTS,
) -> Generator[Event, None, T]:
    """What ``read`` makes of the answer; where it raises a :class:`ReplyError` the model hears why, once.

    Args:
        read: also learns whether this is the last answer.

    Raises:
        ReplyError: when the second answer cannot be read either.
        Stopped, LLMError: as :func:`rpg.llm.ask`.
    """
    answer = yield from ask(provider, question, cancelled, attempts)
    try:
        return _read(answer, read, False)
    except ReplyError as error:
        if answer.remark == CUT:  # a longer chat would leave even less room
            raise
        yield Event("status", f"The answer cannot be used: {error} Asking once more.")
        said = answer.text.strip()[-MOST_SENT_BACK:] or "(nothing)"
        repair = [Message("assistant", said), Message("user", _REPAIR.format(error=f"{error} {error.hint}".strip()))]
    question = replace(question, messages=[*question.messages, *repair])
    return _read((yield from ask(provider, question, cancelled, attempts)), read, True)


def _read(answer: Answer, read: Callable[[Answer, bool], T], last: bool) -> T:
    try:
        return read(answer, last)
    except ReplyError as error:
        raise ReplyError(f"{answer.remark} {error}".strip(), error.raw, hint=error.hint) from None
