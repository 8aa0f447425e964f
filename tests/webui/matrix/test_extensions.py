"""Other extensions beside this one. Clone them into one folder and name it in RPG_TEST_EXTENSIONS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.webui.host import PROMPT, Webui, write_image
from tests.webui.laws import check_identity, check_refused, distance, generate_apart, same_as_base
from tests.webui.test_generation import RED_BLUE

FOLDER = Path(os.environ.get("RPG_TEST_EXTENSIONS") or Path.home() / "webui-extensions")
NAMES = ("sd-webui-regional-prompter", "sd-webui-controlnet", "sd-dynamic-thresholding", "adetailer")
FOUND = tuple(FOLDER / name for name in NAMES if (FOLDER / name).is_dir())
EQUIPMENT = {"sd-webui-controlnet": "control", "adetailer": "detail"}
"""What the tests install beside an extension, so that it needs no downloads."""
EXTENSIONS = (*FOUND, *(Path(__file__).parent / EQUIPMENT[path.name] for path in FOUND if path.name in EQUIPMENT))


def control(hint: str, unit: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """A small picture with one unit of ControlNet."""
    unit = {"enabled": True, "module": "none", "model": "tiny", "image": hint, "weight": 1.0, **(unit or {})}
    return {"width": 128, "height": 64, "steps": 4, "alwayson_scripts": {"controlnet": {"args": [unit]}}, **settings}


def needs(name: str) -> None:
    if FOLDER / name not in FOUND:
        pytest.skip(f"{name} is not in {FOLDER} (set RPG_TEST_EXTENSIONS to its parent folder)")


@pytest.fixture(autouse=True)
def _plain_is_plain_again(webui: Webui) -> Any:
    before = webui.generate()
    yield
    webui.options(sd_model_checkpoint="shapes")
    assert (webui.generate().image == before.image).all()
    assert webui.get("/rpg-test/state")["patched"] == []


def regional_prompter() -> dict[str, Any]:
    """Its arguments by position, switched on."""
    texts = [False, "Matrix", "Columns", "Mask", "Prompt", "1,1", "0.2", False, False, False, "Attention", [], "0", "0", "0", ""]
    return {"Regional Prompter": {"args": [True, *texts, "0", "0", False]}}


def test_regional_prompter_installed_but_off(webui: Webui) -> None:
    needs(NAMES[0])
    check_identity(webui)


def test_regional_prompter_on_is_refused(webui: Webui, record_property: Any) -> None:
    needs(NAMES[0])
    record_property("refused", True)
    prompt = "a red circle BREAK a blue square"
    alone = webui.generate(prompt=prompt, alwayson_scripts=regional_prompter())
    assert "RP Active: True" in alone.infotexts[0]
    check_refused(webui, "turn one of them off", rpg=RED_BLUE, prompt=prompt, alwayson_scripts=regional_prompter())


@pytest.mark.parametrize(
    "settings", [{}, {"negative_prompt": "gray, " * 50}, {"batch_size": 2}], ids=["plain", "long negative", "batch"]
)
def test_controlnet_sees_the_base_prompt_only(webui: Webui, settings: dict[str, Any]) -> None:
    needs(NAMES[1])
    webui.options(sd_model_checkpoint="sd1-deep")
    hint = write_image(webui.generate(seed=5).image)
    asked = control(hint, **settings)
    plain = webui.generate(**asked)
    assert distance(plain.images[:1], webui.generate(**{**asked, "alwayson_scripts": {}}).images[:1]) > 5
    regional = generate_apart(webui, "txt2img", same_as_base(), **asked)
    assert distance(plain.images, regional.images) <= 1
    others = webui.generate(rpg={"regions": ["a cat", "a dog"], "base_ratio": 1, "latent_ratio": 0}, **asked)
    assert distance(plain.images, others.images) <= 1


@pytest.mark.parametrize("mode", ["Balanced", "ControlNet is more important"])
@pytest.mark.parametrize("settings", [{}, {"batch_size": 2}], ids=["one", "batch"])
def test_controlnet_of_a_region_denoised_by_itself(webui: Webui, mode: str, settings: dict[str, Any]) -> None:
    """One region is the whole picture: as without regions, but guided more strongly (3 - 1 is 1.5 times 1 more)."""
    needs(NAMES[1])
    webui.options(sd_model_checkpoint="sd1-deep")
    asked = control(write_image(webui.generate(seed=5).image), {"control_mode": mode}, sampler_name="Euler", **settings)
    rpg = {"regions": [PROMPT], "latent_ratio": 1}
    plain = webui.generate(**asked, cfg_scale=4)
    alone = webui.generate(rpg=rpg, **asked, cfg_scale=3)
    assert distance(plain.images, alone.images) <= 1
    without = webui.generate(rpg=rpg, **{**asked, "alwayson_scripts": {}}, cfg_scale=3)
    assert distance(without.images[:1], alone.images[:1]) > 5


def test_controlnet_of_regions_before_a_hires_pass(webui: Webui) -> None:
    needs(NAMES[1])
    webui.options(sd_model_checkpoint="sd1-deep")
    hires = {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.5}
    asked = control(write_image(webui.generate(seed=5).image), **hires)
    apart, steered = (webui.generate(rpg={"regions": ["a cat", "a dog"], "latent_ratio": ratio}, **asked) for ratio in (0.5, 0))
    assert apart.image.shape == steered.image.shape == (96, 192, 3)
    assert distance([apart.image], [steered.image]) > 2


@pytest.mark.parametrize("latent_ratio", [0, 0.5])
def test_controlnet_where_regions_leave_a_rest(webui: Webui, latent_ratio: float) -> None:
    needs(NAMES[1])
    webui.options(sd_model_checkpoint="sd1-deep")
    asked = control(write_image(webui.generate(seed=5).image))
    plain = webui.generate(**asked)
    box = {"regions": [{"prompt": "a cat", "area": {"box": [0.5, 0, 1, 1]}}], "latent_ratio": latent_ratio}
    boxed = webui.generate(rpg=box, **asked)
    assert distance(plain.images[:1], boxed.images[:1]) > 2
    without = webui.generate(rpg=box, **{**asked, "alwayson_scripts": {}})
    assert distance(without.images[:1], boxed.images[:1]) > 2
    if latent_ratio == 0:
        same = {"regions": [{"prompt": PROMPT, "area": {"box": [0.5, 0, 1, 1]}}], "latent_ratio": 0}
        assert distance(plain.images, webui.generate(rpg=same, **asked).images) <= 1
    assert distance(plain.images, webui.generate(**asked).images) == 0


def test_a_hint_acts_in_the_region_that_it_lies_in(webui: Webui) -> None:
    needs(NAMES[1])
    webui.options(sd_model_checkpoint="sd1-deep")
    hint = webui.generate(seed=5).image[:64, :128]
    other = hint.copy()
    other[:, 64:] = 255 * (np.indices((64, 64)).sum(0) // 16 % 2)[..., None]
    rpg = {"regions": ["a red circle", "a blue square"], "latent_ratio": 1}
    one, two = (webui.generate(rpg=rpg, **control(write_image(image))).image for image in (hint, other))
    change = np.abs(one - two).max(axis=(0, 2))
    assert change[72:].max() >= 4
    assert change[:40].max() <= 1, "the autoencoder sees across the border, but not that far"


def test_the_latent_ratio_with_controlnet(webui: Webui) -> None:
    needs(NAMES[1])
    webui.options(sd_model_checkpoint="sd1-deep")
    hint, regions = write_image(webui.generate(seed=5).image), {"regions": ["a cat", "a dog"]}
    plain = webui.generate(**control(hint))
    by_default = webui.generate(rpg=regions, **control(hint))
    assert '"latent_ratio": 0.3' in by_default.infotexts[0].replace('\\"', '"')
    assert distance(plain.images[:1], by_default.images[:1]) > 2
    whole = control(hint, {"module": "reference_only", "model": "None"})
    assert '"latent_ratio": 0.0' in webui.generate(rpg=regions, **whole).infotexts[0].replace('\\"', '"'), "it cannot be cut"
    check_refused(webui, "ControlNet's reference_only works on the whole picture", rpg={**regions, "latent_ratio": 0.3}, **whole)


def test_dynamic_thresholding(webui: Webui) -> None:
    needs(NAMES[2])
    arguments = [True, 3.0, 95, "Half Cosine Down", 1.0, "Half Cosine Up", 2.0, 4.0, "enable", "MEAN", "AD", 0.9]
    extra = {"alwayson_scripts": {"Dynamic Thresholding (CFG Scale Fix)": {"args": arguments}}, "cfg_scale": 9}
    assert distance(webui.generate(**extra).images, webui.generate(cfg_scale=9).images) > 2
    check_identity(webui, **extra)


@pytest.mark.parametrize("mode", ["My prompt is more important", "ControlNet is more important"])
def test_controlnet_modes_with_long_prompts(webui: Webui, mode: str) -> None:
    """multidiffusion-upscaler 191: where ControlNet is more important, more than 75 tokens spoil the picture."""
    needs(NAMES[1])
    webui.options(sd_model_checkpoint="sd1-deep")
    hint = write_image(webui.generate(seed=5).image)
    prompt = "a red circle, " * 30
    asked = control(hint, {"control_mode": mode}, prompt=prompt, n_iter=2)
    plain = webui.generate(**asked)
    assert distance(plain.images[:1], webui.generate(**{**asked, "alwayson_scripts": {}}).images[:1]) > 5
    regional = generate_apart(webui, "txt2img", same_as_base(prompt=prompt), **asked)
    assert distance(plain.images, regional.images) <= 1


def test_regions_after_adetailer(webui: Webui) -> None:
    """adetailer 662 and 93: from the second picture, and the second job, regions are lost and the infotext names other prompts.
    RP 180: with wildcards, all infotexts repeat the first prompt."""
    needs(NAMES[3])
    prompts = ["a green star", "a cyan triangle"]
    wildcards = {"Wildcards": {"args": ["\n".join(prompts)]}}
    detail = {"ad_model": "square", "ad_denoising_strength": 0.4, "ad_dilate_erode": 0, "ad_mask_blur": 0}
    both = {**wildcards, "ADetailer": {"args": [True, False, detail]}}
    webui.options(ad_script_names="rpg_test_common,wildcards")
    without = webui.generate(rpg=RED_BLUE, n_iter=2, alwayson_scripts=wildcards)
    jobs = [webui.generate(rpg=RED_BLUE, n_iter=2, alwayson_scripts=both) for _ in range(2)]
    outside = np.ones((128, 256), bool)
    outside[24:104, 56:200] = False
    for job in jobs:
        for number in (-2, -1):
            assert np.abs(job.images[number] - without.images[number])[outside].max() <= 1
            assert np.abs(job.images[number] - without.images[number]).max() > 5
            assert job.infotexts[number].startswith(prompts[number])
            assert 'RPG plan: "{' in job.infotexts[number]


@pytest.mark.parametrize("asked", [False, True])
def test_adetailer(webui: Webui, asked: bool) -> None:
    """Its inpainting is what one would do by hand: without regions, unless its list of scripts names them."""
    needs(NAMES[3])
    square = np.zeros((128, 256, 3))
    square[32:96, 64:192] = 255
    settings = {"prompt": "a green star", "denoising_strength": 0.9}
    by_hand = {"mask": write_image(square), "mask_blur": 4, "inpainting_fill": 1, "inpaint_full_res": True}
    detail = {"ad_model": "square", "ad_prompt": settings["prompt"], "ad_denoising_strength": 0.9, "ad_dilate_erode": 0}
    before = webui.generate(rpg=RED_BLUE, n_iter=2)
    webui.options(ad_script_names="rpg_test_common" + ",rpg_script" * asked)
    after = webui.generate(rpg=RED_BLUE, n_iter=2, alwayson_scripts={"ADetailer": {"args": [True, False, detail]}})
    for number in range(2):
        start = {"init_images": [write_image(before.images[-2:][number])], "inpaint_full_res_padding": 32, "seed": 1 + number}
        alike = webui.generate("img2img", RED_BLUE if asked else None, **settings, **by_hand, **start)
        other = webui.generate("img2img", None if asked else RED_BLUE, **settings, **by_hand, **start)
        assert distance(after.images[-2:][number : number + 1], alike.images) <= 1
        assert distance(alike.images, other.images) > 5
