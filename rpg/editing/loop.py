"""The loop that checks itself: look, mend one thing or draw again, look again, and go on from the best."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from PIL import Image

from rpg.editing.checklist import Checklist
from rpg.editing.critic import Critic, Verdict
from rpg.editing.operations import Operation, mends, neighbours, repair
from rpg.editing.painter import Painter
from rpg.editing.repaint import BY_DEFAULT, Masking, repaint
from rpg.errors import EditingError, Stopped
from rpg.llm.asking import never
from rpg.plan import Plan
from rpg.values import number, shown

ROUNDS, WITHOUT_GAIN = 3, 2
"""Most rounds, and after how many in a row that gained nothing the loop gives up."""
MAX_ROUNDS = 20
HALF = 0.5
"""Where more than that share of the checks or of the objects has failed, the picture is drawn again."""


@dataclass(frozen=True)
class Round:
    """One attempt.

    Fields:
        operation, mask: of a repair.
        verdict: on the picture it made.
        kept: whether that is the best so far.
    """

    action: Literal["repair", "redraw"]
    picture: Image.Image = field(repr=False)
    verdict: Verdict = field(repr=False)
    kept: bool
    seed: int
    seconds: float
    operation: Operation | None = None
    mask: Image.Image | None = field(default=None, repr=False)

    @property
    def sentence(self) -> str:
        """For the user."""
        done = self.operation.sentence if self.operation else "Draw again."
        passed = f"{len(self.verdict.passed)} of {len(self.verdict.findings)} checks pass"
        return f"{done} {passed}; {'kept' if self.kept else 'no gain, undone'}."


@dataclass(frozen=True)
class Refined:
    """
    Fields:
        picture, verdict: the best.
        first: the verdict on the picture as it came.
        ended: why there are no more rounds.
    """

    picture: Image.Image = field(repr=False)
    verdict: Verdict = field(repr=False)
    first: Verdict = field(repr=False)
    rounds: tuple[Round, ...]
    ended: str

    @property
    def summary(self) -> str:
        """What was done to the picture, and how many checks have passed."""
        kept = [
            item.operation.sentence if item.operation else f"Drawn again with seed {item.seed}."
            for item in self.rounds
            if item.kept
        ]
        return " ".join([*kept, f"{len(self.verdict.passed)} of {len(self.verdict.findings)} checks passed."])

    @property
    def operations(self) -> list[Operation]:
        """Those of the rounds that were kept, behind the last new picture."""
        kept = [item for item in self.rounds if item.kept]
        drawn = max((number for number, item in enumerate(kept) if item.action == "redraw"), default=-1)
        return [item.operation for item in kept[drawn + 1 :] if item.operation]

    @property
    def calls(self) -> int:
        """How often the critic looked."""
        return len(self.rounds) + 1


@dataclass(frozen=True)
class Limits:
    """When to stop.

    Fields:
        rounds: most attempts.
        seconds: after which no round begins; None is no limit.
        calls: most looks of the critic, the first one included; None is no limit.
    """

    rounds: int = ROUNDS
    seconds: float | None = None
    calls: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.rounds, bool) or not isinstance(self.rounds, int) or not 0 <= self.rounds <= MAX_ROUNDS:
            raise EditingError(f"rounds is {shown(self.rounds)}; it must be a whole number from 0 to {MAX_ROUNDS}.")
        for name, least in (("seconds", 0), ("calls", 1)):
            if (most := getattr(self, name)) is not None:
                number(name, most, least, 1e6, meaning=f"a number from {least} to a million, or null", error=EditingError)

    def reached(self, rounds: int, seconds: float) -> str:
        """The sentence that ends the loop; empty while it may go on."""
        if rounds >= self.rounds:
            return f"{rounds} rounds are done."
        if self.seconds is not None and seconds >= self.seconds:
            return f"{self.seconds:g} s are over."
        if self.calls is not None and rounds + 1 >= self.calls:
            return f"The critic has looked {self.calls} times."
        return ""


USUAL = Limits()


def refine(
    picture: Image.Image,
    plan: Plan,
    checklist: Checklist,
    critic: Critic,
    painter: Painter,
    *,
    seed: int,
    limits: Limits = USUAL,
    masking: Masking = BY_DEFAULT,
    on_round: Callable[[Round], object] = lambda _: None,
    cancelled: Callable[[], bool] = never,
) -> Refined:
    """The best picture that a few rounds of repair give.

    A repair is kept where more passes and nothing fails that passed; a picture that was drawn again, where more passes. After a
    repair that gained nothing the picture is drawn again.

    Args:
        seed: of the picture; the rounds use those that follow.
        on_round: gets each round when it is done.
        cancelled: asked before each round; the best picture so far stays.

    Raises:
        EditingError, LLMError: when the critic cannot look, or a mask cannot be made.
    """
    start = time.monotonic()
    attempts = _Attempts(plan, critic, painter, masking)
    best, verdict = picture, critic.check(picture, checklist)
    first, rounds, idle = verdict, list[Round](), 0
    while True:
        if not verdict.failed:
            ended = "All checks passed."
        elif idle >= WITHOUT_GAIN:
            ended = f"{idle} rounds gained nothing."
        elif cancelled():
            ended = "It was stopped."
        else:
            ended = limits.reached(len(rounds), time.monotonic() - start)
        if ended:
            return Refined(best, verdict, first, tuple(rounds), ended)
        try:
            done = attempts.round(best, verdict, seed + len(rounds) + 1, repairs=not idle or rounds[-1].action == "redraw")
        except Stopped:
            return Refined(best, verdict, first, tuple(rounds), "It was stopped.")
        rounds.append(done)
        on_round(done)
        idle = 0 if done.kept else idle + 1
        if done.kept:
            best, verdict = done.picture, done.verdict


@dataclass(frozen=True)
class _Attempts:
    plan: Plan
    critic: Critic
    painter: Painter
    masking: Masking

    def round(self, best: Image.Image, verdict: Verdict, seed: int, *, repairs: bool) -> Round:
        """
        Args:
            repairs: whether a repair may help: the last one did, or there was none.
        """
        start = time.monotonic()
        operation = repair(verdict, seed) if repairs and not _mostly_wrong(verdict) else None
        if operation:
            others = neighbours(operation.box, verdict)
            made = repaint(operation, best, self.painter, seed, self.masking, preserved=others, plan=self.plan)
            picture, mask = made.picture, made.mask
        else:
            # What has run into each other is kept apart, for the share of the steps that suits the model.
            picture, mask = self.painter.generate(replace(self.plan, latent_ratio=None), seed), None
        found = self.critic.check(picture, verdict.checklist)
        more = len(found.passed) > len(verdict.passed)
        kept = more and (operation is None or found.passed > verdict.passed)
        seconds = time.monotonic() - start
        return Round("repair" if operation else "redraw", picture, found, kept, seed, seconds, operation, mask)


def _mostly_wrong(verdict: Verdict) -> bool:
    """Whether more than half has failed, of the checks or of several objects."""
    objects = sum(entity.count for entity in verdict.checklist.entities)
    places = {operation.box for operation in mends(verdict)}
    return verdict.share < HALF or (objects > 1 and len(places) > HALF * objects)
