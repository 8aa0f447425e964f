"""Takes the pictures of the panel in docs/ from the page of its own, with the embedded model: ``make screenshots``.

Seed, sizes and texts are fixed, nothing moves; the fonts are this machine's (Chinese needs one, such as fonts-wqy-zenhei).
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import expect, sync_playwright

from rpg.cli.ui_command import page_of
from rpg.pipelines.loading import load
from rpg.presets import Presets
from tests.conftest import CHROMIUM, FLAGS
from tests.panel.page import Page
from tests.sentences import CHECKOUT

PETS = {
    "split_ratio": "1,1,1;2,1,1",
    "base_ratio": 0.4,
    "regions": [{"prompt": prompt} for prompt in ("a snowy mountain", "a red sun", "a fishing boat", "a wooden pier")],
}
AREAS = {
    "split_ratio": "1;1",
    "base_ratio": 0.2,
    "regions": [
        {"prompt": "a sunset sky"},
        {"prompt": "a meadow"},
        {"prompt": "a barn", "area": {"box": [0.08, 0.3, 0.5, 0.8]}},
        {"prompt": "a horse", "area": {"box": [0.55, 0.45, 0.9, 0.95], "feather": 0.1}},
    ],
}


def regions(page: Page) -> Any:
    page.show(PETS)
    page.cells.nth(2).click()
    return page.locate(".rpg-body")


def areas(page: Page) -> Any:
    page.show(AREAS)
    page.raw.mouse.click(*page.at(0.3, 0.5))
    return page.locate(".rpg-body")


def start(page: Page) -> Any:
    return page.locate(".rpg-start")


def planner(page: Page) -> Any:
    page.locate("#rpg-standalone-settings .label-wrap").click()
    page.locate("#rpg-standalone-provider input").click()
    page.raw.locator("#rpg-standalone-provider li", has_text="OpenAI-compatible").click()
    expect(page.locate("#rpg-standalone-settings p.rpg-status")).to_contain_text("Needs a base URL")
    return page.locate("#rpg-standalone-settings")


def whole(page: Page) -> Any:
    page.locate(".rpg-examples button").first.click()
    page.raw.wait_for_function("rpgEditors.standalone.model.regions[1].prompt")
    page.locate("#rpg-standalone-seed input").fill("1")
    page.button("generate").click()
    expect(page.locate("#rpg-standalone-gallery img").first).to_be_visible(timeout=60_000)
    expect(page.button("generate")).to_be_visible()
    page.raw.mouse.move(5, 5)
    return page.locate(".gradio-container .main, .gradio-container").first


def refine(page: Page) -> Any:
    whole(page)
    page.locate("#rpg-standalone-refine .label-wrap").first.click()
    page.locate("#rpg-standalone-instruction textarea").fill("make the circle green and move the square to the middle")
    page.button("edit-button").click()
    expect(page.button("result")).to_contain_text("Move a square.", timeout=60_000)
    expect(page.locate("#rpg-standalone-gallery .thumbnail-item")).to_have_count(3)
    expect(page.button("generate")).to_be_visible()
    page.raw.mouse.move(5, 5)
    return page.locate(".gradio-container .main, .gradio-container").first


def mask(page: Page) -> Any:
    whole(page)
    page.locate("#rpg-standalone-refine .label-wrap").first.click()
    page.locate("#rpg-standalone-mask-first input").check()
    page.locate("#rpg-standalone-instruction textarea").fill("move the square to the top")
    page.button("edit-button").click()
    expect(page.locate(".rpg-retouch")).to_be_visible(timeout=60_000)
    expect(page.button("generate")).to_be_visible()
    page.raw.mouse.move(5, 5)
    return page.locate("#rpg-standalone-refine")


Scene = Callable[[Page], Any]
SCENES: dict[str, tuple[Scene, str]] = {
    "start": (start, "en-US"),
    "regions": (regions, "en-US"),
    "areas": (areas, "en-US"),
    "planner": (planner, "en-US"),
    "page": (whole, "en-US"),
    "refine": (refine, "en-US"),
    "mask": (mask, "en-US"),
    "page.zh-CN": (whole, "zh-CN"),
}


def take(names: list[str]) -> None:
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        _, url, _ = page_of(load(), Presets(Path(folder))).queue().launch(prevent_thread_lock=True, quiet=True, show_api=False)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        for name in names or SCENES:
            scene, language = SCENES[name]
            context = browser.new_context(viewport={"width": 1280, "height": 900}, locale=language, reduced_motion="reduce")
            page = Page(context.new_page(), f"{url}?__theme=light")
            page.raw.wait_for_timeout(500)  # the page's words are replaced after its scripts have come
            element = scene(page)
            page.raw.wait_for_timeout(500)  # transitions of Gradio's own
            element.screenshot(path=CHECKOUT / f"docs/{name}.png", animations="disabled", caret="hide")
            print(f"docs/{name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1:])
    os._exit(0)  # Gradio's threads would stay
