"""Descriptions in many sentences, as models and data sets write them; and captions that are left whole, which say why."""

from __future__ import annotations

import pytest

from rpg.planners.rules import MOST_ENTITIES, plan
from tests.planners.rules.test_any_caption import faults

PROSE = [
    "The photograph presents a bustling farmers' market on a bright autumn morning. In the foreground, a wooden cart "
    "overflows with orange pumpkins, its left wheel missing two spokes. Beside the cart, an elderly woman in a green "
    "headscarf weighs purple grapes on a brass scale. A small boy wearing a striped sweater tugs at her sleeve. To their "
    "right, a baker in a white apron arranges crusty loaves on a blue table. Behind them, a brick clock tower rises above "
    "the rooftops. A brown terrier sleeps under the table. The overall mood is cheerful and nostalgic, rendered in soft "
    "film grain.",
    "A spacious kitchen is flooded with light from two tall windows. A copper kettle steams on a black iron stove. Next to "
    "the stove stands a marble counter with a bowl of lemons, a loaf of rye bread and a jar of honey. Its drawers are "
    "painted teal. A tall man with rolled-up sleeves kneads dough while a girl with braided hair cracks eggs into a bowl. A "
    "parrot watches them from a perch near the door. On the wall hang seven cast-iron pans of different sizes. Nine onions "
    "dangle from the ceiling.",
    "港口停着三艘旧渔船。一位老渔夫坐在木箱上补网。他的旁边有一只橘猫。远处有一座红白相间的灯塔。天空中飞着五只海鸥。一个小男"
    "孩举着蓝色风筝。码头上放着四个铁桶。",
]


@pytest.mark.parametrize("caption", PROSE, ids=["market", "kitchen", "harbour"])
def test_prose_becomes_a_few_regions_and_the_base_prompt_has_the_rest(caption: str) -> None:
    made = plan(caption)
    shown = {region.prompt for region in made.regions if "background" not in region.prompt}
    assert 2 < len(shown) <= MOST_ENTITIES
    assert made.base_ratio > 0
    assert not faults(caption)


@pytest.mark.parametrize(
    ("caption", "prompts"),
    [
        ("The image shows a cat and a dog.", ["a cat", "a dog"]),
        ("This picture depicts a cat and a dog", ["a cat", "a dog"]),
        ("The photo presents an old lighthouse and a boat", ["an old lighthouse", "a boat"]),
        ("A photo of a cat and a dog", ["a cat, photo", "a dog, photo"]),
        ("A market at dawn. In the foreground, a wooden cart.", ["A market at dawn", "a wooden cart at dawn"]),
        ("A cart stands in a yard. Beside the cart, an old woman.", ["an old woman in a yard", "A cart stands in a yard"]),
    ],
)
def test_words_that_lead_to_things_stand_in_no_region(caption: str, prompts: list[str]) -> None:
    assert [region.prompt for region in plan(caption).regions] == prompts


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ("Ein Hund sitzt links und eine Katze rechts neben dem Sofa", "language that the offline planner does not read"),
        ("كلب على اليسار وقطة على اليمين", "language that the offline planner does not read"),
        ("左に猫、右に犬がいる", "language that the offline planner does not read"),
        ("😀 on the left, 😎 on the right", "it names places, but nothing that the offline planner knows"),
        ("masterpiece, best quality, 8k, ultra detailed", "no thing is named"),
        ("1girl, solo, long hair, blue eyes, school uniform", "names one thing, so one region"),
    ],
)
def test_a_caption_that_is_left_whole_says_why(caption: str, reason: str) -> None:
    made = plan(caption)
    assert [region.prompt for region in made.regions] == [caption]
    assert reason in made.notes
