"""From what a model wrote to a plan: its thoughts, the JSON form, and the checks that every answer passes.

Nothing is guessed: what cannot be read without doubt becomes a sentence that the model gets back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rpg.errors import LayoutError, PlanError
from rpg.plan import DEFAULT_BASE_RATIO, Plan, Region
from rpg.planners.classes import share_a_class
from rpg.planners.draft import Draft, Unreadable
from rpg.planners.reply_json import find_plan
from rpg.planners.reply_text import read_text
from rpg.planners.request import ReplyError

MAX_REPLY = 256 * 1024
"""Most characters that are taken from a model, thoughts included."""
MAX_NOTES = 4000

_THINK = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_TOKENS = re.compile(r"<\|[\w-]{1,40}\|>|</?s>|<(?:start|end)_of_turn>|\[/?INST\]")
"""Marks of chat templates that servers let slip through."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\ufeff]")


def split_reasoning(text: str) -> tuple[str, str]:
    """A reasoning model's thoughts and its answer. A block that was opened and never closed is all thoughts."""
    tags = list(_THINK.finditer(text))
    closing = [tag for tag in tags if tag[1]]
    if closing:
        thoughts, answer = text[: closing[-1].start()], text[closing[-1].end() :]
    elif tags:
        answer, thoughts = text[: tags[0].start()], text[tags[0].end() :]
    else:
        return "", text
    return _THINK.sub("", thoughts).strip(), answer


class LiveThoughts:
    """Tells thoughts from answer while a text arrives in pieces that may cut a tag in two."""

    def __init__(self) -> None:
        self._inside = False
        self._held = ""

    def feed(self, piece: str, last: bool = False) -> Iterator[tuple[bool, str]]:
        """Yield pieces of text, each with whether it is a thought."""
        text, start = self._held + piece, 0
        for tag in _THINK.finditer(text):
            yield self._inside, text[start : tag.start()]
            self._inside, start = not tag[1], tag.end()
        bracket = text.rfind("<", max(start, len(text) - len("</reasoning")))
        end = len(text) if bracket < 0 or last else bracket
        self._held = text[end:]
        yield self._inside, text[start:end]


def read_reply(text: str, caption: str, planned_by: str, reasoning: str = "") -> Plan:
    """The plan in a model's answer.

    Raises:
        ReplyError: with the sentence for the user and the model; ``raw`` is ``text``.
    """
    try:
        if len(text) > MAX_REPLY:
            raise Unreadable(f"The answer has {len(text)} characters; at most {MAX_REPLY} are read.")
        thoughts, answer = split_reasoning(_TOKENS.sub("", text))
        if not answer.strip():
            raise Unreadable("The model thought, but gave no answer." if thoughts or reasoning else "The answer is empty.")
        return _plan(_draft(answer, caption), caption, planned_by, reasoning or thoughts)
    except (Unreadable, PlanError, LayoutError) as error:
        raise ReplyError(str(error), text) from None


def _draft(answer: str, caption: str) -> Draft:
    """The last plan in the answer, in JSON or in words."""
    found = find_plan(answer)
    if found is None:
        return read_text(answer, caption)
    if found.problem:
        raise found.problem
    assert found.draft
    try:
        return read_text(answer[found.end :], caption)
    except Unreadable:
        found.draft.notes = found.draft.notes or answer[: found.start].strip(" \n`").removesuffix("```json").strip()
        return found.draft


def _plan(draft: Draft, caption: str, planned_by: str, reasoning: str) -> Plan:
    prompts = [_one_line(prompt) for prompt in draft.prompts]
    negatives = draft.negative_prompts or [None] * len(prompts)
    regions = []
    for number, (prompt, negative) in enumerate(zip(prompts, negatives, strict=True), 1):
        if "BREAK" in prompt.split():
            raise Unreadable(f"The prompt of region {number} holds BREAK; give every region an entry of its own.")
        try:
            regions.append(Region(prompt, _one_line(negative) if isinstance(negative, str) and negative else None))
        except PlanError as error:
            raise Unreadable(f"Region {number}: {error}") from None
    base_ratio = draft.base_ratio
    if base_ratio is None:
        wanted = share_a_class(prompts, caption) if draft.base_prompt is None else bool(draft.base_prompt)
        base_ratio = DEFAULT_BASE_RATIO if wanted else 0.0
    notes = _printable(draft.notes).strip() or _printable(reasoning).strip()
    return Plan(
        regions=tuple(regions),
        split_ratio=draft.split_ratio,
        base_prompt=_one_line(draft.base_prompt or ""),
        base_ratio=base_ratio,
        caption=caption,
        notes=notes if len(notes) <= MAX_NOTES else notes[: MAX_NOTES - 1] + "…",
        planned_by=planned_by,
    )


def _printable(text: str) -> str:
    """Without control characters and halves of characters."""
    return _CONTROL.sub(" ", text.encode("utf-8", "replace").decode())


def _one_line(text: str) -> str:
    return " ".join(_printable(text).split())
