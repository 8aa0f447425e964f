"""``/rpg/v1/plan``, ``planners``, ``presets``, ``check`` and ``edit``, beside the host's own API and under its authentication."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import Body

from rpg.errors import ReplyError
from rpg.plan import VERSION
from rpg.planners import PlanRequest, known_planners, make_plan, templates
from rpg.presets import Presets
from rpg.webui import edit_routes
from rpg.webui.refusals import refusing

HOST_ROUTE = "/sdapi/v1/txt2img"


def add_routes(app: Any, presets: Presets, editing: edit_routes.EditingHost) -> None:
    """Add the routes if the host serves an API, with the dependencies (authentication) of the host's own routes."""
    host: Any = next((route for route in app.routes if getattr(route, "path", None) == HOST_ROUTE), None)
    if host is None:
        return
    protection = {"dependencies": host.dependencies, "tags": ["RPG"]}
    app.add_api_route("/rpg/v1/planners", planners, methods=["GET"], **protection)
    app.add_api_route("/rpg/v1/plan", refusing(plan), methods=["POST"], **protection)
    add_preset_routes(app, presets, protection)
    edit_routes.add_edit_routes(app, editing, protection)


def add_preset_routes(app: Any, presets: Presets, protection: dict[str, Any]) -> None:
    """List, read, save and delete; a name is answered as it was cleaned."""

    def names() -> dict[str, Any]:
        return {"presets": presets.names()}

    def load(name: str) -> dict[str, Any]:
        return {"name": name, "plan": presets.load(name)}

    def save(name: str, plan: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
        return {"name": presets.save(name, plan)}

    def delete(name: str) -> dict[str, Any]:
        presets.delete(name)
        return {"name": name}

    app.add_api_route("/rpg/v1/presets", names, methods=["GET"], **protection)
    for function, method in ((load, "GET"), (save, "PUT"), (delete, "DELETE")):
        app.add_api_route("/rpg/v1/presets/{name}", refusing(function), methods=[method], **protection)


def planners() -> dict[str, Any]:
    """The planners that a request can name, what each needs, the instruction templates, and the version of plans."""
    known = [asdict(planner) for planner in known_planners()]
    return {"planners": known, "templates": templates(), "plan_version": VERSION}


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
