"""The script's arguments, from the panel (texts and flags) or the API (one dict), as what a job shall do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from rpg.errors import PlanError
from rpg.plan import Plan, load_plan_json
from rpg.planners import NO_SUBJECT, PlanRequest, Subject, plan_or_request
from rpg.values import shown

TITLE = "RPG"
"""Of the script, by which hosts find it."""
REFINE = "refine"
"""In the API's dict, beside the plan: how pictures are checked and repaired."""


def parse_arguments(plan: object = "", enabled: object = None, subject: Subject = NO_SUBJECT) -> Plan | PlanRequest | None:
    """What the arguments ask for, or ``None`` when the extension is off.

    Args:
        plan: a dict, or its JSON text (see :func:`rpg.planners.plan_or_request`); only a dict may have ``enabled``, too.
        enabled: the accordion's switch. Nobody touched it where it is ``None``: then a plan is enough to be on.
        subject: what a planner plans, where the request does not say.
    """
    data: object = plan
    if isinstance(plan, Mapping):
        own = plan.get("enabled", enabled)
        if enabled is not None and own != enabled:
            raise PlanError(
                f"enabled is {shown(own)} in RPG's first argument, and {shown(enabled)} in its second; leave one out."
            )
        enabled = own
        data = {key: value for key, value in plan.items() if key not in ("enabled", REFINE)}
    elif not isinstance(plan, str):
        raise PlanError(f"RPG's first argument is {shown(plan)}; it must be an object such as {{'regions': ['a cat', 'a dog']}}.")
    if enabled is None:
        enabled = plan != ""
    if not isinstance(enabled, bool):
        raise PlanError(f"enabled is {shown(enabled)}; it must be true or false.")
    if not enabled:
        return None
    if isinstance(plan, str):
        if not plan.strip():
            raise PlanError("RPG is on but has no regions; write region prompts, press Plan, or turn RPG off.")
        data = load_plan_json(plan)
    return plan_or_request(data, subject)


Prompts = TypeVar("Prompts", Plan, PlanRequest, Plan | PlanRequest)
"""What has prompts: a plan, or a request, of whose plan the common prompt is known already."""


def override(plan: Plan, changes: Mapping[str, Any]) -> Plan:
    """``plan`` with some fields changed, as the X/Y/Z axes do."""
    return replace(plan, **{name: value for name, value in changes.items() if name != "enabled"})


def rewritten(wanted: Prompts, change: Callable[[str, bool], str]) -> Prompts:
    """``wanted`` with ``change(text, is it a negative prompt)`` in the place of each prompt that it has."""
    if isinstance(wanted, PlanRequest):
        common = wanted.settings.get("common_prompt")
        return replace(wanted, settings={**wanted.settings, "common_prompt": change(common, False)}) if common else wanted
    plan: Plan = wanted
    regions = [
        replace(
            region,
            prompt=change(region.prompt, False),
            negative_prompt=region.negative_prompt and change(region.negative_prompt, True),
        )
        for region in plan.regions
    ]
    common, base = (text and change(text, False) for text in (plan.common_prompt, plan.base_prompt))
    return replace(plan, common_prompt=common, base_prompt=base, regions=tuple(regions))


def replaced(wanted: Prompts, pairs: Sequence[tuple[str, str]]) -> Prompts:
    """``wanted`` with the first text of each pair replaced by the second, in turn and in all prompts."""

    def change(text: str, _negative: bool) -> str:
        for old, new in pairs:
            text = text.replace(old, new)
        return text

    return rewritten(wanted, change)


def prompts_of(wanted: Plan | PlanRequest) -> list[str]:
    """All that :func:`rewritten` would change."""
    found: list[str] = []

    def note(text: str, _negative: bool) -> str:
        found.append(text)
        return text

    rewritten(wanted, note)
    return found


def with_prompts(wanted: Prompts, prompts: Sequence[str]) -> Prompts:
    """``wanted`` with others in the place of :func:`prompts_of`."""
    given = iter(prompts)
    return rewritten(wanted, lambda *_: next(given))
