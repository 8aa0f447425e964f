from __future__ import annotations

import json
from pathlib import Path

import pytest

from rpg.batch.jobs import BatchJob, Defaults, check, read
from rpg.errors import PlanError
from rpg.plan import Plan
from rpg.planners import Planner, PlanRequest, make_plan

DEFAULTS = Defaults(Planner("openai", "m"), seed=100, width=256, height=128, negative_prompt="gray")


def jobs(tmp_path: Path, *lines: object, defaults: Defaults = DEFAULTS) -> list[BatchJob]:
    path = tmp_path / "prompts.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    assert check(path, defaults) == len(list(read(path, defaults)))
    return list(read(path, defaults))


def test_captions_and_json_side_by_side(tmp_path: Path) -> None:
    plain, full, planned = jobs(
        tmp_path,
        "两只猫",
        "  ",
        {"caption": "a cat", "planner": {"provider": "rules"}, "seed": 7, "width": 64, "height": 72, "negative_prompt": ""},
        {"plan": {"regions": ["a cat", "a dog"]}, "caption": "pets"},
    )
    assert isinstance(plain.wanted, PlanRequest)
    assert (plain.line, plain.caption, plain.wanted.planner) == (1, "两只猫", DEFAULTS.planner)
    assert (plain.seed, plain.width, plain.height, plain.negative_prompt) == (100, 256, 128, "gray")
    assert (plain.wanted.subject.width, plain.wanted.subject.height) == (256, 128)
    assert isinstance(full.wanted, PlanRequest)
    assert (full.line, full.seed, full.width, full.height, full.negative_prompt) == (3, 7, 64, 72, "")
    assert full.wanted.planner == Planner()
    assert isinstance(planned.wanted, Plan)
    assert (planned.line, planned.caption, planned.seed, len(planned.wanted.regions)) == (4, "pets", 103, 2)


def test_a_byte_order_mark_is_no_part_of_the_caption(tmp_path: Path) -> None:
    assert [job.caption for job in jobs(tmp_path, "\ufeffa cat\r", "a dog")] == ["a cat", "a dog"]


def test_names_depend_on_all_that_the_picture_depends_on(tmp_path: Path) -> None:
    base = {"caption": "a cat", "seed": 1}
    changes = [{"caption": "a dog"}, {"seed": 2}, {"width": 64}, {"height": 64}, {"negative_prompt": "x"}]
    planners = [{"provider": "rules"}, {"provider": "openai", "model": "n"}, {"provider": "openai", "template": "t"}]
    lines = [base, *({**base, **change} for change in changes), *({**base, "planner": planner} for planner in planners)]
    names = [jobs(tmp_path, line)[0].name("") for line in [*lines, {"seed": 1, "plan": {"regions": ["a cat"]}}]]
    assert len({*names, jobs(tmp_path, base)[0].name("another model")}) == len(names) + 1
    assert jobs(tmp_path, "a cat", base)[1].name("")[5:] == names[0][5:]
    assert jobs(tmp_path, {**base, "planner": {"provider": "openai", "model": "m", "timeout": 9}})[0].name("") == names[0]


def test_one_caption_is_one_plan(tmp_path: Path) -> None:
    one, other, wider = jobs(tmp_path, "a cat", {"caption": "a cat", "seed": 3}, {"caption": "a cat", "width": 512})
    assert one.plan_key == other.plan_key != wider.plan_key


def test_plans_that_are_made_get_the_settings(tmp_path: Path) -> None:
    (plain,) = jobs(tmp_path, "a cat", defaults=Defaults())
    (finer,) = jobs(tmp_path, "a cat", defaults=Defaults(settings={"common_prompt": "masterpiece"}))
    assert isinstance(finer.wanted, PlanRequest)
    assert finer.plan_key != plain.plan_key
    assert make_plan(finer.wanted).common_prompt == "masterpiece"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ({"caption": " "}, "caption is empty"),
        ({"caption": 3}, "caption is 3; it must be a text"),
        ({"captoin": "a cat"}, "Unknown field 'captoin'; a line has caption, plan, planner"),
        ({"caption": "a cat", "seed": -1}, "seed is -1; it must be a whole number from 0 to 4294967295"),
        ({"caption": "a cat", "seed": 0.5}, "seed is 0.5; it must be a whole number"),
        ({"caption": "a cat", "width": 100}, "width is 100; it must be a multiple of 8"),
        ({"caption": "a cat", "height": "64"}, "height is '64'; it must be a whole number"),
        ({"caption": "a cat", "negative_prompt": 1}, "negative_prompt is 1; it must be a text"),
        ({"plan": {"regions": []}}, "plan: regions is empty"),
        ({"plan": {"regions": ["a"], "split_ratio": "1,,1"}}, "plan: split_ratio '1,,1' has an empty cell"),
        ({"plan": {"regions": ["a"]}, "planner": {}}, "There are both plan and planner"),
        ({"caption": "a cat", "planner": {"provider": "hal"}}, "provider is 'hal'; it must be one of rules"),
        ({"caption": "a cat", "planner": {"api_key": "sk"}}, "keys do not belong into a file"),
        ('{"caption": "a cat"', "not valid JSON"),
        ("{red|blue} cat", 'is written as {"caption": "{..."}'),
        ('{"seed": 1, "seed": 2}', "gives 'seed' twice"),
    ],
)
def test_a_wrong_line_is_told_by_number_and_field(line: object, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        jobs(tmp_path, "a dog", "", line, "a fox", {"caption": ""})
    _, first, second = str(caught.value).split("\n")
    assert first.startswith("Line 3: ")
    assert sentence in first
    assert second.startswith("Line 5: caption is empty")


def test_many_wrong_lines_are_not_all_told(tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        jobs(tmp_path, *["{"] * 1000)
    assert str(caught.value).count("\nLine ") == 20


@pytest.mark.parametrize(("data", "sentence"), [(b"\n \n", "holds no prompts"), (b"a cat\n\xff\xfe", "Line 2: it is not UTF-8")])
def test_a_file_without_prompts(data: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_bytes(data)
    with pytest.raises(PlanError, match=sentence):
        check(tmp_path / "prompts.txt", DEFAULTS)
