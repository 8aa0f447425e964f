"""Boxes and masks: who takes how much of every token, whatever is drawn."""

import base64
import io
from functools import partial
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from rpg.areas import masks
from rpg.areas.area import LEAST_SIDE, Area, Weights
from rpg.areas.areas import Areas
from rpg.areas.layout import Box, Layout
from rpg.areas.patches import check_sizes, coverage, shares
from rpg.errors import PlanError
from tests import fuzz as fuzzing
from tests.areas.test_patches import base_ratios, maps

edges = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted).filter(lambda pair: pair[1] - pair[0] >= LEAST_SIDE)
boxes = st.builds(lambda x, y: Area(Box(x[0], y[0], x[1], y[1])), edges, edges)


def pixels(shape: tuple[int, ...]) -> st.SearchStrategy[np.ndarray]:
    """Grey levels, drawn in one piece: one by one takes ten times as long."""
    return st.binary(min_size=prod(shape), max_size=prod(shape)).map(lambda data: np.frombuffer(data, np.uint8).reshape(shape))


drawings = arrays.array_shapes(min_dims=2, max_dims=2, max_side=12).flatmap(pixels).filter(np.any)


def png(pixels: object, **options: object) -> str:
    file = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.asarray(pixels, np.uint8))
    image.save(file, "PNG", **options)
    return base64.b64encode(file.getvalue()).decode()


@st.composite
def areas(draw: st.DrawFn) -> Area:
    feather = draw(st.sampled_from([0.0, 0.0, 0.05, 1.0]))
    if draw(st.booleans()):
        return Area(draw(boxes).box, feather=feather)
    return Area(mask=png(draw(drawings)), feather=feather)


@st.composite
def mixed(draw: st.DrawFn) -> Areas:
    """Cells, boxes and masks in any order."""
    layout = Layout.parse(draw(st.sampled_from(["1", "1,2", "1;1,1", "1,1,1;1,1,1"])))
    own: list[Area | None] = [None] * layout.count
    for area in draw(st.lists(areas(), max_size=4)):
        own.insert(draw(st.integers(0, len(own))), area)
    if any(own) and draw(st.booleans()):
        return Areas.of(None, (), [area for area in own if area])
    return Areas.of(layout, draw(st.sampled_from(["", "AAAAAAAA", "ABACABAC"]))[: len(own)], own)


fuzz = partial(fuzzing.fuzz, examples=100)
sides = st.sampled_from([64, 512, 2048]) | st.integers(64, 2048)


@fuzz
@given(mixed(), sides, sides, st.sampled_from([8, 16, 64]), st.data())
def test_whatever_is_drawn_the_shares_of_every_token_sum_to_1(
    areas: Areas, width: int, height: int, of: int, data: st.DataObject
) -> None:
    """At any size of a picture, and at its latent's and deeper levels' resolution."""
    own = tuple(data.draw(st.lists(base_ratios, min_size=len(areas.own), max_size=len(areas.own))))
    grid = -(-height // of), -(-width // of)
    shared = shares(areas, own, *grid)
    regions = maps(shared, len(areas.own))
    np.testing.assert_allclose(regions.sum(0) + shared.base, 1, atol=1e-9)
    assert (regions >= 0).all()
    assert (shared.base >= 0).all()
    if areas.layout:
        assert (shared.base <= max(own) + 1e-9).all(), "cells leave nothing to the base prompt but its ratio"


@fuzz
@given(areas(), areas(), st.integers(1, 40), st.integers(1, 40))
def test_the_upper_one_takes_the_place(lower: Area, upper: Area, height: int, width: int) -> None:
    below, above = lower.weights(height, width), upper.weights(height, width)
    cover = coverage(Areas.of(None, (), [lower, upper]), height, width)
    np.testing.assert_allclose(cover[1], above, atol=1e-9)
    np.testing.assert_allclose(cover[0], below * (1 - above), atol=1e-9)


@fuzz
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 40), st.integers(1, 40))
def test_boxes_side_by_side_tile_as_cells_do(widths: list[int], height: int, width: int) -> None:
    layout = Layout.parse(",".join(map(str, widths)))
    own = Areas.of(None, (), [Area(box) for box in layout.boxes])
    np.testing.assert_allclose(coverage(own, height, width).sum(0), 1, atol=1e-9)
    if width >= 100:
        np.testing.assert_array_equal(coverage(own, height, width), coverage(Areas.of(layout), height, width))


def test_a_box_takes_whole_tokens_and_less_where_there_is_none() -> None:
    box = Area(Box(0.26, 0.5, 0.76, 1))
    assert box.weights(2, 8).tolist() == [[0] * 8, [0, 0, 1, 1, 1, 1, 0, 0]]
    thin = Area(Box(0.3, 0, 0.35, 1)).weights(1, 4)
    np.testing.assert_allclose(thin, [[0, 0.2, 0, 0]])


def test_cells_below_and_above_a_box() -> None:
    middle = Area(Box(0.25, 0, 0.75, 1))
    layout = Layout.columns(2)
    cover = coverage(Areas.of(layout, (), [None, None, middle]), 1, 4)
    assert cover[:, 0].tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 1, 0]]
    cover = coverage(Areas.of(layout, (), [None, middle, None]), 1, 4)
    assert cover[:, 0].tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1]]


def test_equal_cells_go_on_past_areas_of_their_own() -> None:
    box = Area(Box(0.4, 0.4, 0.6, 0.6))
    assert Areas.of(Layout.parse("1,1,1;1,1,1"), "ABXAC", [None, None, box, None, None]).regions == (0, 1, 2, 0, 4)


def test_a_mask_is_averaged_over_each_token() -> None:
    drawn = Area(mask=png([[255, 255, 0, 0], [255, 0, 0, 51]]))
    np.testing.assert_allclose(drawn.weights(1, 2), [[0.75, 0.05]], atol=1e-3)
    assert drawn.weights(2, 4).tolist() == [[1, 1, 0, 0], [1, 0, 0, 0.2]]
    assert drawn.weights(4, 8)[0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


def test_feather_is_as_wide_as_it_says_and_stops_at_the_picture() -> None:
    soft = Area(Box(0, 0, 0.5, 1), feather=0.25).weights(64, 128)
    assert (np.diff(soft[32]) <= 0).all()
    assert (soft[:, :56] == 1).all(), "beyond the picture's edges it goes on"
    assert (soft[:, 72:] == 0).all()
    assert 0.4 < soft[32, 64] < 0.6
    assert ((soft[:, 57:71] > 0) & (soft[:, 57:71] < 1)).all()


def test_masks_are_kept_small_and_unchanged_from_then_on() -> None:
    rng = np.random.default_rng(0)
    large = Image.fromarray((rng.random((6, 8)) * 255).astype("uint8")).resize((2000, 1500))
    text = masks.kept("data:image/png;base64," + png(large))
    image = Image.open(io.BytesIO(base64.b64decode(text)))
    assert (image.mode, image.size) == ("L", (256, 192))
    assert masks.kept(text) == text
    assert np.abs(masks.weights(text, 3, 4) - np.asarray(large.resize((4, 3), Image.Resampling.BOX)) / 255).max() < 0.01


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pngs_of_every_kind_are_read(mode: str) -> None:
    grey = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8))
    image = Image.fromarray(np.asarray(grey, np.uint16) * 257) if mode == "I;16" else grey.convert(mode)
    assert masks.weights(masks.kept(png(image)), 2, 2).tolist() == [[0, 1], [1, 0]]


def test_the_box_around_a_mask() -> None:
    assert Area(mask=png([[0, 20, 0, 0], [0, 255, 128, 0]])).bounds == Box(0.25, 0.5, 0.75, 1)
    areas = Areas.of(Layout.columns(2), (), [None, Area(Box(0.1, 0.2, 0.3, 0.4)), None])
    assert areas.boxes == (Box(0, 0, 0.5, 1), Box(0.1, 0.2, 0.3, 0.4), Box(0.5, 0, 1, 1))


def test_what_is_transparent_is_outside() -> None:
    white = Image.new("RGBA", (2, 1), "white")
    white.putpixel((0, 0), (255, 255, 255, 0))
    assert masks.weights(masks.kept(png(white)), 1, 2).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({}, "either a box"),
        ({"box": [0, 0, 1, 1], "mask": png([[255]])}, "either a box"),
        ("left", "must be an object"),
        ({"shape": 1}, "Unknown field 'shape'; a region's area has box, mask, feather"),
        ({"box": [0, 0, 1]}, "[left, top, right, bottom]"),
        ({"box": "0011"}, "[left, top, right, bottom]"),
        ({"box": [0, 0, 1, 1.5]}, "box is 1.5"),
        ({"box": [0, 0, float("nan"), 1]}, "box is nan"),
        ({"box": [0.5, 0, 0.5, 1]}, "left must be smaller"),
        ({"box": [0, 0, 0.001, 1]}, "left must be smaller"),
        ({"box": [0, 0, 1, 1], "feather": 2}, "feather is 2"),
        ({"mask": 5}, "must be a PNG"),
        ({"mask": "no base64!"}, "not base64"),
        ({"mask": "AAAA"}, "no PNG that can be read"),
        ({"mask": png(np.random.default_rng(0).integers(0, 256, (30, 30)))[:400]}, "no PNG that can be read"),
        ({"mask": base64.b64encode(b"GIF89a").decode()}, "no PNG that can be read"),
        ({"mask": png([[0, 0]])}, "mask is empty"),
        ({"mask": png([[255] * 4097])}, "4097 x 1 pixels"),
        ({"mask": "A" * (6 * 1024 * 1024)}, "at most 4194304"),
    ],
)
def test_what_cannot_be_an_area_is_refused_with_a_sentence(value: object, sentence: str) -> None:
    with pytest.raises(PlanError) as caught:
        Area.from_value(value)
    assert sentence in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_mask_that_vanishes_when_it_is_made_small_is_empty() -> None:
    speck = np.zeros((4096, 4096), np.uint8)
    speck[5, 5] = 100
    with pytest.raises(PlanError, match="mask is empty"):
        Area(mask=png(speck))


def test_regions_too_small_or_hidden_are_named() -> None:
    small, whole = Area(Box(0.5, 0.5, 0.51, 0.51)), Area(Box(0, 0, 1, 1))
    check_sizes(Areas.of(None, (), [small]), 128, 128)
    with pytest.raises(PlanError, match=r"Region 1: its area is less than 8 x 8 pixels .* 512 x 256"):
        check_sizes(Areas.of(None, (), [small]), 32, 64)
    with pytest.raises(PlanError, match="Region 2 is hidden under later regions"):
        check_sizes(Areas.of(Layout.parse("1,1"), (), [None, None, Area(Box(0.5, 0, 1, 1))]), 64, 64)
    with pytest.raises(PlanError, match="Region 1 is hidden"):
        check_sizes(Areas.of(None, (), [Area(Box(0.2, 0.2, 0.8, 0.8)), whole]), 64, 64)
    check_sizes(Areas.of(None, (), [whole, Area(Box(0.2, 0.2, 0.8, 0.8))]), 64, 64)


def test_weights_of_a_part_are_those_of_the_whole_there() -> None:
    drawn = masks.kept(png(np.tri(64) * 255))
    part = masks.cut(drawn, (0.25, 0.25, 0.75, 0.75))
    assert part is not None
    inner: Weights = masks.weights(drawn, 64, 64)[16:48, 16:48]
    np.testing.assert_allclose(masks.weights(part, 32, 32), inner, atol=0.01)
    assert masks.cut(drawn, (0.75, 0, 1, 0.25)) is None
