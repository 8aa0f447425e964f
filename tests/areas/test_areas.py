"""Which cells are one region: ``Areas.of`` with a letter for what each cell shows."""

import pytest

from rpg.areas.areas import Areas
from rpg.areas.layout import Layout
from rpg.plan import Plan


@pytest.mark.parametrize(
    ("split_ratio", "kinds", "regions"),
    [
        ("1,1,1;1,1,1", "ABAC", [0, 1, 0, 3]),
        ("1,1,1;1,1,1;2,1,1", "ABACAD", [0, 1, 0, 3, 0, 5]),
        ("1,2,2;1,1,1", "ABAC", [0, 1, 0, 3]),
        ("1,2,1,1;1,2,1,1", "ABBABB", [0, 1, 2, 0, 4, 5]),
        ("1,1,2;1,1,3", "ABAC", [0, 1, 2, 3]),
        ("1,1,1;1,1,1", "ABCA", [0, 1, 2, 3]),
        ("1,1,1;1,1,1", "ABAB", [0, 1, 2, 3]),
        ("1,1,1;1,1,1", "AAAA", [0, 1, 2, 3]),
        ("1,1,1;1", "ABA", [0, 1, 2]),
        ("1,1", "AA", [0, 1]),
        ("1;1", "AA", [0, 1]),
    ],
    ids=[
        "two rows",
        "three rows",
        "other numbers, same borders",
        "one beside a square of four",
        "other borders",
        "a corner only",
        "rows that repeat as a whole",
        "a square of four",
        "no rectangle",
        "beside each other",
        "one row above its like",
    ],
)
def test_cells_that_span_rows(split_ratio: str, kinds: str, regions: list[int]) -> None:
    assert Areas.of(Layout.parse(split_ratio), kinds).regions == tuple(regions)


def test_a_cell_is_a_region_where_nothing_is_known_of_it() -> None:
    assert Areas.of(Layout.parse("1,1,1;1,1,1")).regions == (0, 1, 2, 3)


@pytest.mark.parametrize("own", [{"negative_prompt": "fur"}, {"base_ratio": 0.2}, {"prompt": "a black cat"}])
def test_a_region_goes_on_only_where_all_it_says_is_the_same(own: dict[str, object]) -> None:
    def regions(**fields: object) -> tuple[int, ...]:
        below = {"prompt": "a cat", "base_ratio": 0.4, **fields}
        data = {"regions": ["a cat", "a dog", below, "a bird"], "split_ratio": "1,1,1;1,1,1", "base_ratio": 0.4}
        return Plan.from_dict(data).areas.regions

    assert regions() == (0, 1, 0, 3), "its base ratio is the plan's"
    assert regions(**own) == (0, 1, 2, 3)
