"""From a request to a plan: ask the planner, read the answer, have a wrong one repaired once."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import replace

from rpg import llm
from rpg.areas.layout import Layout
from rpg.errors import PlannerError, ReplyError
from rpg.llm import PROVIDERS, Answer, Event, Message, Question
from rpg.llm.asking import ignore, never, result_of
from rpg.plan import Plan
from rpg.planners import cache, checks, geometry, rules
from rpg.planners.instructions import SCHEMA, Template, load_template
from rpg.planners.registry import RULES
from rpg.planners.reply import read_reply
from rpg.planners.request import PlanRequest, Subject

REUSED = "The same request was planned before; its plan is used again. The Plan button makes a new one."
"""The status of a plan that no model was asked for."""


def stream_plan(
    request: PlanRequest, cancelled: Callable[[], bool] = never, *, reuse: bool = True, attempts: int = llm.ATTEMPTS
) -> Generator[Event, None, Plan]:
    """Make a plan, yielding what happens meanwhile; the generator returns the plan.

    Args:
        cancelled: asked several times a second; when true, planning stops.
        reuse: return the plan that the same request gave before, if there is one.
        attempts: how often a busy server is asked.

    Raises:
        Stopped: when cancelled.
        PlannerError, LLMError: when there is no plan; a :class:`ReplyError` holds the model's answer in ``raw``.
    """
    subject, planner = request.subject, request.planner
    if planner.provider == RULES.name:
        if subject.image:
            raise PlannerError(f"{RULES.label} cannot see pictures; remove the image or choose another provider.")
        plan = rules.plan(subject.caption, subject.width, subject.height)
    else:
        try:
            plan = yield from _plan_by_model(request, cancelled, reuse, attempts)
        except ReplyError as error:
            if not planner.fallback:
                raise
            yield Event("status", f"{error} The offline rules plan in its place.")
            plan = _in_its_place(error, subject)
    return replace(plan, **request.settings)


def make_plan(
    request: PlanRequest,
    on_event: Callable[[Event], object] = ignore,
    cancelled: Callable[[], bool] = never,
    *,
    reuse: bool = True,
    attempts: int = llm.ATTEMPTS,
) -> Plan:
    """:func:`stream_plan` without the generator: events go to ``on_event``."""
    return result_of(stream_plan(request, cancelled, reuse=reuse, attempts=attempts), on_event)


def _plan_by_model(
    request: PlanRequest, cancelled: Callable[[], bool], reuse: bool, attempts: int
) -> Generator[Event, None, Plan]:
    subject, planner = request.subject, request.planner
    template = load_template(planner.template)
    provider = PROVIDERS[planner.provider].at(planner.model, planner.base_url, planner.api_key)
    template = template if provider.takes_examples else template.without_example
    pictures = [subject.image] if subject.image else []
    question = Question(
        [Message("user", template.fill(subject), pictures)],
        schema=SCHEMA if template.wants_json else None,
        timeout=planner.timeout,
    )
    key = cache.key_of(provider, question)
    if reuse and (known := cache.recall(key)):
        yield Event("status", REUSED)
        return known
    planned_by = f"{provider.name} {provider.short_model:.100}, template {template.name} {template.version}"

    kept: list[Plan] = []
    """What the first answer gave, where nothing but places and numbers was wrong."""

    def read(answer: Answer, last: bool) -> Plan:
        plan = read_reply(answer.text, subject.caption, planned_by, answer.reasoning)
        plan = replace(plan, notes="") if plan.notes.lower() in template.text.lower() else plan  # copied from the form
        wrong, doubtful = checks.faults(plan, template.text), [*geometry.misplaced(plan), *checks.merged(plan)]
        warned = _warned(plan, [*doubtful, *geometry.thin(plan)])
        if wrong or (doubtful and not last):
            kept.extend([] if wrong else [warned])
            raise ReplyError(" ".join(dict.fromkeys([*wrong, *doubtful])), answer.text, hint=_hint(subject, template))
        return warned

    yield Event("status", f"Asking {provider.short_label} ({provider.short_model}).")
    try:
        plan = yield from llm.ask_and_read(provider, question, read, cancelled, attempts)
    except ReplyError:
        if not kept:
            raise
        plan = kept[0]
    cache.remember(key, plan)
    return plan


def _hint(subject: Subject, template: Template) -> str:
    """The offline rules' plan to begin with: a small model that is only told what is wrong writes the same again."""
    try:
        plan = rules.plan(subject.caption, subject.width, subject.height)
    except PlannerError:
        return ""
    if not template.wants_json or not 1 < len(plan.regions) <= rules.MOST_ENTITIES:
        return ""
    prompts = iter(region.prompt for region in plan.regions)
    rows = [
        {"height": row.height, "regions": [{"width": width, "prompt": next(prompts)} for width in row.widths]}
        for row in Layout.parse(plan.split_ratio).rows
    ]
    language = ", in English" if "English" in template.text else ""
    return f"Divide it like this, and enrich each prompt{language}: {json.dumps({'rows': rows}, ensure_ascii=False)}"


def _in_its_place(error: ReplyError, subject: Subject) -> Plan:
    try:
        plan = rules.plan(subject.caption, subject.width, subject.height)
    except PlannerError:
        raise error from None
    return replace(plan, notes=f"The model's answer could not be used, so the offline rules planned. ({error}) {plan.notes}")


def _warned(plan: Plan, warnings: list[str]) -> Plan:
    notes = " ".join([*warnings, plan.notes]).strip()
    return replace(plan, notes=f"Warning: {notes}") if warnings else plan
