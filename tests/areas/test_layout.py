import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpg.areas.layout import MAX_CONTRAST, MAX_REGIONS, MAX_TEXT, Layout
from rpg.errors import LayoutError
from tests.fuzz import fuzz

numbers = st.sampled_from(["1", "2", "3", "7", "40", "0.1", "0.25", ".5", "3.", "007", " 1 ", "33.34", "99"])
cells = st.lists(numbers, min_size=1, max_size=5).map(",".join)
ratios = st.lists(cells, min_size=1, max_size=5).map(";".join)
near_misses = st.text(st.sampled_from("0123456789.,; -+eE\n١½∞naif，；:|"), max_size=40)


def check_tiling(layout: Layout, height: int, width: int) -> None:
    """Every token's shares sum to 1, every region has a token, and tokens are shared only where the grid is too coarse."""
    rects = layout.rects(height, width)
    shares = np.zeros((height, width))
    owners = np.zeros((height, width), dtype=int)
    assert len(rects) == layout.count
    for rect in rects:
        assert 0 <= rect.top < rect.bottom <= height
        assert 0 <= rect.left < rect.right <= width
        window = (slice(rect.top, rect.bottom), slice(rect.left, rect.right))
        shares[window] += np.outer(rect.rows, rect.columns)
        owners[window] += 1
    np.testing.assert_allclose(shares, 1, atol=1e-9)
    if height >= len(layout.rows) and width >= max(len(row.widths) for row in layout.rows):
        assert all(rect.owns_all for rect in rects)
        assert (owners == 1).all()


@fuzz
@given(ratios, st.integers(1, 24), st.integers(1, 24))
def test_every_accepted_ratio_tiles_every_small_grid(text: str, height: int, width: int) -> None:
    check_tiling(Layout.parse(text), height, width)


@pytest.mark.parametrize(
    "text", ["1", "0.5,0.5", "1;1;1", "1,1,1;2,1,1", "1,1000;1000,1,1,1000", ";".join(["1"] * 64), "1,2,3,4,5"]
)
def test_tiles_all_grid_sizes(text: str) -> None:
    layout = Layout.parse(text)
    for height in (*range(1, 10), 13, 31, 64, 65, 96):
        for width in (*range(1, 10), 17, 37, 64, 127, 160):
            check_tiling(layout, height, width)


@fuzz
@given(ratios)
def test_text_is_stable(text: str) -> None:
    layout = Layout.parse(text)
    assert Layout.parse(layout.text) == layout
    assert Layout.parse(layout.text).text == layout.text


@fuzz
@given(st.one_of(st.text(max_size=60), near_misses))
def test_random_text_gives_a_layout_or_a_sentence(text: str) -> None:
    try:
        layout = Layout.parse(text)
    except LayoutError as error:
        assert_sentence(error)
    else:
        assert Layout.parse(layout.text) == layout
        check_tiling(layout, 3, 5)


def assert_sentence(error: LayoutError) -> None:
    assert str(error).startswith("split_ratio")
    assert str(error).endswith(".")
    assert len(str(error)) < 1500  # two quotes of 60 characters, each of which may be written as an escape of ten


def test_rows_then_columns() -> None:
    boxes = Layout.parse("1,1,1;3,1,3").boxes
    assert [(box.left, box.top, box.right, box.bottom) for box in boxes] == [
        (0, 0, 0.5, 0.25),
        (0.5, 0, 1, 0.25),
        (0, 0.25, 0.25, 1),
        (0.25, 0.25, 1, 1),
    ]


def test_one_row_is_columns_and_one_number_is_a_row() -> None:
    assert Layout.parse("1,3").boxes[0].right == 0.25
    assert [box.bottom for box in Layout.parse("1;1;2").boxes] == [0.25, 0.5, 1]


def test_tokens_go_to_the_region_that_covers_most_of_them() -> None:
    left, right = Layout.parse("1,2").rects(1, 8)
    assert (left.left, left.right, right.left, right.right) == (0, 3, 3, 8)  # a third of 8 tokens is 2.67


def test_a_narrow_region_keeps_a_token() -> None:
    rects = Layout.parse("1000,1,1000").rects(4, 6)
    assert [rect.right - rect.left for rect in rects] == [3, 1, 2]


def test_a_grid_too_coarse_is_shared_by_area() -> None:
    left, right = Layout.parse("1,3").rects(1, 1)
    assert (left.columns, right.columns) == ((0.25,), (0.75,))
    middle = Layout.parse("1,1,1").rects(1, 2)[1]
    assert middle.left == 0
    assert middle.columns == pytest.approx((1 / 3, 1 / 3))


@pytest.mark.parametrize(
    ("text", "short"), [(" 0.50 , .5 ", "0.5,0.5"), ("1;1;1", "1;1;1"), ("1,1;1,1", "1;1"), ("2,1,1;1", "2,1,1;1"), ("01.0", "1")]
)
def test_shortest_form(text: str, short: str) -> None:
    assert Layout.parse(text).text == short


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "split_ratio is empty"),
        ("  ", "split_ratio is empty"),
        ("1,,1", "has an empty cell"),
        ("1;", "has an empty cell"),
        ("1,0", "'0' is not a number above 0"),
        ("1,-1", "'-1' is not a number above 0"),
        ("1,nan", "'nan' is not a number above 0"),
        ("inf,1", "'inf' is not a number above 0"),
        ("1e3,1", "'1e3' is not a number above 0"),
        ("١,1", "is not a number above 0"),
        ("9" * 400 + ",1", "is not a number above 0"),
        ("1,1001", "widths of row 1 go from 1 to 1001; the largest may be at most 1000 times the smallest"),
        ("0.001;1.1", "row heights go from 0.001 to 1.1"),
        (",".join(["1"] * (MAX_REGIONS + 1)), "has 65 regions; at most 64"),
        ("1" * (MAX_TEXT + 1), "8193 characters; at most 8192"),
        (7, "split_ratio is 7; it must be a text"),
        (None, "split_ratio is None; it must be a text"),
    ],
)
def test_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(LayoutError) as caught:
        Layout.parse(text)
    assert sentence in str(caught.value)
    assert_sentence(caught.value)


def test_bounds_are_inclusive() -> None:
    assert Layout.parse(f"1,{MAX_CONTRAST}").count == 2
    assert Layout.parse(",".join(["1"] * MAX_REGIONS)).count == MAX_REGIONS
    assert Layout.columns(3) == Layout.parse("1,1,1")
