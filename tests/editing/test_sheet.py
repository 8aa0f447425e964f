"""The rounds of the loop in one picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from rpg.editing.loop import Limits
from rpg.editing.sheet import GAP, PAINTED, SIDE, TITLE, rounds_sheet
from tests.editing.painters import Draughtsman
from tests.editing.test_loop import CIRCLE, STAR, picture, refined


def cells(sheet: Image.Image, size: tuple[int, int], count: int) -> list[Image.Image]:
    width, height = size
    return [sheet.crop((x, TITLE, x + width, TITLE + height)) for x in range(0, count * (width + GAP), width + GAP)]


def outlined(cell: Image.Image) -> int:
    return int((np.asarray(cell) == PAINTED).all(2).sum())


def test_a_picture_that_needs_no_round_has_none() -> None:
    right = picture(CIRCLE, STAR)
    assert rounds_sheet(right, refined(right)) is None


def test_each_round_stands_beside_the_one_before_and_what_was_painted_is_outlined() -> None:
    first = picture(CIRCLE)
    done = refined(first, Draughtsman(skill=0))
    assert [item.action for item in done.rounds] == ["repair", "redraw"]
    sheet = rounds_sheet(first, done)
    assert sheet is not None
    assert sheet.size == (3 * (160 + GAP) - GAP, 80 + TITLE)
    came, repair, drawn = cells(sheet, first.size, 3)
    assert (outlined(came), outlined(drawn)) == (0, 0)
    assert outlined(repair) > 100
    assert outlined(repair.crop((0, 0, 76, 80))) == 0, "the outline is that of the mask"
    assert sheet.getpixel((200, 1)) != sheet.getpixel((1, 1)), "what was undone has another colour than the start"


@pytest.mark.parametrize(("size", "cell"), [((2048, 512), (SIDE, SIDE // 4)), ((300, 900), (149, SIDE))])
def test_large_pictures_are_small_on_it_and_many_rounds_go_on_below(size: tuple[int, int], cell: tuple[int, int]) -> None:
    done = refined(picture(CIRCLE), Draughtsman(skill=0), limits=Limits(2))
    large = [replace(item, picture=item.picture.resize(size), mask=item.mask and item.mask.resize(size)) for item in done.rounds]
    sheet = rounds_sheet(picture(CIRCLE).resize(size), replace(done, rounds=(*large, *large)))
    assert sheet is not None
    assert sheet.size == (4 * (cell[0] + GAP) - GAP, 2 * (cell[1] + TITLE + GAP) - GAP)
