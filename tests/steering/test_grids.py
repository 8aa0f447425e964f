"""Every picture size that hosts offer: multiples of 8 from 64 to 2048 on each side."""

import numpy as np
import pytest
import torch

from rpg.areas.areas import Areas
from rpg.areas.layout import Layout
from rpg.areas.patches import shares, side_shares
from rpg.steering.attention import token_grid
from rpg.steering.calls import Call
from rpg.steering.conditioning import join
from rpg.steering.hooks import attach, cross_attentions
from rpg.steering.steering import Steering

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


@pytest.mark.parametrize("ratios", [[1.0], [1.0, 1.0], [2.0, 3.0, 1.0], [1.0, 1000.0, 1.0, 7.0]])
def test_parts_tile_every_side(ratios: list[float]) -> None:
    """One after the other, from the first token to the last; so cells tile every grid."""
    for side in {halved(side, level) for side in SIDES for level in range(LEVELS)}:
        parts = side_shares(ratios, side)
        if side >= len(ratios):
            assert [token for part, _ in parts for token in range(side)[part]] == list(range(side))
            assert all(share == 1 for _, shares in parts for share in shares)
            assert all(part.start < part.stop for part, _ in parts)
        taken = np.zeros(side)
        for part, part_shares in parts:
            taken[part] += part_shares
        np.testing.assert_allclose(taken, 1)


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
    steering = Steering(Areas.of(LAYOUT), [0.3] * LAYOUT.count, merge=False)
    same = join([base] * (1 + LAYOUT.count))
    steering.prepare(same)
    with torch.no_grad():
        plain = unet(x, 10, encoder_hidden_states=base).sample
        assert (plain - unet(x, 10, encoder_hidden_states=others[0]).sample).abs().max() > 1e-2
        with attach(unet, steering):
            torch.testing.assert_close(unet(x, 10, encoder_hidden_states=same.context).sample, plain, rtol=1e-4, atol=1e-4)
            check_locality(unet, steering, x, [base, *others])


def check_locality(unet: torch.nn.Module, steering: Steering, x: torch.Tensor, prompts: list[torch.Tensor]) -> None:
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
        base = steering.begin(Call((x, 10, changed), {}, place=2))
        moved = (layer(hidden, encoder_hidden_states=base) - before).abs().amax((0, 2)) > 1e-6
        grid = token_grid(x.shape[-2:], hidden.shape[1])
        patch = shares(steering.areas, steering.base_ratios, *grid).patches[1]
        inside = torch.zeros(grid, dtype=torch.bool)
        inside[patch.window] = True
        assert torch.equal(moved, inside.flatten()), (grid, patch)
