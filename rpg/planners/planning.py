"""From a request to a plan: ask the provider, read the answer, have a wrong one repaired once."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from importlib import import_module
from pathlib import PurePath

from rpg.errors import PlannerError
from rpg.plan import Plan
from rpg.planners import cache, registry
from rpg.planners.asking import Answer, Call, Message, ask_model
from rpg.planners.instructions import SCHEMA, load_template
from rpg.planners.reply import read_reply
from rpg.planners.request import PlanEvent, PlanRequest, ReplyError

_REPAIR = "That answer cannot be used: {error} Answer again, completely, in the form that was asked for."


def never() -> bool:
    return False


def stream_plan(
    request: PlanRequest, cancelled: Callable[[], bool] = never, *, reuse: bool = True
) -> Generator[PlanEvent, None, Plan]:
    """Make a plan, yielding what happens meanwhile; the generator returns the plan.

    Args:
        cancelled: asked several times a second; when true, planning stops.
        reuse: return the plan that the same request gave before, if there is one.

    Raises:
        PlanningStopped: when cancelled.
        PlannerError: when there is no plan; a :class:`ReplyError` holds the model's answer in ``raw``.
    """
    provider = registry.find_provider(request.provider)
    if request.image and not provider.sees_pictures:
        raise PlannerError(f"{provider.label} cannot see pictures; remove the image or choose another provider.")
    if why_not := registry.missing_package(provider):
        raise PlannerError(why_not)
    if provider.name == "rules":
        offline: Plan = import_module("rpg.planners.rules").plan(request.caption)
        return offline

    template = load_template(request.template)
    url = registry.address(provider, request)
    call = Call(
        provider=provider,
        request=request,
        model=request.model.strip() or provider.models[0],
        url=url,
        key=registry.key_for(provider, request, url),
        messages=[("user", template.fill(request.caption))],
        schema=SCHEMA if template.wants_json and provider.schema else None,
    )
    key = cache.key_of(call)
    if reuse and (known := cache.recall(key)):
        yield PlanEvent("status", "The same request was planned before; its plan is used again.")
        return known
    model = PurePath(call.model).name if provider.name == "transformers" else call.model
    plan = yield from _plan(call, cancelled, f"{provider.name} {model:.100}, template {template.name} {template.version}")
    cache.remember(key, plan)
    return plan


def make_plan(
    request: PlanRequest,
    on_event: Callable[[PlanEvent], object] | None = None,
    cancelled: Callable[[], bool] = never,
    *,
    reuse: bool = True,
) -> Plan:
    """:func:`stream_plan` without the generator: events go to ``on_event``."""
    events = stream_plan(request, cancelled, reuse=reuse)
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            plan: Plan = end.value
            return plan
        if on_event:
            on_event(event)


def _plan(call: Call, cancelled: Callable[[], bool], planned_by: str) -> Generator[PlanEvent, None, Plan]:
    yield PlanEvent("status", f"Asking {call.label} ({call.model}).")
    answer = yield from ask_model(call, cancelled)
    try:
        return _read(answer, call, planned_by)
    except ReplyError as error:
        yield PlanEvent("status", f"The answer cannot be used: {error} Asking once more.")
        repair: list[Message] = [("assistant", answer.text.strip() or "(nothing)"), ("user", _REPAIR.format(error=error))]
    call = replace(call, messages=call.messages + repair)
    return _read((yield from ask_model(call, cancelled)), call, planned_by)


def _read(answer: Answer, call: Call, planned_by: str) -> Plan:
    try:
        return read_reply(answer.text, call.request.caption, planned_by, answer.reasoning)
    except ReplyError as error:
        raise ReplyError(f"{answer.remark} {error}".strip(), error.raw) from None
