"""The host's arguments are parsed without the host."""

import pytest

from rpg.errors import PlannerError, RPGError
from rpg.plan import Plan
from rpg.planners import PlanRequest, Subject
from rpg.webui.arguments import parse_arguments as parse
from rpg.webui.arguments import prompts_of, replaced, rewritten, with_prompts


def test_the_dict_is_on_unless_it_says_otherwise() -> None:
    assert parse({"regions": ["a", "b"]}) == Plan.from_dict({"regions": ["a", "b"]})
    assert parse({"regions": ["a"], "enabled": False}) is None


def test_a_plan_as_text_is_on_too_unless_the_second_argument_says_otherwise() -> None:
    for plan in ({"regions": ["a", "b"]}, '{"regions": ["a", "b"]}'):
        assert parse(plan) == parse(plan, True) == Plan.from_dict({"regions": ["a", "b"]})
        assert parse(plan, False) is None


@pytest.mark.parametrize("own", [True, False])
def test_two_that_disagree_are_refused(own: bool) -> None:
    with pytest.raises(RPGError, match=f"enabled is {own} in RPG's first argument, and {not own} in its second"):
        parse({"regions": ["a"], "enabled": own}, not own)


def test_the_panel_has_a_switch() -> None:
    text = Plan.from_dict({"regions": ["a", "b"]}).to_json()
    assert parse(text, True) == Plan.from_json(text)
    assert parse(text, False) is None
    assert parse() is None


def test_off_does_not_look_at_the_plan() -> None:
    assert parse("{ half written", False) is None
    assert parse({"nonsense": 1, "enabled": False}) is None


def test_a_planner_stands_in_for_the_regions() -> None:
    request = parse({"planner": {"provider": "rules"}}, subject=Subject("two cats"))
    assert request == PlanRequest(Subject("two cats"))
    assert parse({"planner": {"caption": "a dog"}}, subject=Subject("two cats")) == PlanRequest(Subject("a dog"))


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ("", "has no regions"),
        ("[1]", "must be an object"),
        ("{", "not valid JSON"),
        (7, "first argument is 7"),
        ("null", "must be an object"),
        ({}, "regions is missing"),
        ({"regions": ["a"], "ratio": 1}, "Unknown field 'ratio'"),
        ({"regions": ["a"], "planner": {}}, "both regions and planner"),
        ({"planner": {}, "split_ratio": "1,1"}, "split_ratio stands beside planner"),
    ],
)
def test_what_is_wrong_is_said(plan: object, sentence: str) -> None:
    with pytest.raises(RPGError, match=sentence):
        parse(plan, True, Subject("a cat"))


@pytest.mark.parametrize("enabled", ["yes", 1])
def test_a_switch_is_true_or_false(enabled: object) -> None:
    for arguments in (({"regions": ["a"], "enabled": enabled},), ({"regions": ["a"]}, enabled), ('{"regions": ["a"]}', enabled)):
        with pytest.raises(RPGError, match=f"enabled is {enabled!r}"):
            parse(*arguments)


def test_a_bad_planner_is_refused() -> None:
    for planner in ("rules", {"provider": 3}, {"temperature": 1}):
        with pytest.raises(PlannerError):
            parse({"planner": planner}, subject=Subject("a cat"))


def test_prompts_of_a_plan_and_back() -> None:
    first = {"prompt": "a", "negative_prompt": "not a"}
    plan = Plan.from_dict({"regions": [first, {"prompt": "b", "negative_prompt": ""}, "c"], "base_prompt": "all", "caption": "x"})
    assert prompts_of(plan) == ["a", "not a", "b", "c", "all"]
    assert with_prompts(plan, prompts_of(plan)) == plan
    changed = rewritten(plan, lambda text, negative: f"{text}-" if negative else f"{text}+")
    assert prompts_of(changed) == ["a+", "not a-", "b+", "c+", "all+"]
    assert (changed.caption, changed.split_ratio) == ("x", "1,1,1")
    assert prompts_of(replaced(plan, [("a", "x"), ("x", "y")])) == ["y", "not y", "b", "c", "yll"]
