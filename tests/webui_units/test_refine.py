"""The pictures of a generation, checked and repaired; a painter that draws stands in for the host's."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from rpg.editing.actions import place_among
from rpg.editing.refinement import Refinement
from rpg.errors import EditingError, LLMError, Stopped
from rpg.infotext import CHECKS, OPERATIONS, REFINED
from rpg.plan import Plan
from rpg.shapes.training.scenes import ColouredShape, Scene, draw
from rpg.webui.refine import GenerationRefining, based, first_seed, wanted_refinement
from tests.editing.painters import Draughtsman

PLAN = Plan.from_dict({"regions": ["a red circle", "a blue star"]})
CIRCLE = draw(Scene(160, 80, "white", (ColouredShape("red", "circle", 40, 40, 36),)))


def refining(painter: Any = None, stopping: bool = False, **wanted: Any) -> GenerationRefining:
    made = GenerationRefining(Refinement.from_dict(wanted), painter or Draughtsman(), lambda: stopping)
    made.begin(2)
    return made


def test_a_picture_is_repaired_and_its_infotext_says_how() -> None:
    painter = Draughtsman()
    job = refining(painter)
    picture = job.picture(CIRCLE, PLAN, 1, 40)
    assert picture != CIRCLE
    assert [label[0] for label in job.told.values()] == [None] * 3
    assert job.told[REFINED][1] == "Add a blue star. 8 of 8 checks passed. All checks passed."
    assert "attribute-2 yes: There is a blue star." in str(job.told[CHECKS][1])
    assert '"kind": "add"' in str(job.told[OPERATIONS][1])
    assert [seed for *_, seed in painter.repainted] == [40]


def test_sheets_of_the_rounds_stand_behind_all_pictures_and_say_whose_they_are() -> None:
    job = refining(show_rounds=True)
    job.picture(CIRCLE, PLAN, 1, 40)
    job.begin(2)
    job.picture(CIRCLE, PLAN, 0, 50)
    grid, *others = (Image.new("RGB", (8, 8)) for _ in range(5))
    pictures, infotexts = [grid, *others], [f"a cat\nSeed: {number}" for number in range(5)]
    job.show(pictures, infotexts, first=1)
    assert [picture.size for picture in pictures[5:]] == [(2 * 160 + 6, 80 + 20)] * 2
    assert infotexts[5:] == ["a cat\nSeed: 2\nRPG copy: rounds", "a cat\nSeed: 3\nRPG copy: rounds"]
    assert [place_among(infotexts, place) for place in (5, 6)] == [2, 3]
    quiet = refining()
    quiet.picture(CIRCLE, PLAN, 0, 40)
    quiet.show(pictures, infotexts, first=0)
    assert len(pictures) == 7


def test_seeds_of_rounds_are_no_other_pictures() -> None:
    seeds = [7, 8, 9, 10]
    firsts = [first_seed(seeds, number) for number in range(4)]
    used = {first + round for first in firsts for round in range(20)}
    assert len(used) == 80
    assert not used & set(seeds)


def test_what_the_user_stops_begins_nothing() -> None:
    painter = Draughtsman()
    assert refining(painter, stopping=True).picture(CIRCLE, PLAN, 0, 1) is CIRCLE
    assert not painter.repainted


class Failing(Draughtsman):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def repaint(self, *_: Any) -> Image.Image:
        raise self.error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LLMError("The server is gone."), "Not checked: The server is gone."),
        (ZeroDivisionError("sk-secret"), "Not checked: ZeroDivisionError."),
    ],
)
def test_whatever_goes_wrong_the_picture_stays(error: Exception, said: str) -> None:
    job = refining(Failing(error))
    assert job.picture(CIRCLE, PLAN, 0, 1) is CIRCLE
    assert job.told[REFINED][0] == said


def test_a_round_that_is_stopped_leaves_the_best() -> None:
    job = refining(Failing(Stopped("The webui's job was stopped.")))
    assert job.picture(CIRCLE, PLAN, 0, 1).tobytes() == CIRCLE.tobytes()
    assert str(job.told[REFINED][0]).endswith("It was stopped.")


@pytest.mark.parametrize(
    ("args", "rounds"),
    [
        (("", None, ""), None),
        (("", True), None),
        (({"regions": ["a cat"]}, None, ""), None),
        (({"regions": ["a cat"], "refine": {"rounds": 2}}, None, ""), 2),
        (("", None, '{"rounds": 1}'), 1),
        (({"regions": ["a cat"]}, True, {"rounds": 4}), 4),
    ],
)
def test_it_is_asked_for_beside_the_plan_or_behind_it(args: tuple[Any, ...], rounds: int | None) -> None:
    wanted = wanted_refinement(*args)
    assert (wanted.limits.rounds if wanted else None) == rounds


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (({"refine": {"rounds": 1}}, None, '{"rounds": 1}'), "leave one out"),
        (({"refine": 3},), r"refine is 3; it must be an object such as \{'rounds': 3\}"),
        (("", None, "rounds: 3"), "The refine is not valid JSON"),
        (({"refine": {"rounds": True}},), "rounds is True"),
        (({"refine": {"calls": 0}},), "calls is 0; it must be a number from 1"),
        (({"refine": {"seconds": "5"}},), "seconds is '5'"),
        (({"refine": {"timeout": 0}},), "timeout is 0"),
        (({"refine": {"api_key": ["sk-secret"]}},), "api_key is of type list"),
        (({"refine": {"provider": "me"}},), "provider is 'me'; it must be one of shapes, openai"),
        (({"refine": {"sam": 1}},), "sam is 1; it must be a text"),
        (({"refine": {"show_rounds": 1}},), "show_rounds is 1; it must be true or false"),
    ],
)
def test_what_is_wrong_gets_a_sentence(args: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(EditingError, match=sentence) as caught:
        wanted_refinement(*args)
    assert "secret" not in str(caught.value)


def test_the_main_prompt_is_the_base_prompt_where_there_is_no_other() -> None:
    assert based(PLAN, "two shapes").base_prompt == "two shapes"
    assert based(PLAN, " ") is PLAN
