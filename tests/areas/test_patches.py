"""Whatever regions cover, of any grid: the shares of a token sum to 1, and everybody gets what he covers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rpg.areas.area import Weights
from rpg.areas.areas import Areas
from rpg.areas.layout import Layout
from rpg.areas.patches import Shares, coverage, share_out, shares, side_shares
from tests.areas.test_layout import ratios
from tests.fuzz import fuzz

base_ratios = st.sampled_from([0.0, 0.3, 0.55, 1.0])
weights = st.sampled_from([0.0, 0.0, 1e-12, 0.25, 0.5, 1.0]) | st.floats(0, 1)
covers = arrays.array_shapes(min_dims=3, max_dims=3, max_side=6).flatmap(
    lambda shape: arrays.arrays(np.float64, shape, elements=weights)
)


def maps(shares: Shares, regions: int) -> Weights:
    """[regions, height, width]: the patches laid out again."""
    result = np.zeros((regions, *shares.base.shape))
    for patch in shares.patches:
        assert (patch.weights[[0, -1]] > 0).any(1).all(), "no window is larger than what it holds"
        assert (patch.weights[:, [0, -1]] > 0).any(0).all()
        result[patch.region][patch.window] += patch.weights
    return result


@fuzz
@given(covers, st.data())
def test_any_areas_share_every_token(cover: Weights, data: st.DataObject) -> None:
    own = data.draw(st.lists(base_ratios, min_size=len(cover), max_size=len(cover)))
    shared = share_out(cover, own)
    regions = maps(shared, len(cover))
    np.testing.assert_allclose(regions.sum(0) + shared.base, 1, atol=1e-9)
    assert (regions >= 0).all()
    assert (shared.base >= 0).all()
    free, crowded = cover.sum(0) <= 1, cover.sum(0) > 1
    for region, asked, ratio in zip(regions, cover, own, strict=True):
        np.testing.assert_allclose(region[free], asked[free] * (1 - ratio), atol=1e-9)
        np.testing.assert_allclose(region[crowded], (asked / cover.sum(0).clip(1))[crowded] * (1 - ratio), atol=1e-9)


@fuzz
@given(ratios, st.integers(1, 24), st.integers(1, 24), base_ratios)
def test_cells_tile_every_grid(text: str, height: int, width: int, base_ratio: float) -> None:
    layout = Layout.parse(text)
    cover = coverage(Areas.of(layout), height, width)
    np.testing.assert_allclose(cover.sum(0), 1, atol=1e-9)
    if height >= len(layout.rows) and width >= max(len(row.widths) for row in layout.rows):
        assert ((cover == 0) | (cover == 1)).all(), "shared only where the grid is too coarse"
        assert cover.any((1, 2)).all(), "every region has a token"
    shared = share_out(cover, [base_ratio] * layout.count)
    np.testing.assert_allclose(shared.base, base_ratio, atol=1e-9)


def test_tokens_go_to_the_region_that_covers_most_of_them() -> None:
    (left, _), (right, _) = side_shares([1, 2], 8)
    assert (left, right) == (slice(0, 3), slice(3, 8))  # a third of 8 tokens is 2.67


def test_a_narrow_region_keeps_a_token() -> None:
    assert [part.stop - part.start for part, _ in side_shares([1000, 1, 1000], 6)] == [3, 1, 2]


def test_a_grid_too_coarse_is_shared_by_area() -> None:
    assert [part for _, part in side_shares([1, 3], 1)] == [[0.25], [0.75]]
    place, middle = side_shares([1, 1, 1], 2)[1]
    assert place == slice(0, 2)
    assert middle == pytest.approx((1 / 3, 1 / 3))


def test_a_region_that_spans_rows_is_one_patch() -> None:
    areas = Areas.of(Layout.parse("1,1,1;2,1,1"), "ABAC")
    tall, upper, lower = shares(areas, (0.0,) * 4, 6, 4).patches
    assert (tall.region, tall.window) == (0, (slice(0, 6), slice(0, 2)))
    assert (tall.weights == 1).all()
    assert (upper.window, lower.window) == ((slice(0, 2), slice(2, 4)), (slice(2, 6), slice(2, 4)))
