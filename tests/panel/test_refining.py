"""The section Refine on the page of its own."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from rpg.editing.actions import Desk, act
from rpg.editing.pictures import Described
from rpg.editing.refinement import Looker
from rpg.errors import EditingError, Stopped
from rpg.infotext import Infotext, infotext_in
from rpg.panel.acting import Bench, Mask, edited
from rpg.panel.app import Settings, build_app, generated
from rpg.panel.refining import OFFLINE, PLANNER, asked
from rpg.plan import Plan
from rpg.shapes.sight import objects
from rpg.shapes.training.scenes import ColouredShape, Scene, draw
from tests.editing.painters import Draughtsman

CAPTION = "a red circle on the left and a blue star on the right"
PLAN = Plan.from_dict({"regions": ["a red circle", "a blue star"], "caption": CAPTION})
FAULTY = draw(Scene(160, 80, "white", (ColouredShape("red", "circle", 40, 40, 36), ColouredShape("green", "star", 120, 40, 40))))


def generate(_plan: Plan, _settings: Settings) -> Generator[float | Image.Image, None, None]:
    yield 0.5
    yield FAULTY.copy()


def painters(_given: Described, _cancelled: threading.Event) -> Draughtsman:
    return Draughtsman()


def seen(picture: Image.Image) -> list[tuple[str, str | None]]:
    return [(item.colour, item.shape) for item in objects(picture)]


def bench(stopped: bool = False) -> Bench:
    cancelled = threading.Event()
    if stopped:
        cancelled.set()
    return Bench(painters, cancelled)


def made() -> Image.Image:
    *_, pictures, _last = generated(generate, (PLAN.to_json(), ""), Settings(CAPTION, width=160, height=80), bench())
    assert isinstance(pictures, list)
    return pictures[0]


def test_a_picture_says_how_it_was_made() -> None:
    told = Infotext.parse(infotext_in(made()))
    assert told.plan is not None
    assert told.plan.regions == PLAN.regions
    assert (told.prompt, told.steps, told.size) == (CAPTION, 20, (160, 80))


def test_after_generate_it_is_repaired() -> None:
    wanted = PLAN.to_json(), '{"rounds": 3}'
    shown = list(generated(generate, wanted, Settings(CAPTION, width=160, height=80), bench()))
    galleries = [item for item in shown if isinstance(item, list)]
    assert [seen(pictures[0])[-1] for pictures in galleries] == [("green", "star"), ("blue", "star")]
    assert len(galleries[-1]) == 2
    assert "RPG copy: rounds" in infotext_in(galleries[-1][1])
    assert "All checks passed." in str(shown[-1])
    stopped = list(generated(generate, wanted, Settings(CAPTION), bench(stopped=True)))
    assert not [item for item in stopped if isinstance(item, list)]


@pytest.mark.parametrize("action", ["check", "repair", "edit"])
def test_what_is_new_stands_behind_the_selected_picture(action: Any) -> None:
    pictures = [Image.new("RGB", (160, 80)), made(), Image.new("RGB", (160, 80))]
    shown = list(edited(action, pictures, 1, lambda: asked({}, values("make the star blue")), bench()))
    assert Mask("") in shown
    (gallery,) = [item for item in shown if isinstance(item, list)]
    assert gallery[:2] == pictures[:2]
    assert gallery[-1] == pictures[2]
    new = gallery[2:-1]
    assert len(new) == {"check": 1, "edit": 2, "repair": 3}[action], "a repair has a sheet of its rounds"
    if action != "check":
        assert ("blue", "star") in seen(new[0])
        assert "RPG operations" in infotext_in(new[0])
    if action != "edit":
        assert "RPG checks" in infotext_in(new[0])


def test_a_copy_with_boxes_stands_for_its_picture() -> None:
    gallery = [made()]
    for action in ("check", "edit"):
        shown = edited(action, gallery, len(gallery) - 1, lambda: asked({}, values("make the star blue")), bench())
        (gallery,) = [item for item in shown if isinstance(item, list)]
    first, new, *copies = gallery
    left = (0, 0, 80, 80)
    assert new.crop(left).tobytes() == first.crop(left).tobytes(), "no box of the copy is in what was made"
    assert ["RPG copy" in infotext_in(picture) for picture in gallery] == [False, False, True, True]
    assert copies[1].crop(left).tobytes() != first.crop(left).tobytes()


def test_what_cannot_be_done_is_a_sentence() -> None:
    def said(values: list[Any], pictures: list[Image.Image] | None = None) -> str:
        shown = edited("edit", [made()] if pictures is None else pictures, 0, lambda: asked({"Rules": "rules"}, values), bench())
        return str([*shown][-1])

    assert "The gallery is empty" in said(values("remove the star"), [])
    assert "&#x27;dance&#x27; is no instruction" in said(values("dance"))
    assert "The planner is the offline rules" in said(values("remove the star", critic=PLANNER, planner="Rules"))

    class Broken(Draughtsman):
        def repaint(self, *_: Any) -> Image.Image:
            raise ValueError("<b>")

    broken = Bench(lambda *_: Broken(), threading.Event())
    assert "&lt;b&gt;" in str([*edited("edit", [made()], 0, lambda: asked({}, values("remove the star")), broken)][-1])

    def stopping(*_: object) -> Draughtsman:
        raise Stopped("Generation was stopped.")

    stopped = Bench(stopping, threading.Event())
    assert "was stopped" in str([*edited("edit", [made()], 0, lambda: asked({}, values("remove the star")), stopped)][-1])


def values(instruction: str = "", critic: str = OFFLINE, planner: str = "", **others: Any) -> list[Any]:
    given = {"rounds": 3, "cut_out": "grabcut", "sam": "", "model": None, "base_url": "", "key": "", **others}
    shared = [planner, given["model"], given["base_url"], given["key"]]
    settings = [critic, given["rounds"], given["cut_out"], given["sam"]]
    return [given.get("page", ""), instruction, given.get("mask_first", False), *settings, *shared]


def test_the_planners_settings_are_the_critics_too() -> None:
    names = {"A server": "compatible", "Offline rules": "rules"}
    wanted = asked(names, values(critic=PLANNER, planner="A server", model="m", base_url="http://x/v1", key="k")).refinement
    assert wanted.looker == Looker("compatible", "m", "http://x/v1", "k")
    wanted = asked(names, values(planner="A server", base_url="http://x/v1", key="k", rounds=2.0)).refinement
    assert (wanted.looker, wanted.limits.rounds) == (Looker(), 2)
    with pytest.raises(EditingError, match="the offline rules, which see no pictures"):
        asked(names, values(critic=PLANNER, planner="Offline rules"))


def masked(action: Any, instruction: str = "", **others: Any) -> tuple[dict[str, Any], list[Any]]:
    """What the page gets of a mask, and all that came."""
    given = values(instruction, mask_first=True, **others)
    shown = list(edited(action, [made()], 0, lambda: asked({}, given), bench()))
    (mask,) = [item for item in shown if isinstance(item, Mask)]
    return json.loads(mask.text or "{}"), shown


def test_the_mask_comes_first_and_nothing_is_painted() -> None:
    for action in ("repair", "edit"):
        waits, shown = masked(action, "make the star blue")
        assert not [item for item in shown if isinstance(item, list)]
        assert "press Repaint" in shown[-1]
        assert (waits["place"], waits["sentence"], waits["more"]) == (0, "Make it blue: a blue star.", 0)
    assert "5 of 8 checks passed." in str(masked("repair")[1][-1])


def test_a_mask_that_nobody_painted_on_gives_what_edit_gives() -> None:
    waits, _ = masked("edit", "make the star blue and remove the circle")
    both = list(edited("edit", [made()], 0, lambda: asked({}, values("make the star blue")), bench()))[-3]
    again = values(page=json.dumps(waits["sent"]))
    shown = list(edited("repaint", [made()], 0, lambda: asked({}, again), bench()))
    (gallery,) = [item for item in shown if isinstance(item, list)]
    assert isinstance(both, list)
    assert gallery[1].tobytes() == both[1].tobytes()
    (mask,) = [item for item in shown if isinstance(item, Mask)]
    left = json.loads(mask.text)
    assert (left["place"], left["sentence"], left["more"]) == (1, "Remove what is there.", 0)
    shown = list(edited("repaint", gallery, 1, lambda: asked({}, values(page=json.dumps(left["sent"]))), bench()))
    assert Mask("") in shown
    (gallery,) = [item for item in shown if isinstance(item, list)]
    assert seen(gallery[2]) == [("blue", "star")]
    assert infotext_in(gallery[2]).count('\\"kind\\"') == 2


def test_the_mask_of_a_repair_spares_what_reaches_into_its_place() -> None:
    circle = ColouredShape("red", "circle", 72, 40, 40)
    given = Described(draw(Scene(160, 80, "white", (circle,))), "", CAPTION, PLAN)
    desk = Desk(Draughtsman, 1)
    waiting = act("repair", given, asked({}, values(mask_first=True)), desk).waiting
    assert waiting is not None
    assert waiting.operations[0].kind == "add"
    assert waiting.mask.crop(circle.box).getbbox() is None
    assert waiting.mask.crop((96, 4, 156, 76)).getextrema()[0] > 0


def test_after_the_repaint_of_a_repair_everything_is_checked_again() -> None:
    waits, _ = masked("repair")
    shown = list(edited("repaint", [made()], 0, lambda: asked({}, values(page=json.dumps(waits["sent"]))), bench()))
    (gallery,) = [item for item in shown if isinstance(item, list)]
    assert seen(gallery[1])[-1] == ("blue", "star")
    assert "8 of 8 checks passed." in str(shown[-1])
    assert "RPG checks" in infotext_in(gallery[1])


CHANGED = Plan.from_dict({"regions": ["a red circle", "a yellow heart"]})


def test_a_region_is_painted_by_what_the_editor_says_now() -> None:
    page = json.dumps({"plan": CHANGED.to_dict(), "region": 1})
    shown = list(edited("region", [made()], 0, lambda: asked({}, values(page=page)), bench()))
    (gallery,) = [item for item in shown if isinstance(item, list)]
    assert seen(gallery[1]) == [("yellow", "heart"), ("red", "circle")]
    assert "Put a yellow heart in its place." in shown[-1]
    told = Infotext.parse(infotext_in(gallery[1])).plan
    assert told is not None
    assert told.regions == CHANGED.regions, "a check reads what the picture shows now"
    waits, _ = masked("region", page=page)
    shown = list(edited("repaint", [made()], 0, lambda: asked({}, values(page=json.dumps(waits["sent"]))), bench()))
    (again,) = [item for item in shown if isinstance(item, list)]
    assert again[1].tobytes() == gallery[1].tobytes()
    assert Infotext.parse(infotext_in(again[1])).plan == told


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    app = build_app(generate, Settings(CAPTION, steps=2, width=160, height=80), painters=painters)
    _, address, _ = app.queue(concurrency_count=8).launch(prevent_thread_lock=True, quiet=True, show_api=False)
    context = browser.new_context(viewport={"width": 1280, "height": 1600})
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    expect(page.locator(".rpg-table .rpg-row")).to_have_count(2)
    yield page
    context.close()
    assert not errors


def with_picture(page: Page) -> tuple[Locator, Locator]:
    """A picture of the plan, with the section open: what is said there, and the gallery's pictures."""
    page.evaluate("text => rpgType(rpgPlanTextarea('standalone'), text)", PLAN.to_json())
    page.locator("#rpg-standalone-generate").click()
    expect(page.locator("#rpg-standalone-gallery img").first).to_be_visible()
    page.locator("#rpg-standalone-refine .label-wrap").click()
    return page.locator("#rpg-standalone-result").first, page.locator("#rpg-standalone-gallery .thumbnail-item")


def test_check_repair_and_edit_by_buttons(page: Page) -> None:
    status, pictures = with_picture(page)
    page.locator("#rpg-standalone-check-button").click()
    expect(status).to_contain_text("checks passed.")
    expect(pictures).to_have_count(2)
    page.locator("#rpg-standalone-instruction textarea").fill("make the star blue")
    page.locator("#rpg-standalone-edit-button").click()
    expect(status).to_contain_text("Make it blue: a blue star.")
    expect(pictures).to_have_count(4)
    page.locator("#rpg-standalone-repair-button").click()
    expect(status).to_contain_text("All checks passed.")
    expect(pictures).to_have_count(7)


def test_the_selected_region_is_painted_anew(page: Page) -> None:
    status, pictures = with_picture(page)
    again = page.locator("#rpg-standalone-region-button")
    page.evaluate("rpgEditors.standalone.select(-1)")
    again.click()
    expect(status).to_contain_text("No region is selected")
    prompt = page.locator(".rpg-table .rpg-prompt textarea").nth(1)
    prompt.fill("a yellow heart")
    again.click()
    expect(status).to_contain_text("Put a yellow heart in its place.")
    expect(pictures).to_have_count(3)


MASK = "canvas => [...rpgAlpha(rpgRetouches.standalone.mask)].reduce((sum, value) => sum + value, 0)"


def stroke(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """With the mouse over the mask, in fractions of the picture."""
    layer = page.locator(".rpg-retouch .rpg-layer")
    layer.scroll_into_view_if_needed()
    box = layer.bounding_box()
    assert box
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()


def test_the_mask_is_shown_painted_on_and_used(page: Page) -> None:
    status, pictures = with_picture(page)
    repaint, mask = page.locator("#rpg-standalone-repaint-button"), page.locator(".rpg-retouch .rpg-layer")
    expect(repaint).to_be_hidden()
    page.locator("#rpg-standalone-mask-first input").check()
    page.locator("#rpg-standalone-instruction textarea").fill("remove the star")
    page.locator("#rpg-standalone-edit-button").click()
    expect(repaint).to_be_visible()
    expect(page.locator(".rpg-retouch .rpg-status").first).to_have_text("Remove what is there.")
    assert mask.evaluate("canvas => [canvas.width, canvas.height]") == [160, 80]
    star = mask.evaluate(MASK)
    page.get_by_label("Size of the brush").last.fill("0.25")
    stroke(page, (0.1, 0.5), (0.4, 0.5))  # over the circle
    assert mask.evaluate(MASK) > star + 500
    page.keyboard.press("Control+z")
    assert mask.evaluate(MASK) == star
    stroke(page, (0.1, 0.5), (0.4, 0.5))
    page.locator(".rpg-retouch").get_by_label("Rub out what stays as it is").click()
    for height in (0.3, 0.5, 0.7):
        stroke(page, (0.6, height), (0.95, height))
    repaint.click()
    expect(pictures).to_have_count(3)
    expect(repaint).to_be_hidden()
    expect(status).to_contain_text("Remove what is there.")
    address = page.locator("#rpg-standalone-gallery img").nth(1).get_attribute("src")
    new = Image.open(io.BytesIO(page.request.get(str(address)).body()))
    assert seen(new.convert("RGB")) == [("green", "star")], "the circle was painted over, and the star rubbed out"
    page.locator("#rpg-standalone-edit-button").click()
    expect(repaint).to_be_visible()
    page.locator(".rpg-retouch").get_by_label("Clear the mask").click()
    repaint.click()
    expect(status).to_contain_text("The mask is empty")
    expect(repaint).to_be_visible()
    page.locator(".rpg-retouch").get_by_label("Close without repainting").click()
    expect(repaint).to_be_hidden()
    page.locator("#rpg-standalone-edit-button").click()
    expect(repaint).to_be_visible()
    page.locator("#rpg-standalone-generate").click()
    expect(pictures).to_have_count(1)
    expect(page.locator("#rpg-standalone-generate")).to_be_visible()
    page.evaluate("rpgRetouches.standalone.place = 1")  # where no picture is any more
    repaint.click()
    expect(status).to_contain_text("The picture is no longer in the gallery")


def test_the_hidden_text_says_what_generate_shall_do(page: Page) -> None:
    text = page.locator("#rpg-standalone-refine-wanted textarea")
    page.locator("#rpg-standalone-refine .label-wrap").click()
    page.locator("#rpg-standalone-refine-on-generate input").check()
    expect(text).not_to_have_value("")
    assert json.loads(text.input_value()) == {
        "provider": "shapes",
        "rounds": 3,
        "cut_out": "grabcut",
        "sam": "",
        "show_rounds": True,
    }
    page.locator("#rpg-standalone-rounds input[type=number]").fill("1")
    page.locator("#rpg-standalone-rounds input[type=number]").blur()
    expect(text).to_have_value('{"provider":"shapes","rounds":1,"cut_out":"grabcut","sam":"","show_rounds":true}')
    page.evaluate("text => rpgType(rpgPlanTextarea('standalone'), text)", PLAN.to_json())
    page.locator("#rpg-standalone-generate").click()
    expect(page.locator("#rpg-standalone-result").first).to_contain_text("All checks passed.")
    page.locator("#rpg-standalone-refine-on-generate input").uncheck()
    expect(text).to_have_value("")
