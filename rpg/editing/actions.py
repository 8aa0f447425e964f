"""What people do with a finished picture: check it, have it repaired, edit it by words, have a region painted anew, or look at a
mask before it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from PIL import Image

from rpg.editing.chosen import Chosen
from rpg.editing.critic import Verdict
from rpg.editing.edit import carried_out, operations_for
from rpg.editing.loop import refine
from rpg.editing.marks import (
    OF_ROUNDS,
    checks_text,
    copy_infotext,
    edited_infotext,
    is_copy,
    is_copy_of,
    marked,
    marked_places,
    operations_text,
    sentences,
)
from rpg.editing.operations import Operation, neighbours, repair
from rpg.editing.painter import Painter
from rpg.editing.pictures import Described
from rpg.editing.refinement import Refinement, checklist_for, critic_of
from rpg.editing.repaint import made_mask
from rpg.editing.sheet import rounds_sheet
from rpg.editing.waiting import Waiting
from rpg.errors import EditingError
from rpg.infotext import CHECKS, OPERATIONS, REFINED, with_values
from rpg.llm import Event
from rpg.llm.asking import ignore, never

Action = Literal["check", "repair", "edit", "region", "repaint"]


@dataclass(frozen=True)
class Wanted:
    """
    Fields:
        instruction: of an edit.
        mask_first: whether only the mask is shown of what would be done first.
        page: JSON of what the page shows: for ``repaint`` of :class:`rpg.editing.waiting.Waiting`, for ``region`` of
            :class:`rpg.editing.chosen.Chosen`; empty where nothing is shown.
    """

    refinement: Refinement
    instruction: str = ""
    mask_first: bool = False
    page: str = field(default="", repr=False)


@dataclass(frozen=True)
class Done:
    """
    Fields:
        picture: the new one; None where there is none.
        marked: a copy of the picture with boxes drawn; None where nothing is new.
        infotext: of the picture.
        lines: sentences for the user.
        waiting: what waits for a look at its mask; None for nothing.
        sheet: all rounds of a repair; None where there were none.
    """

    picture: Image.Image | None = field(repr=False)
    marked: Image.Image | None = field(repr=False)
    infotext: str
    lines: tuple[str, ...]
    waiting: Waiting | None = None
    sheet: Image.Image | None = field(default=None, repr=False)

    @property
    def new(self) -> list[tuple[Image.Image, str]]:
        """What goes behind the picture, with its infotext."""
        copies = (self.marked, copy_infotext(self.infotext)), (self.sheet, copy_infotext(self.infotext, OF_ROUNDS))
        pairs = (self.picture, self.infotext), *copies
        return [(picture, infotext) for picture, infotext in pairs if picture is not None]


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


def act(action: Action, given: Described, wanted: Wanted, desk: Desk) -> Done:
    """
    Raises:
        RPGError: when it cannot be done.
    """
    work = {"check": _check, "repair": _repair, "edit": _edit, "region": _region, "repaint": _repaint}
    return work[action](given, wanted, desk)


def place_among(infotexts: Sequence[str], place: int) -> int:
    """Where the picture at that place of a gallery is; a copy stands for the picture it was made of, if that is known, else for
    the one before it.

    Raises:
        EditingError: when there is none.
    """
    if not infotexts:
        raise EditingError("The gallery is empty; generate a picture first.")
    if not 0 <= place < len(infotexts):
        raise EditingError("The picture is no longer in the gallery; select another one.")
    if not is_copy(copy := infotexts[place]):
        return place
    before = [number for number in reversed(range(place)) if not is_copy(infotexts[number])]
    return next((number for number in before if is_copy_of(copy, infotexts[number])), before[0] if before else 0)


def _check(given: Described, wanted: Wanted, desk: Desk) -> Done:
    verdict = _verdict(given, wanted, desk)
    return Done(None, marked(given.picture, verdict), _checked(given.infotext or given.prompt, verdict), (*sentences(verdict),))


def _repair(given: Described, wanted: Wanted, desk: Desk) -> Done:
    if wanted.mask_first:
        return _next_repair(given, wanted, desk)
    model = wanted.refinement.looker.model_for(desk.on_event, desk.cancelled)
    plan = given.shown_plan
    done = refine(
        given.picture,
        plan,
        checklist_for(model, plan),
        critic_of(model),
        desk.painter(),
        seed=desk.seed,
        limits=wanted.refinement.limits,
        masking=wanted.refinement.masking,
        on_round=lambda item: desk.say(item.sentence),
        cancelled=desk.cancelled,
    )
    told = {REFINED: done.summary, CHECKS: checks_text(done.verdict)}
    told |= {OPERATIONS: operations_text(done.operations)} if done.operations else {}
    lines = (*(item.sentence for item in done.rounds), *sentences(done.verdict), done.ended)
    new = done.picture if any(item.kept for item in done.rounds) else None
    infotext = with_values(given.infotext or given.prompt, told)
    return Done(new, marked(done.picture, done.verdict), infotext, lines, sheet=rounds_sheet(given.picture, done))


def _next_repair(given: Described, wanted: Wanted, desk: Desk) -> Done:
    """The mask of the first repair that failed checks ask for."""
    verdict = _verdict(given, wanted, desk)
    operation = repair(verdict, desk.seed)
    if operation:
        mask = made_mask(operation, given.picture, wanted.refinement.masking, neighbours(operation.box, verdict))
        return _shown(Waiting((operation,), mask, mends=True), given, sentences(verdict))
    why = "No part of the picture is to blame; without the mask first, Repair draws it again."
    ended = why if verdict.failed else "All checks passed."
    infotext = _checked(given.infotext or given.prompt, verdict)
    return Done(None, marked(given.picture, verdict), infotext, (*sentences(verdict), ended))


def _edit(given: Described, wanted: Wanted, desk: Desk) -> Done:
    model = wanted.refinement.looker.model_for(desk.on_event, desk.cancelled)
    operations = operations_for(wanted.instruction, given.picture, critic_of(model), model, given.prompt)
    if wanted.mask_first:
        return _waiting(given, tuple(operations), wanted, ())
    return _done(operations, given, wanted, desk)


def _region(given: Described, wanted: Wanted, desk: Desk) -> Done:
    chosen = Chosen.from_json(wanted.page)
    mask = chosen.mask(given.picture.size)
    if wanted.mask_first:
        return _shown(Waiting((chosen.operation,), mask, plan=chosen.plan), given)
    return _done([chosen.operation], given.with_plan(chosen.plan), wanted, desk, mask)


def _repaint(given: Described, wanted: Wanted, desk: Desk) -> Done:
    waiting = Waiting.from_json(wanted.page, given.picture)
    given = given.with_plan(waiting.plan) if waiting.plan else given
    first, *others = waiting.operations
    done = _done([first], given, wanted, desk, waiting.mask)
    assert done.picture is not None
    new = Described(done.picture, done.infotext, given.caption, given.plan)
    if others:
        left = _waiting(new, tuple(others), wanted, done.lines)
        return replace(done, lines=left.lines, waiting=left.waiting)
    if not waiting.mends:
        return done
    verdict = _verdict(new, wanted, desk)
    return Done(new.picture, marked(new.picture, verdict), _checked(done.infotext, verdict), (*done.lines, *sentences(verdict)))


def _done(operations: Sequence[Operation], given: Described, wanted: Wanted, desk: Desk, mask: Image.Image | None = None) -> Done:
    done = carried_out(
        operations,
        given.picture,
        desk.painter(),
        seed=desk.seed,
        masking=wanted.refinement.masking,
        mask=mask,
        plan=given.known_plan,
        on_operation=lambda operation: desk.say(operation.sentence),
    )
    infotext = edited_infotext(given.infotext, given.prompt, list(done.operations))
    lines = tuple(operation.sentence for operation in done.operations)
    return Done(done.picture, marked_places(done.picture, list(done.operations)), infotext, lines)


def _waiting(given: Described, operations: tuple[Operation, ...], wanted: Wanted, lines: Sequence[str]) -> Done:
    mask = made_mask(operations[0], given.picture, wanted.refinement.masking)
    return _shown(Waiting(operations, mask), given, lines)


def _shown(waiting: Waiting, given: Described, lines: Sequence[str] = ()) -> Done:
    return Done(None, None, given.infotext, (*lines, "Look at the mask, and press Repaint."), waiting)


def _verdict(given: Described, wanted: Wanted, desk: Desk) -> Verdict:
    model = wanted.refinement.looker.model_for(desk.on_event, desk.cancelled)
    return critic_of(model).check(given.picture, checklist_for(model, given.shown_plan))


def _checked(infotext: str, verdict: Verdict) -> str:
    return with_values(infotext, {CHECKS: checks_text(verdict)})
