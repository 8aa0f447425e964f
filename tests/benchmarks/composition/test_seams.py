"""Seams of drawn pictures, which have the backgrounds that they were drawn with."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from rpg.areas.layout import Layout
from rpg.shapes.training.scenes import BACKGROUNDS, ColouredShape, Scene, draw
from tests.benchmarks.composition.seams import seam

SIZE = 192, 128
COLUMNS = Layout.parse("1,2")


def halves(left: str, right: str, *things: ColouredShape) -> Image.Image:
    """Backgrounds that change where the columns meet."""
    picture = draw(Scene(*SIZE, left, things))
    picture.paste(draw(Scene(*SIZE, right, things)).crop((64, 0, *SIZE)), (64, 0))
    return picture.filter(ImageFilter.GaussianBlur(1))


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_one_background_has_no_seam_whatever_lies_on_it(background: str) -> None:
    across = ColouredShape("red", "square", 64, 64, 100)
    for things in ((), (across,), (ColouredShape("black", "star", 32, 40, 50), ColouredShape("cyan", "circle", 120, 70, 100))):
        assert seam(halves(background, background, *things), COLUMNS) == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("things", [(), (ColouredShape("red", "square", 64, 64, 100),)])
def test_backgrounds_that_differ_are_seen_where_objects_leave_room(things: tuple[ColouredShape, ...]) -> None:
    for pair in (("white", "gray"), ("gray", "white"), ("pink", "white"), ("gray", "pink")):
        assert seam(halves(*pair, *things), COLUMNS) > 15, pair


def test_only_where_regions_meet() -> None:
    assert seam(halves("white", "gray"), Layout.parse("1,1")) == 0


def test_rows_and_the_worst_of_several_borders_count() -> None:
    turned = halves("white", "gray").transpose(Image.Transpose.TRANSPOSE)
    for text in ("1;2", "1,1;1,2,1;1,1,1", "1;2,1,1"):
        assert seam(turned, Layout.parse(text)) > 15, text
    assert seam(turned, Layout.parse("1,1")) == 0


def test_light_that_changes_over_the_whole_picture_is_no_seam() -> None:
    ramp = np.linspace(255, 215, SIZE[0]).astype(np.uint8)
    picture = Image.fromarray(np.broadcast_to(ramp[None, :, None], (SIZE[1], SIZE[0], 3)).copy())
    assert seam(picture, COLUMNS) < 1.5, "of 14 from side to side"


def test_none_where_no_border_has_background_or_there_is_none() -> None:
    assert seam(Image.new("RGB", SIZE, (225, 30, 30)), COLUMNS) is None
    assert seam(Image.new("RGB", SIZE, "white"), Layout.parse("1")) is None
