"""What sd-webui-controlnet adds to the picture, cut to a region; the whole extension is in tests/webui/matrix."""

from __future__ import annotations

from types import MethodType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rpg.errors import GenerationError
from rpg.webui.controlnet import MARK, ControlNet, cut, unmarked

LATENT = (6, 8)
RIGHT = (slice(0, 6), slice(4, 8))
COLUMNS = torch.arange(64.0).expand(1, 1, 48, 64)
"""A picture that says where it is."""


class Model(nn.Module):
    """Gives back what it was given, as one level."""

    def forward(self, x: Tensor | None = None, hint: Tensor | None = None) -> list[Tensor]:
        assert hint is not None
        return [hint]


class Adapter(nn.Module):
    def forward(self, hint: Tensor) -> list[Tensor]:
        return [hint[..., ::8, ::8], hint[..., ::16, ::16]]


def unit(
    kind: str, model: nn.Module | None = None, *, module: str = "none", mask: Tensor | None = None, channels: int = 3
) -> Any:
    return SimpleNamespace(
        control_model_type=SimpleNamespace(name=kind, value=f"{kind}, somebody"),
        control_model=model,
        preprocessor={"name": module},
        hint_cond=torch.zeros(1, channels, 48, 64),
        effective_region_mask=mask,
    )


def test_a_hint_is_cut_once_where_units_share_a_model() -> None:
    model = Model()
    controlnet = ControlNet([unit("ControlNet", model), unit("ControlNet", model)], inpaints=False)
    with controlnet.cut(RIGHT, LATENT):
        (seen,) = model(hint=COLUMNS)
    assert torch.equal(seen, COLUMNS[..., 32:])
    assert model(hint=COLUMNS)[0] is COLUMNS, "whole again"


def test_what_an_adapter_answers_is_cut_at_every_level() -> None:
    model = Adapter()
    with ControlNet([unit("T2I_Adapter", model)], inpaints=False).cut(RIGHT, LATENT):
        fine, coarse = model(hint=COLUMNS)
    assert fine[0, 0, 0].tolist() == [32, 40, 48, 56]
    assert coarse[0, 0, 0].tolist() == [32, 48]
    assert model(hint=COLUMNS)[0].shape[-1] == 8


def test_a_units_own_mask_is_cut_and_comes_back_after_an_error() -> None:
    masked = unit("ControlNet", Model(), mask=COLUMNS)
    seen = []

    def fail() -> None:
        with ControlNet([masked], inpaints=False).cut(RIGHT, LATENT):
            seen.append(masked.effective_region_mask)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert torch.equal(seen[0], COLUMNS[..., 32:])
    assert masked.effective_region_mask is COLUMNS


def test_windows_of_any_size_have_a_part() -> None:
    for size in (1, 2, 3, 17):
        for start in range(LATENT[1]):
            assert cut(torch.zeros(1, size, size), (slice(0, 6), slice(start, start + 1)), LATENT).numel()
    assert cut(COLUMNS, (slice(None), slice(None)), LATENT).shape == COLUMNS.shape


@pytest.mark.parametrize(
    ("one", "inpaints", "named"),
    [
        (unit("AttentionInjection", module="reference_only"), False, "reference_only"),
        (unit("ControlNet", module="tile_colorfix"), False, "tile_colorfix"),
        (unit("ControlNet", module="inpaint_only"), False, "inpaint_only"),
        (unit("Controlllite"), False, "Controlllite, somebody"),
        (unit("IPAdapter", module="ip-adapter", mask=COLUMNS), False, "ip-adapter"),
        (unit("ControlNet", module="inpaint_global_harmonious", channels=4), True, "inpaint_global_harmonious"),
        (unit("ControlNet", module="inpaint_global_harmonious", channels=4), False, None),
        (unit("IPAdapter"), False, None),
        (unit("ControlNetUnion", module="canny"), True, None),
    ],
)
def test_units_that_work_on_the_whole_picture_are_refused(one: Any, inpaints: bool, named: str | None) -> None:
    controlnet = ControlNet([unit("ControlNet"), one], inpaints=inpaints)
    assert controlnet.uncut() == ([named] if named else [])
    if named:
        with pytest.raises(GenerationError, match=f"ControlNet's {named} works on the whole picture.*set latent_ratio to 0"):
            controlnet.check()
    else:
        controlnet.check()


def test_the_mark_of_the_base_prompt_stands_before_a_region() -> None:
    tokens = torch.randn(2, 5, 6)
    mark = torch.full((2, 1, 6), float(MARK)) * torch.tensor([-1.0, 1])[:, None, None]
    marked, controlnet = torch.cat([mark, tokens], 1), ControlNet([], inpaints=False)
    assert torch.equal(unmarked(marked), tokens)
    assert torch.equal(unmarked(tokens), tokens)
    region = torch.randn(2, 7, 6)
    assert torch.equal(controlnet.context(region, marked), torch.cat([mark, region], 1))
    assert controlnet.context(region, tokens) is region
    assert controlnet.context(marked, marked) is marked


def test_only_controlnet_itself_in_the_unets_place_is_known() -> None:
    unet, other = nn.Identity(), nn.Identity()
    hook = SimpleNamespace(model=unet, control_params=[unit("ControlNet")])
    scripts = [SimpleNamespace(), SimpleNamespace(latest_network=None), SimpleNamespace(latest_network=hook)]
    assert ControlNet.of(unet, scripts, inpaints=False) is None

    def forward_webui(_unet: nn.Module) -> None: ...

    forward_webui.__qualname__ = "UnetHook.hook.<locals>.forward_webui"
    unet.forward = MethodType(forward_webui, unet)
    other.forward = unet.forward
    found = ControlNet.of(unet, scripts, inpaints=False)
    assert found is not None
    assert found.units == hook.control_params
    assert ControlNet.of(other, scripts, inpaints=False) is None
    unet.forward = lambda: None
    assert ControlNet.of(unet, scripts, inpaints=False) is None
