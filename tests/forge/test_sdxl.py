"""SDXL's layout on Forge and reForge: two text encoders, a pooled embedding and sizes beside the prompts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.forge.laws import check_identity_in_memory, check_one_region_denoised_by_itself, memory
from tests.forge.test_forge import _nothing_is_left  # noqa: F401
from tests.webui.host import PROMPT, WEBUI, Webui, build_checkpoints
from tests.webui.laws import check_identity, check_locality, distance, same_as_base
from tests.webui.matrix.extras import EMBEDDING
from tests.webui.test_generation import RED_BLUE
from tests.webui.test_networks import SMALL, check_identity_with_network, moved, regions

LORA = "tiny-xl-lora"
HIRES = {"enable_hr": True, "hr_scale": 1.37, "hr_upscaler": "Latent", "denoising_strength": 0.7, "hr_second_pass_steps": 3}


@pytest.fixture(autouse=True, scope="module")
def _sdxl(webui: Webui) -> Iterator[None]:
    if not (WEBUI / "launch.py").exists():
        pytest.skip(f"the checkpoint is written by the classes of AUTOMATIC1111's webui; there is none in {WEBUI}")
    before = webui.generate().image
    building = build_checkpoints(webui.models, ["sdxl"])
    assert building.wait(180) == 0, (webui.models / "build.txt").read_text()
    webui.post("/sdapi/v1/refresh-checkpoints")
    save_file(lora(), webui.folder / "models" / "Lora" / f"{LORA}.safetensors")
    webui.post("/sdapi/v1/refresh-loras")
    webui.options(sd_model_checkpoint="sdxl")
    assert "Model: sdxl" in webui.generate().infotexts[0]
    yield
    webui.options(sd_model_checkpoint="shapes")
    assert np.array_equal(webui.generate().image, before)


def lora() -> dict[str, torch.Tensor]:
    """For the innermost attention layers and both text encoders."""
    block, text = "lora_unet_middle_block_1_transformer_blocks_0", "text_model_encoder_layers_0_self_attn"
    sizes = {f"{block}_attn2_{projection}": 128 for projection in ("to_q", "to_k", "to_v")}
    sizes |= {f"lora_te{number}_{text}_{projection}": 64 for number in "12" for projection in ("q_proj", "v_proj")}
    torch.manual_seed(1)
    state = {}
    for name, size in sizes.items():
        state[f"{name}.lora_down.weight"] = torch.randn(2, size)
        state[f"{name}.lora_up.weight"] = torch.randn(size, 2)
        state[f"{name}.alpha"] = torch.tensor(2.0)
    return state


@pytest.mark.parametrize("short", [False, True], ids=["", "short of memory"])
@pytest.mark.parametrize(
    "settings",
    [
        {"width": 200, "height": 136, "cfg_scale": 7},
        {"prompt": "a red circle AND a blue square :0.7", "batch_size": 2},
        {"prompt": PROMPT + ", on a white background" * 30, "negative_prompt": "green"},
        {"negative_prompt": "green, " * 80, "batch_size": 2, "n_iter": 2},
        {"cfg_scale": 1},
        HIRES,
    ],
    ids=["odd size", "AND, batch", "long prompt", "long negative, batches", "CFG 1", "hires"],
)
def test_identity(webui: Webui, settings: dict[str, Any], short: bool) -> None:
    check_identity_in_memory(webui, short=short, **settings)


@pytest.mark.parametrize("latent_ratio", [0, 0.5])
def test_calls_split_where_memory_is_short_make_the_same_picture(webui: Webui, latent_ratio: float) -> None:
    """The host repeats 6 pieces of prompts to stand beside 12, by which their places would be lost."""
    region = {"prompt": "a blue square, " * 80, "negative_prompt": "red, " * 200}  # 5 pieces and 6, beside 1 and 6
    plan = {"regions": [region], "base_ratio": 0.5, "latent_ratio": latent_ratio}
    pictures = []
    for short in (True, False):
        with memory(webui, short=short):
            pictures.append(webui.generate(rpg=plan, negative_prompt="gray, " * 200).images)
    assert distance(*pictures) <= 1


@pytest.mark.parametrize(
    "settings", [{"width": 200, "height": 136}, {"prompt": "a AND b", "cfg_scale": 1}], ids=["", "AND, CFG 1"]
)
def test_locality(webui: Webui, settings: dict[str, Any]) -> None:
    check_locality(webui, **settings)


@pytest.mark.parametrize("settings", [{}, {"cfg_scale": 1}, HIRES], ids=["", "CFG 1", "hires"])
def test_regions_have_effect(webui: Webui, settings: dict[str, Any]) -> None:
    ways = [None, RED_BLUE, {**RED_BLUE, "regions": RED_BLUE["regions"][::-1]}]
    pictures = [webui.generate(rpg=rpg and {**rpg, "latent_ratio": 0}, **settings).images for rpg in ways]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert distance(pictures[one], pictures[other]) > 5


@pytest.mark.parametrize("prompt", [PROMPT, "a red circle AND a blue square :0.7"])
@pytest.mark.parametrize("short", [False, True], ids=["", "short of memory"])
def test_one_region_denoised_by_itself(webui: Webui, prompt: str, short: bool) -> None:
    check_one_region_denoised_by_itself(webui, short=short, prompt=prompt)


def test_regions_denoised_by_themselves_change_their_place_only(webui: Webui) -> None:
    """From the base prompt come the pooled embedding and the sizes; the decoder alone spreads another region's words."""
    apart = {**RED_BLUE, "base_prompt": PROMPT, "base_ratio": 0, "latent_ratio": 1}
    other = {**apart, "regions": [RED_BLUE["regions"][0], "a green star"]}
    pictures = [webui.generate(rpg=rpg).image for rpg in (apart, other)]
    changed = np.abs(pictures[0] - pictures[1])
    assert changed[:, :112].max() <= 5
    assert changed[:, 144:].max() > 50


def test_prompts_that_change_as_it_goes(webui: Webui) -> None:
    check_identity(webui, rpg=same_as_base(prompt="a (red:1.3) [circle:square:0.5]"), prompt="a (red:1.3) [circle:square:0.5]")


@pytest.mark.parametrize("settings", [{}, HIRES], ids=["", "hires"])
def test_identity_with_a_lora(webui: Webui, settings: dict[str, Any]) -> None:
    tag = f" <lora:{LORA}:0:-1>"  # its part in the text encoders would be in the pooled embedding, too
    whole = check_identity_with_network(webui, {**SMALL, **settings}, tag)
    without = webui.generate(prompt=f"{PROMPT} {EMBEDDING}", **SMALL, **settings)
    assert distance(whole.images, without.images) > 5


@pytest.mark.parametrize("tag", [f"<lora:{LORA}:0:1>", f"<lora:{LORA}:1:0>"], ids=["UNet", "text encoders"])
def test_a_lora_acts_in_its_region(webui: Webui, tag: str) -> None:
    plain = webui.generate(rpg=regions(), **SMALL).image
    for place, plan in enumerate((regions(tag), regions("", tag))):
        inside = moved(plain, webui.generate(rpg=plan, **SMALL).image)
        assert inside[place] > 2
        assert inside[1 - place] < inside[place] / 5
