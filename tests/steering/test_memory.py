"""Keys and values that are kept from step to step never change a picture, and take bounded memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

from rpg.areas.areas import Areas
from rpg.areas.layout import Layout
from rpg.steering import memory
from rpg.steering.conditioning import Joined, join
from rpg.steering.hooks import attach
from rpg.steering.memory import MAX_IDLE
from rpg.steering.steering import Steering
from tests.steering.unets import CrossAttention, UNet

LAYOUT = Layout.parse("1,1,1;2,1")
TABLE = join([torch.zeros(1, 5, 6)] * 4).table


@pytest.fixture(autouse=True)
def _setting(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    monkeypatch.setattr(memory, "MAX_KEPT", 10)  # these UNets are small beside their contexts; one needs 1.7


def steering() -> Steering:
    result = Steering(Areas.of(LAYOUT), [0.3] * LAYOUT.count)
    result.prepare(Joined(torch.zeros(1, TABLE[-1].stop, 6), TABLE))
    return result


def context(rows: int = 2) -> Tensor:
    """A negative row, whose segments are all the same, and steered ones."""
    negative = join([torch.randn(1, 5, 6)] * 4).context
    return torch.cat([negative, join([torch.randn(rows - 1, 5, 6) for _ in range(4)]).context])


def alone(unet: UNet, x: Tensor, prompt: Tensor) -> Tensor:
    """The output of a job of one step."""
    with attach(unet, steering()):
        return unet(x, context=prompt)


@contextmanager
def projected(unet: UNet) -> Iterator[list[int]]:
    """Collects the number of tokens of every projection to keys."""
    tokens: list[int] = []
    handles = [
        block.attn2.to_k.register_forward_hook(lambda _module, _args, out: tokens.append(out.shape[0] * out.shape[1]))
        for block in (unet.first, unet.second)
    ]
    yield tokens
    for handle in handles:
        handle.remove()


@torch.no_grad()
def test_a_constant_context_is_projected_once_and_its_equal_segments_together() -> None:
    unet, prompt = UNet(), context()
    with projected(unet) as tokens, attach(unet, steering()):
        for _ in range(5):
            unet(torch.randn(2, 8, 8, 8), context=prompt.clone())
    assert sum(tokens) == 2 * (2 + 3) * 5, "2 layers, the base of 2 rows and 3 regions of one, 5 tokens"


@torch.no_grad()
def test_a_changed_context_counts_at_once_also_in_place() -> None:
    unet, x, prompt = UNet(), torch.randn(2, 8, 8, 8), context()
    with attach(unet, steering()):
        unet(x, context=prompt)
        for _ in range(3):
            prompt[1, 7] += 0.5
            now = unet(x, context=prompt)
            torch.testing.assert_close(now, alone(UNet(), x, prompt))


@torch.no_grad()
@pytest.mark.parametrize("pattern", [(2,), (1, 1), (1, 1, 1), (2, 1), (1, 2, 1)])
def test_rows_in_turns(pattern: tuple[int, ...]) -> None:
    rows = sum(pattern)
    unet, x, prompt = UNet(), torch.randn(rows, 8, 6, 9), context(rows)
    expected = alone(UNet(), x, prompt)
    with projected(unet) as tokens, attach(unet, steering()):
        for step in range(3):
            parts = [unet(a, context=b) for a, b in zip(x.split(pattern), prompt.split(pattern))]
            torch.testing.assert_close(torch.cat(parts), expected)
            if step == 0:
                first = len(tokens)
    assert len(tokens) == first


@torch.no_grad()
def test_alternating_prompts_are_both_kept() -> None:
    unet, x, prompts = UNet(), torch.randn(2, 8, 8, 8), (context(), context())
    expected = [alone(UNet(), x, prompt) for prompt in prompts]
    with projected(unet) as tokens, attach(unet, steering()):
        for step in range(6):
            torch.testing.assert_close(unet(x, context=prompts[step % 2].clone()), expected[step % 2])
            if step == 1:
                first = len(tokens)
    assert len(tokens) == first


@torch.no_grad()
def test_forgets_when_told_so() -> None:
    unet, prompt, job = UNet(), context(), steering()
    with attach(unet, job):
        unet(torch.randn(2, 8, 8, 8), context=prompt)
        unet.first.attn2.to_v.weight.mul_(2)
        job.forget()
        assert job.memory.kept == 0
        x = torch.randn(2, 8, 8, 8)
        steered = unet(x, context=prompt)
    other = UNet()
    other.first.attn2.to_v.weight.mul_(2)
    torch.testing.assert_close(steered, alone(other, x, prompt))


@torch.no_grad()
def test_nothing_is_kept_after_the_job() -> None:
    unet, job = UNet(), steering()
    with attach(unet, job):
        unet(torch.randn(2, 8, 8, 8), context=context())
        assert job.memory.kept > 0
    assert job.memory.kept == 0


@torch.no_grad()
@pytest.mark.parametrize("limit", [0, 1, 3])
def test_memory_is_bounded_whatever_the_prompts_do(limit: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_KEPT", limit)
    unet, job, sizes = UNet(), steering(), []
    bound = limit * sum(parameter.nbytes for parameter in unet.parameters())
    with attach(unet, job):
        for _ in range(30):
            x, prompt = torch.randn(2, 8, 4, 4), context()
            torch.testing.assert_close(unet(x, context=prompt), alone(UNet(), x, prompt))
            sizes.append(job.memory.kept)
            assert job.memory.kept <= bound
    assert sizes[-1] == sizes[MAX_IDLE], "contexts out of use are dropped"


@torch.no_grad()
def test_room_is_given_back_to_prompts_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_KEPT", 2.5)
    unet, x, job = UNet(), torch.randn(2, 8, 4, 4), steering()
    with projected(unet) as tokens, attach(unet, job):
        for _ in range(5):
            unet(x, context=context())
        last = context()
        for _ in range(MAX_IDLE + 2):
            unet(x, context=last)
        tokens.clear()
        unet(x, context=last)
    assert tokens == []


def test_gradients_flow_through_every_step() -> None:
    unet, x, prompt = UNet(), torch.randn(2, 8, 4, 4), context()
    with attach(unet, steering()):
        for _ in range(2):
            unet(x, context=prompt).sum().backward()
    assert unet.first.attn2.to_k.weight.grad is not None


@torch.no_grad()
def test_a_backend_that_changes_the_context_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """As hypernetworks do."""
    own: Callable[..., Tensor] = CrossAttention.forward
    unet, x, prompt = UNet(), torch.randn(2, 8, 8, 8), context()
    expected = alone(UNet(), x, prompt * 3)

    def forward(self: CrossAttention, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        return own(self, x, context * 3, mask)

    monkeypatch.setattr(CrossAttention, "forward", forward)
    with attach(unet, steering()):
        for _ in range(2):
            torch.testing.assert_close(unet(x, context=prompt), expected)
