from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from rpg.areas.areas import Areas
from rpg.areas.layout import Layout
from rpg.areas.patches import Patch, shares
from rpg.errors import GenerationError
from rpg.steering.conditioning import Joined, join, join_pair
from rpg.steering.hooks import attach, cross_attentions
from rpg.steering.steering import Steering
from tests.steering.unets import CrossAttention, UNet

RATIO = "1,1,1;2,3,1"


def steering(text: str = RATIO, base_ratio: float = 0.3, joined: Joined | None = None, merge: bool = True) -> Steering:
    layout = Layout.parse(text)
    result = Steering(Areas.of(layout), [base_ratio] * layout.count, merge=merge)
    if joined is not None:
        result.prepare(joined)
    return result


def patch(grid: int) -> Patch:
    """Of the second region."""
    layout = Layout.parse(RATIO)
    return shares(Areas.of(layout), (0.3,) * layout.count, grid, grid).patches[1]


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
    joined = join([base] * 5)
    with torch.no_grad(), attach(unet, steering(base_ratio=base_ratio, joined=joined, merge=merge)):
        steered = unet(x, context=joined.context)
    torch.testing.assert_close(steered, unet(x, context=base))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_identity_law_in_half_precision(dtype: torch.dtype) -> None:
    unet, x, base = UNet().to(dtype), torch.randn(2, 8, 9, 7, dtype=dtype), prompts(1)[0].to(dtype)
    joined = join([base] * 5)
    with torch.no_grad(), attach(unet, steering(joined=joined, merge=False)):
        steered = unet(x, context=joined.context)
    assert steered.dtype == dtype
    torch.testing.assert_close(steered, unet(x, context=base), rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize("merge", [True, False])
def test_locality_law(merge: bool) -> None:
    unet, x, segments = UNet(), torch.randn(2, 8, 8, 8), prompts(5)
    joined = join(segments)
    changed = join([*segments[:2], torch.randn(2, 5, 6), *segments[3:]])
    with torch.no_grad(), attach(unet, steering(joined=joined, merge=merge)):
        difference = (unet(x, context=joined.context) - unet(x, context=changed.context)).abs().sum(dim=(0, 1)) > 0
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[patch(8).window] = True
    inside[tuple(slice(2 * side.start, 2 * side.stop) for side in patch(4).window)] = True
    assert difference.any()
    assert not (difference & ~inside).any()


def test_every_region_follows_its_own_prompt() -> None:
    unet, x, (base, left, right) = UNet(), torch.randn(2, 8, 6, 8), prompts(3)
    joined = join([base, left, right])
    with torch.no_grad(), attach(unet, steering("1,1", 0.0, joined)):
        steered = unet(x, context=joined.context)
    torch.testing.assert_close(steered, torch.cat([unet(x, context=left)[..., :4], unet(x, context=right)[..., 4:]], dim=-1))


def test_positive_and_negative_rows_of_unequal_length() -> None:
    unet, x = UNet(), torch.randn(1, 8, 6, 6)
    positive, negative = [torch.randn(1, 7, 6)] * 3, [torch.randn(1, 13, 6)] * 3
    first, second = join_pair(positive, negative)
    job = steering("1,1", 0.5)
    job.prepare(first, second)
    with torch.no_grad(), attach(unet, job):
        outputs = unet(x, context=first.context), unet(x, context=second.context)
    torch.testing.assert_close(outputs[0], unet(x, context=positive[0]))
    torch.testing.assert_close(outputs[1], unet(x, context=negative[0]))


def state(unet: nn.Module) -> list[object]:
    return [(dict(module.__dict__), len(module._forward_pre_hooks)) for module in unet.modules()]


def test_detaches_also_after_an_error() -> None:
    unet = UNet()
    before = state(unet)
    with pytest.raises(RuntimeError, match="out of memory"), attach(unet, steering()):
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
    joined = join([base] * 5)
    with torch.no_grad():
        plain = unet(x, context=base)
        with attach(unet, steering(joined=joined)):
            torch.testing.assert_close(unet(x, context=joined.context), plain)
        assert unet.first.attn2.__dict__["forward"] is patch
        assert torch.equal(unet(x, context=base), plain)


def test_a_patch_laid_over_ours_survives_and_ours_lets_it_through() -> None:
    unet, x, base = UNet(), torch.randn(2, 8, 8, 8), prompts(1)[0]
    with attach(unet, steering()):
        unet.first.attn2.forward = patch = patched(unet.first.attn2)
    assert unet.first.attn2.__dict__["forward"] is patch
    expected = UNet()
    expected.first.attn2.forward = patched(expected.first.attn2)
    with torch.no_grad():
        assert torch.equal(unet(x, context=base), expected(x, context=base))


def test_the_class_may_change_its_backend_while_attached(monkeypatch: pytest.MonkeyPatch) -> None:
    unet, x, base = UNet(), torch.randn(2, 8, 8, 8), prompts(1)[0]
    joined = join([base] * 5)
    calls = []
    original = CrossAttention.forward

    def backend(self: CrossAttention, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        calls.append(x.shape[1])
        return original(self, x, context, mask)

    with torch.no_grad(), attach(unet, steering(base_ratio=0.0, joined=joined)):
        monkeypatch.setattr(CrossAttention, "forward", backend)
        unet(x, context=joined.context)
    assert sum(calls) == 8 * 8 + 4 * 4, "each token attends once"


def test_an_error_of_a_callback_stops_the_unet() -> None:
    unet, job = UNet(), steering()
    job.fail(GenerationError("no such prompt"))
    with pytest.raises(GenerationError, match="no such prompt"), attach(unet, job):
        unet(torch.randn(1, 8, 4, 4), context=torch.randn(1, 5, 6))


def test_an_unknown_context_is_refused() -> None:
    unet, job = UNet(), steering(joined=join(prompts(5)))
    with pytest.raises(GenerationError, match="5 tokens.*prepared for 25"), attach(unet, job):
        unet(torch.randn(2, 8, 4, 4), context=prompts(1)[0])


def test_an_attention_mask_is_refused() -> None:
    unet, joined = UNet(), join(prompts(5))
    with pytest.raises(GenerationError, match="mask"), attach(unet, steering(joined=joined)):
        unet.first.attn2(torch.randn(2, 16, 8), context=joined.context, mask=torch.ones(2, 16, 25))


def test_a_model_without_cross_attention_is_refused() -> None:
    with (
        pytest.raises(GenerationError, match="Sequential has no cross-attention"),
        attach(nn.Sequential(nn.Linear(2, 2)), steering()),
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
    joined = join([base] * 5)
    with torch.no_grad(), attach(unet, steering(joined=joined)):
        steered = unet(x, 10, encoder_hidden_states=joined.context).sample
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
    joined = join(segments)
    unet = Control(UNet())
    job, plain = steering(base_ratio=1.0, joined=joined), unet(x, context=segments[0])
    with torch.no_grad(), attach(unet, job):
        steered = unet(x, None, joined.context) if positional else unet(x, context=joined.context)
    torch.testing.assert_close(steered, plain)
    assert torch.equal(unet.seen[-1], segments[0])
