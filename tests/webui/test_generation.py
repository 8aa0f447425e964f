"""Pictures by the API: regions have effect, and change nothing where they should not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rpg.areas.layout import Layout
from tests.webui.host import PROMPT, Webui, read_image, script_args, write_image
from tests.webui.laws import check_identity, check_locality, distance, same_as_base

RED_BLUE: dict[str, Any] = {
    "regions": ["a red circle on a white background", "a blue square on a white background"],
    "split_ratio": "1,1",
    "base_ratio": 0.2,
}


GREY = write_image(np.full((128, 256, 3), 230))


def redness(image: np.ndarray) -> float:
    """Mean of red minus blue."""
    return float((image[..., 0] - image[..., 2]).mean())


def red_left_blue_right(image: np.ndarray) -> float:
    """How much redder the left half is than the right one."""
    middle = image.shape[1] // 2
    return redness(image[:, :middle]) - redness(image[:, middle:])


def test_each_region_follows_its_prompt(webui: Webui) -> None:
    assert red_left_blue_right(webui.generate(rpg=RED_BLUE, steps=12).image) > 15
    swapped = {**RED_BLUE, "regions": RED_BLUE["regions"][::-1]}
    assert red_left_blue_right(webui.generate(rpg=swapped, steps=12).image) < -15


def test_each_region_follows_its_prompt_in_img2img(webui: Webui) -> None:
    start = write_image(np.full((128, 256, 3), 230))
    answer = webui.generate("img2img", RED_BLUE, steps=12, init_images=[start], denoising_strength=0.95)
    assert red_left_blue_right(answer.image) > 15


@pytest.mark.parametrize(("split_ratio", "region"), [("1,1", 1), ("3,1", 0), ("1,1,1;1,1,1", 3)])
def test_only_masked_repaints_its_place_by_its_own_region(webui: Webui, split_ratio: str, region: int) -> None:
    """The surroundings of the mask, as the host renders them by themselves, lie inside that region."""
    mask = np.zeros((128, 256, 3))
    mask[64:128, 128:256] = 255
    if split_ratio == "3,1":
        mask = np.roll(mask, -64, axis=1)
    settings: dict[str, Any] = {"init_images": [GREY], "mask": write_image(mask), "denoising_strength": 0.9, "steps": 4}
    settings |= {"inpaint_full_res_padding": 0, "mask_blur": 0}
    regions = ["a red circle", "a blue square", "a green star", "a yellow star"]
    plan = {"regions": regions[: Layout.parse(split_ratio).count], "split_ratio": split_ratio, "base_ratio": 0.2}
    found = webui.generate("img2img", plan, **settings)
    alone = webui.generate("img2img", {"regions": [regions[region]], "base_ratio": 0.2}, **settings)
    assert distance(found.images, alone.images) == 0
    assert distance(found.images, [read_image(GREY)]) > 20


@pytest.mark.parametrize("batch_size", [1, 2])
def test_tiles_of_sd_upscale_have_their_own_regions(webui: Webui, batch_size: int) -> None:
    """Twice as wide, in two tiles, one after the other or together: each is one region."""
    args = script_args(webui, "SD upscale", True, **{"Upscaler": "None", "Tile overlap": 0})
    wide = write_image(np.full((128, 512, 3), 230))
    settings = {"init_images": [wide], "denoising_strength": 0.9, "steps": 4, "batch_size": batch_size, **args}
    tiles = webui.generate("img2img", RED_BLUE, **settings).image
    for number, region in enumerate(RED_BLUE["regions"]):
        alone = webui.generate("img2img", {**RED_BLUE, "regions": [region], "split_ratio": "1"}, **settings).image
        half = np.s_[:, 256 * number : 256 * (number + 1)]
        assert distance([tiles[half]], [alone[half]]) <= 1


def test_regions_denoised_by_themselves(webui: Webui) -> None:
    plain = webui.generate().image
    one = webui.generate(rpg={"regions": [PROMPT], "split_ratio": "1", "base_ratio": 0, "latent_ratio": 1}).image
    stronger = webui.generate(cfg_scale=5.5).image
    assert np.abs(one - stronger).max() <= 1, "a single region is the whole picture, guided half as much again above 1"
    apart = {**RED_BLUE, "base_ratio": 0, "latent_ratio": 1}
    answer = webui.generate(rpg=apart, steps=12)
    assert red_left_blue_right(answer.image) > 15
    assert '"latent_ratio": 1.0' in answer.infotexts[0].replace('\\"', '"')
    steps = {**apart, "latent_ratio": 0.5}
    pictures = [webui.generate(rpg=rpg, steps=12).image for rpg in (steps, {**apart, "latent_ratio": 0})]
    assert distance(pictures[:1], [answer.image]) > 0
    assert distance(pictures[:1], pictures[1:]) > 0
    # Second-order samplers call the UNet twice a step, a hires pass has its layout already, "AND" has rows of its own.
    hires = {"enable_hr": True, "hr_scale": 1.37, "hr_upscaler": "Latent", "denoising_strength": 0.7}
    for settings in ({"sampler_name": "Heun"}, hires, {"prompt": "a AND b", "batch_size": 2}):
        webui.generate(rpg=steps, **settings)
    assert np.array_equal(webui.generate().image, plain)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"width": 200, "height": 136, "sampler_name": "Heun", "scheduler": "Automatic"},
        {"batch_size": 2, "n_iter": 2, "steps": 3, "negative_prompt": "green, " * 80},
        {"enable_hr": True, "hr_scale": 1.37, "hr_upscaler": "Latent", "denoising_strength": 0.7, "hr_second_pass_steps": 3},
    ],
    ids=["plain", "odd size", "batches, long negative", "hires"],
)
def test_identity(webui: Webui, settings: dict[str, Any]) -> None:
    check_identity(webui, **settings)


def test_identity_in_img2img(webui: Webui) -> None:
    start = write_image(webui.generate(rpg=RED_BLUE).image)
    check_identity(webui, "img2img", init_images=[start], denoising_strength=0.7)


def test_locality(webui: Webui) -> None:
    check_locality(webui, width=200, height=136)


@pytest.fixture(scope="module", params=["sd2-v", "sdxl"])
def other_model(webui: Webui, request: pytest.FixtureRequest) -> Iterator[Webui]:
    webui.options(sd_model_checkpoint=request.param)
    yield webui
    webui.options(sd_model_checkpoint="shapes")


def test_other_models(other_model: Webui) -> None:
    check_identity(other_model, cfg_scale=7)
    check_identity(
        other_model, rpg=same_as_base(regions=2, layout="1;1", prompt="(a fox:1.3)"), prompt="(a fox:1.3)", cfg_scale=7
    )
    check_locality(other_model, width=200, height=136)
    plain, regional = other_model.generate(cfg_scale=7), other_model.generate(rpg=RED_BLUE, cfg_scale=7)
    assert distance(plain.images, regional.images) > 5
