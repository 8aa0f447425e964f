"""What a panel or an API asks for: a plan that is there, or one that a planner shall make."""

from __future__ import annotations

from collections.abc import Mapping

from rpg.errors import PlanError
from rpg.plan import Plan
from rpg.planners.registry import find_provider
from rpg.planners.request import PlanRequest


def plan_or_request(data: object, caption: str = "") -> Plan | PlanRequest:
    """A plan from its dict, or a request from a dict with ``planner`` in the regions' place.

    Args:
        caption: what a planner plans, unless the request names a caption of its own.

    Raises:
        PlanError, PlannerError: with the sentence that the user sees.
    """
    if not isinstance(data, Mapping) or "planner" not in data:
        return Plan.from_dict(data)
    if "regions" in data:
        raise PlanError("There are both regions and planner; give the regions, or let the planner find them, not both.")
    others = [key for key in data if key not in ("planner", "version")]
    if others:
        raise PlanError(f"{others[0]} stands beside planner; the planner decides it, so leave it out.")
    request = PlanRequest.from_dict(data["planner"], caption)
    find_provider(request.provider)
    return request
