"""What the panel's hidden textbox holds: nothing, a plan that may be unfinished, or the settings of a planner."""

from __future__ import annotations

from typing import Any

from rpg.errors import RPGError
from rpg.plan import Plan, load_plan_json, settings_of
from rpg.planners import NO_SUBJECT, PlanRequest, Subject, plan_or_request

_BLANK = Plan.from_dict({"regions": ["-", "-"]}).to_dict()
NOTHING_PLANNED: dict[str, Any] = {**_BLANK, "regions": [{"prompt": ""}, {"prompt": ""}]}
"""The draft that the editor shows for an empty text."""


def read_draft(text: str, subject: Subject = NO_SUBJECT) -> Plan | PlanRequest | None:
    """The finished plan, or what to ask a planner at generation; ``None`` while nothing is planned.

    Args:
        subject: what a planner plans, where its settings do not say.

    Raises:
        RPGError: with the sentence that the user sees.
    """
    if not text.strip():
        return None
    return plan_or_request(load_plan_json(text), subject)


def problem(text: str) -> str:
    """What is wrong with the text, or nothing."""
    try:
        read_draft(text, Subject("the main prompt, known at generation"))
    except RPGError as error:
        return str(error)
    return ""


def kept_settings(text: str) -> dict[str, Any]:
    """What planning leaves alone in a draft, also in an unfinished one."""
    try:
        return settings_of(load_plan_json(text)) if text.strip() else {}
    except RPGError:
        return {}
