"""Refiner, checkpoints of the hires pass, sizes, scripts that make many pictures, options that change the UNet."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.webui.host import PROMPT, Webui, script_args
from tests.webui.laws import check_identity, check_locality, check_refused, distance, generate_apart, same_as_base
from tests.webui.test_generation import RED_BLUE

HIRES: dict[str, Any] = {"enable_hr": True, "hr_scale": 1.25, "hr_upscaler": "Latent", "denoising_strength": 0.7, "steps": 4}


@pytest.fixture(autouse=True)
def _afterwards_as_before(webui: Webui) -> Any:
    yield
    webui.options(
        sd_model_checkpoint="shapes", cross_attention_optimization="Automatic", fp8_storage="Disable", sd_unet="Automatic"
    )


@pytest.mark.parametrize("switch", [0.3, 0.7])
@pytest.mark.parametrize("sampler", ["Euler", "DPM++ 2M", "Heun", "DDIM"])
def test_refiner_in_mid_run(webui: Webui, sampler: str, switch: float) -> None:
    webui.options(sd_model_checkpoint="sdxl")
    settings = {"refiner_checkpoint": "sdxl-refiner", "refiner_switch_at": switch, "sampler_name": sampler}
    check_identity(webui, **settings)
    assert webui.get("/rpg-test/state")["patched"] == []


def test_refiner_of_another_family(webui: Webui) -> None:
    check_identity(webui, refiner_checkpoint="sd1-deep", refiner_switch_at=0.5)


@pytest.mark.parametrize(
    "settings", [{"hr_checkpoint_name": "sd2-v"}, {"hr_sampler_name": "Heun"}, {"hr_scheduler": "Exponential"}]
)
def test_hires_pass_of_its_own(webui: Webui, settings: dict[str, Any]) -> None:
    check_identity(webui, **HIRES, **settings)


def test_areas_in_a_hires_pass(webui: Webui) -> None:
    box = {"prompt": PROMPT, "area": {"box": [0.1, 0.2, 0.6, 0.9], "feather": 0.1}}
    check_identity(webui, rpg={"regions": [box], "latent_ratio": 0}, **HIRES)
    other = {**box, "prompt": "a green star"}
    apart, steered = (webui.generate(rpg={"regions": [other], "latent_ratio": ratio}, **HIRES) for ratio in (0.5, 0))
    assert apart.image.shape == steered.image.shape
    assert distance(apart.images, steered.images) > 2


@pytest.mark.parametrize("upscaler", ["Latent (antialiased)", "Latent (nearest-exact)", "Nearest", "None"])
@pytest.mark.parametrize("target", [(296, 168), (320, 128)])
def test_hires_to_a_size(webui: Webui, upscaler: str, target: tuple[int, int]) -> None:
    width, height = target
    check_identity(webui, **{**HIRES, "hr_upscaler": upscaler, "steps": 2}, hr_resize_x=width, hr_resize_y=height)


@pytest.mark.parametrize(
    "size",
    [
        (64, 64),
        (72, 64),
        (64, 136),
        (88, 104),
        (120, 72),
        (152, 64),
        (184, 88),
        (256, 64),
        (64, 328),
        (104, 104),
        (168, 72),
        (320, 96),
    ],
)
def test_sizes(webui: Webui, size: tuple[int, int]) -> None:
    width, height = size
    check_identity(webui, rpg=same_as_base("1,1,2;2,1,1,1", 5), width=width, height=height, steps=2)
    check_locality(webui, width=width, height=height, steps=1, calls=1)


def test_loopback(webui: Webui, start_picture: str) -> None:
    script = script_args(webui, "Loopback", True)
    check_identity(webui, "img2img", init_images=[start_picture], denoising_strength=0.5, steps=3, **script)


def test_sd_upscale(webui: Webui, start_picture: str) -> None:
    script = script_args(webui, "SD upscale", True, **{"Upscaler": "Lanczos", "Scale Factor": 1.5})
    check_identity(webui, "img2img", init_images=[start_picture], denoising_strength=0.4, steps=3, **script)


def test_prompts_from_file(webui: Webui) -> None:
    lines = ["a green star", "a cyan triangle and a circle"]
    script = script_args(webui, "Prompts from file or textbox", False, **{"List of prompt inputs": "\n".join(lines)})
    pictures = webui.generate(rpg=RED_BLUE, **script)
    for image, prompt in zip(pictures.images, lines, strict=True):
        assert distance([image], webui.generate(rpg=RED_BLUE, prompt=f"{prompt} {PROMPT}").images) == 0


@pytest.mark.parametrize(
    "options",
    [
        {"token_merging_ratio": 0.5},
        {"hypertile_enable_unet": True, "hypertile_max_depth_unet": 3},
        {"uni_pc_variant": "vary_coeff"},
        {"randn_source": "CPU"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_options_for_one_job(webui: Webui, options: dict[str, Any]) -> None:
    before = webui.get("/sdapi/v1/options")
    webui.options(**options)
    try:
        check_identity(webui, sampler_name="UniPC")
    finally:
        webui.options(**{name: before[name] for name in options})
    assert webui.get("/rpg-test/state")["patched"] == []


def test_fp8_storage(webui: Webui) -> None:
    webui.options(fp8_storage="Enable")
    assert distance(webui.generate().images, generate_apart(webui, "txt2img", same_as_base()).images) <= 1


@pytest.mark.parametrize("content", ["Combined", "Prompt", "Negative prompt"])
@pytest.mark.parametrize("kind", ["Full", "Approx NN", "Approx cheap", "TAESD"])
def test_live_previews(webui: Webui, kind: str, content: str) -> None:
    without = webui.generate(rpg=RED_BLUE).image
    settings = {"show_progress_type": kind, "show_progress_every_n_steps": 1, "live_preview_content": content}
    seen: list[str] = []
    before = webui.get("/sdapi/v1/options")
    webui.options(**settings)
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(webui.generate, rpg=RED_BLUE)
        while not job.done():
            seen.append(webui.get("/sdapi/v1/progress")["current_image"])
    webui.options(**{name: before[name] for name in settings})
    assert any(seen)
    assert (job.result().image == without).all()


def test_many_requests_at_once(webui: Webui) -> None:
    requests: list[dict[str, Any]] = [{}, {"rpg": RED_BLUE}, {"seed": 7}, {"rpg": {**RED_BLUE, "split_ratio": "1;2"}}] * 2
    with ThreadPoolExecutor(len(requests)) as pool:
        at_once = list(pool.map(lambda request: webui.generate(**request), requests))
    for request, answer in zip(requests, at_once):
        assert (answer.image == webui.generate(**request).image).all()
    assert threading.active_count() < 50


def test_replaced_unet_is_refused(webui: Webui, record_property: Any) -> None:
    record_property("refused", True)
    webui.options(sd_unet="[test] compiled")
    check_refused(webui, "set Settings > Stable Diffusion > SD Unet to None", rpg=RED_BLUE)
    assert PROMPT in webui.generate().infotexts[0]


def test_sd3_is_refused(webui: Webui, record_property: Any) -> None:
    """A transformer that attends to picture and prompt at once."""
    record_property("refused", True)
    webui.post("/rpg-test/sd3")
    webui.options(sd_model_checkpoint="sd3")
    plain = webui.generate(sampler_name="Euler")
    assert "Model: sd3" in plain.infotexts[0]
    check_refused(webui, "MMDiT has no cross-attention layers", rpg=RED_BLUE, sampler_name="Euler")
    assert (webui.generate(sampler_name="Euler").image == plain.image).all()
