"""The webui's cards of LoRA, pressed in a real browser; and the embedded model's own LoRA there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from rpg import shapes
from tests.benchmarks.networks import look
from tests.webui.host import Webui
from tests.webui.test_browser import generate, open_accordion, opened, shown_plan, write

SETTINGS: dict[str, Any] = {
    **{
        "width": 224,
        "height": 128,
        "steps": 16,
        "cfg_scale": shapes.GUIDANCE_SCALE,
        "sampler_name": "Euler a",
        "scheduler": "Automatic",
    },
    "prompt": "a red circle and a blue square",
}


@pytest.fixture
def page(browser: Any, webui: Webui) -> Iterator[Page]:
    with opened(browser, webui) as page:
        yield page


def test_cards(page: Page, webui: Webui) -> None:
    """Pressed after a region was written in, they put their tag there; after the main prompt, there; again, they take it out."""
    page.locator("#txt2img_prompt textarea").fill(webui.generate(**SETTINGS).infotexts[0])
    page.locator("#txt2img_tools #paste").click()
    expect(page.locator("#txt2img_steps input[type=number]")).to_have_value(str(SETTINGS["steps"]))
    accordion = open_accordion(page)
    write(accordion.locator(".rpg-ratio"), "1,1")
    prompts = accordion.locator(".rpg-prompt textarea")
    write(prompts.nth(0), "a red circle")
    write(prompts.nth(1), "a blue square")
    tabs = page.locator("#txt2img_extra_tabs > .tab-nav button")

    def press(name: str) -> None:
        tabs.filter(has_text="Lora").click()
        page.locator("#txt2img_lora_cards_html, #txt2img_lora_cards").locator(f".card[data-name='{name}']").first.click()
        tabs.filter(has_text="Generation").click()

    press("stripes")
    expect(prompts.nth(1)).to_have_value("a blue square <lora:stripes:1>")
    press("stripes")
    expect(prompts.nth(1)).to_have_value("a blue square")
    press("outlines")
    prompts.nth(0).focus()
    press("stripes")
    regions = ["a red circle <lora:stripes:1>", "a blue square <lora:outlines:1>"]
    assert [region["prompt"] for region in shown_plan(page)["regions"]] == regions
    assert "<lora" not in page.locator("#txt2img_prompt textarea").input_value()

    made = generate(page, webui)
    assert (made == webui.generate(rpg={"regions": regions}, **SETTINGS).image).all()
    picture = Image.fromarray(made.astype("uint8"))
    if folder := os.environ.get("RPG_SCREENSHOTS"):
        picture.save(Path(folder) / "cards.png")
        page.screenshot(path=Path(folder) / "cards-page.png")
    halves = [look(picture.crop(edges)) for edges in ((0, 0, 112, 128), (112, 0, 224, 128))]
    assert (halves[0]["red"].style, halves[1]["blue"].style) == ("stripes", "outlines")

    page.locator("#txt2img_prompt textarea").focus()
    press("outlines")
    expect(page.locator("#txt2img_prompt textarea")).to_have_value(SETTINGS["prompt"] + " <lora:outlines:1>")
    prompts.nth(0).focus()
    accordion.locator(".label-wrap").first.click()
    press("stripes")  # off, the panel leaves cards alone
    expect(page.locator("#txt2img_prompt textarea")).to_have_value(SETTINGS["prompt"] + " <lora:outlines:1> <lora:stripes:1>")
