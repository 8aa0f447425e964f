"""Instructions as people write them, read by rules."""

from __future__ import annotations

import pytest

from rpg.editing.chinese import in_english
from rpg.editing.instructions import wishes
from rpg.errors import EditingError

THREE = ("square", "circle", "star")
CHINESE = [
    ("把圆形改成绿色", "make the circle green"),
    ("删除正方形", "remove the square"),
    ("请把圆形删掉。", "remove the circle"),
    ("添加一个黄色的星星", "add a yellow star"),
    ("在右边加一个黄色的三角形", "add a yellow triangle on the right"),
    ("把左边的圆形变成绿色，然后删除右边的正方形", "make the left circle green; remove the right square"),
    ("把红色圆形替换成蓝色的星星", "replace the red circle with a blue star"),
    ("将正方形移到左边", "move the square to the left"),
    ("去掉猫，把狗移到中间", "remove the cat; move the dog to the middle"),
    ("圆形的颜色改成红色", "make the circle red"),
    ("把圆形放大", "把圆形放大"),
    ("把圆形改成绿色，跳舞", "把圆形改成绿色，跳舞"),
    ("make the circle green", "make the circle green"),
]


@pytest.mark.parametrize(("chinese", "english"), CHINESE)
def test_chinese_instructions_are_read_as_english_ones(chinese: str, english: str) -> None:
    assert in_english(chinese) == english
    if chinese != english:
        assert wishes(chinese) == wishes(english)


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ("Please make the red circle yellow!", [("recolour", "the red circle")]),
        ("remove the square and the circle", [("remove", "the square"), ("remove", "the circle")]),
        (
            "could you remove the square, the circle and the star?",
            [("remove", f"the {it}") for it in THREE],
        ),
        ("make the circle and the square green", [("recolour", "the circle"), ("recolour", "the square")]),
        ("turn the circle into a star", [("replace", "the circle")]),
        ("add a man in the hat and the coat", [("add", "")]),
    ],
)
def test_one_verb_is_for_all_that_it_names(instruction: str, expected: list[tuple[str, str]]) -> None:
    assert [(wish.kind, wish.old) for wish in wishes(instruction)] == expected
    assert {wish.colour for wish in wishes("make the circle and the square green")} == {"green"}


@pytest.mark.parametrize("instruction", ["dance", "make the circle bigger", "把圆形放大", "把圆形改成绿色，跳舞"])
def test_what_is_not_understood_is_not_done_in_part(instruction: str) -> None:
    with pytest.raises(EditingError, match="is no instruction that the rules know"):
        wishes(instruction)


def test_too_many_things_are_refused() -> None:
    with pytest.raises(EditingError, match="has 17 parts; at most 16 are done at once"):
        wishes("remove " + " and ".join(["the star"] * 17))
