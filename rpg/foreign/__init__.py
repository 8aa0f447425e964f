"""Regions written for other programs, as plans: Regional Prompter, Forge Couple, Omost."""

from __future__ import annotations

from collections.abc import Callable

from rpg import infotext
from rpg.errors import PlanError
from rpg.foreign import forge_couple, omost, regional_prompter
from rpg.foreign.pasted import Pasted
from rpg.plan import Plan, load_plan_json

LONGEST_PASTED = 1024 * 1024
"""Most characters of a pasted text."""

__all__ = ["plan_from_text"]


def plan_from_text(text: str) -> Plan:
    """The plan in a text that was pasted: a plan's own JSON, a picture's infotext, a prompt with its ratio, a mapping, a canvas.

    Raises:
        PlanError: with a sentence that says what is missing.
    """
    if len(text) > LONGEST_PASTED:
        raise PlanError(f"The pasted text has {len(text)} characters; at most {LONGEST_PASTED} are allowed.")
    text = text.strip()
    if text.startswith("{"):
        return Plan.from_dict(load_plan_json(text))
    pasted = Pasted.read(text)
    if infotext.PLAN.lower() in pasted.fields:
        return Plan.from_json(pasted.fields[infotext.PLAN.lower()])
    readers: tuple[Callable[[Pasted], Plan | None], ...] = (omost.read, forge_couple.read, regional_prompter.read)
    for read in readers:
        plan = read(pasted)
        if plan is not None:
            return plan
    raise PlanError(
        "No regions were found; paste a plan's JSON, a picture's infotext, a prompt with BREAK, ADDCOL or ADDROW and its ratio "
        "(a line 'Ratio: 1,1'), Forge Couple's lines with their mapping, or Omost's canvas."
    )
