import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rpg.attention import regional_attention, token_grid
from rpg.errors import GenerationError
from rpg.layout import Layout

RATIOS = ["1", "1,1", "1;1", "1,1,1;2,1,1", "1,3;2,1,1,1;1,5,2", "1,2,3,4,5,6,7"]


def published(
    queries: torch.Tensor, grid: tuple[int, int], layout: Layout, base_ratios: tuple[float, ...], attend
) -> torch.Tensor:
    """The published method: attend over the whole picture for every region, then weigh by who owns which token."""
    maps = [attend(queries, segment).unflatten(1, grid) for segment in range(layout.count + 1)]
    out = torch.zeros_like(maps[0])
    for number, (box, ratio) in enumerate(zip(layout.rects(*grid), base_ratios), 1):
        share = torch.zeros(*grid, 1, dtype=out.dtype)
        weights = torch.tensor(box.rows, dtype=out.dtype)[:, None] * torch.tensor(box.columns, dtype=out.dtype)
        share[box.top : box.bottom, box.left : box.right, 0] = weights
        out += share * (ratio * maps[0] + (1 - ratio) * maps[number])
    return out.flatten(1, 2)


@settings(max_examples=60, deadline=None)
@given(
    text=st.sampled_from(RATIOS),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    ratios=st.lists(st.sampled_from([0.0, 0.3, 1.0]), min_size=1, max_size=8),
)
def test_equals_full_attention_then_crop(text: str, height: int, width: int, ratios: list[float]) -> None:
    layout = Layout.parse(text)
    base_ratios = tuple(ratios[number % len(ratios)] for number in range(layout.count))
    queries = torch.randn(2, height * width, 4, dtype=torch.float64)
    mixers = torch.randn(layout.count + 1, 4, 4, dtype=torch.float64)

    def attend(part: torch.Tensor, segment: int) -> torch.Tensor:
        return torch.tanh(part @ mixers[segment])

    grid = (height, width)
    ours = regional_attention(queries, grid, layout.rects(*grid), base_ratios, attend)
    torch.testing.assert_close(ours, published(queries, grid, layout, base_ratios, attend))


def test_the_base_prompt_is_not_computed_when_nothing_is_mixed_in() -> None:
    asked = []
    layout = Layout.parse("1,1")
    regional_attention(torch.zeros(1, 4, 2), (2, 2), layout.rects(2, 2), (0.0, 0.0), lambda q, s: (asked.append(s), q)[1])
    assert asked == [1, 2]


@given(height=st.integers(1, 300), width=st.integers(1, 300), level=st.integers(0, 4))
def test_token_grid_finds_every_level(height: int, width: int, level: int) -> None:
    h, w = height, width
    for _ in range(level):
        h, w = (h + 1) // 2, (w + 1) // 2
    assert token_grid((height, width), h * w) == (h, w)


def test_token_grid_refuses_other_counts() -> None:
    with pytest.raises(GenerationError, match="63 tokens.*8x8"):
        token_grid((8, 8), 63)
