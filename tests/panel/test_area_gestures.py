"""Boxes and masks in the layout editor, with a real mouse, touch and keyboard; one page for all."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.panel.page import CATS, Page

BOX = {"prompt": "a barn", "area": {"box": [0.2, 0.25, 0.6, 0.75]}}
BOXES = {"split_ratio": "", "regions": [BOX, {"prompt": "a horse", "area": {"box": [0.5, 0.5, 0.9, 0.9]}}]}


@pytest.fixture
def page(one_page: Page) -> Iterator[Page]:
    one_page.show(BOXES)
    yield one_page
    assert one_page.errors == []


def areas(page: Page) -> list[Any]:
    return [region.get("area") for region in page.plan["regions"]]


def box(page: Page, number: int) -> Any:
    return areas(page)[number - 1]["box"]


def mask(page: Page, number: int) -> Any:
    """[height, width] of a region's mask, 0..1."""
    data = base64.b64decode(areas(page)[number - 1]["mask"].removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)).convert("L")) / 255


def near(*edges: float) -> Any:
    return pytest.approx(list(edges), abs=0.01)


def test_a_box_is_drawn_on_the_free_canvas(page: Page) -> None:
    page.drag((0.7, 0.1), (0.85, 0.2), (0.95, 0.4), release=False)
    assert len(areas(page)) == 2, "written before the button was released"
    page.raw.mouse.up()
    assert box(page, 3) == near(0.7, 0.1, 0.95, 0.4)
    page.raw.keyboard.type("a bird")
    page.raw.wait_for_function("rpgEditors.standalone.model.regions[2].prompt === 'a bird'")
    page.drag((0.05, 0.05), (0.05, 0.05))  # a press alone draws nothing
    assert len(areas(page)) == 3


def test_ctrl_or_the_button_draws_over_others(page: Page) -> None:
    page.show({"split_ratio": "1,1", "regions": CATS})
    page.raw.keyboard.down("Control")
    page.drag((0.4, 0.4), (0.6, 0.6))
    page.raw.keyboard.up("Control")
    assert box(page, 3) == near(0.4, 0.4, 0.6, 0.6)
    page.locate("[title^='Draw a box']").click()
    page.drag((0.45, 0.45), (0.55, 0.55))
    assert box(page, 4) == near(0.45, 0.45, 0.55, 0.55)
    expect(page.locate("[title^='Draw a box']")).to_have_attribute("aria-pressed", "false")
    assert areas(page)[:2] == [None, None]
    assert page.plan["split_ratio"] == "1,1"


@pytest.mark.parametrize(
    ("handle", "start", "expected"),
    [
        ("nw", (0.2, 0.25), (0.25, 0.35, 0.6, 0.75)),
        ("n", (0.4, 0.25), (0.2, 0.35, 0.6, 0.75)),
        ("ne", (0.6, 0.25), (0.2, 0.35, 0.65, 0.75)),
        ("e", (0.6, 0.4), (0.2, 0.25, 0.65, 0.75)),
        ("se", (0.6, 0.75), (0.2, 0.25, 0.65, 0.85)),
        ("s", (0.4, 0.75), (0.2, 0.25, 0.6, 0.85)),
        ("sw", (0.2, 0.75), (0.25, 0.25, 0.6, 0.85)),
        ("w", (0.2, 0.5), (0.25, 0.25, 0.6, 0.75)),
    ],
)
def test_eight_handles(page: Page, handle: str, start: tuple[float, float], expected: tuple[float, ...]) -> None:
    page.raw.mouse.click(*page.at(0.3, 0.4))
    expect(page.locate(f".rpg-held > .rpg-{handle}")).to_be_visible()
    x, y = start
    page.drag(start, (x + 0.05, y + 0.1))
    assert box(page, 1) == near(*expected)
    page.raw.keyboard.press("Control+z")
    assert box(page, 1) == BOX["area"]["box"]


def test_a_box_moves_within_the_picture_and_snaps_with_shift(page: Page) -> None:
    page.drag((0.3, 0.4), (0.4, 0.5))
    assert box(page, 1) == near(0.3, 0.35, 0.7, 0.85)
    page.drag((0.35, 0.4), (1.2, 1.2))
    assert box(page, 1) == near(0.6, 0.5, 1, 1)
    page.raw.keyboard.down("Shift")
    page.drag((0.95, 0.95), (0.6, 0.7))
    page.raw.keyboard.up("Shift")
    left, top, right, bottom = box(page, 1)
    assert (left, top) == (0.25, 0.25)
    assert (right - left, bottom - top) == pytest.approx((0.4, 0.5))


def test_escape_leaves_a_drawing_as_if_it_had_not_been(page: Page) -> None:
    page.drag((0.7, 0.1), (0.9, 0.3), release=False)
    page.raw.keyboard.press("Escape")
    page.raw.mouse.up()
    assert len(areas(page)) == 2
    assert page.rows.count() == 2
    expect(page.locate("[title^=Undo]")).to_be_disabled()


def test_alt_click_goes_through_what_lies_on_top(page: Page) -> None:
    page.raw.mouse.click(*page.at(0.55, 0.6))
    expect(page.rows.nth(1)).to_have_class("rpg-row rpg-selected")
    page.raw.keyboard.down("Alt")
    page.raw.mouse.click(*page.at(0.55, 0.6))
    expect(page.rows.nth(0)).to_have_class("rpg-row rpg-selected")
    page.raw.mouse.click(*page.at(0.55, 0.6))
    page.raw.keyboard.up("Alt")
    expect(page.rows.nth(1)).to_have_class("rpg-row rpg-selected")


def test_keys_move_size_copy_and_delete(page: Page) -> None:
    page.cells.nth(0).focus()
    for key in ("ArrowRight", "Shift+ArrowDown", "Control+ArrowLeft"):
        page.raw.keyboard.press(key)
    page.raw.keyboard.press("Control+d")
    assert box(page, 1) == near(0.21, 0.35, 0.6, 0.85)
    assert box(page, 2) == near(0.25, 0.39, 0.64, 0.89)
    assert page.prompts() == ["a barn", "a barn", "a horse"]
    page.raw.keyboard.press("Delete")
    assert page.prompts() == ["a barn", "a horse"]
    page.raw.keyboard.press("Escape")
    expect(page.locate(".rpg-selected")).to_have_count(0)
    page.locate("[title^='Draw a box']").press("Enter")
    assert box(page, 3) == [0.3, 0.3, 0.7, 0.7]
    for _ in range(5):
        page.raw.keyboard.press("Control+z")
    assert page.plan["regions"] == BOXES["regions"]


def test_a_box_follows_a_finger(page: Page) -> None:
    page.touch((0.3, 0.4), (0.32, 0.42), (0.4, 0.5))
    assert box(page, 1) == near(0.3, 0.35, 0.7, 0.85)
    page.touch((0.05, 0.05), (0.1, 0.1), (0.2, 0.2))
    assert box(page, 3) == near(0.05, 0.05, 0.2, 0.2)


def test_locked_and_hidden_boxes_let_the_pointer_through(page: Page) -> None:
    page.rows.nth(1).locator("[title=Lock]").click()
    page.drag((0.55, 0.6), (0.65, 0.6))
    assert box(page, 1) == near(0.3, 0.25, 0.7, 0.75)
    assert areas(page)[1] == BOXES["regions"][1]["area"]
    page.rows.nth(1).locator("[title=Unlock]").click()
    page.rows.nth(1).locator("[title^=Hide]").click()
    page.drag((0.65, 0.6), (0.55, 0.6))
    assert box(page, 1) == near(0.2, 0.25, 0.6, 0.75)


def test_a_mask_is_painted_and_rubbed_out(page: Page) -> None:
    page.locate(".rpg-tools-bar [title^=Paint]").click()
    page.drag((0.2, 0.2), (0.8, 0.2), release=False)
    assert len(areas(page)) == 2, "written before the button was released"
    page.raw.mouse.up()
    painted = mask(page, 3)
    height, width = painted.shape
    assert width == 2 * height, "the mask has the picture's shape"
    assert painted[height // 5, width // 2] == 1
    assert painted[height // 2, width // 2] == 0
    page.locate(".rpg-tools-bar [title^=Rub]").click()
    page.drag((0.5, 0.1), (0.5, 0.3))
    rubbed = mask(page, 3)
    assert rubbed[height // 5, width // 2] == 0
    assert rubbed[height // 5, width // 4] == 1
    assert page.rows.nth(2).locator(".rpg-share").inner_text() == f"{rubbed.mean():.0%}".replace("%", " %")
    page.raw.keyboard.press("Control+z")
    page.wait_for_plan(split_ratio="")
    assert mask(page, 3)[height // 5, width // 2] == 1
    page.raw.keyboard.press("Control+z")
    assert page.plan["regions"] == BOXES["regions"], "a first stroke and its region are one step"


def test_brackets_and_the_slider_change_the_brush(page: Page) -> None:
    widths = []
    page.locate(".rpg-tools-bar [title^=Paint]").click()
    for number, key in enumerate(("", "]]]]", "[[[[[[[["), 3):
        page.locate(".rpg-canvas").focus()
        for letter in key:
            page.raw.keyboard.press(letter)
        page.drag((0.2, 0.5), (0.8, 0.5))
        widths.append((mask(page, number)[:, 256] > 0.5).sum())
        page.raw.keyboard.press("Delete")
        page.raw.keyboard.press("Control+z")
        page.raw.evaluate("rpgEditors.standalone.select(-1)")
    assert widths[2] < widths[0] < widths[1]
    page.locate("[title='Size of the brush']").fill("0.1")
    page.drag((0.2, 0.5), (0.8, 0.5))
    assert (mask(page, 6)[:, 256] > 0.5).mean() == pytest.approx(0.2, abs=0.02)
    page.raw.keyboard.press("Escape")
    expect(page.locate(".rpg-tools-bar [title^=Paint]")).to_have_attribute("aria-pressed", "false")


def test_masks_are_filled_inverted_cleared_and_turned_into_boxes(page: Page) -> None:
    page.raw.mouse.click(*page.at(0.3, 0.4))
    page.locate("[title^='How soft']").fill("0.1")
    page.locate("[title='Turn the box into a mask']").click()
    expected = np.zeros((256, 512))
    expected[64:192, 102:307] = 1
    assert np.abs(mask(page, 1) - expected).mean() < 0.01
    assert areas(page)[0]["feather"] == 0.1
    page.locate("[title='Turn the mask into its bounding box']").click()
    assert box(page, 1) == near(0.2, 0.25, 0.6, 0.75)
    page.raw.keyboard.press("Control+z")
    page.locate("[title='Invert the mask']").click()
    assert np.abs(mask(page, 1) - (1 - expected)).mean() < 0.01
    page.locate("[title='Fill the mask']").click()
    assert mask(page, 1).min() == 1
    page.locate("[title='Clear the mask']").click()
    assert mask(page, 1).max() == 0
    assert "The mask is empty" in page.rows.nth(0).locator(".rpg-notes").inner_text()


def test_a_mask_is_moved(page: Page) -> None:
    page.locate(".rpg-tools-bar [title^=Paint]").click()
    page.drag((0.2, 0.1), (0.4, 0.1))
    page.raw.keyboard.press("Escape")
    before = mask(page, 3)
    page.drag((0.3, 0.1), (0.4, 0.35))
    assert np.abs(np.roll(before, (64, 51), (0, 1)) - mask(page, 3)).mean() < 0.01
    page.raw.keyboard.press("Shift+ArrowRight")
    assert np.abs(np.roll(before, (64, 102), (0, 1)) - mask(page, 3)).mean() < 0.01


def test_shares_are_those_after_overlaps(page: Page) -> None:
    regions = [
        {"prompt": "sky"},
        {"prompt": "under", "area": {"box": [0.5, 0.5, 0.75, 0.75]}},
        {"prompt": "over", "area": {"box": [0.5, 0.5, 1, 1]}},
    ]
    page.show({"split_ratio": "1", "regions": regions})
    assert page.rows.locator(".rpg-share").all_inner_texts() == ["75 %", "0 %", "25 %"]
    assert page.rows.nth(1).locator(".rpg-notes").inner_text() == "Hidden under later regions"
    page.rows.nth(1).locator(".rpg-number").press("ArrowDown")
    assert page.rows.locator(".rpg-share").all_inner_texts() == ["75 %", "19 %", "6 %"]


def test_a_mask_from_elsewhere_is_shown(page: Page) -> None:
    buffer = io.BytesIO()
    Image.fromarray((np.arange(32) * 8).astype("uint8")[None].repeat(8, 0)).save(buffer, "PNG")
    page.show({"split_ratio": "", "regions": [{"prompt": "x", "area": {"mask": base64.b64encode(buffer.getvalue()).decode()}}]})
    expect(page.rows.nth(0).locator(".rpg-share")).to_have_text("49 %")
    for unreadable in "AAAA", "<img src=x onerror='window.hacked=1'>", "javascript:window.hacked=1":
        page.show({"split_ratio": "", "regions": [{"prompt": "x", "area": {"mask": unreadable}}]})
        expect(page.rows.nth(0).locator(".rpg-share")).to_have_text("0 %")
    assert page.raw.evaluate("window.hacked") is None
