"""Every picture size that hosts offer: multiples of 8 from 64 to 2048 on each side."""

import numpy as np
import pytest
import torch

from rpg.areas.layout import Layout
from rpg.steering.attention import token_grid
from rpg.steering.conditioning import join
from rpg.steering.hooks import attach, cross_attentions
from rpg.steering.steering import Steering
from tests.areas.test_layout import check_tiling

SIDES = range(8, 257)
"""Of the latent, in eighths of the picture's."""
LEVELS = 4
LAYOUT = Layout.parse("1,1,2;2,1,1,1")
SIZES = [(8 + 13 * number % 29, 8 + 7 * number % 31) for number in range(40)]
"""Of latents: even and odd, wide and tall."""


def halved(side: int, level: int) -> int:
    """What a UNet's strided convolutions leave of a side."""
    for _ in range(level):
        side = (side + 1) // 2
    return side


@pytest.mark.parametrize("level", range(LEVELS))
def test_every_size_has_its_grid_at_every_level(level: int) -> None:
    halves = {side: halved(side, level) for side in SIDES}
    for height in SIDES:
        for width in SIDES:
            assert token_grid((height, width), halves[height] * halves[width]) == (halves[height], halves[width])


@pytest.mark.parametrize("text", ["1,1,1;2,3,1", "3,1;1,1,1"])
def test_regions_tile_every_grid(text: str) -> None:
    """Inside, as large together as the grid, and no two overlap: so they tile it."""
    layout = Layout.parse(text)
    sides = sorted({halved(side, level) for side in SIDES for level in range(LEVELS)})
    grids = [(height, width) for height in sides for width in sides if min(height, width) >= 3]
    rects = [layout.rects(height, width) for height, width in grids]
    edges = np.array([[(rect.top, rect.bottom, rect.left, rect.right) for rect in grid] for grid in rects])
    top, bottom, left, right = edges.transpose(2, 0, 1)
    heights, widths = np.array(grids).T
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (bottom <= heights[:, None]).all()
    assert (right <= widths[:, None]).all()
    assert (top < bottom).all()
    assert (left < right).all()
    assert (((bottom - top) * (right - left)).sum(1) == heights * widths).all()
    for one in range(layout.count):
        for other in range(one):
            rows = np.minimum(bottom[:, one], bottom[:, other]) > np.maximum(top[:, one], top[:, other])
            columns = np.minimum(right[:, one], right[:, other]) > np.maximum(left[:, one], left[:, other])
            assert not (rows & columns).any()
    assert all(rect.owns_all for grid in rects for rect in grid)
    for height in (1, 2):
        for width in (1, 2, 3, 32):
            check_tiling(layout, height, width)
            check_tiling(layout, width, height)


@pytest.fixture(scope="module")
def unet() -> torch.nn.Module:
    """Of diffusers, with three levels that round up."""
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    model = UNet2DConditionModel(
        block_out_channels=(16, 16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D",) * 3,
        up_block_types=("CrossAttnUpBlock2D",) * 3,
        cross_attention_dim=6,
        attention_head_dim=4,
        norm_num_groups=4,
    ).eval()
    for layer in cross_attentions(model):
        layer.to_v.weight.data *= 10
    return model


@pytest.mark.parametrize("size", SIZES)
def test_laws_hold_in_a_unet(unet: torch.nn.Module, size: tuple[int, int]) -> None:
    """Identity of the whole UNet's output, locality of every cross-attention layer's."""
    torch.manual_seed(1)
    x, (base, *others) = torch.randn(2, 4, *size), torch.randn(LAYOUT.count + 2, 2, 5, 6)
    regional = Steering(LAYOUT, [0.3] * LAYOUT.count, merge=False)
    same, table = join([base] * (1 + LAYOUT.count))
    regional.tables = {same.shape[1]: table}
    with torch.no_grad():
        plain = unet(x, 10, encoder_hidden_states=base).sample
        assert (plain - unet(x, 10, encoder_hidden_states=others[0]).sample).abs().max() > 1e-2
        with attach(unet, regional):
            torch.testing.assert_close(unet(x, 10, encoder_hidden_states=same).sample, plain, rtol=1e-4, atol=1e-4)
            check_locality(unet, regional, x, [base, *others])


def check_locality(unet: torch.nn.Module, regional: Steering, x: torch.Tensor, prompts: list[torch.Tensor]) -> None:
    """Another prompt for the second region, given to each layer with the same input: its tokens move, and no others."""
    seen = []
    handles = [
        layer.register_forward_hook(lambda layer, args, _, out: seen.append((layer, args[0], out)), with_kwargs=True)
        for layer in cross_attentions(unet)
    ]
    *context, last = prompts
    unet(x, 10, encoder_hidden_states=join(context)[0])
    for handle in handles:
        handle.remove()
    assert len(seen) == len(cross_attentions(unet))
    changed = join([*context[:2], last, *context[3:]])[0]
    for layer, hidden, before in seen:
        regional.before_unet(unet, (x,), {"encoder_hidden_states": changed})
        moved = (layer(hidden, encoder_hidden_states=regional._base) - before).abs().amax((0, 2)) > 1e-6
        height, width = grid = token_grid(x.shape[-2:], hidden.shape[1])
        rect = regional.layout.rects(*grid)[1]
        inside = torch.zeros(height, width, dtype=torch.bool)
        inside[rect.top : rect.bottom, rect.left : rect.right] = True
        assert torch.equal(moved, inside.flatten()), (grid, rect)
