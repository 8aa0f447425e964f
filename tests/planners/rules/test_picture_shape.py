"""The picture's shape decides how things without places stand: a strip gets columns, a tower rows, many the squarest cells."""

from __future__ import annotations

import pytest

from rpg.areas.layout import Layout
from rpg.planners import PlanRequest, Subject, make_plan
from rpg.planners.rules import plan

SQUARE, STRIP, TOWER, WIDE = (512, 512), (1536, 384), (384, 1536), (1024, 512)


def rows(caption: str, width: int | None, height: int | None) -> list[int]:
    """How many regions stand in each row."""
    return [len(row.widths) for row in Layout.parse(plan(caption, width, height).split_ratio).rows]


@pytest.mark.parametrize(
    ("caption", "size", "wanted"),
    [
        ("a cat and a dog", SQUARE, [2]),
        ("a cat and a dog", STRIP, [2]),
        ("a cat and a dog", TOWER, [1, 1]),
        ("a cat and a dog", (512, 768), [2]),  # a portrait is no tower
        ("a man and a woman", (512, 1024), [2]),  # people are tall
        ("a cat, a dog and a mouse", SQUARE, [3]),
        ("a cat, a dog and a mouse", TOWER, [1, 1, 1]),
        ("four cats", SQUARE, [2, 2]),
        ("four cats", STRIP, [4]),
        ("four cats", TOWER, [1, 1, 1, 1]),
        ("a cup, a book, a lamp, a clock and a vase", SQUARE, [3, 2]),
        ("a cup, a book, a lamp, a clock and a vase", WIDE, [3, 2]),
        ("a cup, a book, a lamp, a clock and a vase", STRIP, [5]),
        ("six apples", STRIP, [6]),
        ("six apples", TOWER, [1] * 6),
        ("two apples and three pears", SQUARE, [2, 3]),  # each class in a row of its own
        ("two apples and three pears", STRIP, [5]),
        ("一只猫和一只狗", TOWER, [1, 1]),
        ("四个苹果", STRIP, [4]),
    ],
)
def test_things_without_places(caption: str, size: tuple[int, int], wanted: list[int]) -> None:
    assert rows(caption, *size) == wanted


@pytest.mark.parametrize(
    ("caption", "wanted"),
    [
        ("a cat on the left and a dog on the right", [2]),
        ("a cat above a dog", [1, 1]),
        ("three cats in a row", [3]),
        ("three cats in a column", [1, 1, 1]),
    ],
)
@pytest.mark.parametrize("size", [SQUARE, STRIP, TOWER])
def test_places_that_the_caption_names_hold_in_every_shape(caption: str, wanted: list[int], size: tuple[int, int]) -> None:
    assert rows(caption, *size) == wanted


def test_many_on_one_side_are_laid_out_for_the_shape() -> None:
    caption = "a red circle on the left and four blue squares on the right"
    assert rows(caption, *SQUARE) == [3, 3]
    assert rows(caption, *STRIP) == [5]


def test_an_unknown_shape_counts_as_square() -> None:
    assert plan("four cats") == plan("four cats", 640, 640) == plan("four cats", 1536, None)


def test_a_request_hands_on_the_picture_s_size() -> None:
    made = make_plan(PlanRequest(Subject("a cat and a dog", 384, 1536)))
    assert made.split_ratio == "1;1"
