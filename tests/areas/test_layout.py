import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpg.areas.layout import LONGEST_RATIO, MAX_CONTRAST, MAX_REGIONS, Layout
from rpg.errors import LayoutError
from tests.fuzz import fuzz

numbers = st.sampled_from(["1", "2", "3", "7", "40", "0.1", "0.25", ".5", "3.", "007", " 1 ", "33.34", "99"])
cells = st.lists(numbers, min_size=1, max_size=5).map(",".join)
ratios = st.lists(cells, min_size=1, max_size=5).map(";".join)
near_misses = st.text(st.sampled_from("0123456789.,; -+eE\n١½∞naif，；:|"), max_size=40)


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
        ("1" * (LONGEST_RATIO + 1), "8193 characters; at most 8192"),
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


@pytest.mark.parametrize("text", ["1，2；3", "１,２;３", "１．０，２；３", "1、2；3"])
def test_chinese_signs_and_digits_are_read(text: str) -> None:
    assert Layout.parse(text) == Layout.parse("1,2;3")
