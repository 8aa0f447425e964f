import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rpg.areas.layout import Layout
from rpg.errors import GenerationError
from rpg.steering.attention import Call, regional_attention, route, token_grid
from rpg.steering.conditioning import distinct, join

RATIOS = ["1", "1,1", "1;1", "1,1,1;2,1,1", "1,3;2,1,1,1;1,5,2", "1,2,3,4,5,6,7"]
CHANNELS = 4


def attention(queries: Tensor, context: Tensor) -> Tensor:
    return (queries @ context.transpose(1, 2)).softmax(dim=-1) @ context


def published(queries: Tensor, segments: list[Tensor], grid: tuple[int, int], layout: Layout, base_ratios: list[float]) -> Tensor:
    """The published method: attend over the whole picture for every region, then weigh by who owns which token."""
    maps = [attention(queries, segment).unflatten(1, grid) for segment in segments]
    out = torch.zeros_like(maps[0])
    for number, (box, ratio) in enumerate(zip(layout.rects(*grid), base_ratios), 1):
        share = torch.zeros(*grid, 1, dtype=out.dtype)
        weights = torch.tensor(box.rows, dtype=out.dtype)[:, None] * torch.tensor(box.columns, dtype=out.dtype)
        share[box.top : box.bottom, box.left : box.right, 0] = weights
        out += share * (ratio * maps[0] + (1 - ratio) * maps[number])
    return out.flatten(1, 2)


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


@settings(max_examples=150, deadline=None)
@given(
    text=st.sampled_from(RATIOS),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    ratios=st.lists(st.sampled_from([0.0, 0.3, 1.0]), min_size=1, max_size=8),
    kinds=st.text("sop", min_size=1, max_size=4),
    lengths=st.sampled_from([(5, 5), (5, 3)]),
    mode=st.sampled_from(["merged", "apart", "row by row"]),
)
def test_equals_full_attention_then_crop(  # noqa: PLR0917
    text: str, height: int, width: int, ratios: list[float], kinds: str, lengths: tuple[int, int], mode: str
) -> None:
    grid, layout = (height, width), Layout.parse(text)
    base_ratios = [ratios[number % len(ratios)] for number in range(layout.count)]
    queries = torch.randn(len(kinds), height * width, CHANNELS, dtype=torch.float64)
    segments = prompts(kinds, layout.count + 1, lengths)
    context, table = join(segments)
    numbers = None if mode == "row by row" else distinct(context, table, merge=mode == "merged")
    routing = route(context, table, numbers, grid, layout.rects(*grid), base_ratios)
    ours = regional_attention(queries, routing, lambda part, call: attention(part, call.context))
    torch.testing.assert_close(ours, published(queries, segments, grid, layout, base_ratios), rtol=1e-5, atol=1e-6)


def asked(kinds: str, text: str, base_ratio: float, merge: bool | None = True) -> list[tuple[int, ...]]:
    """Shapes of the queries of all calls on a grid of 4x4."""
    layout = Layout.parse(text)
    context, table = join(prompts(kinds, layout.count + 1, (5, 5)))
    numbers = None if merge is None else distinct(context, table, merge)
    routing = route(context, table, numbers, (4, 4), layout.rects(4, 4), [base_ratio] * layout.count)
    shapes = []

    def attend(part: Tensor, call: Call) -> Tensor:
        assert len(part) == len(call.context)
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
