"""The script's arguments, from the panel (texts and flags) or the API (one dict), as what a job shall do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rpg.errors import PlanError
from rpg.plan import Plan, load_json
from rpg.planners import PlanRequest

Wanted = Plan | PlanRequest


def parse_arguments(plan: object = "", enabled: object = False, caption: str = "") -> Wanted | None:
    """What the arguments ask for, or ``None`` when the extension is off.

    Args:
        plan: the API's dict, or the panel's JSON text. Either holds ``regions`` (a :class:`Plan`) or
            ``planner`` (a :class:`PlanRequest`, carried out before the first picture).
        enabled: the accordion's switch; a dict has its own ``enabled``, true by default.
        caption: what a planner plans, unless the request names a caption of its own.
    """
    if isinstance(plan, Mapping):
        data: dict[str, Any] = dict(plan)
        enabled = data.pop("enabled", True)
    elif not isinstance(plan, str):
        raise PlanError(f"RPG's first argument is {plan!r:.60}; it must be an object such as {{'regions': ['a cat', 'a dog']}}.")
    if not isinstance(enabled, bool):
        raise PlanError(f"enabled is {enabled!r:.60}; it must be true or false.")
    if not enabled:
        return None
    if isinstance(plan, str):
        if not plan.strip():
            raise PlanError("RPG is on but has no regions; write region prompts, press Plan, or turn RPG off.")
        loaded = load_json(plan)
        if not isinstance(loaded, Mapping):
            raise PlanError(f"The plan is {loaded!r:.60}; it must be an object with regions and split_ratio.")
        data = dict(loaded)
    if "planner" not in data:
        return Plan.from_dict(data)
    if "regions" in data:
        raise PlanError("The dict has both regions and planner; give the regions, or let the planner find them, not both.")
    planner = data.pop("planner")
    unused = [key for key in data if key != "version"]
    if unused:
        raise PlanError(f"{unused[0]} stands beside planner; the planner decides it, so leave it out.")
    return PlanRequest.from_dict(planner, caption)


def override(plan: Plan, changes: Mapping[str, Any]) -> Plan:
    """``plan`` with some fields changed, as an X/Y/Z axis does."""
    return replace(plan, **changes)
