"""A LoRA for each region in the webui."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from rpg import shapes
from tests.webui.host import PROMPT, Answer, Webui
from tests.webui.laws import check_refused, distance, generate_apart, same_as_base
from tests.webui.matrix.extras import EMBEDDING, LORA, UNET_LORA, write_extras
from tests.webui.test_xyz import plot

SMALL: dict[str, Any] = {"width": 192, "height": 96, "steps": 4}
HIRES: dict[str, Any] = {"enable_hr": True, "hr_scale": 1.25, "hr_upscaler": "Latent", "denoising_strength": 0.7}
LOHA = "tiny-loha"
APART = {"latent_ratio": 1, "base_ratio": 0}
"""Regions that have nothing in common but the decoder."""


@pytest.fixture(scope="module", autouse=True)
def _files(webui: Webui) -> None:
    write_extras(webui.folder)
    folder = webui.folder / "models" / "Lora"
    stem = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
    loha = {
        f"{stem}.hada_w{half}_{part}": torch.randn(128, 2) if part == "a" else torch.randn(2, 128)
        for half in "12"
        for part in "ab"
    }
    save_file(loha, folder / f"{LOHA}.safetensors")
    webui.post("/sdapi/v1/refresh-loras")
    weights = load_file(webui.models / "shapes.safetensors")
    unet = {name: value for name, value in weights.items() if name.startswith("model.diffusion_model")}
    save_file({**weights, **{name: value * 0.97 for name, value in unet.items()}}, webui.models / "other.safetensors")
    torch.save(  # the host takes no newer form from this torch
        {**weights, **{name: value * 1.02 for name, value in unet.items()}},
        webui.models / "other.ckpt",
        _use_new_zipfile_serialization=False,
    )
    shutil.copy(webui.models / "shapes.yaml", webui.models / "other.yaml")
    webui.post("/sdapi/v1/refresh-checkpoints")


@pytest.fixture(autouse=True)
def untouched(webui: Webui) -> Iterator[None]:
    """Plain pictures before and after are equal bit for bit, and nothing is left on the model."""
    before, state = webui.generate(**SMALL), webui.get("/rpg-test/state")
    yield
    assert (webui.generate(**SMALL).image == before.image).all()
    assert webui.get("/rpg-test/state") == state


def regions(left: str = "", right: str = "", **fields: Any) -> dict[str, Any]:
    return {"regions": [f"a red circle{left}", f"a blue square{right}"], **APART, **fields}


def moved(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Mean difference in grey levels in the left and right halves, away from where they meet."""
    difference, third = np.abs(one - other), one.shape[1] // 3
    return difference[:, :third].mean(), difference[:, -third:].mean()


@pytest.mark.parametrize("tag", [f"<lora:{UNET_LORA}:-1>", f"<lora:{LORA}:1:0>", f"<lyco:{LORA}:te=0:unet=1>"])
def test_it_acts_in_its_region(webui: Webui, tag: str) -> None:
    plain = webui.generate(rpg=regions(), **SMALL).image
    for place, plan in enumerate((regions(tag), regions("", tag))):
        inside = moved(plain, webui.generate(rpg=plan, **SMALL).image)
        assert inside[place] > 2
        assert inside[1 - place] < inside[place] / 5


@pytest.mark.parametrize("model", ["shapes", "sd2-v", "sdxl"])
@pytest.mark.parametrize("settings", [{}, HIRES, {"batch_size": 2, "n_iter": 2}], ids=["plain", "hires", "batches"])
def test_identity_law(webui: Webui, model: str, settings: dict[str, Any]) -> None:
    """In every region, with weights that differ too little to be seen, it is what it is in the main prompt."""
    webui.options(sd_model_checkpoint=model)
    settings = {**SMALL, **settings, "steps": 3}
    try:
        whole = webui.generate(prompt=f"{PROMPT} <lora:{UNET_LORA}:-1>", **settings)
        plan = same_as_base(layout="1,1", regions=2)
        plan["regions"] = [f"{PROMPT} <lora:{UNET_LORA}:{weight}>" for weight in ("-1", "-1.000001")]
        assert distance(whole.images, generate_apart(webui, "txt2img", plan, **settings).images) <= 1
        if model == "shapes":
            assert distance(whole.images, webui.generate(**settings).images) > 5
    finally:
        webui.options(sd_model_checkpoint="shapes")


def test_every_layer_and_form(webui: Webui) -> None:
    """Three-part convolutions, those of a pixel written as matrices, half a rank's strength, half precision."""
    parts = {}
    for name, value in load_file(shapes.LORA / "stripes.safetensors").items():
        if name.endswith("alpha"):
            parts[name] = value / 2
        elif value.shape[2:] == (3, 3):
            parts[name] = value[..., 1:2, 1:2].half()
            parts[name.replace("lora_down", "lora_mid")] = torch.randn(len(value), len(value), 3, 3).half() * 0.3
        else:
            parts[name] = value.flatten(1).half()
    save_file({name: value.contiguous() for name, value in parts.items()}, webui.folder / "models" / "Lora" / "forms.safetensors")
    webui.post("/sdapi/v1/refresh-loras")
    made = check_identity_with_network(webui, SMALL, " <lora:forms:-1>")
    assert distance(made.images, webui.generate(**SMALL).images) > 20


@pytest.mark.parametrize(
    "settings",
    [{**HIRES, "hr_checkpoint_name": "other.safetensors"}, {"override_settings": {"sd_model_checkpoint": "other.safetensors"}}],
    ids=["hires", "override"],
)
def test_the_model_changes(webui: Webui, settings: dict[str, Any]) -> None:
    """A region's networks act on the one that is loaded, and leave both as they were."""
    check_identity_with_network(webui, {**SMALL, **settings})


@pytest.mark.parametrize("tag", ["", f" <lora:{UNET_LORA}:-1>"])
def test_a_refiner_in_the_same_unet(webui: Webui, tag: str) -> None:
    """Of the same layout and text encoder, it changes the weights behind equal prompts."""
    webui.options(sd_model_checkpoint="other.safetensors")
    try:
        settings = {**SMALL, "refiner_checkpoint": "other.ckpt", "refiner_switch_at": 0.5}
        refined = check_identity_with_network(webui, settings, tag)
        assert distance(refined.images, webui.generate(prompt=PROMPT + tag, **SMALL).images) > 5
    finally:
        webui.options(sd_model_checkpoint="shapes")


def check_identity_with_network(webui: Webui, settings: dict[str, Any], tag: str = f" <lora:{UNET_LORA}:-1>") -> Answer:
    """In every region and beside an embedding, it is what it is in the main prompt. Returns the plain picture."""
    whole = webui.generate(prompt=f"{PROMPT}{tag} {EMBEDDING}", **settings)
    plan = same_as_base(layout="1,1", regions=2)
    plan["regions"] = [f"{PROMPT}{end} {EMBEDDING}" for end in (tag, tag.replace("-1", "-1.000001"))]
    made = generate_apart(webui, "txt2img", plan, **settings, prompt=f"{PROMPT} {EMBEDDING}")
    assert distance(whole.images, made.images) <= 1
    return whole


def test_one_network_with_two_weights(webui: Webui) -> None:
    both = webui.generate(rpg=regions(f"<lora:{UNET_LORA}:-1>", f"<lora:{UNET_LORA}:0.5>"), **SMALL).image
    for place, plan in enumerate((regions(f"<lora:{UNET_LORA}:-1>"), regions("", f"<lora:{UNET_LORA}:0.5>"))):
        alike = moved(both, webui.generate(rpg=plan, **SMALL).image)
        assert alike[place] < alike[1 - place] / 3


def test_a_region_says_another_weight_than_the_main_prompt(webui: Webui) -> None:
    plain = webui.generate(rpg=regions(), **SMALL)
    settings = {**SMALL, "prompt": f"{PROMPT} <lora:{UNET_LORA}:-1>"}
    off = webui.generate(rpg=regions(f"<lora:{UNET_LORA}:0>", f"<lora:{UNET_LORA}:0.000001>"), **settings)
    assert distance(plain.images, off.images) <= 1
    assert distance(plain.images, webui.generate(rpg=regions(), **settings).images) > 5


def test_another_weight_in_the_hires_pass(webui: Webui) -> None:
    """What the hires prompt says of a network holds outside the regions that name it."""
    tag = f"<lora:{UNET_LORA}:-1>"
    settings = {**SMALL, **HIRES, "prompt": f"{PROMPT}{tag}", "hr_prompt": f"{PROMPT}<lora:{UNET_LORA}:0.5>"}
    plan = same_as_base(layout="1,1", regions=2, base_ratio=1)
    plan["regions"] = [PROMPT + f"<lora:{UNET_LORA}:-1.000001>"] * 2
    both = webui.generate(**{**settings, "hr_prompt": ""})
    plan["regions"][1] = PROMPT + f"<lora:{UNET_LORA}:-0.999999>"
    assert distance(both.images, generate_apart(webui, "txt2img", plan, **settings).images) <= 1
    assert distance(both.images, webui.generate(**settings).images) > 2


def test_a_missing_one_is_said_as_the_host_says_it(webui: Webui) -> None:
    webui.options(lora_not_found_warning_console=True)
    try:
        without, missing = (webui.generate(rpg=regions(tag), **SMALL) for tag in ("", "<lora:nowhere:1>"))
    finally:
        webui.options(lora_not_found_warning_console=False)
    assert (without.image == missing.image).all()
    assert webui.log.read_text().count("Lora not found: nowhere") == 1


def test_the_infotext_gives_the_picture_again(webui: Webui) -> None:
    plan = regions(f"<lora:{LORA}:0.8>", f"<lora:{UNET_LORA}:-1>")
    made = webui.generate(rpg=plan, **SMALL)
    for name in (LORA, UNET_LORA):
        assert re.search(rf'Lora hashes: "[^"]*{name}: [0-9a-f]{{8}}', made.infotexts[0])
    assert f"<lora:{LORA}:0.8>" in re.search("RPG plan: (.*)", made.infotexts[0])[1]  # type: ignore[index]
    assert (webui.generate(rpg=plan, **SMALL).image == made.image).all()


def test_search_and_replace_in_a_regions_tag(webui: Webui) -> None:
    plan = regions(f"<lora:{UNET_LORA}:-1>")
    grid = webui.generate(rpg=plan, **plot(webui, "Prompt S/R", f"{UNET_LORA}:-1", f"{UNET_LORA}:0.5"), **SMALL)
    for weight, picture in zip(("-1", "0.5"), grid.images[1:], strict=True):
        assert (webui.generate(rpg=regions(f"<lora:{UNET_LORA}:{weight}>"), **SMALL).image == picture).all()
    assert (grid.images[1] != grid.images[2]).any()


def test_kinds_without_a_low_rank(webui: Webui) -> None:
    tag = f"<lora:{LOHA}:1>"
    check_refused(webui, "is of the kind LoHa; that can act on the whole picture alone", rpg=regions(tag), **SMALL)
    plain, everywhere, in_all = (
        webui.generate(rpg=regions(one, one), prompt=f"{PROMPT}{other}", **SMALL).image
        for one, other in (("", ""), ("", tag), (tag, tag))
    )
    assert (plain != everywhere).any()
    assert (everywhere == in_all).all()


def test_bad_values_are_refused(webui: Webui) -> None:
    check_refused(webui, "has other values than one or two numbers", rpg=regions(f"<lora:{LORA}:much>"), **SMALL)


@pytest.mark.parametrize("fault", ["error", "interrupt"])
def test_stopped_in_the_middle(webui: Webui, fault: str) -> None:
    webui.post("/rpg-test/fault", name=fault, calls=2)
    answer = webui.request(rpg=regions(f"<lora:{LORA}:1>", f"<lora:{LORA}:-1>"), **SMALL)
    webui.post("/rpg-test/fault", name="")
    assert answer.status_code == (500 if fault == "error" else 200)


def test_another_file_of_that_name(webui: Webui) -> None:
    """A network that was trained further is read anew."""
    path = webui.folder / "models" / "Lora" / "copied.safetensors"
    shutil.copy(path.with_name(f"{UNET_LORA}.safetensors"), path)
    webui.post("/sdapi/v1/refresh-loras")
    plan = regions("<lora:copied:1>")
    first = webui.generate(rpg=plan, **SMALL)
    save_file({name: value * -1.5 if "up" in name else value for name, value in load_file(path).items()}, path)
    assert distance(first.images, webui.generate(rpg=plan, **SMALL).images) > 2
