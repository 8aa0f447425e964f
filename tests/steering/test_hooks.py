from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from rpg.areas.layout import Layout
from rpg.errors import GenerationError
from rpg.steering.conditioning import join, join_pair
from rpg.steering.hooks import attach, cross_attentions
from rpg.steering.steering import Steering
from tests.steering.unets import CrossAttention, UNet

RATIO = "1,1,1;2,3,1"


def regional(text: str = RATIO, base_ratio: float = 0.3, table: tuple = (), merge: bool = True) -> Steering:
    layout = Layout.parse(text)
    result = Steering(layout, [base_ratio] * layout.count, merge=merge)
    if table:
        result.tables = {table[-1][1]: table}
    return result


def prompts(count: int, rows: int = 2) -> list[Tensor]:
    return [torch.randn(rows, 5, 6) for _ in range(count)]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(1)


@pytest.mark.parametrize("size", [(8, 8), (9, 7), (1, 5), (13, 3)])
@pytest.mark.parametrize("base_ratio", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("merge", [True, False])
def test_identity_law(size: tuple[int, int], base_ratio: float, merge: bool) -> None:
    unet, x, base = UNet(), torch.randn(2, 8, *size), prompts(1)[0]
    context, table = join([base] * 5)
    with torch.no_grad(), attach(unet, regional(base_ratio=base_ratio, table=table, merge=merge)):
        steered = unet(x, context=context)
    torch.testing.assert_close(steered, unet(x, context=base))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_identity_law_in_half_precision(dtype: torch.dtype) -> None:
    unet, x, base = UNet().to(dtype), torch.randn(2, 8, 9, 7, dtype=dtype), prompts(1)[0].to(dtype)
    context, table = join([base] * 5)
    with torch.no_grad(), attach(unet, regional(table=table, merge=False)):
        steered = unet(x, context=context)
    assert steered.dtype == dtype
    torch.testing.assert_close(steered, unet(x, context=base), rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("merge", [True, False])
def test_locality_law(merge: bool) -> None:
    unet, x, segments = UNet(), torch.randn(2, 8, 8, 8), prompts(5)
    context, table = join(segments)
    changed, _ = join([*segments[:2], torch.randn(2, 5, 6), *segments[3:]])
    with torch.no_grad(), attach(unet, regional(table=table, merge=merge)):
        difference = (unet(x, context=context) - unet(x, context=changed)).abs().sum(dim=(0, 1)) > 0
    rect = Layout.parse(RATIO).rects(8, 8)[1]
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[rect.top : rect.bottom, rect.left : rect.right] = True
    low = Layout.parse(RATIO).rects(4, 4)[1]
    inside[2 * low.top : 2 * low.bottom, 2 * low.left : 2 * low.right] = True
    assert difference.any()
    assert not (difference & ~inside).any()


def test_every_region_follows_its_own_prompt() -> None:
    unet, x, (base, left, right) = UNet(), torch.randn(2, 8, 6, 8), prompts(3)
    context, table = join([base, left, right])
    with torch.no_grad(), attach(unet, regional("1,1", 0.0, table)):
        steered = unet(x, context=context)
    torch.testing.assert_close(steered, torch.cat([unet(x, context=left)[..., :4], unet(x, context=right)[..., 4:]], dim=-1))


def test_positive_and_negative_rows_of_unequal_length() -> None:
    unet, x = UNet(), torch.randn(1, 8, 6, 6)
    positive, negative = [torch.randn(1, 7, 6)] * 3, [torch.randn(1, 13, 6)] * 3
    first, second = join_pair(positive, negative)
    steering = regional("1,1", 0.5)
    steering.tables = {part.context.shape[1]: part.table for part in (first, second)}
    with torch.no_grad(), attach(unet, steering):
        outputs = unet(x, context=first.context), unet(x, context=second.context)
    torch.testing.assert_close(outputs[0], unet(x, context=positive[0]))
    torch.testing.assert_close(outputs[1], unet(x, context=negative[0]))


def state(unet: nn.Module) -> list[object]:
    return [(dict(module.__dict__), len(module._forward_pre_hooks)) for module in unet.modules()]


def test_detaches_also_after_an_error() -> None:
    unet = UNet()
    before = state(unet)
    with pytest.raises(RuntimeError, match="out of memory"), attach(unet, regional()):
        raise RuntimeError("out of memory")
    assert state(unet) == before


def patched(layer: CrossAttention) -> Callable[..., Tensor]:
    """What another extension does: keep the old forward, add something of its own."""
    old = layer.forward

    def forward(x: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        return old(x, context, mask) + x

    return forward


def test_works_over_another_extensions_patch_and_puts_it_back() -> None:
    unet, x, base = UNet(), torch.randn(2, 8, 8, 8), prompts(1)[0]
    patch = patched(unet.first.attn2)
    unet.first.attn2.forward = patch
    context, table = join([base] * 5)
    with torch.no_grad():
        plain = unet(x, context=base)
        with attach(unet, regional(table=table)):
            torch.testing.assert_close(unet(x, context=context), plain)
        assert unet.first.attn2.__dict__["forward"] is patch
        assert torch.equal(unet(x, context=base), plain)


def test_a_patch_laid_over_ours_survives_and_ours_lets_it_through() -> None:
    unet, x, base = UNet(), torch.randn(2, 8, 8, 8), prompts(1)[0]
    with attach(unet, regional()):
        unet.first.attn2.forward = patch = patched(unet.first.attn2)
    assert unet.first.attn2.__dict__["forward"] is patch
    expected = UNet()
    expected.first.attn2.forward = patched(expected.first.attn2)
    with torch.no_grad():
        assert torch.equal(unet(x, context=base), expected(x, context=base))


def test_the_class_may_change_its_backend_while_attached(monkeypatch: pytest.MonkeyPatch) -> None:
    unet, x, base = UNet(), torch.randn(2, 8, 8, 8), prompts(1)[0]
    context, table = join([base] * 5)
    calls = []
    original = CrossAttention.forward

    def backend(self: CrossAttention, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        calls.append(x.shape[1])
        return original(self, x, context, mask)

    with torch.no_grad(), attach(unet, regional(base_ratio=0.0, table=table)):
        monkeypatch.setattr(CrossAttention, "forward", backend)
        unet(x, context=context)
    assert sum(calls) == 8 * 8 + 4 * 4, "each token attends once"


def test_an_error_of_a_callback_stops_the_unet() -> None:
    unet, steering = UNet(), regional()
    steering.error = GenerationError("no such prompt")
    with pytest.raises(GenerationError, match="no such prompt"), attach(unet, steering):
        unet(torch.randn(1, 8, 4, 4), context=torch.randn(1, 5, 6))


def test_an_unknown_context_is_refused() -> None:
    unet, steering = UNet(), regional(table=join(prompts(5)).table)
    with pytest.raises(GenerationError, match="5 tokens.*prepared for 25"), attach(unet, steering):
        unet(torch.randn(2, 8, 4, 4), context=prompts(1)[0])


def test_an_attention_mask_is_refused() -> None:
    unet, (context, table) = UNet(), join(prompts(5))
    with pytest.raises(GenerationError, match="mask"), attach(unet, regional(table=table)):
        unet.first.attn2(torch.randn(2, 16, 8), context=context, mask=torch.ones(2, 16, 25))


def test_a_model_without_cross_attention_is_refused() -> None:
    with (
        pytest.raises(GenerationError, match="Sequential has no cross-attention"),
        attach(nn.Sequential(nn.Linear(2, 2)), regional()),
    ):
        pass


def test_finds_diffusers_layers() -> None:
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=6,
        attention_head_dim=4,
    )
    assert len(cross_attentions(unet)) == 4
    x, base = torch.randn(2, 4, 9, 14), prompts(1)[0]
    context, table = join([base] * 5)
    with torch.no_grad(), attach(unet, regional(table=table)):
        steered = unet(x, 10, encoder_hidden_states=context).sample
    torch.testing.assert_close(steered, unet(x, 10, encoder_hidden_states=base).sample, rtol=1e-4, atol=1e-5)


class Control(nn.Module):
    """Something else that attends to the prompt, as a ControlNet does, inside the UNet's call."""

    def __init__(self, unet: UNet) -> None:
        super().__init__()
        self.unet, self.attention, self.seen = unet, CrossAttention(), []

    def forward(self, x: Tensor, timesteps: Tensor | None = None, context: Tensor | None = None) -> Tensor:
        self.seen.append(context)
        return self.unet(x, context=torch.cat([context, context[:, :1]], dim=1))


@pytest.mark.parametrize("positional", [False, True])
def test_others_see_the_base_prompt_only_and_may_add_to_it(positional: bool) -> None:
    x, segments = torch.randn(2, 8, 4, 4), prompts(5)
    context, table = join(segments)
    unet = Control(UNet())
    steering, plain = regional(base_ratio=1.0, table=table), unet(x, context=segments[0])
    with torch.no_grad(), attach(unet, steering):
        steered = unet(x, None, context) if positional else unet(x, context=context)
    torch.testing.assert_close(steered, plain)
    assert torch.equal(unet.seen[-1], segments[0])
