"""What region prompts can say beyond words: networks, embeddings, AND, their own negative prompts, schedules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webui.host import PROMPT, Webui
from tests.webui.laws import check_identity, check_refused, distance, generate_apart, same_as_base
from tests.webui.matrix.extras import EMBEDDING, HYPERNET, LORA, UNET_LORA

TAGS = [f"<lora:{LORA}:0.8>", f"<lora:{UNET_LORA}:-1>", f"<hypernet:{HYPERNET}:1>", f"<lora:{LORA}:0.5><hypernet:{HYPERNET}:0.5>"]
ATTENTION = {"base_ratio": 0.3, "latent_ratio": 0}
HIRES: dict[str, Any] = {"enable_hr": True, "hr_scale": 1.25, "hr_upscaler": "Latent", "denoising_strength": 0.7, "steps": 3}


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("settings", [{"batch_size": 2, "n_iter": 2, "steps": 3}, HIRES], ids=["batches", "hires"])
def test_network_in_every_region_is_the_one_of_the_whole_picture(webui: Webui, tag: str, settings: dict[str, Any]) -> None:
    settings = {**settings, "width": 128, "height": 64}
    plain, with_tag = webui.generate(**settings), webui.generate(prompt=f"{PROMPT} {tag}", **settings)
    assert distance(plain.images, with_tag.images) > 5
    for prompt in (PROMPT, f"{PROMPT} {tag}"):
        regional = generate_apart(webui, "txt2img", {"regions": [f"{PROMPT} {tag}"] * 2, **ATTENTION}, prompt=prompt, **settings)
        assert distance(with_tag.images, regional.images) <= 1
    assert (webui.generate(**settings).image == plain.image).all()


@pytest.mark.parametrize("merge", [False, True])
@pytest.mark.parametrize("tag", [f"<lora:{UNET_LORA}:-1>", ""])
def test_another_weight_in_the_hires_pass(webui: Webui, tag: str, merge: bool) -> None:
    settings = {**HIRES, "prompt": f"{PROMPT} <lora:{UNET_LORA}:1>", "hr_prompt": f"{PROMPT} {tag}"}
    plain = webui.generate(**settings)
    rpg = same_as_base(prompt=PROMPT)
    regional = webui.generate(rpg=rpg, **settings) if merge else generate_apart(webui, "txt2img", rpg, **settings)
    assert distance(plain.images, regional.images) <= 1


@pytest.mark.parametrize("hires", ["", f"{PROMPT} <lora:{UNET_LORA}:-1>"])
def test_networks_of_a_base_prompt_stand_in_those_of_the_main_prompt(webui: Webui, hires: str) -> None:
    base = f"{PROMPT} <lora:{LORA}:0.8>"
    plain = webui.generate(**HIRES, prompt=base, hr_prompt=hires)
    rpg = same_as_base(prompt=PROMPT, base_prompt=base)
    regional = generate_apart(webui, "txt2img", rpg, **HIRES, prompt=f"a cat <lora:{LORA}:0.2>", hr_prompt=hires)
    assert distance(plain.images, regional.images) <= 1


def test_other_prompts_in_the_hires_pass(webui: Webui) -> None:
    """The regions stay; the base follows the hires prompt."""
    settings = {**HIRES, "hr_prompt": "a green star", "hr_negative_prompt": "a red circle, " * 40}
    plain = webui.generate(**settings)
    regional = generate_apart(webui, "txt2img", same_as_base(base_ratio=1), **settings)
    assert distance(plain.images, regional.images) <= 1


@pytest.mark.parametrize(
    "regions", [[f"a cat <lora:{LORA}:0.5> <lora:{LORA}:0.6>", "a dog"], [f"a cat <hypernet:{HYPERNET}:1>", "a dog"]]
)
def test_one_network_with_two_weights_for_one_place_is_refused(webui: Webui, regions: list[str], record_property: Any) -> None:
    record_property("refused", True)
    prompt = f"{PROMPT} <hypernet:{HYPERNET}:0.5>"
    check_refused(webui, "name a network there once", rpg={"regions": regions}, prompt=prompt)


@pytest.mark.parametrize(
    "settings",
    [{"batch_size": 2, "steps": 3}, HIRES, {"sampler_name": "Euler a", "steps": 4}],
    ids=["batch", "hires", "ancestral"],
)
@pytest.mark.parametrize("latent_ratio", [0, 0.5])
def test_regions_with_other_networks(webui: Webui, latent_ratio: float, settings: dict[str, Any]) -> None:
    """Each side is nearer to that of the picture in which both regions have its network; layers that see the whole picture carry
    the other's there."""
    settings = {**settings, "width": 192, "height": 64}
    tags = (f"<lora:{UNET_LORA}:-1>", f"<lora:{LORA}:0.8>")

    def made(*tags: str) -> Any:
        plan = {"regions": [f"{PROMPT} {tag}" for tag in tags], "base_ratio": 0, "latent_ratio": latent_ratio}
        return webui.generate(rpg=plan, **settings).images[-1]

    both, *whole = made(*tags), made(tags[0], tags[0]), made(tags[1], tags[1])
    for place, image in enumerate(whole):
        difference, third = abs(both - image), image.shape[1] // 3
        near, far = difference[:, :third].mean(), difference[:, -third:].mean()
        assert (near, far)[place] < (far, near)[place]


def test_a_tag_in_a_negative_prompt_is_text_as_in_the_host(webui: Webui) -> None:
    negative = f"green <lora:{LORA}:1>"
    plain, without = webui.generate(negative_prompt=negative), webui.generate(negative_prompt="green")
    assert distance(plain.images, without.images) > 0
    regions = [{"prompt": PROMPT, "negative_prompt": negative}] * 2
    regional = generate_apart(webui, "txt2img", {"regions": regions, **ATTENTION}, negative_prompt=negative)
    assert distance(plain.images, regional.images) <= 1


def test_one_value_however_it_is_written(webui: Webui) -> None:
    settings = {**HIRES, "prompt": f"{PROMPT} <lora:{LORA}:0.80>"}
    plain = webui.generate(**settings)
    regional = generate_apart(webui, "txt2img", same_as_base(prompt=f"{PROMPT} <lora:{LORA}:0.8>"), **settings)
    assert distance(plain.images, regional.images) <= 1


def test_embedding(webui: Webui) -> None:
    prompt = f"{PROMPT} {EMBEDDING}"
    assert distance(webui.generate().images, webui.generate(prompt=prompt).images) > 5
    check_identity(webui, rpg=same_as_base(prompt=prompt), prompt=prompt)


@pytest.mark.parametrize("model", ["shapes", "sdxl"])
def test_no_words_at_all(webui: Webui, model: str) -> None:
    """Empty parentheses are a region prompt without tokens."""
    webui.options(sd_model_checkpoint=model)
    check_identity(webui, rpg=same_as_base(prompt="()"), prompt="")
    webui.options(sd_model_checkpoint="shapes")


@pytest.mark.parametrize("batch_size", [1, 3])
def test_and_in_the_base_only(webui: Webui, batch_size: int) -> None:
    """A region without AND stands beside every part of the base."""
    prompt = f"{PROMPT} :0.7 AND {PROMPT} :0.4"
    check_identity(webui, rpg=same_as_base(prompt=PROMPT), prompt=prompt, batch_size=batch_size)


@pytest.mark.parametrize("prompt", [PROMPT, "a AND b", "a :2 AND b AND c"])
def test_another_count_of_and_is_refused(webui: Webui, record_property: Any, prompt: str) -> None:
    record_property("refused", True)
    check_refused(webui, "Region 1 joins 3 prompts by AND", rpg={"regions": ["a AND b AND c", "d"]}, prompt=prompt)


def test_another_count_of_and_in_the_hires_pass_is_refused(webui: Webui, record_property: Any) -> None:
    record_property("refused", True)
    rpg = {"regions": ["a AND b", "d"]}
    check_refused(webui, "the base prompt 1", rpg=rpg, **{**HIRES, "prompt": "a AND b", "hr_prompt": "c"})


def test_negative_prompt_of_one_region(webui: Webui) -> None:
    """That region's part of the picture moves away from it; the other, denoised by itself, stays."""
    regions: list[Any] = ["a red circle", "a blue square"]
    without = webui.generate(rpg={"regions": regions, "latent_ratio": 1}).image
    regions[0] = {"prompt": "a red circle", "negative_prompt": "a red circle, " * 30}
    moved = abs(webui.generate(rpg={"regions": regions, "latent_ratio": 1}).image - without).mean(-1)
    assert moved[:, :96].mean() > 5 * moved[:, 160:].mean(), "the autoencoder sees across the border"


@pytest.mark.parametrize("sampler", ["Euler", "Heun", "DDIM"])
def test_schedule_of_a_region_switches_at_its_step(webui: Webui, sampler: str) -> None:
    """With a base ratio of 0 a single region is the picture, schedule included."""
    prompt = "a [red:green:0.5] [circle|square] [with a star:2]"
    settings = {"sampler_name": sampler, "steps": 6}
    plain = webui.generate(prompt=prompt, **settings)
    regional = webui.generate(
        rpg={"regions": [prompt], "split_ratio": "1", "base_ratio": 0, "latent_ratio": 0}, prompt="a cat", **settings
    )
    assert distance(plain.images, regional.images) <= 1
    assert distance(plain.images, webui.generate(prompt="a red circle", **settings).images) > 5


def test_every_picture_of_a_batch_has_its_own_base_prompt(webui: Webui) -> None:
    info = next(item for item in webui.get("/sdapi/v1/script-info") if item["name"] == "prompt matrix")
    script = {"script_name": "Prompt matrix", "script_args": [argument["value"] for argument in info["args"]]}
    rpg = {"regions": ["a red circle", "a blue square"], "base_ratio": 0.6}
    matrix = webui.generate(rpg=rpg, prompt="a green star|on a pink background|a cyan triangle", batch_size=4, **script)
    for text, image in zip(matrix.infotexts[-4:], matrix.images[-4:], strict=True):
        prompt = text.split("\n")[0]
        single = webui.generate(rpg=rpg, prompt=prompt)
        assert distance([image], single.images) <= 1
    assert distance(matrix.images[-4:-3], matrix.images[-1:]) > 5


def test_wildcards(webui: Webui) -> None:
    prompts = [
        "a green star",
        "a cyan triangle",
        "a red circle, a blue square",
    ]  # a longer one changes the others, in the host too
    rpg = {"regions": ["a red circle", "a blue square"], "base_ratio": 0.6}
    scripts = {"Wildcards": {"args": ["\n".join(prompts)]}}
    together = webui.generate(rpg=rpg, prompt="__thing__", batch_size=3, alwayson_scripts=scripts, width=128, height=64)
    for prompt, seed, image in zip(prompts, range(1, 4), together.images, strict=True):
        single = webui.generate(rpg=rpg, prompt=prompt, seed=seed, width=128, height=64)
        assert distance([image], single.images) <= 1
