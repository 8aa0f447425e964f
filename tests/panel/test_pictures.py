"""A control and a picture to start from, on the page of its own."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from rpg.errors import GenerationError
from rpg.panel.app import Settings, build_app
from rpg.panel.pictures import hint_of
from rpg.plan import Plan
from rpg.presets import Presets
from tests.panel.page import Page

ASKED: list[Settings] = []


def record(_plan: Plan, settings: Settings) -> Generator[float | Image.Image, None, None]:
    ASKED.append(settings)
    yield Image.new("RGB", (settings.width, settings.height), "red")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Outlines, a photograph and a picture of another shape."""
    folder = tmp_path_factory.mktemp("pictures")
    edges = Image.new("RGB", (256, 128))
    ImageDraw.Draw(edges).rectangle((40, 32, 104, 96), outline="white")
    photo = Image.new("RGB", (256, 128), "pink")
    ImageDraw.Draw(photo).ellipse((40, 32, 104, 96), fill="blue")
    pictures = {"edges": edges, "photo": photo, "square": Image.new("RGB", (96, 96))}
    for name, picture in pictures.items():
        picture.save(folder / f"{name}.png")
    return {name: folder / f"{name}.png" for name in pictures}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    app = build_app(record, Settings(steps=5, width=224, height=128), Presets(tmp_path_factory.mktemp("presets")))
    return str(app.queue().launch(prevent_thread_lock=True, quiet=True, show_api=False)[1])


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1600})
    page = Page(context.new_page(), address)
    page.prompt(1).fill("a cat")
    page.prompt(2).fill("a dog")
    page.raw.wait_for_load_state("networkidle")  # a section opened before is closed again
    opened(page)
    ASKED.clear()
    yield page
    assert page.errors == []
    context.close()


def opened(page: Page) -> None:
    """Opens the section; the page may close it once more while it starts."""
    strength = page.locate("#rpg-standalone-strength")
    until = time.monotonic() + 8
    while not strength.is_visible() and time.monotonic() < until:
        page.locate("#rpg-standalone-pictures .label-wrap").first.click()
        page.raw.wait_for_timeout(500)
    expect(strength).to_be_visible()


def choose(page: Page, name: str, path: Path) -> None:
    page.locate(f"#rpg-standalone-{name} input[type=file]").set_input_files(path)
    expect(page.locate(f"#rpg-standalone-{name} img").first).to_be_visible()


def generate(page: Page) -> Settings:
    before = len(ASKED)
    page.button("generate").click()
    until = time.monotonic() + 8
    while len(ASKED) == before and time.monotonic() < until:
        page.raw.wait_for_timeout(50)
    expect(page.button("generate")).to_be_visible()
    assert len(ASKED) == before + 1
    return ASKED[-1]


def test_a_hint_is_shown_and_handed_over_with_its_scale(page: Page, files: dict[str, Path]) -> None:
    choose(page, "control", files["edges"])
    expect(page.locate("#rpg-standalone-hint img")).to_be_visible()
    expect(page.locate("#rpg-standalone-width input[type=number]")).to_have_value("240")  # in its shape, the model's area
    page.locate("#rpg-standalone-scale input[type=number]").fill("0.5")
    page.locate("#rpg-standalone-scale input[type=number]").blur()
    settings = generate(page)
    (control,) = settings.inputs.controls
    assert (settings.width, settings.height) == control.hint.size == (240, 120)
    assert (control.model, control.scale, settings.inputs.image) == (None, 0.5, None)
    assert np.asarray(control.hint)[:, :, 0].max() > 60


def test_outlines_of_a_photograph_are_made_and_shown(page: Page, files: dict[str, Path]) -> None:
    choose(page, "control", files["photo"])
    expect(page.button("control-message")).to_have_text(
        "The control does not look like outlines: a hint of the kind canny is white lines on black. Of a photograph it has to be "
        "made; black lines on white have to be inverted."
    )
    page.button("generate").click()
    expect(page.button("result")).to_contain_text("The control does not look like outlines")
    assert ASKED == []
    page.locate("#rpg-standalone-photograph input").check()
    expect(page.locate("#rpg-standalone-hint img")).to_be_visible()
    expect(page.button("control-message")).to_have_text("")
    (control,) = generate(page).inputs.controls
    assert set(np.unique(control.hint.resize((256, 128), 0))) > {0}


def test_a_picture_with_a_painted_mask_and_its_strength(page: Page, files: dict[str, Path]) -> None:
    choose(page, "start", files["photo"])
    whole = generate(page).inputs
    assert whole.mask is None
    assert whole.image.size == (240, 120)
    assert np.asarray(whole.image)[60, 70, 2] > 200
    canvas = page.locate("#rpg-standalone-start canvas[key=interface]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.raw.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"])
    page.raw.mouse.down()
    page.raw.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
    page.raw.mouse.up()
    page.locate("#rpg-standalone-strength input[type=number]").fill("0.4")
    page.locate("#rpg-standalone-strength input[type=number]").blur()
    page.raw.wait_for_timeout(300)
    masked = generate(page).inputs
    assert masked.strength == 0.4
    mask = np.asarray(masked.mask)
    assert mask.shape == (120, 240)
    assert mask[60, 180] == 255
    assert mask[:, :120].max() == 0


def test_a_picture_of_another_shape_is_refused(page: Page, files: dict[str, Path]) -> None:
    choose(page, "start", files["photo"])
    choose(page, "control", files["square"])
    expect(page.locate("#rpg-standalone-width input[type=number]")).to_have_value("168")
    page.button("generate").click()
    expect(page.button("result")).to_have_text(
        "The picture to start from is 256x128 and the picture to make 168x168: it would be stretched; cut it to that shape, or "
        "choose a width and a height of its shape."
    )
    assert ASKED == []


def test_without_controls_the_page_says_what_to_do() -> None:
    texts = [str(block.value) for block in build_app(record, controls={}).blocks.values() if hasattr(block, "value")]
    assert any("name ControlNets by --control-model" in text for text in texts)


def test_hints_that_look_like_something_else_are_refused() -> None:
    bright, coloured = Image.new("L", (32, 32), 250), Image.new("RGB", (32, 32), "red")
    assert hint_of(bright, "depth", False).mode == "RGB"
    assert hint_of(coloured, "pose", False).getpixel((0, 0)) == (255, 0, 0)
    for picture, kind, sentence in (
        (bright, "canny", "black lines on white have to be inverted"),
        (coloured, "depth", "the nearer the brighter"),
    ):
        with pytest.raises(GenerationError, match=sentence):
            hint_of(picture, kind, False)
