"""Where regions lie is compared with the words about places in the caption."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rpg.errors import PlannerError
from rpg.llm import Event
from rpg.plan import Plan
from rpg.planners import PlanRequest, make_plan
from rpg.planners.geometry import misplaced, thin
from rpg.planners.rules import plan as offline
from tests.llm.servers import serve, streamed
from tests.planners.rules.test_any_caption import ENGLISH, SAMPLE

CAPTION = "a cat on the left and a dog on the right"


def plan(caption: str, ratio: str, *prompts: str) -> Plan:
    return Plan.from_dict({"caption": caption, "split_ratio": ratio, "regions": list(prompts)})


@pytest.mark.parametrize(
    ("caption", "ratio", "prompts", "said"),
    [
        (CAPTION, "1,1", ["a brown dog", "a grey cat"], "'a cat' to the left of 'a dog'"),
        (CAPTION, "1;1", ["a grey cat", "a brown dog"], "'a cat' to the left of 'a dog'"),
        ("a bird at the top, a pond at the bottom", "1;1", ["a still pond", "a blue bird"], "'a bird' above 'a pond'"),
        ("a lamp on the right", "1,1", ["a brass lamp", "plain wall"], "'a lamp' on the right; its region lies on the left"),
        ("a red cube on the left and a blue cube on the right", "1,1", ["a blue cube", "a red cube"], "'a red cube' to the left"),
        ("a cat to the left of a dog", "1,1", ["a brown dog", "a grey cat"], "'a cat' to the left of 'a dog'"),
        ("a clock above a sofa", "1;1", ["a long sofa", "a round clock"], "'a clock' above 'a sofa'"),
        ("from left to right: a cup, a book, a lamp", "1,1,1", ["a book", "a cup", "a lamp"], "'a cup' to the left of 'a book'"),
        ("左边是一只猫，右边是一只狗", "1,1", ["a brown dog", "a grey cat"], "to the left of"),
    ],
)
def test_a_contradiction_is_named(caption: str, ratio: str, prompts: list[str], said: str) -> None:
    found = misplaced(plan(caption, ratio, *prompts))
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("caption", "ratio", "prompts"),
    [
        (CAPTION, "1,1", ["a grey cat", "a brown dog"]),
        (CAPTION, "1,2", ["a cat that looks at a dog", "a dog that looks at a cat"]),
        (CAPTION, "1,1", ["a kitten", "a puppy"]),  # nobody knows which is which
        ("a cat next to a dog", "1,1", ["a brown dog", "a grey cat"]),
        ("a cat in front of a dog", "1,1", ["a brown dog", "a grey cat"]),
        ("two cats, one on the left and one on the right", "1,1", ["a cat", "a cat"]),
        ("eine Katze links, ein Hund rechts", "1,1", ["a dog", "a cat"]),
        ("a lamp on the right", "1;1,1,1", ["a ceiling", "a wall", "a lamp"]),
    ],
)
def test_what_is_right_or_open_is_left_alone(caption: str, ratio: str, prompts: list[str]) -> None:
    assert misplaced(plan(caption, ratio, *prompts)) == []


def test_offline_plans_contradict_no_caption() -> None:
    prompts = json.loads(Path(__file__).with_name("rules").joinpath("prompts.json").read_text("utf-8"))
    captions = [*(case["prompt"] for case in prompts), *SAMPLE]
    captions += [" ".join(ENGLISH[start : start + 14]) for start in range(0, len(ENGLISH), 5)]
    for caption in captions:
        try:
            made = offline(caption)
        except PlannerError:
            continue
        assert misplaced(made) == [], caption


def test_regions_that_are_too_small_are_told() -> None:
    assert thin(plan("", "1,1", "a", "b")) == []
    assert thin(plan("", "1,30", "a", "b")) == ["Region 1 has 3.2% of the picture's width, too little to be seen."]
    assert "height" in thin(plan("", "30;1,1,1", "a", "b", "c"))[0]


def answer(*prompts: str, widths: tuple[float, ...] = (1, 1)) -> str:
    regions = [{"width": width, "prompt": prompt} for width, prompt in zip(widths, prompts, strict=True)]
    return json.dumps({"notes": "Two.", "rows": [{"height": 1, "regions": regions}], "base_prompt": "", "base_ratio": 0})


WRONG, RIGHT = answer("a brown dog", "a grey cat"), answer("a grey cat", "a brown dog")


def asked(url: str) -> PlanRequest:
    return PlanRequest.from_dict({"caption": CAPTION, "provider": "compatible", "model": "m", "base_url": url})


def test_a_contradiction_goes_to_the_model_once() -> None:
    events: list[Event] = []
    with serve(streamed(WRONG), streamed(RIGHT)) as server:
        made = make_plan(asked(server.url), events.append)
    assert [region.prompt for region in made.regions] == ["a grey cat", "a brown dog"]
    assert "to the left of 'a dog'; the plan does not" in server.received[1].body["messages"][2]["content"]
    assert made.notes == "Two."


def test_one_that_stays_is_a_warning_in_the_notes() -> None:
    with serve(streamed(WRONG)) as server:
        made = make_plan(asked(server.url))
        assert len(server.received) == 2
    assert [region.prompt for region in made.regions] == ["a brown dog", "a grey cat"]
    assert made.notes.startswith("Warning: The caption has 'a cat' to the left of 'a dog'")
    assert made.notes.endswith("Two.")


@pytest.mark.parametrize("second", ["No.", answer("a cat", "a cat")])
def test_a_plan_that_is_only_misplaced_is_kept_where_the_second_answer_is_worse(second: str) -> None:
    with serve(streamed(WRONG), streamed(second)) as server:
        made = make_plan(asked(server.url))
    assert [region.prompt for region in made.regions] == ["a brown dog", "a grey cat"]
    assert made.notes.startswith("Warning: ")


def test_a_thin_region_is_a_warning_at_once() -> None:
    with serve(streamed(answer("a grey cat", "a brown dog", widths=(1, 40)))) as server:
        made = make_plan(asked(server.url))
        assert len(server.received) == 1
    assert made.notes.startswith("Warning: Region 1 has 2.4%")
