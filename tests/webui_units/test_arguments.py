"""The host's arguments are parsed without the host."""

import pytest

from rpg.errors import PlannerError, RPGError
from rpg.plan import Plan
from rpg.planners import PlanRequest, Subject, make_plan
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
    regions = [first, {"prompt": "b", "negative_prompt": ""}, "c"]
    plan = Plan.from_dict({"regions": regions, "common_prompt": "each", "base_prompt": "all", "caption": "x"})
    assert prompts_of(plan) == ["a", "not a", "b", "c", "each", "all"]
    assert with_prompts(plan, prompts_of(plan)) == plan
    changed = rewritten(plan, lambda text, negative: f"{text}-" if negative else f"{text}+")
    assert prompts_of(changed) == ["a+", "not a-", "b+", "c+", "each+", "all+"]
    assert (changed.caption, changed.split_ratio) == ("x", "1,1,1")
    assert prompts_of(replaced(plan, [("a", "x"), ("x", "y")])) == ["y", "not y", "b", "c", "eych", "yll"]


def test_a_planner_keeps_the_common_prompt_which_is_all_that_its_request_says() -> None:
    request = parse({"planner": {}, "common_prompt": "a red frame", "latent_ratio": 0.5}, subject=Subject("two cats"))
    assert prompts_of(request) == ["a red frame"]
    assert replaced(request, [("red", "blue")]).settings == {"common_prompt": "a blue frame", "latent_ratio": 0.5}
    assert with_prompts(request, ["x"]).settings == {"common_prompt": "x", "latent_ratio": 0.5}
    without = parse({"planner": {}}, subject=Subject("two cats"))
    assert (prompts_of(without), with_prompts(without, [])) == ([], without)
    made = make_plan(request)
    assert (made.common_prompt, made.latent_ratio, len(made.regions)) == ("a red frame", 0.5, 2)
    with pytest.raises(RPGError, match="common_prompt is 3; it must be a text"):
        parse({"planner": {}, "common_prompt": 3}, subject=Subject("two cats"))
