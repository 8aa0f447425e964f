"""The script's arguments, from the panel (texts and flags) or the API (one dict), as what a job shall do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rpg.errors import PlanError
from rpg.plan import Plan, load_json
from rpg.planners import NO_SUBJECT, PlanRequest, Subject, plan_or_request
from rpg.values import shown


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
        data = {key: value for key, value in plan.items() if key != "enabled"}
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
        data = load_json(plan)
    return plan_or_request(data, subject)


def override(plan: Plan, changes: Mapping[str, Any]) -> Plan:
    """``plan`` with some fields changed, as the X/Y/Z axes do."""
    return replace(plan, **{name: value for name, value in changes.items() if name != "enabled"})


def rewritten(plan: Plan, change: Callable[[str, bool], str]) -> Plan:
    """``plan`` with ``change(text, is it a negative prompt)`` in the place of each prompt that it has."""
    regions = [
        replace(
            region,
            prompt=change(region.prompt, False),
            negative_prompt=region.negative_prompt and change(region.negative_prompt, True),
        )
        for region in plan.regions
    ]
    return replace(plan, base_prompt=plan.base_prompt and change(plan.base_prompt, False), regions=tuple(regions))


def replaced(plan: Plan, pairs: Sequence[tuple[str, str]]) -> Plan:
    """``plan`` with the first text of each pair replaced by the second, in turn and in all prompts."""

    def change(text: str, _negative: bool) -> str:
        for old, new in pairs:
            text = text.replace(old, new)
        return text

    return rewritten(plan, change)


def prompts_of(plan: Plan) -> list[str]:
    """All that :func:`rewritten` would change."""
    found: list[str] = []

    def note(text: str, _negative: bool) -> str:
        found.append(text)
        return text

    rewritten(plan, note)
    return found


def with_prompts(plan: Plan, prompts: Sequence[str]) -> Plan:
    """``plan`` with others in the place of :func:`prompts_of`."""
    given = iter(prompts)
    return rewritten(plan, lambda *_: next(given))
