"""What people do with a finished picture: check it, have it repaired, or edit it by words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from PIL import Image

from rpg.editing.asking import ignore, never
from rpg.editing.edit import carried_out, operations_for
from rpg.editing.loop import refine
from rpg.editing.marks import checks_text, edited_infotext, marked, marked_places, operations_text, report
from rpg.editing.painter import Painter
from rpg.editing.pictures import Described
from rpg.editing.refinement import Refinement, checklist_for, critic_of
from rpg.infotext import CHECKS, OPERATIONS, REFINED, with_values
from rpg.llm import Event
from rpg.plan import Plan

Action = Literal["check", "repair", "edit"]
ACTIONS = get_args(Action)


@dataclass(frozen=True)
class Done:
    """
    Fields:
        picture: the new one; None where there is none.
        marked: a copy of the picture with boxes drawn.
        infotext: of both.
        lines: sentences for the user.
    """

    picture: Image.Image | None = field(repr=False)
    marked: Image.Image = field(repr=False)
    infotext: str
    lines: tuple[str, ...]
    plan: Plan | None = None


@dataclass(frozen=True)
class Desk:
    """Where the work is done.

    Fields:
        painter: is called for when something is painted.
        seed: of what is painted first.
        say: gets each sentence as it comes.
        cancelled: whether the user wants nothing more to begin.
    """

    painter: Callable[[], Painter]
    seed: int
    say: Callable[[str], object] = ignore  # type: ignore[assignment]
    cancelled: Callable[[], bool] = never

    def on_event(self, event: Event) -> None:
        if event.kind == "status":
            self.say(event.text)


def act(action: Action, given: Described, instruction: str, wanted: Refinement, desk: Desk) -> Done:
    """
    Args:
        instruction: of an edit.

    Raises:
        RPGError: when it cannot be done.
    """
    return {"check": _check, "repair": _repair, "edit": _edit}[action](given, instruction, wanted, desk)


def _check(given: Described, _: str, wanted: Refinement, desk: Desk) -> Done:
    model = wanted.looker.model_for(desk.on_event, desk.cancelled)
    verdict = critic_of(model).check(given.picture, checklist_for(model, given.shown_plan))
    infotext = with_values(given.infotext or given.prompt, {CHECKS: checks_text(verdict)})
    return Done(None, marked(given.picture, verdict), infotext, tuple(report(verdict).split("\n")))


def _repair(given: Described, _: str, wanted: Refinement, desk: Desk) -> Done:
    model = wanted.looker.model_for(desk.on_event, desk.cancelled)
    plan = given.shown_plan
    done = refine(
        given.picture,
        plan,
        checklist_for(model, plan),
        critic_of(model),
        desk.painter(),
        seed=desk.seed,
        limits=wanted.limits,
        masking=wanted.masking,
        on_round=lambda item: desk.say(item.sentence),
        cancelled=desk.cancelled,
    )
    told = {REFINED: done.summary, CHECKS: checks_text(done.verdict)}
    told |= {OPERATIONS: operations_text(done.operations)} if done.operations else {}
    lines = (*(item.sentence for item in done.rounds), *report(done.verdict).split("\n"), done.ended)
    new = done.picture if any(item.kept for item in done.rounds) else None
    return Done(new, marked(done.picture, done.verdict), with_values(given.infotext or given.prompt, told), lines)


def _edit(given: Described, instruction: str, wanted: Refinement, desk: Desk) -> Done:
    model = wanted.looker.model_for(desk.on_event, desk.cancelled)
    operations = operations_for(instruction, given.picture, critic_of(model), model, given.prompt)
    done = carried_out(
        operations,
        given.picture,
        desk.painter(),
        seed=desk.seed,
        masking=wanted.masking,
        plan=given.known_plan,
        on_operation=lambda operation: desk.say(operation.sentence),
    )
    infotext = edited_infotext(given.infotext, given.prompt, list(done.operations))
    lines = tuple(operation.sentence for operation in done.operations)
    return Done(done.picture, marked_places(done.picture, list(done.operations)), infotext, lines)
