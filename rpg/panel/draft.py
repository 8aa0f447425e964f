"""What the panel's hidden textbox holds: nothing, a plan that may be unfinished, or the settings of a planner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rpg.errors import PlanError, RPGError
from rpg.plan import Plan, load_json
from rpg.planners import PROVIDERS, PlanRequest

_BLANK = Plan.from_dict({"regions": ["-", "-"]}).to_dict()
NOTHING_PLANNED: dict[str, Any] = {**_BLANK, "regions": [{"prompt": ""}, {"prompt": ""}]}
"""The draft that the editor shows for an empty text."""


def read_draft(text: str, caption: str = "") -> Plan | PlanRequest | None:
    """The finished plan, or what to ask a planner at generation; ``None`` while nothing is planned.

    Args:
        caption: what a planner plans, unless its settings name a caption of their own.

    Raises:
        RPGError: with the sentence that the user sees.
    """
    if not text.strip():
        return None
    data = load_json(text)
    if not isinstance(data, Mapping) or "planner" not in data:
        return Plan.from_dict(data)
    others = [key for key in data if key not in ("planner", "version")]
    if others:
        raise PlanError(f"{others[0]} stands beside planner; the planner decides it, so leave it out.")
    request = PlanRequest.from_dict(data["planner"], caption)
    if request.provider not in PROVIDERS:
        raise PlanError(f"provider is {request.provider!r:.60}; it must be one of {', '.join(PROVIDERS)}.")
    return request


def problem(text: str) -> str:
    """What is wrong with the text, or nothing."""
    try:
        read_draft(text, caption="the main prompt, known at generation")
    except RPGError as error:
        return str(error)
    return ""
