"""The loop, with a painter that draws and critics that see, err and are stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from rpg.editing.checklist import Checklist
from rpg.editing.critic import Finding, Verdict
from rpg.editing.loop import Limits, Refined, Round, refine
from rpg.editing.reading import checklist_of
from rpg.editing.shapes_critic import ShapesCritic
from rpg.errors import EditingError, Stopped
from rpg.plan import Plan
from rpg.shapes.training.scenes import ColouredShape, Scene, draw
from tests.editing.painters import Draughtsman, Erring

PLAN = Plan.from_dict(
    {"regions": ["a red circle", "a blue star"], "caption": "a red circle on the left and a blue star on the right"}
)
CHECKLIST = checklist_of(PLAN)
CIRCLE, STAR = ColouredShape("red", "circle", 40, 40, 36), ColouredShape("blue", "star", 120, 40, 40)


def picture(*things: ColouredShape) -> Image.Image:
    return draw(Scene(160, 80, "white", things))


def refined(first: Image.Image, painter: Draughtsman | None = None, **options: object) -> Refined:
    return refine(first, PLAN, CHECKLIST, ShapesCritic(), painter or Draughtsman(), seed=1, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("things", "kinds"),
    [
        ([CIRCLE, STAR], []),
        ([CIRCLE], ["add"]),
        ([CIRCLE, replace(STAR, colour="green")], ["recolour"]),
        ([CIRCLE, STAR, ColouredShape("cyan", "heart", 80, 14, 24)], ["remove"]),
    ],
)
def test_each_fault_is_mended(things: list[ColouredShape], kinds: list[str]) -> None:
    done = refined(picture(*things))
    assert done.ended == "All checks passed."
    assert [item.operation.kind for item in done.rounds if item.operation] == kinds
    assert all(item.kept for item in done.rounds)
    assert not ShapesCritic().check(done.picture, CHECKLIST).failed
    assert done.calls == len(kinds) + 1


def test_a_neighbour_that_reaches_into_the_place_of_a_repair_stays_whole() -> None:
    circle = replace(CIRCLE, x=70)  # 18 of its 36 columns are in the star's half, no more
    first = picture(circle)
    done = refined(first)
    assert [item.operation.kind for item in done.rounds if item.operation] == ["add"]
    assert not done.verdict.failed
    assert done.picture.crop(circle.box).tobytes() == first.crop(circle.box).tobytes()


def test_what_is_common_to_the_regions_is_painted_too() -> None:
    painter, plan = Draughtsman(), replace(PLAN, common_prompt="a photo")
    refine(picture(CIRCLE), plan, CHECKLIST, ShapesCritic(), painter, seed=1)
    assert [made.common_prompt for made, *_ in painter.repainted] == ["a photo"]


@pytest.mark.parametrize(
    "first",
    [
        picture(ColouredShape("cyan", "heart", 80, 40, 40)),
        picture(replace(CIRCLE, colour="cyan"), STAR, ColouredShape("green", "star", 80, 40, 24)),
    ],
    ids=["checks", "objects"],
)
def test_where_more_than_half_has_failed_the_picture_is_drawn_again(first: Image.Image) -> None:
    painter = Draughtsman()
    done = refined(first, painter)
    assert [item.action for item in done.rounds] == ["redraw"]
    assert painter.generated == [2]
    assert not done.verdict.failed


def test_two_rounds_without_gain_end_it_and_the_picture_stays() -> None:
    first = picture(CIRCLE)
    painter = Draughtsman(skill=0)  # never the colour that was asked for
    done = refined(first, painter)
    assert done.ended == "2 rounds gained nothing."
    assert [item.kept for item in done.rounds[-2:]] == [False, False]
    assert len(done.verdict.passed) >= len(done.first.passed)
    assert [seed for _, _, seed in painter.repainted] + painter.generated == [item.seed for item in done.rounds]
    assert [item.action for item in done.rounds[-2:]] == ["repair", "redraw"], "what gained nothing is not tried twice"


class Scripted:
    """Passes the first checks of the list, as many as the script says; the last number stays."""

    def __init__(self, *passed: set[int]) -> None:
        self.passed = list(passed)

    def check(self, picture: Image.Image, checklist: Checklist) -> Verdict:
        passed = self.passed.pop(0) if len(self.passed) > 1 else self.passed[0]
        return Verdict(checklist, {id: Finding(number in passed) for number, id in enumerate(checklist.ids)})


ALL = set(range(len(CHECKLIST.checks)))


def test_more_that_loses_something_is_not_kept_and_the_best_goes_on() -> None:
    first = picture(CIRCLE)
    seen: list[Image.Image] = []

    class Watching(Draughtsman):
        def repaint(self, picture: Image.Image, *others: object) -> Image.Image:
            seen.append(picture)
            return super().repaint(picture, *others)  # type: ignore[arg-type]

    critic = Scripted(ALL - {1, 5}, ALL - {0}, ALL - {5}, ALL - {1, 5})
    done = refine(first, PLAN, CHECKLIST, critic, Watching(), seed=1)
    assert [item.kept for item in done.rounds] == [False, True, False]
    assert [item.action for item in done.rounds] == ["repair", "redraw", "repair"]
    assert [image.tobytes() for image in seen] == [first.tobytes(), done.rounds[1].picture.tobytes()]
    assert done.picture is done.rounds[1].picture
    critic = Scripted(ALL - {1, 5}, ALL - {0})
    assert refine(first, PLAN, CHECKLIST, critic, Draughtsman(), seed=1, limits=Limits(1)).picture is first


def test_limits() -> None:
    hopeless = Scripted(ALL - {0})
    first = picture(CIRCLE)

    def ended(limits: Limits, **options: object) -> str:
        return refine(first, PLAN, CHECKLIST, hopeless, Draughtsman(), seed=1, limits=limits, **options).ended  # type: ignore[arg-type]

    assert ended(Limits(rounds=0)) == "0 rounds are done."
    assert ended(Limits(rounds=1)) == "1 rounds are done."
    assert ended(Limits(seconds=0)) == "0 s are over."
    assert ended(Limits(calls=1)) == "The critic has looked 1 times."
    assert ended(Limits(), cancelled=lambda: True) == "It was stopped."
    for rounds in (-1, 21, 1.5, True):
        with pytest.raises(EditingError, match="rounds is"):
            Limits(rounds=rounds)  # type: ignore[arg-type]


def test_a_stop_in_the_middle_keeps_the_best() -> None:
    class Stopping(Draughtsman):
        def repaint(self, *_: object) -> Image.Image:
            raise Stopped("Interrupted.")

    first = picture(CIRCLE)
    done = refined(first, Stopping())
    assert (done.ended, done.picture) == ("It was stopped.", first)


def test_rounds_are_told_as_they_end() -> None:
    told: list[Round] = []
    done = refined(picture(CIRCLE), on_round=told.append)
    assert told == [*done.rounds]
    assert told[0].mask is not None


@pytest.mark.parametrize("skill", [0.5, 0.9, 1.0])
def test_a_critic_that_errs_in_one_of_ten_answers_makes_nothing_worse(skill: float) -> None:
    """Of a set; three of a hundred are noise."""
    sees, count = ShapesCritic(), 30
    before = after = 0
    for seed in range(count):
        painter = Draughtsman(skill)
        first = painter.generate(PLAN, seed)
        done = refine(first, PLAN, CHECKLIST, Erring(sees, 0.1, seed), painter, seed=1000 * (seed + 1))
        before += not sees.check(first, CHECKLIST).failed
        after += not sees.check(done.picture, CHECKLIST).failed
    assert after >= before - 0.03 * count, (before, after)
    assert skill > 0.9 or after > before
