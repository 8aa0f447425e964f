"""LoRA of single regions: in every region the same as merged, in one nothing elsewhere."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rpg.areas.area import Area
from rpg.areas.areas import Areas
from rpg.areas.layout import Box, Layout
from rpg.errors import GenerationError
from rpg.steering.branches import EMBEDDINGS, Branches, LowRank, added_up
from rpg.steering.conditioning import join
from rpg.steering.hooks import attach
from rpg.steering.steering import Steering
from tests.pipelines.models import regional

SIZE = (15, 13)
"""Odd, so that levels round."""


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(1)


def layers(unet: nn.Module) -> dict[str, nn.Module]:
    return {
        name: layer
        for name, layer in unet.named_modules()
        if isinstance(layer, (nn.Linear, nn.Conv2d)) and not name.startswith(EMBEDDINGS) and not name.startswith("time_embed")
    }


def network(unet: nn.Module, strength: float = 0.3, names: Iterable[str] = ()) -> dict[str, LowRank]:
    """A LoRA of rank 2 for layers of these names, or for all."""
    made = {}
    for name in names or layers(unet):
        weight = unet.get_submodule(name).weight
        down = torch.randn(2, *weight.shape[1:]) / weight[0].numel() ** 0.5
        up = torch.randn(len(weight), 2, *(1,) * (weight.dim() - 2)) * strength * weight.std() * weight[0].numel() ** 0.5
        made[name] = LowRank(down, up)
    return made


def merged(unet: nn.Module, network: dict[str, LowRank]) -> nn.Module:
    changed = copy.deepcopy(unet)
    for name, (down, up) in network.items():
        changed.get_submodule(name).weight.data += (up.flatten(1) @ down.flatten(1)).view_as(unet.get_submodule(name).weight)
    return changed


def by_layer(unet: nn.Module, networks: Iterable[tuple[int, dict[str, LowRank]]]) -> dict[int, dict[nn.Module, list[LowRank]]]:
    return {region: {unet.get_submodule(name): [branch] for name, branch in network.items()} for region, network in networks}


def call(unet: nn.Module, x: Tensor, context: Tensor, kind: str, time: int = 500) -> Tensor:
    added: dict[str, Any] = {}
    if kind == "sdxl":
        added["added_cond_kwargs"] = {"text_embeds": torch.ones(len(x), 32), "time_ids": torch.ones(len(x), 6)}
    return unet(x, time, encoder_hidden_states=context, **added).sample


def case(kind: str, areas: Areas, base_ratio: float, latent_ratio: float = 0.0) -> tuple[Any, Steering, Tensor, Tensor]:
    unet = regional(kind).unet
    x = torch.randn(2, 4, *SIZE)
    channels = unet.config.cross_attention_dim
    joined = join([torch.randn(2, 7, channels) for _ in range(len(areas.own) + 1)])
    steering = Steering(areas, [base_ratio] * len(areas.own), latent_ratio)
    steering.prepare(joined)
    return unet, steering, x, joined.context


CELLS = Areas.of(Layout.parse("1,1,1;2,3,1"))
FEATHERED = Areas.of(Layout.parse("1,1"), own=[None, None, Area(Box(0.2, 0.3, 0.7, 0.9), feather=0.2)])


@pytest.mark.parametrize("kind", ["sd1", "sd2", "sdxl"])
@pytest.mark.parametrize("base_ratio", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("areas", [CELLS, FEATHERED], ids=["cells", "feathered"])
@torch.no_grad()
def test_identity_law(kind: str, base_ratio: float, areas: Areas) -> None:
    """One network in every region is that network merged."""
    unet, steering, x, context = case(kind, areas, base_ratio)
    lora = network(unet)
    with attach(whole := merged(unet, lora), steering):
        expected = call(whole, x, context, kind)
    with attach(unet, steering):
        without = call(unet, x, context, kind)
        with steering.networks(unet, by_layer(unet, [(region, lora) for region in range(len(areas.own))])):
            regional_answer = call(unet, x, context, kind)
        after = call(unet, x, context, kind)
    assert (expected - without).abs().mean() > 0.1 * expected.abs().mean()
    torch.testing.assert_close(regional_answer, expected, rtol=1e-3, atol=1e-3)
    assert torch.equal(after, without)


@pytest.mark.parametrize("kind", ["sd1", "sdxl"])
@torch.no_grad()
def test_regions_denoised_by_themselves_carry_their_networks_fully(kind: str) -> None:
    unet, steering, x, context = case(kind, CELLS, 0.3, latent_ratio=0.5)
    loras = [network(unet) for _ in range(2)]

    def apart(unet: nn.Module) -> Tensor:
        return call(unet, x, context, kind, time=990)

    with attach(unet, steering):
        plain = apart(unet)
        with steering.networks(unet, by_layer(unet, enumerate(loras))):
            mixed = apart(unet)
            assert steering.apart
    for region, lora in enumerate([*loras, {}]):
        whole = merged(unet, lora)
        with attach(whole, steering):
            expected = apart(whole)
        window = next(patch.window for patch in steering._covered(*SIZE).patches if patch.region == region)
        torch.testing.assert_close(mixed[(..., *window)], expected[(..., *window)], rtol=1e-3, atol=1e-3)
    assert not torch.allclose(plain, mixed, atol=1e-2)


@pytest.mark.parametrize("areas", [CELLS, FEATHERED], ids=["cells", "feathered"])
@torch.no_grad()
def test_locality_law(areas: Areas) -> None:
    """At every layer that sees the picture, what is added is exactly nothing outside the region."""
    unet, steering, x, context = case("sd1", areas, 0.3)
    answers: dict[str, list[Tensor]] = {}

    def note(name: str, layer: nn.Module, args: tuple[Tensor, ...], answer: Tensor) -> None:
        """The layer's own answer to what it got, and the one with branches."""
        answers[name] = [type(layer).forward(layer, args[0]), answer]

    lora, region = network(unet), 2
    with attach(unet, steering), steering.networks(unet, by_layer(unet, [(region, lora)])):
        handles = [
            unet.get_submodule(name).register_forward_hook(lambda *args, name=name: note(name, *args))
            for name in lora
            if not name.endswith(("attn2.to_k", "attn2.to_v", "time_emb_proj"))
        ]
        call(unet, x, context, "sd1")
        for handle in handles:
            handle.remove()
    assert len(answers) > 30
    for name, both in answers.items():
        own, answer = (one if one.dim() == 4 else one.unflatten(1, _grid(one.shape[1])).movedim(3, 1) for one in both)
        patch = next(patch for patch in steering._covered(*own.shape[-2:]).patches if patch.region == region)
        inside = torch.zeros(own.shape[-2:], dtype=torch.bool)
        inside[patch.window] = torch.tensor(patch.weights > 0)
        changed = (own != answer).any(0).any(0)
        assert not (changed & ~inside).any(), name
        assert changed[inside].float().mean() > 0.9, name


def _grid(tokens: int) -> tuple[int, int]:
    return next(grid for grid in (SIZE, (8, 7)) if grid[0] * grid[1] == tokens)


@torch.no_grad()
def test_the_step_embedding_acts_in_its_region_alone() -> None:
    """What a residual block makes of it is one vector for the whole picture, and is given pixel by pixel."""
    unet, steering, x, context = case("sd1", CELLS, 0.0)
    name = "down_blocks.0.resnets.0.time_emb_proj"
    seen: list[Tensor] = []
    with attach(unet, steering):
        handle = unet.get_submodule("down_blocks.0.resnets.0.norm2").register_forward_pre_hook(
            lambda _, args: seen.append(args[0].clone())
        )
        call(unet, x, context, "sd1")
        handle.remove()
        with steering.networks(unet, by_layer(unet, [(1, network(unet, names=[name]))])):
            handle = unet.get_submodule("down_blocks.0.resnets.0.norm2").register_forward_pre_hook(
                lambda _, args: seen.append(args[0].clone())
            )
            call(unet, x, context, "sd1")
            handle.remove()
    window = next(patch.window for patch in steering._covered(*SIZE).patches if patch.region == 1)
    difference = seen[1] - seen[0]
    assert (difference[(..., *window)] != 0).all()
    difference[(..., *window)] = 0
    assert not difference.any()


@torch.no_grad()
def test_where_another_extension_attends_networks_act_as_well() -> None:
    """Its patch projects for itself, so every call has one region's tokens."""
    unet, steering, x, context = case("sd1", CELLS, 0.4)
    lora = network(unet)
    whole = merged(unet, lora)
    for one in (unet, whole):
        for name, layer in one.named_modules():
            if name.endswith("attn2"):
                layer.forward = type(layer).forward.__get__(layer)
                layer.forward = lambda *args, own=layer.forward, **kwargs: own(*args, **kwargs)
    with attach(whole, steering):
        expected = call(whole, x, context, "sd1")
    with (
        attach(unet, steering),
        steering.networks(unet, by_layer(unet, [(region, lora) for region in range(len(CELLS.own))])),
    ):
        torch.testing.assert_close(call(unet, x, context, "sd1"), expected, rtol=1e-3, atol=1e-3)


def test_a_layer_without_a_place_is_refused() -> None:
    unet, steering, *_ = case("sd1", CELLS, 0.0)
    lora = network(unet, names=["time_embedding.linear_1"])
    refused = pytest.raises(GenerationError, match=r"Region 2 .* time_embedding\.linear_1")
    with refused, steering.networks(unet, by_layer(unet, [(1, lora)])):
        pass
    assert steering.branches is None
    assert not unet.time_embedding.linear_1._forward_hooks


@torch.no_grad()
def test_several_networks_of_one_region_are_one_of_higher_rank() -> None:
    layer = nn.Conv2d(4, 6, 3, padding=1)
    parts = [LowRank(torch.randn(rank, 4, 3, 3), torch.randn(6, rank, 1, 1)) for rank in (2, 3)]
    one_pixel = LowRank(torch.randn(1, 4, 1, 1), torch.randn(6, 1, 1, 1))
    sums = added_up([*parts, one_pixel])
    assert [len(part.down) for part in sums] == [5, 1]
    x = torch.randn(1, 4, 6, 6)
    areas = Areas.of(Layout.parse("1"))
    steering = Steering(areas, [0.0])
    branches = Branches({0: {layer: sums}}, steering._covered, lambda _: (6, 6))
    with branches.attach(nn.Sequential(layer)):
        answer = layer(x)
    for down, up in [*parts, one_pixel]:
        layer.weight.data += nn.functional.pad(
            (up.flatten(1) @ down.flatten(1)).view(6, 4, *down.shape[2:]), (1 - down.shape[2] // 2,) * 4
        )
    torch.testing.assert_close(answer, layer(x), rtol=1e-4, atol=1e-4)
