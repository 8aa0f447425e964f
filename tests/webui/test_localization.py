"""The panel in the webui's own localisation, and the first picture by the clicks that the README names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.panel.test_words import SEEN, english
from tests.webui.host import Webui
from tests.webui.test_browser import finished, opened, press


@pytest.fixture
def page(browser: Any, webui: Webui) -> Iterator[Page]:
    webui.post("/sdapi/v1/options", localization="zh_CN")
    webui.reload()
    try:
        with opened(browser, webui, locale="zh-CN") as page:
            yield page
    finally:
        webui.post("/sdapi/v1/options", localization="None")
        webui.reload()


def screenshot(page: Page, name: str) -> None:
    if folder := os.environ.get("RPG_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_the_accordion_is_chinese_and_three_clicks_make_a_picture(page: Page, webui: Webui) -> None:
    for name, value in (("width", "256"), ("height", "128"), ("steps", "4")):
        page.locator(f"#txt2img_{name} input[type=number]").fill(value)
    page.locator("#rpg-txt2img .label-wrap").first.click()
    page.locator("#rpg-txt2img .rpg-examples button").first.click()
    expect(page.locator("#rpg-txt2img-status p")).to_contain_text("已规划 2 个区域。")
    press(page)
    assert finished(page, webui).shape == (128, 256, 3)
    infotext = page.locator("#html_info_txt2img").last.inner_text()
    assert all(prompt in infotext for prompt in ("RPG plan", "a red circle", "a blue square"))

    page.locator("#rpg-txt2img-settings .label-wrap").click()
    page.locator("#rpg-txt2img-presets .label-wrap").click()
    prompts = {"a red circle", "a blue square", "a red circle and a blue square"}
    seen = english(page.evaluate(SEEN, "#rpg-txt2img .rpg-panel"))
    assert {text for text in seen if text.isascii()} <= prompts
    page.locator("#rpg-txt2img .rpg-ratio").fill("1")
    expect(page.locator("#rpg-txt2img-message p")).to_contain_text("请使两者数目相等。")
    press(page)
    expect(page.locator("#html_log_txt2img .error").first).to_contain_text("请使两者数目相等。")
    screenshot(page, "webui-zh")
