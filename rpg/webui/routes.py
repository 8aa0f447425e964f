"""``POST /rpg/v1/plan`` and ``GET /rpg/v1/planners``, beside the host's own API and under its authentication."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import Body

from rpg.errors import ReplyError
from rpg.planners import PlanRequest, known_planners, make_plan, templates

HOST_ROUTE = "/sdapi/v1/txt2img"


def add_routes(_demo: Any, app: Any) -> None:
    """Add the routes if the host serves an API, with the dependencies (authentication) of the host's own routes."""
    host: Any = next((route for route in app.routes if getattr(route, "path", None) == HOST_ROUTE), None)
    if host is None:
        return
    protection = {"dependencies": host.dependencies, "tags": ["RPG"]}
    app.add_api_route("/rpg/v1/planners", planners, methods=["GET"], **protection)
    app.add_api_route("/rpg/v1/plan", plan, methods=["POST"], **protection)


def planners() -> dict[str, Any]:
    """The planners that a request can name, what each needs, and the instruction templates."""
    return {"planners": [asdict(planner) for planner in known_planners()], "templates": templates()}


def plan(request: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
    """Make a plan: see ``PlanRequest.from_dict``. The answer has the plan and what the planner reported."""
    log: list[str] = []
    try:
        result = make_plan(
            PlanRequest.from_dict(request), lambda event: log.append(event.text) if event.kind in ("status", "cost") else None
        )
    except ReplyError as error:
        vars(error)["body"] = error.raw  # the host's error answer has a place for it
        raise
    return {"plan": result.to_dict(), "log": log}
