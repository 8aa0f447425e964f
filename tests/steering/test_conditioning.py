import pytest
import torch

from rpg.errors import GenerationError
from rpg.steering.conditioning import join, join_pair
from tests.steering.unets import CrossAttention


def tokens(rows: int, count: int, channels: int = 6) -> torch.Tensor:
    return torch.randn(rows, count, channels, generator=torch.Generator().manual_seed(rows * 1000 + count))


def test_join_lays_segments_end_to_end() -> None:
    base, one, shared = tokens(2, 4), tokens(2, 3), tokens(1, 5)
    context, table = join([base, one, shared])
    assert table == ((0, 4), (4, 7), (7, 12))
    for segment, (start, stop) in zip((base, one, shared.expand(2, -1, -1)), table):
        assert torch.equal(context[:, start:stop], segment)


@pytest.mark.parametrize(("rows", "channels"), [(3, 6), (2, 7)])
def test_join_refuses_what_does_not_fit(rows: int, channels: int) -> None:
    with pytest.raises(GenerationError, match="region 1"):
        join([tokens(2, 4), tokens(rows, 4, channels)])


@pytest.mark.parametrize(
    "lengths", [[(77, 77), (77, 77)], [(77, 154), (154, 77)], [(154, 231), (77, 77)], [(77, 308), (231, 77)]]
)
def test_a_pair_shares_one_table_and_attention_does_not_change(lengths: list[tuple[int, int]]) -> None:
    positive, negative = [tokens(2, a) for a, _ in lengths], [tokens(2, b) for _, b in lengths]
    first, second = join_pair(positive, negative)
    assert first.table == second.table
    assert first.context.shape == second.context.shape
    torch.manual_seed(0)
    layer, queries = CrossAttention(), torch.randn(2, 9, 8)
    for joined, segments in ((first, positive), (second, negative)):
        for segment, (start, stop) in zip(segments, joined.table):
            torch.testing.assert_close(layer(queries, joined.context[:, start:stop]), layer(queries, segment))


def test_lengths_with_a_huge_common_multiple_stay_apart() -> None:
    first, second = join_pair([tokens(1, 7 * 11), tokens(1, 5)], [tokens(1, 13 * 11), tokens(1, 5)])
    assert first.table == ((0, 77), (77, 82))
    assert second.table == ((0, 143), (143, 148))
    assert join_pair([tokens(1, 7)], [tokens(1, 13)], stretch=None)[0].table == ((0, 91),)


def test_different_tables_never_have_equal_length() -> None:
    first, second = join_pair([tokens(1, 77), tokens(1, 143)], [tokens(1, 143), tokens(1, 77)])
    assert first.table != second.table
    assert first.context.shape[1] != second.context.shape[1]


def test_a_pair_needs_two_of_each() -> None:
    with pytest.raises(GenerationError, match="2 positive and 1 negative"):
        join_pair([tokens(1, 2)] * 2, [tokens(1, 2)])
