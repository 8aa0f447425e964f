"""What users of other extensions reported as broken, tried here; each test names the public reports it stands for.

RP is hako-mikan/sd-webui-regional-prompter, webui AUTOMATIC1111/stable-diffusion-webui, forge-couple Haoming02/sd-forge-couple,
controlnet Mikubill/sd-webui-controlnet.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from rpg.plan import Plan
from tests.webui.host import PROMPT, Answer, Webui, read_image, write_image
from tests.webui.laws import check_identity, check_locality, check_probe, distance
from tests.webui.test_browser import finished, opened, press, shown_plan, write
from tests.webui.test_generation import RED_BLUE

SMALL: dict[str, Any] = {"width": 128, "height": 64, "steps": 3}
ATTENTION: dict[str, Any] = {**RED_BLUE, "latent_ratio": 0}
HIRES: dict[str, Any] = {"enable_hr": True, "hr_upscaler": "Latent", "denoising_strength": 0.7, "hr_second_pass_steps": 1}


@pytest.fixture(scope="module")
def start(webui: Webui) -> str:
    """For img2img."""
    return write_image(webui.generate(prompt="a green star", **SMALL).image)


def columns(*prompts: str, latent_ratio: float = 0) -> dict[str, Any]:
    """Without the base prompt."""
    return {"regions": prompts, "base_ratio": 0, "latent_ratio": latent_ratio}


def plans(answer: Answer) -> list[Plan]:
    """The plan in each picture's infotext."""
    found = [re.search(r'RPG plan: ("(?:[^"\\]|\\.)*")', text) for text in answer.infotexts]
    return [Plan.from_json(json.loads(match[1])) for match in found if match]


def test_batch_count_with_an_odd_hires_scale(webui: Webui) -> None:
    """RP 184: an error with a batch count above 2 where the hires size is no multiple of 64."""
    check_identity(webui, n_iter=3, hr_scale=2.05, **SMALL, **HIRES)


def test_batch_count_in_img2img(webui: Webui, start: str) -> None:
    """RP 296: an index out of range with a batch count of 7. RP 238: all pictures become the first one."""
    rpg = {**ATTENTION, "latent_ratio": 0.5}
    settings = {**SMALL, "init_images": [start], "denoising_strength": 0.9}
    images = webui.generate("img2img", rpg, n_iter=7, **settings).images[-7:]
    single = webui.generate("img2img", rpg, **{**settings, "seed": 7})
    assert (images[-1] == single.image).all()
    for number, image in enumerate(images):
        assert all(distance([image], [other]) > 5 for other in images[:number])


def test_every_picture_tells_its_own_prompt_and_the_plan(webui: Webui) -> None:
    """RP 324: an index error for infotexts at batch size 4. RP 180: all infotexts repeat the first picture's prompt."""
    prompts = ["a green star", "a cyan triangle", "a red circle", "a blue square"]
    wildcards = {"alwayson_scripts": {"Wildcards": {"args": ["\n".join(prompts)]}}}
    answer = webui.generate(rpg=ATTENTION, prompt="__shape__", batch_size=2, n_iter=2, **SMALL, **wildcards)
    assert [text.split("\n")[0] for text in answer.infotexts[-4:]] == prompts
    assert plans(answer)[-4:] == [Plan.from_dict(ATTENTION)] * 4
    single = webui.generate(rpg=ATTENTION, prompt=prompts[3], **{**SMALL, "seed": 4})
    assert distance(answer.images[-1:], single.images) <= 1


def test_another_family_in_the_hires_pass_of_every_picture(webui: Webui) -> None:
    """controlnet 2192: an SDXL picture whose hires pass has a checkpoint of SD 1.x; the second one of a job fails."""
    webui.options(sd_checkpoints_limit=2, sd_model_checkpoint="sdxl")  # both stay in memory
    try:
        check_identity(webui, n_iter=2, hr_scale=1.5, hr_checkpoint_name="shapes", **SMALL, **HIRES)
    finally:
        webui.options(sd_model_checkpoint="shapes")
        webui.options(sd_checkpoints_limit=1)


@pytest.mark.parametrize("option", ["s_min_uncond", "skip_early_cond"])
def test_steps_without_the_negative_prompt(webui: Webui, option: str) -> None:
    """controlnet 1380: an error where the host leaves the negative prompt out of some steps."""
    settings = {**SMALL, "steps": 4, "negative_prompt": "green, " * 80}
    if option == "s_min_uncond":
        settings["s_min_uncond"] = 4
    else:
        webui.options(skip_early_cond=0.25)
    try:
        check_identity(webui, **settings)
        own = {"regions": [{"prompt": PROMPT, "negative_prompt": "gray"}, PROMPT], "latent_ratio": 0}
        assert distance(webui.generate(**settings).images, webui.generate(rpg=own, **settings).images) > 2
    finally:
        webui.options(skip_early_cond=0)


def test_break_inside_a_region_is_the_hosts(webui: Webui) -> None:
    """RP 286: BREAK can no longer part a prompt into chunks, as it parts regions."""
    prompt = "a red circle BREAK a blue square"
    plain = webui.generate(prompt=prompt, **SMALL)
    regional = webui.generate(rpg=columns(prompt), prompt="a green star", **SMALL)
    assert distance(plain.images, regional.images) <= 1
    assert len(plans(webui.generate(rpg=columns(prompt, "a green star"), **SMALL))[0].regions) == 2


def test_weights_count_in_every_region(webui: Webui) -> None:
    """RP 313: weights below 0 are heard in the first region only."""
    regions = ["a red circle", "a blue square", "a green star"]
    settings = {**SMALL, "width": 192}
    without = webui.generate(rpg=columns(*(f"{text}, gray" for text in regions), latent_ratio=1), **settings).image
    for number in range(3):
        weighted = [f"{text}, (gray:-1)" if region == number else f"{text}, gray" for region, text in enumerate(regions)]
        moved = abs(webui.generate(rpg=columns(*weighted, latent_ratio=1), **settings).image - without)
        parts = [part.mean() for part in np.split(moved, 3, axis=1)]
        assert parts.pop(number) > 1.5 * max(parts)


AWKWARD = 'a\r\nred\tcircle, "quoted" \\ \\(back\\) Negative prompt: none\nSteps: 3, Sampler: Euler, Size: 9x9\u2028end: 1'


def test_line_breaks_and_labels_in_region_prompts_come_back(webui: Webui) -> None:
    """webui 12128: line breaks in what an extension adds to the infotext spoil everything behind them."""
    rpg = {"regions": [{"prompt": AWKWARD, "negative_prompt": AWKWARD}, "b"], "base_prompt": AWKWARD, "notes": AWKWARD}
    rpg["latent_ratio"] = 0.5
    response = webui.request(rpg=rpg, **SMALL)
    read = webui.post("/sdapi/v1/png-info", image=f"data:image/png;base64,{response.json()['images'][0]}")["parameters"]
    assert Plan.from_json(read["RPG plan"]) == Plan.from_dict(rpg)
    assert (read["Prompt"], read["Negative prompt"], read["Steps"], read["Size-1"]) == (PROMPT, "", "3", "128")
    made = webui.answer(response)
    again = webui.session.post(f"{webui.url}/sdapi/v1/txt2img", json={"infotext": made.infotexts[0]})
    assert (webui.answer(again).image == made.image).all()


def test_programs_see_the_arguments_and_may_leave_them_out(webui: Webui) -> None:
    """webui 13621: a component's value makes the list of all scripts fail. webui 8666: extensions that a request does not name
    get arguments that break them."""
    listed = [script for script in webui.get("/sdapi/v1/script-info") if script["name"] == "rpg"]
    assert [argument["label"] for script in listed for argument in script["args"]] == ["RPG plan", "RPG", "RPG refine"] * 2
    plain, regional = webui.generate(**SMALL), webui.generate(rpg=ATTENTION, **SMALL)
    log = len(webui.log.read_text())
    for scripts in ({"Wildcards": {"args": [""]}}, {"RPG": {"args": []}}, {"RPG": {}}):
        assert (webui.generate(alwayson_scripts=scripts, **SMALL).image == plain.image).all()
    assert (webui.generate(alwayson_scripts={"rpg": {"args": [ATTENTION]}}, **SMALL).image == regional.image).all()
    assert "Error running" not in webui.log.read_text()[log:]


def test_a_unet_that_shrinks_its_picture(webui: Webui) -> None:
    """RP 322: with Kohya's hires fix, which halves the picture inside the UNet, a size error. Half a size that is no level of the
    UNet is refused."""
    before = webui.generate(**SMALL)
    webui.post("/rpg-test/shrink", on=True)
    try:
        assert distance(before.images, webui.generate(**SMALL).images) > 5
        check_identity(webui, **SMALL)
        check_identity(webui, rpg=columns(PROMPT, latent_ratio=1), **{**SMALL, "cfg_scale": 1})  # else guided more strongly
        check_locality(webui, **SMALL)
        refused = webui.request(rpg=ATTENTION, **{**SMALL, "width": 200, "height": 136})
    finally:
        webui.post("/rpg-test/shrink", on=False)
    assert "no level of a 17x25 latent" in refused.json()["detail"]
    assert (webui.generate(**SMALL).image == before.image).all()


@pytest.fixture(scope="module")
def page(browser: Any, webui: Webui) -> Iterator[Page]:
    with opened(browser, webui) as page:
        yield page


def paste(page: Page, tab: str, infotext: str) -> None:
    page.locator("#tabs > .tab-nav button", has_text=tab).first.click()
    page.locator(f"#{tab}_prompt textarea").fill(infotext)
    page.locator(f"#{tab}_tools #paste").click()
    expect(page.locator(f"#{tab}_prompt textarea")).to_have_value(PROMPT)
    expect(page.locator(f"#rpg-{tab} .rpg-ratio")).to_be_visible()
    page.wait_for_function(f"document.querySelector('#rpg-{tab}-plan textarea').value")


def test_a_folder_of_pictures(page: Page, webui: Webui, tmp_path: Path) -> None:
    """webui 12149 and 12286: img2img's Batch tab fails at the second picture when an extension is on. RP 284: in img2img the
    choice between attention and latent is lost, and attention is used."""
    rpg = {**ATTENTION, "latent_ratio": 0.75}
    starts = [webui.generate(**{**SMALL, "seed": seed}).image for seed in (1, 2, 3)]
    settings = {**SMALL, "denoising_strength": 0.75}
    singles = [webui.generate("img2img", rpg, init_images=[write_image(start)], **settings) for start in starts]
    for number, start in enumerate(starts):
        Image.fromarray(start.astype("uint8")).save(tmp_path / f"{number}.png")
    paste(page, "img2img", singles[0].infotexts[0])
    page.locator("#mode_img2img > .tab-nav button", has_text="Batch").click()
    page.locator("#img2img_batch_source > .tab-nav button", has_text="From directory").click()
    page.wait_for_timeout(2000)  # the page tells the host which tab is open, and shows nobody when it has
    write(page.locator("#img2img_batch_input_dir textarea"), str(tmp_path))
    page.locator("#img2img_generate").click()
    shown = "[...new Set([...document.querySelectorAll('#img2img_gallery img')].map((image) => image.src))]"
    page.wait_for_function(f"{shown}.length == 3", timeout=60_000)
    expect(page.locator("#img2img_interrupt")).to_be_hidden(timeout=60_000)
    for address, single in zip(page.evaluate(shown), singles, strict=True):
        image = read_image(base64.b64encode(webui.session.get(address).content).decode())
        assert (image == single.image).all()
    assert shown_plan(page, "img2img")["latent_ratio"] == 0.75
    expect(page.locator("#rpg-img2img .rpg-latent-ratio")).to_have_value("0.75")
    attention = webui.generate("img2img", ATTENTION, init_images=[write_image(starts[0])], **settings)
    assert distance(attention.images, singles[0].images) > 5


def test_the_last_word_counts(page: Page, webui: Webui) -> None:
    """forge-couple 15: the last change of a region prompt is drawn one picture later."""
    paste(page, "txt2img", webui.generate(rpg=ATTENTION, **SMALL).infotexts[0])
    left, right = ATTENTION["regions"]
    for words, keys in ((", a green star", ""), (", a cyan triangle", "Control+Enter")):
        page.locator("#rpg-txt2img .rpg-prompt textarea").nth(1).focus()
        page.keyboard.press("Control+End")
        page.keyboard.type(words)
        press(page, keys=keys)
        right += words
        assert (finished(page, webui) == webui.generate(rpg={**ATTENTION, "regions": [left, right]}, **SMALL).image).all()


def test_one_picture_of_the_gallery_made_large(page: Page, webui: Webui) -> None:
    """RP 316: the button below the gallery that runs the hires pass on a finished picture."""
    paste(page, "txt2img", webui.generate(rpg=ATTENTION, **SMALL).infotexts[0])
    press(page)
    finished(page, webui)
    webui.post("/rpg-test/probe", calls=2)
    press(page, button="txt2img_upscale")
    assert finished(page, webui).shape == (128, 256, 3)
    check_probe(webui)
    expect(page.locator("#html_info_txt2img.prose")).to_contain_text("RPG plan")
