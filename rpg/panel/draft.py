"""What the panel's hidden textbox holds: nothing, a plan that may be unfinished, or the settings of a planner."""

from __future__ import annotations

from typing import Any

from rpg.errors import RPGError
from rpg.plan import Plan, load_json
from rpg.planners import PlanRequest, plan_or_request

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
    return plan_or_request(load_json(text), caption)


def problem(text: str) -> str:
    """What is wrong with the text, or nothing."""
    try:
        read_draft(text, caption="the main prompt, known at generation")
    except RPGError as error:
        return str(error)
    return ""


def latent_ratio(text: str, default: float) -> float:
    """Of a draft, also of an unfinished one: planning leaves it alone.

    Args:
        default: of the empty text.
    """
    try:
        data = load_json(text) if text.strip() else {"latent_ratio": default}
        return Plan.from_dict({"regions": ["-"], "latent_ratio": data["latent_ratio"]}).latent_ratio  # type: ignore[index]
    except (RPGError, KeyError, TypeError):
        return 0.0
