"""From what a model wrote to a plan, and the checks that every answer passes.

Nothing is guessed: what cannot be read without doubt becomes a sentence that the model gets back.
"""

from __future__ import annotations

import re

from rpg.errors import LayoutError, PlanError, ReplyError
from rpg.llm.asking import MAX_ANSWER
from rpg.llm.thoughts import split_reasoning
from rpg.plan import DEFAULT_BASE_RATIO, Plan, Region
from rpg.planners.classes import share_a_class
from rpg.planners.outline import Outline, Unreadable
from rpg.planners.reply_json import find_plan
from rpg.planners.reply_text import read_text

MAX_NOTES = 4000

_TOKENS = re.compile(r"<\|[\w-]{1,40}\|>|</?s>|<(?:start|end)_of_turn>|\[/?INST\]")
"""Marks of chat templates that servers let slip through."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\ufeff]")


def read_reply(text: str, caption: str, planned_by: str, reasoning: str = "") -> Plan:
    """The plan in a model's answer.

    Raises:
        ReplyError: with the sentence for the user and the model; ``raw`` is ``text``.
    """
    try:
        if len(text) > MAX_ANSWER:
            raise Unreadable(f"The answer has {len(text)} characters; at most {MAX_ANSWER} are read.")
        thoughts, answer = split_reasoning(_TOKENS.sub("", text))
        if not answer.strip():
            raise Unreadable("The model thought, but gave no answer." if thoughts or reasoning else "The answer is empty.")
        return _plan(_outline(answer, caption), caption, planned_by, reasoning or thoughts)
    except (Unreadable, PlanError, LayoutError) as error:
        raise ReplyError(str(error), text) from None


def _outline(answer: str, caption: str) -> Outline:
    """The last plan in the answer, in JSON or in words."""
    found = find_plan(answer)
    if found is None:
        return read_text(answer, caption)
    if found.problem:
        raise found.problem
    assert found.outline
    try:
        return read_text(answer[found.end :], caption)
    except Unreadable:
        found.outline.notes = found.outline.notes or answer[: found.start].strip(" \n`").removesuffix("```json").strip()
        return found.outline


def _plan(outline: Outline, caption: str, planned_by: str, reasoning: str) -> Plan:
    prompts = [_one_line(prompt) for prompt in outline.prompts]
    negatives = outline.negative_prompts or [None] * len(prompts)
    regions = []
    for number, (prompt, negative) in enumerate(zip(prompts, negatives, strict=True), 1):
        if "BREAK" in prompt.split():
            raise Unreadable(f"The prompt of region {number} holds BREAK; give every region an entry of its own.")
        try:
            regions.append(Region(prompt, _one_line(negative) if isinstance(negative, str) and negative else None))
        except PlanError as error:
            raise Unreadable(f"Region {number}: {error}") from None
    base_ratio = outline.base_ratio
    if base_ratio is None:
        wanted = share_a_class(prompts, caption) if outline.base_prompt is None else bool(outline.base_prompt)
        base_ratio = DEFAULT_BASE_RATIO if wanted else 0.0
    notes = _printable(outline.notes).strip() or _printable(reasoning).strip()
    return Plan(
        regions=tuple(regions),
        split_ratio=outline.split_ratio,
        base_prompt=_one_line(outline.base_prompt or ""),
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
