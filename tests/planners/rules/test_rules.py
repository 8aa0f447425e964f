"""The offline planner against prompts of which the layout was written down beforehand, and against any text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpg.areas.layout import MAX_REGIONS, Layout
from rpg.errors import PlannerError
from rpg.plan import DEFAULT_BASE_RATIO, Plan
from rpg.planners.rules import LONGEST_READ, plan
from tests.fuzz import fuzz

PROMPTS = json.loads(Path(__file__).with_name("prompts.json").read_text(encoding="utf-8"))
RIGHT = 60
REPEATED = [
    *["a", "a ", "the ", "a cat and ", "of ", "left ", "on the left of ", "999 cats ", "7 cats and 11 dogs, ", "A B and "],
    *["a lamp above a table ", "-", "'a", "(", "<", "İ", "在", "一个", "的", "一只猫和", "左边是", "上面有", "和", "是", "着"],
    *["一只猫在一只狗旁边", "999只猫"],
]

words = sorted({word for entry in PROMPTS for word in re.findall(r"\w+|[^\w\s]", entry["prompt"])})
pieces = st.sampled_from(
    [*words, *"一二两三个只位张的和在是有着里上下左右，。、；：", "左边是", "上面有", "999", "63", "<lora:a:1>", "\ud800"]
)


def prompts(caption: str) -> list[str]:
    return [region.prompt for region in plan(caption).regions]


def faults(made: Plan, expected: dict) -> list[str]:
    """What is wrong with a plan."""
    if made.areas.layout != Layout.parse(expected["split_ratio"]):
        return [f"split ratio {made.split_ratio}, not {expected['split_ratio']}: {[region.prompt for region in made.regions]}"]
    found = []
    for number, (region, wanted) in enumerate(zip(made.regions, expected["regions"], strict=True), 1):
        prompt = region.prompt.lower()
        lacking = [word for word in wanted["has"] if not any(choice.lower() in prompt for choice in word.split("|"))]
        extra = [word for word in wanted["not"] if word.lower() in prompt]
        found += [f"region {number}, {region.prompt!r}, lacks {word!r}" for word in lacking]
        found += [f"region {number}, {region.prompt!r}, holds {word!r}" for word in extra]
    low, high = (0.35, 0.55) if expected["base"] == "shared" else (0, 0)
    if not low <= made.base_ratio <= high:
        found.append(f"base ratio {made.base_ratio}, where {low} to {high} is right")
    return found


def test_prompts_of_the_data_file():
    wrong = {entry["prompt"]: found for entry in PROMPTS if (found := faults(plan(entry["prompt"]), entry))}
    report = "\n".join("\n    ".join([prompt, *found]) for prompt, found in wrong.items())
    assert len(PROMPTS) == 60
    assert len(PROMPTS) - len(wrong) >= RIGHT, report


def test_plan_keeps_the_caption_and_says_who_planned():
    made = plan(" two  cats on a sofa ")
    assert made.caption == " two  cats on a sofa "
    assert made.base_prompt == ""
    assert made.planned_by == "rules 2"
    assert "cat" in made.notes


@pytest.mark.parametrize("caption", ["", "  \n", "...", "，。", "<lora:a:1>", None, 3, ["a cat"]])
def test_nothing_to_plan_is_refused(caption):
    with pytest.raises(PlannerError, match="describe the picture"):
        plan(caption)


def test_long_captions_are_refused():
    assert plan("a cat, " * (LONGEST_READ // 7)).regions
    with pytest.raises(PlannerError, match=f"has {LONGEST_READ + 1} characters.*at most {LONGEST_READ}"):
        plan("a" * (LONGEST_READ + 1))


@pytest.mark.parametrize(
    ("caption", "ratio"),
    [
        ("four cats", "1,1,1;1,1,1"),
        ("four men", "1,1,1,1"),
        ("seven mugs", "1,1,1,1,1;1,1,1,1"),
        ("nine cats in a row", "1" + ",1" * 8),
    ],
)
def test_counts(caption, ratio):
    assert plan(caption).split_ratio == ratio


def test_more_than_a_plan_can_hold_shares_a_region():
    made = plan("90 balloons on the left and two dogs on the right")
    assert [region.prompt for region in made.regions] == ["90 balloons", "a dog", "a dog"]
    assert "90" in made.notes
    assert len(plan("three boxes, " * 40).regions) <= MAX_REGIONS


def test_base_prompt_counts_a_class_unless_the_caption_does():
    assert plan("a girl with red hair is chatting with a girl in a hat").base_prompt.startswith("two girls, a girl with red hair")
    assert plan("two girls, one in red and one in blue").base_prompt == ""


def test_the_empty_side_shows_the_background():
    assert prompts("a red circle on the left, on a white background") == [
        "a red circle on a white background",
        "a white background",
    ]


def test_a_base_prompt_like_the_caption_stays_empty_so_that_the_main_prompt_is_used():
    made = plan("two girls in a cafe, one in red and one in blue")
    assert (made.base_prompt, made.base_ratio) == ("", DEFAULT_BASE_RATIO)


def test_simple_chinese_becomes_english_and_other_chinese_stays():
    made = plan("两个红色圆形和一个蓝色方块，白色背景")
    assert made.base_prompt == "two red circles and a blue square on a white background"
    assert prompts("一个红色圆形和一个神秘的饕餮") == ["一个红色圆形", "一个神秘的饕餮"]
    assert "Chinese" in plan("一个红色圆形和一个神秘的饕餮").notes


def check(caption: str) -> None:
    try:
        made = plan(caption)
    except PlannerError:
        return
    assert made.caption == caption
    assert 1 <= len(made.regions) <= MAX_REGIONS
    assert Plan.from_dict(made.to_dict()) == made


@fuzz
@given(st.text(max_size=300))
def test_any_text_gives_a_plan_or_a_planner_error(caption):
    check(caption)


@fuzz
@given(st.lists(pieces, max_size=40), st.sampled_from(["", " "]))
def test_any_words_give_a_plan_or_a_planner_error(chosen, joint):
    check(joint.join(chosen))


@pytest.mark.parametrize("head", ["", "a cat ", "一只猫"])
@pytest.mark.parametrize("unit", REPEATED)
def test_repetition_ends(head, unit):
    check((head + unit * LONGEST_READ)[:LONGEST_READ])


@pytest.mark.parametrize(
    ("caption", "ratio", "expected"),
    [
        ("five red apples and one green apple", "1,1,1,1;1,1,1,1", ["a red apple"] * 5 + ["a green apple"]),
        ("two cats: a black one and a white one", "1,1", ["a cat, black", "a cat, white"]),
        ("a bookshelf between two lamps", "1,1,1", ["a lamp", "a bookshelf", "a lamp"]),
        ("a black and white cat and a dog", "1,1", ["a black and white cat", "a dog"]),
        ("Batman and Superman shaking hands", "1,1", ["Batman", "Superman shaking hands"]),
        ("a bird above a cat and a dog below", "1;1;1", ["a bird", "a cat", "a dog"]),
        ("from right to left, a cat, a dog", "1,1", ["a dog", "a cat"]),
        ("a girl hugging a teddy bear", "1", ["a girl hugging a teddy bear"]),
        ("a fox and a hare sleeping in a basket", "1,1", ["a fox sleeping in a basket", "a hare sleeping in a basket"]),
        ("a castle on top of a hill and a lake at the bottom", "1;1", ["a castle on top of a hill", "a lake"]),
        (
            "a castle, a lake at the bottom, with a dragon flying in the sky",
            "1,1,1;1",
            ["a castle", "a dragon flying in the sky", "a lake"],
        ),
        ("two cats, one orange and one black", "1,1", ["a cat, orange", "a cat, black"]),
        ("a bookshelf, above it a painting of a ship", "1;1", ["a painting of a ship", "a bookshelf"]),
        ("a sofa with a painting above it and a rug below it", "1;1;1", ["a painting", "a sofa", "a rug"]),
        ("a cat on the left, a dog on the right, and between them a cake", "1,1,1", ["a cat", "a cake", "a dog"]),
        ("two lamps, between them a vase", "1,1,1", ["a lamp", "a vase", "a lamp"]),
        ("a flamingo, palm trees on both sides", "1,1,1", ["palm trees", "a flamingo", "palm trees"]),
        ("a lamp on both sides of a bench", "1,1,1", ["a lamp", "a bench", "a lamp"]),
        ("in the background a burning village, a knight", "1", ["in the background a burning village, a knight"]),
        (
            "on the left a knight, on the right a dragon, in the background a burning village",
            "1,1",
            ["a knight, a burning village in the background", "a dragon, a burning village in the background"],
        ),
        (
            "four seasons: spring, summer, autumn, winter, oil painting",
            "1,1,1;1,1,1",
            [f"a season, {name}, oil painting" for name in ("spring", "summer", "autumn", "winter")],
        ),
        (
            "a family of four: father, mother, son and daughter, at the beach",
            "1,1,1,1",
            [f"a {name} at the beach" for name in ("father", "mother", "son", "daughter")],
        ),
        ("a man and a dog, 35mm, f/1.8", "1,1", ["a man, 35mm, f/1.8", "a dog, 35mm, f/1.8"]),
        (
            "1girl, 1boy, girl with pink hair, boy with black hair, sunset",
            "1,1",
            ["a girl with pink hair, sunset", "a boy with black hair, sunset"],
        ),
        (
            "a fox in the snow on the left half and the same fox in a meadow on the right half",
            "1,1",
            ["a fox in the snow", "a fox in a meadow"],
        ),
        (
            "Harry Potter on the left, Ron Weasley on the right, in Hogwarts",
            "1,1",
            ["Harry Potter in Hogwarts", "Ron Weasley in Hogwarts"],
        ),
        ("upper half: starry night sky; lower half: calm sea", "1;1", ["starry night sky", "calm sea"]),
        (
            "a samurai on the left, a ninja on the right, cherry blossoms falling",
            "1,1",
            ["a samurai, cherry blossoms falling", "a ninja, cherry blossoms falling"],
        ),
        ("a cat on a chair next to a dog lying on a rug", "1,1", ["a cat on a chair", "a dog lying on a rug"]),
        (
            "There is a red cube on the left. There is a green ball in the center. There is a cone on the right.",
            "1,1,1",
            ["a red cube", "a green ball", "a cone"],
        ),
        ("three girls with red, blue and green hair", "1,1,1", [f"a girl with {hair} hair" for hair in ("red", "blue", "green")]),
        (
            "2girls, hatsune miku on the left, kagamine rin on the right, stage",
            "1,1",
            ["hatsune miku, stage", "kagamine rin, stage"],
        ),
        ("two dogs, one is a bulldog and the other is a poodle", "1,1", ["a dog, a bulldog", "a dog, a poodle"]),
        (
            "the left side is a desert with a camel, the right side is a glacier with a polar bear",
            "1,1",
            ["a desert with a camel", "a glacier with a polar bear"],
        ),
        ("two girls with hats and scarves", "1,1", ["a girl with hats and scarves"] * 2),
        ("2girls, girl with red hair, park", "1,1", ["1girl, red hair, park", "1girl, park"]),
        ("a girl and her dog on the beach", "1,1", ["a girl on the beach", "a dog on the beach"]),
        ("comic page, three panels: a hero, a villain, an explosion", "1,1,1", ["a hero", "a villain", "an explosion"]),
        ("2boys, left boy in a red coat, right boy in a blue coat", "1,1", ["1boy, in a red coat", "1boy, in a blue coat"]),
        ("左边的猫是黑色的，右边的猫是白色的", "1,1", ["猫是黑色的", "猫是白色的"]),
        ("两个女孩，一个穿红裙子，一个穿蓝裙子", "1,1", ["一个女孩，穿红裙子", "一个女孩，穿蓝裙子"]),
        ("一个穿着白色T恤和蓝色牛仔裤的男孩", "1", ["一个穿着白色T恤和蓝色牛仔裤的男孩"]),
        ("关羽和张飞", "1,1", ["关羽", "张飞"]),
    ],
)
def test_regions(caption, ratio, expected):
    made = plan(caption)
    assert (made.split_ratio, [region.prompt for region in made.regions]) == (ratio, expected)


@pytest.mark.parametrize(
    ("caption", "split_ratio", "prompts"),
    [
        (
            "a cat and a dog in the top row and a bird and a fish in the bottom row",
            "1,1,1;1,1,1",
            ["a cat", "a dog", "a bird", "a fish"],
        ),
        ("a cat, a dog and a fish at the top, a bird at the bottom", "1,1,1,1;1", ["a cat", "a dog", "a fish", "a bird"]),
        ("a cat and a dog on the right", "1,1", ["a cat", "a dog"]),
    ],
)
def test_a_place_behind_a_list_is_that_of_all_of_it(caption: str, split_ratio: str, prompts: list[str]) -> None:
    made = plan(caption)
    assert (made.split_ratio, [region.prompt for region in made.regions]) == (split_ratio, prompts)


def test_a_portrait_above_something_is_what_hangs_there_and_an_interior_is_the_scene():
    made = plan("a cozy cabin interior, a large window, a cat sleeping on a rug, a fireplace with a portrait of a lady above it")
    assert [region.prompt.split(",")[0] for region in made.regions] == [
        "a large window",
        "a portrait of a lady",
        "a cat sleeping on a rug",
        "a fireplace",
    ]
    assert made.split_ratio == "1,1,1;1,1,1"
    assert all("cabin interior" in region.prompt for region in made.regions)


@pytest.mark.parametrize(
    ("caption", "room", "rows"),
    [
        (
            "a wooden cabin interior with a window, a cat sleeping by a fireplace and a portrait of a lady above it",
            "a wooden cabin interior",
            [["a window", "a portrait of a lady"], ["a cat sleeping", "a fireplace"]],
        ),
        (
            "a library interior with a bookshelf, a dog sleeping by a desk and a painting of a ship above it",
            "a library interior",
            [["a bookshelf", "a painting of a ship"], ["a dog sleeping", "a desk"]],
        ),
        (
            "a living room with a sofa, a lamp and a portrait of a man above the sofa",
            "a living room",
            [["a portrait of a man", "a lamp"], ["a sofa", "a lamp"]],
        ),
        (
            "a bakery interior with a counter, a baker and a clock above the counter",
            "a bakery interior",
            [["a clock", "a baker"], ["a counter", "a baker"]],
        ),
        (
            "a dining room with a table, four chairs and a chandelier above the table",
            "a dining room",
            [["a chandelier", "a chair", "a chair"], ["a table", "a chair", "a chair"]],
        ),
        ("a kitchen with a red fridge and a blue stove", "a kitchen", [["a red fridge", "a blue stove"]]),
    ],
)
def test_a_room_is_the_scene_of_what_stands_in_it(caption: str, room: str, rows: list[list[str]]) -> None:
    """What hangs above something is as wide as that; the rest is as high as both, or beside both."""
    made = plan(caption)
    assert [len(row.widths) for row in Layout.parse(made.split_ratio).rows] == [len(row) for row in rows]
    assert [region.prompt for region in made.regions] == [f"{thing} in {room}" for row in rows for thing in row]


@pytest.mark.parametrize(
    "caption", ["a bedroom with a bed in which a cat sleeps", "a room with a view of the sea", "a bar with a bartender"]
)
def test_a_room_with_one_thing_is_one_region(caption: str) -> None:
    assert [region.prompt for region in plan(caption).regions] == [caption]


@pytest.mark.parametrize(
    ("caption", "ratio", "prompts"),
    [
        (
            "a man standing next to a car and a bird above it",
            "1,1,1;1,1,1",
            ["a man standing", "a bird", "a man standing", "a car"],
        ),
        ("two girls, a table with a lamp above it", "1;1,1,1,1", ["a lamp", "a girl", "a girl", "a table"]),
        ("a table with a lamp above it, two chairs", "1;1,1,1,1", ["a lamp", "a table", "a chair", "a chair"]),
        ("a table with a lamp above it, a dog and a rug below the table", "1;1,1,1;1", ["a lamp", "a table", "a dog", "a rug"]),
        ("a sofa with a painting above it and a rug below it", "1;1;1", ["a painting", "a sofa", "a rug"]),
    ],
)
def test_what_stands_above_one_of_several_is_above_that_one(caption: str, ratio: str, prompts: list[str]) -> None:
    made = plan(caption)
    assert (made.split_ratio, [region.prompt for region in made.regions]) == (ratio, prompts)
