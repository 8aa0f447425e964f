"""The section Refine in a real browser: on Generate, and by buttons for the gallery's picture."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from rpg.shapes.sight import objects
from tests.webui.host import PROMPT, Webui, read_image
from tests.webui.test_browser import generate, opened
from tests.webui.test_refining import RED_BLUE, SETTINGS


@pytest.fixture
def page(browser: Any, webui: Webui) -> Iterator[Page]:
    with opened(browser, webui) as page:
        yield page


def begin(page: Page, webui: Webui, **settings: Any) -> np.ndarray:
    """A faulty picture in the gallery, and the section open."""
    made = webui.generate(rpg=RED_BLUE, **{**SETTINGS, **settings})
    page.locator("#txt2img_prompt textarea").fill(made.infotexts[0])
    page.locator("#txt2img_tools #paste").click()
    expect(page.locator("#txt2img_prompt textarea")).to_have_value(PROMPT)
    expect(page.locator("#txt2img_steps input[type=number]")).to_have_value(str(settings.get("steps", SETTINGS["steps"])))
    expect(page.locator("#rpg-txt2img .rpg-ratio")).to_be_visible()
    assert (generate(page, webui) == made.image).all()
    page.locator("#rpg-txt2img-refine .label-wrap").first.click()
    webui.post("/rpg-test/seed", seed=1)
    return made.image


def press(page: Page, button: str) -> None:
    page.evaluate(
        "document.querySelector('#html_log_txt2img').dataset.old = document.querySelector('#html_log_txt2img').innerText"
    )
    page.locator(f"#rpg-txt2img-{button}-button").click()


def said(page: Page) -> str:
    page.wait_for_function(
        "() => { const log = document.querySelector('#html_log_txt2img'); return log.innerText != log.dataset.old; }",
        timeout=90_000,
    )
    expect(page.locator("#txt2img_interrupt")).to_be_hidden(timeout=60_000)
    text: str = page.locator("#html_log_txt2img").first.inner_text()
    return text


def pictures(page: Page) -> Any:
    return page.locator("#txt2img_gallery .thumbnail-small")


def picture(page: Page, webui: Webui, number: int) -> np.ndarray:
    address = pictures(page).nth(number).locator("img").get_attribute("src")
    assert address
    answer = webui.session.get(address if address.startswith("http") else webui.url + address)
    return read_image(base64.b64encode(answer.content).decode())


def test_check_and_repair_stand_beside_the_picture(page: Page, webui: Webui) -> None:
    plain = webui.generate(**SETTINGS)
    first = begin(page, webui)
    press(page, "check")
    assert "5 of 9 checks passed." in said(page)
    expect(pictures(page)).to_have_count(2)
    marked = picture(page, webui, 1)
    assert (marked != first).any()
    pictures(page).first.click()
    press(page, "repair")
    log = said(page)
    assert "Add a blue square" in log
    assert "5 of 9" not in log
    expect(pictures(page)).to_have_count(5)
    sheet = picture(page, webui, 3)
    assert sheet.shape[1] > 2 * first.shape[1], "every round stands beside the picture as it came"
    assert (picture(page, webui, 0) == first).all()
    expect(page.locator("#html_info_txt2img").first).to_contain_text("RPG checks")
    page.locator("#rpg-txt2img .label-wrap").first.click()
    assert (generate(page, webui) == plain.image).all()
    assert (webui.generate(**SETTINGS).image == plain.image).all()


def test_an_edit_stands_behind_the_picture_that_was_selected(page: Page, webui: Webui) -> None:
    plain = webui.generate(**SETTINGS)
    first = begin(page, webui)
    for number, colour in enumerate(("green", "yellow")):
        page.locator("#rpg-txt2img-instruction textarea").fill(f"make the circle {colour}")
        press(page, "edit")
        assert f"Make it {colour}: a {colour} circle." in said(page)
        expect(pictures(page)).to_have_count(3 + 2 * number)
        edited = Image.fromarray(picture(page, webui, 1 + number).astype("uint8"))
        assert colour in [item.colour for item in objects(edited)]
        assert (picture(page, webui, 0) == first).all()
        pictures(page).nth(2).click()  # the copy with boxes stands for what this one made
        expect(page.locator("#html_info_txt2img").first).to_contain_text(colour)
    if folder := os.environ.get("RPG_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "refine.png")
    page.locator("#rpg-txt2img-instruction textarea").fill("dance")
    press(page, "edit")
    assert "'dance' is no instruction that the rules know" in said(page)
    expect(pictures(page)).to_have_count(5)
    page.locator("#rpg-txt2img .label-wrap").first.click()
    assert (generate(page, webui) == plain.image).all()


def test_the_mask_of_an_edit_is_painted_on_before_it_is_used(page: Page, webui: Webui) -> None:
    first = begin(page, webui)
    page.locator("#rpg-txt2img-mask-first input").check()
    page.locator("#rpg-txt2img-instruction textarea").fill("make the circle green and add a yellow star at the top")
    press(page, "edit")
    assert "press Repaint" in said(page)
    assert pictures(page).count() <= 1
    mask = page.locator("#rpg-txt2img .rpg-retouch .rpg-layer")
    expect(mask).to_be_visible()
    page.locator("#rpg-txt2img .rpg-retouch").get_by_label("Rub out what stays as it is").click()
    page.locator("#rpg-txt2img .rpg-retouch").get_by_label("Size of the brush").fill("0.25")
    mask.scroll_into_view_if_needed()
    box = mask.bounding_box()
    assert box
    page.mouse.move(box["x"], box["y"] + 0.9 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"], box["y"] + 0.9 * box["height"], steps=8)
    page.mouse.up()
    if folder := os.environ.get("RPG_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "mask.png")
    press(page, "repaint")
    assert "Make it green: a green circle." in said(page)
    expect(pictures(page)).to_have_count(3)
    painted = (picture(page, webui, 1) != first).any(axis=2)
    assert painted.any()
    assert not painted[96:].any(), "what was rubbed out stays"
    expect(page.locator("#rpg-txt2img .rpg-retouch .rpg-status").first).to_have_text("Add a yellow star.")
    press(page, "repaint")
    assert "Add a yellow star." in said(page)
    expect(pictures(page)).to_have_count(5)
    expect(mask).to_be_hidden()
    second = (picture(page, webui, 2) != picture(page, webui, 1)).any(axis=2)
    assert second.any()
    assert not second.all()
    assert "yellow" in [item.colour for item in objects(Image.fromarray(picture(page, webui, 2).astype("uint8")))]


def test_the_selected_region_is_painted_anew(page: Page, webui: Webui) -> None:
    plain = webui.generate(**SETTINGS)
    first = begin(page, webui)
    page.locator("#rpg-txt2img .rpg-table .rpg-prompt textarea").nth(1).fill("a green star on a white background")
    press(page, "region")
    assert "Put a green star on a white background in its place." in said(page)
    expect(pictures(page)).to_have_count(3)
    new = picture(page, webui, 1)
    changed = (new != first).any(axis=2)
    assert not changed[:, :112].any(), "the other region stays"
    assert ("green", "star") in [(item.colour, item.shape) for item in objects(Image.fromarray(new.astype("uint8")))]
    if folder := os.environ.get("RPG_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "region.png")
    pictures(page).nth(1).click()
    press(page, "check")
    assert "There is a green star." in said(page), "it was to show what the editor said"
    page.locator("#rpg-txt2img .label-wrap").first.click()
    assert (generate(page, webui) == plain.image).all()


def test_after_generate_gives_the_apis_picture(page: Page, webui: Webui) -> None:
    begin(page, webui)
    page.locator("#rpg-txt2img-refine-on-generate input").check()
    expect(page.locator("#rpg-txt2img-refine-wanted textarea")).not_to_have_value("")
    refine = {"provider": "shapes", "rounds": 3, "cut_out": "grabcut", "sam": ""}
    expected = webui.generate(rpg={**RED_BLUE, "refine": refine}, **SETTINGS)
    assert (generate(page, webui) == expected.image).all()
    expect(page.locator("#html_info_txt2img").first).to_contain_text("RPG refined")
    expect(pictures(page)).to_have_count(2)  # and a sheet of the rounds
    page.locator("#rpg-txt2img-refine-on-generate input").uncheck()
    expect(page.locator("#rpg-txt2img-refine-wanted textarea")).to_have_value("")


def test_interrupted_in_the_middle_of_a_repair(page: Page, webui: Webui) -> None:
    plain, state = webui.generate(**SETTINGS), webui.get("/rpg-test/state")
    begin(page, webui, steps=40)
    press(page, "repair")
    expect(page.locator("#txt2img_interrupt")).to_be_visible()
    page.wait_for_function("document.querySelector('.progressDiv .progress')?.textContent.includes('%')", timeout=60_000)
    page.locator("#txt2img_interrupt").click()
    assert "It was stopped." in said(page)
    expect(pictures(page)).to_have_count(2)
    assert webui.get("/rpg-test/state") == state
    assert (webui.generate(**SETTINGS).image == plain.image).all()
