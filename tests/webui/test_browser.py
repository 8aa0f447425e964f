"""The accordion in a real browser."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from rpg.plan import Plan
from tests.webui.host import PROMPT, SETTINGS, Webui, read_image
from tests.webui.test_generation import RED_BLUE


@pytest.fixture
def page(browser: Any, webui: Webui) -> Iterator[Page]:
    with opened(browser, webui) as page:
        yield page


@contextmanager
def opened(browser: Any, webui: Webui, **options: Any) -> Iterator[Page]:
    """The webui on a page with cookies and storage of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 1800}, **options)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(webui.url)
    expect(page.locator("#txt2img_prompt textarea")).to_be_visible(timeout=60_000)
    yield page
    context.close()
    assert not [error for error in errors if "rpg" in error.lower()]


def paste(page: Page, infotext: str) -> None:
    """The button that reads generation parameters out of the prompt field."""
    page.locator("#txt2img_prompt textarea").fill(infotext)
    page.locator("#txt2img_tools #paste").click()
    expect(page.locator("#txt2img_prompt textarea")).not_to_have_value(infotext)
    expect(page.locator("#txt2img_steps input[type=number]")).to_have_value(str(SETTINGS["steps"]))


def generate(page: Page, webui: Webui, tab: str = "txt2img", button: str = "txt2img_generate") -> np.ndarray:
    """Press Generate and take the picture out of the gallery, as the server keeps it."""
    press(page, tab, button)
    return finished(page, webui, tab)


def press(page: Page, tab: str = "txt2img", button: str = "txt2img_generate", keys: str = "") -> None:
    page.evaluate(f"document.querySelectorAll('#{tab}_gallery img').forEach(image => image.dataset.old = image.src)")
    page.keyboard.press(keys) if keys else page.locator(f"#{button}").click()


def finished(page: Page, webui: Webui, tab: str = "txt2img") -> np.ndarray:
    pictures = page.locator(f"#{tab}_gallery img")
    page.wait_for_function(
        f"[...document.querySelectorAll('#{tab}_gallery img')].some(image => image.src != image.dataset.old)", timeout=60_000
    )
    expect(page.locator(f"#{tab}_interrupt")).to_be_hidden(timeout=60_000)
    address = pictures.first.get_attribute("src")
    assert address
    answer = webui.session.get(address if address.startswith("http") else webui.url + address)
    return read_image(base64.b64encode(answer.content).decode())


def open_accordion(page: Page, tab: str = "txt2img") -> Any:
    accordion = page.locator(f"#rpg-{tab}")
    accordion.locator(".label-wrap").first.click()
    expect(accordion.locator(".rpg-ratio")).to_be_visible()
    return accordion


def write(field: Any, text: str) -> None:
    field.fill(text)
    field.blur()


def shown_plan(page: Page, tab: str = "txt2img") -> dict[str, Any]:
    data: dict[str, Any] = json.loads(page.locator(f"#rpg-{tab}-plan textarea").input_value())
    return data


def test_regions_by_hand_give_the_apis_picture(page: Page, webui: Webui) -> None:
    paste(page, webui.generate().infotexts[0])
    accordion = open_accordion(page)
    write(accordion.locator(".rpg-ratio"), RED_BLUE["split_ratio"])
    for index, prompt in enumerate(RED_BLUE["regions"]):
        write(accordion.locator(".rpg-prompt textarea").nth(index), prompt)
    write(accordion.locator(".rpg-base-ratio"), str(RED_BLUE["base_ratio"]))
    expect(accordion.locator(".rpg-region")).to_have_count(2)
    expect(accordion.locator(".rpg-region").first).to_contain_text("a red circle")
    expect(accordion.locator(".rpg-head")).to_contain_text("a LoRA here acts in this region")
    assert (generate(page, webui) == webui.generate(rpg=RED_BLUE).image).all()
    if folder := os.environ.get("RPG_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "accordion.png")
    accordion.locator(".label-wrap").first.click()
    assert (generate(page, webui) == webui.generate().image).all()


def test_a_box_drawn_with_the_mouse_gives_the_apis_picture(page: Page, webui: Webui) -> None:
    plain = webui.generate()
    paste(page, plain.infotexts[0])
    accordion = open_accordion(page)
    write(accordion.locator(".rpg-ratio"), "1")
    write(accordion.locator(".rpg-prompt textarea").first, "a red circle")
    canvas = accordion.locator(".rpg-layer")
    canvas.scroll_into_view_if_needed()
    edges = canvas.bounding_box()
    assert edges
    page.keyboard.down("Control")
    for number, (x, y) in enumerate([(0.5, 0.25), (0.7, 0.5), (0.95, 0.95)]):
        page.mouse.move(edges["x"] + x * edges["width"], edges["y"] + y * edges["height"], steps=4)
        if not number:
            page.mouse.down()
    page.mouse.up()
    page.keyboard.up("Control")
    page.keyboard.type("a blue square")
    page.wait_for_function("JSON.parse(document.querySelector('#rpg-txt2img-plan textarea').value).regions.length == 2")
    accordion.locator(".rpg-ratio").click()  # leaves the prompt, which is then written
    plan = shown_plan(page)
    assert plan["regions"][1]["prompt"] == "a blue square"
    assert plan["regions"][1]["area"]["box"] == pytest.approx([0.5, 0.25, 0.95, 0.95], abs=0.02)
    picture = generate(page, webui)
    assert (picture == webui.generate(rpg=plan).image).all()
    assert (picture != plain.image).any()


def test_paste_restores_the_panel_and_the_picture(page: Page, webui: Webui) -> None:
    first = {"prompt": "a red circle", "negative_prompt": "blue, green: gray"}
    rpg = {"regions": [first, "a cat", "a dog"], "split_ratio": "2,1,1;1", "base_ratio": 0.25, "latent_ratio": 0.5}
    made = webui.generate(rpg=rpg)
    paste(page, made.infotexts[0])
    accordion = page.locator("#rpg-txt2img")
    expect(accordion.locator(".rpg-ratio")).to_be_visible()
    expect(accordion.locator(".rpg-ratio")).to_have_value("2,1,1;1")
    expect(accordion.locator(".rpg-negative textarea").first).to_have_value("blue, green: gray")
    assert Plan.from_dict(shown_plan(page)) == Plan.from_dict(rpg)
    assert (generate(page, webui) == made.image).all()
    paste(page, webui.generate().infotexts[0])
    expect(accordion.locator(".rpg-ratio")).to_be_hidden()


def test_sent_from_png_info(page: Page, webui: Webui, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(base64.b64decode(webui.request(rpg=RED_BLUE).json()["images"][0]))
    page.locator("#tabs > .tab-nav button", has_text="PNG Info").click()
    page.locator("#pnginfo_image input[type=file]").set_input_files(str(picture))
    expect(page.locator("#tab_pnginfo")).to_contain_text("RPG plan")
    page.locator("#tab_pnginfo #txt2img_tab").click()
    expect(page.locator("#rpg-txt2img .rpg-ratio")).to_be_visible()
    expect(page.locator("#txt2img_prompt textarea")).to_have_value(PROMPT)
    assert (generate(page, webui) == webui.generate(rpg=RED_BLUE).image).all()


def test_sent_to_img2img_and_inpaint(page: Page, webui: Webui) -> None:
    """What is in the panel goes along with the prompt, whether it is open or not."""
    rpg = {**RED_BLUE, "latent_ratio": 0.5}
    paste(page, webui.generate(rpg=rpg).infotexts[0])
    generate(page, webui)
    for button in ("img2img", "inpaint"):
        page.locator(f"#txt2img_send_to_{button}").click()
        expect(page.locator("#rpg-img2img .rpg-ratio")).to_be_visible()
        page.wait_for_function("document.querySelector('#rpg-img2img-plan textarea').value")
        assert Plan.from_dict(shown_plan(page, "img2img")) == Plan.from_dict(rpg)
        page.locator("#tabs > .tab-nav button", has_text="txt2img").click()
    page.locator("#rpg-txt2img .label-wrap").first.click()
    page.locator("#txt2img_send_to_img2img").click()
    expect(page.locator("#rpg-img2img .rpg-ratio")).to_be_hidden()


def test_bad_edit_shows_its_sentence(page: Page, webui: Webui) -> None:
    paste(page, webui.generate(rpg=RED_BLUE).infotexts[0])
    accordion = page.locator("#rpg-txt2img")
    write(accordion.locator(".rpg-ratio"), "1,-1")
    expect(accordion.locator("#rpg-txt2img-message.prose")).to_contain_text("'-1' is not a number above 0")
    page.locator("#txt2img_generate").click()
    expect(page.locator("#html_log_txt2img.prose")).to_contain_text("'-1' is not a number above 0", timeout=30_000)
    write(accordion.locator(".rpg-ratio"), "1,1")
    expect(accordion.locator("#rpg-txt2img-message.prose p")).to_have_count(0)
    assert (generate(page, webui) == webui.generate(rpg=RED_BLUE).image).all()


def test_img2img_has_the_accordion_too(page: Page) -> None:
    page.locator("#tabs > .tab-nav button", has_text="img2img").first.click()
    accordion = open_accordion(page, "img2img")
    write(accordion.locator(".rpg-prompt textarea").first, "a cat")
    write(accordion.locator(".rpg-prompt textarea").nth(1), "a dog")
    page.wait_for_function("document.querySelector('#rpg-img2img-plan textarea').value.includes('a dog')")
    assert [region["prompt"] for region in shown_plan(page, "img2img")["regions"]] == ["a cat", "a dog"]
    assert page.locator("#rpg-txt2img-plan textarea").input_value() == ""
