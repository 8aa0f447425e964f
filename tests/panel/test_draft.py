import json

import pytest

from rpg.errors import RPGError
from rpg.panel.draft import NOTHING_PLANNED, kept_settings, problem, read_draft
from rpg.panel.panel import validate
from rpg.plan import Plan
from rpg.planners import PlanRequest, Subject


def test_nothing_is_planned_in_an_empty_text() -> None:
    assert read_draft("") is None
    assert read_draft(" \n") is None
    assert validate("") == ""


def test_a_finished_draft_is_a_plan() -> None:
    plan = Plan.from_dict({"regions": ["a cat", {"prompt": "a dog", "base_ratio": 0.1}], "split_ratio": "2,1"})
    assert read_draft(plan.to_json()) == plan


def test_a_planner_gets_the_main_prompt_unless_it_names_its_own() -> None:
    assert read_draft('{"planner": {"provider": "rules"}}', Subject("a cat", 8)) == PlanRequest(Subject("a cat", 8))
    assert read_draft('{"planner": {"caption": "a dog"}}', Subject("a cat", 8)) == PlanRequest(Subject("a dog", 8))


def test_planning_keeps_the_settings_of_any_draft() -> None:
    assert kept_settings("") == {}
    for text in ('{"regions": [""], "latent_ratio": 0.5}', '{"planner": {}, "latent_ratio": 0.5}'):
        assert kept_settings(text) == {"latent_ratio": 0.5}
    both = {"common_prompt": "masterpiece", "latent_ratio": 0.5}
    assert kept_settings(json.dumps({"regions": [""], **both})) == both
    for text in ('{"regions": ["a"]}', "{", "[]", '{"latent_ratio": "x"}', '{"latent_ratio": 2}', '{"planner": {}}'):
        assert kept_settings(text) == {}


def test_the_first_draft_lacks_only_its_prompts() -> None:
    assert problem(json.dumps(NOTHING_PLANNED)).startswith("Region 1: prompt is empty")
    finished = {**NOTHING_PLANNED, "regions": ["a", "b"]}
    assert Plan.from_dict(finished).to_dict() == {**finished, "regions": [{"prompt": "a"}, {"prompt": "b"}]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be an object"),
        ('{"regions": ["a", "b"], "split_ratio": "1,,1"}', "empty cell"),
        ('{"regions": ["a"], "split_ratio": "1,1"}', "makes 2 regions, but there is 1"),
        ('{"planner": {"provider": "oracle"}}', "oracle"),
        ('{"planner": "rules"}', "planner"),
        ('{"planner": {"provider": "rules"}, "regions": ["a"]}', "both regions and planner"),
        ('{"planner": {"provider": "rules", "key": "k"}}', "'key'"),
    ],
)
def test_problems_are_named(text: str, words: str) -> None:
    assert words in problem(text)
    with pytest.raises(RPGError):
        read_draft(text)


def test_the_sentence_is_escaped() -> None:
    line = validate('{"regions": ["a"], "split_ratio": "<img src=x>"}')
    assert "&lt;img src=x&gt;" in line
    assert "<img" not in line
