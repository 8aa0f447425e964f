from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rpg.areas.area import Weights
from rpg.areas.areas import Areas
from rpg.areas.layout import Layout
from rpg.areas.patches import coverage, share_out, shares
from rpg.errors import GenerationError
from rpg.steering.attention import QueryBatch, regional_attention, route, token_grid
from rpg.steering.conditioning import distinct, join

RATIOS = ["1", "1,1", "1;1", "1,1,1;2,1,1", "1,3;2,1,1,1;1,5,2", "1,2,3,4,5,6,7"]
CHANNELS = 4


def attention(queries: Tensor, context: Tensor) -> Tensor:
    return (queries @ context.transpose(1, 2)).softmax(dim=-1) @ context


def published(queries: Tensor, segments: list[Tensor], cover: Weights, base_ratios: list[float]) -> Tensor:
    """The published method: attend over the whole picture for every region, then weigh by who owns which token."""
    base, *maps = [attention(queries, segment) for segment in segments]
    owned = torch.tensor(cover / np.maximum(cover.sum(0), 1)).flatten(1)[..., None]
    out = base * (1 - owned.sum(0))
    for own, region, ratio in zip(owned, maps, base_ratios, strict=True):
        out += own * (ratio * base + (1 - ratio) * region)
    return out


def prompts(kinds: str, count: int, lengths: tuple[int, int]) -> list[Tensor]:
    """Conditionings of rows that are each (s)teered as all of this kind are, (o)n its own, or (p)lain."""
    segments = [torch.randn(1, lengths[number % 2], CHANNELS, dtype=torch.float64) for number in range(count)]
    rows = []
    for kind in kinds:
        if kind == "o":
            rows.append([torch.randn_like(segment) for segment in segments])
        elif kind == "p":
            token = torch.randn(1, 1, CHANNELS, dtype=torch.float64)
            rows.append([token.expand_as(segment) for segment in segments])
        else:
            rows.append(segments)
    return [torch.cat(column) for column in zip(*rows)]


def covers(draw: st.DrawFn) -> Weights:
    """What regions cover of a small grid: the cells of a split ratio, or anything, with gaps and overlaps."""
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    if draw(st.booleans()):
        return coverage(Areas.of(Layout.parse(draw(st.sampled_from(RATIOS)))), height, width)
    shape = (draw(st.integers(1, 5)), height, width)
    values = np.random.default_rng(draw(st.integers(0, 99))).choice([0, 0, 0.25, 1], shape)
    return values if values.any() else np.ones(shape)


@settings(max_examples=150, deadline=None)
@given(
    cover=st.composite(covers)(),
    ratios=st.lists(st.sampled_from([0.0, 0.3, 1.0]), min_size=1, max_size=8),
    kinds=st.text("sop", min_size=1, max_size=4),
    lengths=st.sampled_from([(5, 5), (5, 3)]),
    mode=st.sampled_from(["merged", "apart", "row by row"]),
)
def test_equals_full_attention_then_crop(
    cover: Weights, ratios: list[float], kinds: str, lengths: tuple[int, int], mode: str
) -> None:
    base_ratios = [ratios[number % len(ratios)] for number in range(len(cover))]
    queries = torch.randn(len(kinds), cover[0].size, CHANNELS, dtype=torch.float64)
    segments = prompts(kinds, len(cover) + 1, lengths)
    context, table = join(segments)
    numbers = None if mode == "row by row" else distinct(context, table, merge=mode == "merged")
    routing = route(context, table, numbers, share_out(cover, base_ratios))
    ours = regional_attention(queries, routing, lambda part, batch: attention(part, batch.context))
    torch.testing.assert_close(ours, published(queries, segments, cover, base_ratios), rtol=1e-5, atol=1e-6)


def drawn(cover: Sequence[Sequence[Sequence[float]]], base_ratio: float = 0.0) -> list[list[float]]:
    """A map of who is heard where: every region says its number, the base prompt 0."""
    routing_shares = share_out(np.array(cover, dtype=float), [base_ratio] * len(cover))
    joined = join([torch.full((1, 1, 1), float(number)) for number in range(len(cover) + 1)])
    routing = route(*joined, distinct(*joined), routing_shares)
    grid = routing_shares.base.shape
    out = regional_attention(torch.zeros(1, grid[0] * grid[1], 1), routing, lambda part, batch: 0 * part + batch.context)
    return out.view(grid).tolist()


def test_routing_drawn() -> None:
    def cells(text: str) -> Weights:
        return coverage(Areas.of(Layout.parse(text)), 4, 6)

    assert drawn(cells("1,1,2;1,3,1,2")) == [
        [1, 1, 2, 2, 2, 2],
        [1, 1, 2, 2, 2, 2],
        [3, 3, 3, 4, 5, 5],
        [3, 3, 3, 4, 5, 5],
    ]
    assert drawn(cells("1,1"), base_ratio=0.5) == [[0.5, 0.5, 0.5, 1, 1, 1]] * 4
    one = [[0, 1, 1, 1, 0, 0], [0, 1, 1, 1, 0, 0]]
    other = [[0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0.5, 0]]
    assert drawn([one, other]) == [
        [0, 1, 1, 1.5, 2, 0],
        [0, 1, 1, 1.0, 1, 0],
    ], "gaps are the base prompt's, overlaps are halved"


def asked(kinds: str, text: str, base_ratio: float, merge: bool | None = True) -> list[tuple[int, ...]]:
    """Shapes of the queries of all calls on a grid of 4x4."""
    layout = Layout.parse(text)
    context, table = join(prompts(kinds, layout.count + 1, (5, 5)))
    numbers = None if merge is None else distinct(context, table, merge)
    routing = route(context, table, numbers, shares(Areas.of(layout), (base_ratio,) * layout.count, 4, 4))
    shapes = []

    def attend(part: Tensor, batch: QueryBatch) -> Tensor:
        assert len(part) == len(batch.context)
        shapes.append(tuple(part.shape[:2]))
        return part.clone()

    regional_attention(torch.zeros(len(kinds), 16, CHANNELS), routing, attend)
    return shapes


def test_regions_of_one_size_take_one_call() -> None:
    assert asked("s", "1,1,1;1,1,1", 0.5) == [(4, 4), (1, 16)]
    assert asked("s", "1,1,1;3,1,1", 0.5) == [(2, 2), (2, 6), (1, 16)]


def test_regions_of_about_one_size_are_padded_to_one_call() -> None:
    assert asked("s", "2,1,1;2,3,1", 0.0) == [(3, 6), (1, 2)], "4, 4, 6 and 2 tokens"


def test_the_base_prompt_is_not_computed_when_nothing_is_mixed_in() -> None:
    assert asked("s", "1,1", 0.0) == [(2, 8)]


def test_rows_without_regions_need_the_base_prompt_only() -> None:
    assert asked("p", "1,1", 0.5) == [(1, 16)]
    assert asked("ps", "1,1", 0.5) == [(2, 8), (2, 16)]
    assert asked("ps", "1,1", 0.0) == [(2, 8), (1, 16)]
    assert asked("ps", "1,1", 0.5, merge=False) == [(4, 8), (2, 16)]


def test_rows_with_equal_regions_share_their_calls() -> None:
    assert asked("ss", "1,1", 0.0) == [(2, 16)]
    assert asked("so", "1,1", 0.0) == [(4, 8)]


def test_row_by_row_every_call_has_all_rows() -> None:
    assert asked("pso", "1,1", 0.5, merge=None) == [(3, 8), (3, 8), (3, 16)]


@given(height=st.integers(1, 300), width=st.integers(1, 300), level=st.integers(0, 4))
def test_token_grid_finds_every_level(height: int, width: int, level: int) -> None:
    h, w = height, width
    for _ in range(level):
        h, w = (h + 1) // 2, (w + 1) // 2
    assert token_grid((height, width), h * w) == (h, w)


def test_token_grid_refuses_other_counts() -> None:
    with pytest.raises(GenerationError, match="63 tokens.*8x8"):
        token_grid((8, 8), 63)
