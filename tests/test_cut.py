"""The plan of a part of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpg.areas.layout import Box
from rpg.areas.patches import check_sizes, coverage
from rpg.cut import WHOLE, cut, seen_in
from rpg.plan import Plan
from tests.areas.test_area import png

FOUR = Plan.from_dict({"regions": list("abcd"), "split_ratio": "1,1,3;2,1,1", "base_ratio": 0.2})


def drawn(plan: Plan, height: int, width: int) -> np.ndarray:
    """Each token's prompt."""
    prompts = np.array([region.prompt for region in plan.regions])
    return prompts[coverage(plan.areas, height, width).argmax(0)]


@pytest.mark.parametrize(
    ("part", "split_ratio", "prompts"),
    [
        (WHOLE, "1,1,3;2,1,1", "abcd"),
        (Box(0, 0, 1, 1 / 3), "0.25,0.75", "ab"),
        (Box(0.5, 0.5, 0.9, 0.9), "1", "d"),
        (Box(0.25, 0.2, 0.75, 0.4), "0.666667;0.333333,0.5,0.5", "bcd"),
        (Box(0, 0.3333, 1, 1), "0.5,0.5", "cd"),
    ],
)
def test_what_lies_in_the_part(part: Box, split_ratio: str, prompts: str) -> None:
    found = cut(FOUR, part)
    assert ("".join(region.prompt for region in found.regions), found.base_ratio) == (prompts, 0.2)
    assert [*map(float, found.split_ratio.replace(";", ",").split(","))] == pytest.approx(
        [*map(float, split_ratio.replace(";", ",").split(","))], abs=1e-3
    )


@given(st.integers(0, 40), st.integers(0, 40), st.integers(8, 40), st.integers(8, 40))
def test_a_part_is_drawn_as_it_lies_in_the_whole(left: int, top: int, width: int, height: int) -> None:
    """On a grid in which all edges of the layout lie between tokens."""
    right, bottom = min(left + width, 48), min(top + height, 48)
    part = cut(FOUR, Box(left / 48, top / 48, right / 48, bottom / 48))
    assert (drawn(part, bottom - top, right - left) == drawn(FOUR, 48, 48)[top:bottom, left:right]).all()


@given(st.integers(0, 40), st.integers(0, 40), st.integers(8, 40), st.integers(8, 40))
def test_boxes_and_masks_are_cut_as_they_lie(left: int, top: int, width: int, height: int) -> None:
    right, bottom = min(left + width, 48), min(top + height, 48)
    corner = png(np.kron([[0, 255], [0, 0]], np.ones((24, 24))))
    own = [{"prompt": "e", "area": {"box": [0.25, 0.5, 0.75, 0.875]}}, {"prompt": "f", "area": {"mask": corner}}]
    whole = Plan.from_dict({"regions": [*"abcd", *own], "split_ratio": "1,1,3;2,1,1"})
    part = cut(whole, Box(left / 48, top / 48, right / 48, bottom / 48))
    assert (drawn(part, bottom - top, right - left) == drawn(whole, 48, 48)[top:bottom, left:right]).all()


def test_a_part_without_regions_is_the_base_prompts() -> None:
    plan = Plan.from_dict({"regions": [{"prompt": "a", "area": {"box": [0, 0, 0.5, 0.5], "feather": 0.1}}], "latent_ratio": 0.3})
    part = cut(plan, Box(0.5, 0.5, 1, 1))
    assert (part.base_ratios, part.latent_ratio) == ((1.0,), 0)
    nearer = cut(plan, Box(0, 0, 0.5, 0.25)).regions[0].area
    assert nearer is not None
    assert (nearer.box, nearer.feather) == (Box(0, 0, 1, 1), pytest.approx(0.1 / 0.125**0.5))


def test_regions_that_nothing_shows_are_left_out() -> None:
    over = {"prompt": "x", "area": {"box": [0.2, 0, 1, 1]}}
    plan = Plan.from_dict({"regions": ["a", "b", over], "split_ratio": "1,1"})
    seen = seen_in(plan, 16, 16)
    assert [region.prompt for region in seen.regions] == ["a", "x"]
    assert seen.split_ratio == ""
    check_sizes(seen.areas, 16, 16)
    assert seen_in(seen, 16, 16) is seen
    tiny = Plan.from_dict({"regions": ["a", {"prompt": "x", "area": {"box": [0, 0, 0.01, 0.01]}}], "split_ratio": "1"})
    assert [region.prompt for region in seen_in(tiny, 16, 16).regions] == ["x"]
