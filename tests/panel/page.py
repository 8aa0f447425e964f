"""The standalone page as tests use it."""

import json
import time
from collections.abc import Generator
from typing import Any

from PIL import Image
from playwright.sync_api import expect

from rpg.panel.app import Settings
from rpg.plan import VERSION, Plan

CATS = [{"prompt": "a cat"}, {"prompt": "a dog"}]


def generate(plan: Plan, settings: Settings) -> Generator[float | Image.Image, None, None]:
    """Slow enough to be stopped when it is given many steps."""
    for step in range(settings.steps):
        yield step / settings.steps
        time.sleep(0.05)
    yield Image.new("RGB", (settings.width, settings.height), "red")


class Page:
    """The standalone page, with names for what the tests touch."""

    def __init__(self, page: Any, url: str) -> None:
        self.errors: list[str] = []
        self.raw = page
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        expect(self.rows).to_have_count(2)

    def locate(self, selector: str) -> Any:
        return self.raw.locator(selector)

    @property
    def rows(self) -> Any:
        return self.locate(".rpg-table .rpg-row")

    @property
    def cells(self) -> Any:
        return self.locate(".rpg-region")

    @property
    def ratio(self) -> Any:
        return self.locate(".rpg-ratio")

    def prompt(self, number: int) -> Any:
        return self.rows.nth(number - 1).locator(".rpg-prompt textarea")

    def prompts(self) -> list[str]:
        texts: list[str] = self.rows.locator(".rpg-prompt textarea").evaluate_all("areas => areas.map(area => area.value)")
        return texts

    def button(self, name: str) -> Any:
        return self.locate(f"#rpg-standalone-{name}").first  # Gradio gives the id of HTML to two elements

    @property
    def json(self) -> str:
        text: str = self.locate("#rpg-standalone-plan textarea").input_value()
        return text

    def wait_for_plan(self, **fields: object) -> None:
        """Until the hidden textbox holds a draft with these values."""
        script = """fields => {
            const plan = JSON.parse(document.querySelector('#rpg-standalone-plan textarea').value || '{}');
            return Object.entries(fields).every(([key, value]) => JSON.stringify(plan[key]) === JSON.stringify(value));
        }"""
        self.raw.wait_for_function(script, arg=fields)

    @property
    def message(self) -> Any:
        return self.button("message")

    def show(self, plan: dict[str, Any]) -> None:
        """Put a plan into the hidden textbox, as pasting does; what was there is forgotten."""
        self.raw.mouse.up()
        self.raw.evaluate(
            """plan => {
                const editor = rpgEditors.standalone;
                editor.pointer.cancel();
                editor.setSize(editor.size);
                editor.setTool(editor.tool);
                editor.model.load(''); // an equal plan would keep what is hidden and locked
                editor.model.load(JSON.stringify(plan));
                editor.model.past = [];
                editor.flush();
            }""",
            {"version": VERSION, "base_ratio": 0.4, **plan},
        )
        self.locate(".rpg-canvas").scroll_into_view_if_needed()

    @property
    def plan(self) -> dict[str, Any]:
        """What the hidden textbox holds."""
        plan: dict[str, Any] = json.loads(self.json)
        return plan

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place in the picture, in fractions, as a place on the screen."""
        box = self.locate(".rpg-layer").bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def drag(self, start: tuple[float, float], *through: tuple[float, float], release: bool = True) -> None:
        """Drag the mouse from place to place in the picture."""
        self.raw.mouse.move(*self.at(*start))
        self.raw.mouse.down()
        for place in through:
            self.raw.mouse.move(*self.at(*place), steps=4)
        if release:
            self.raw.mouse.up()

    def touch(self, start: tuple[float, float], *through: tuple[float, float]) -> None:
        """Drag with a finger from place to place in the picture."""
        session = self.raw.context.new_cdp_session(self.raw)
        events = [("touchStart", [start]), *(("touchMove", [place]) for place in through), ("touchEnd", [])]
        for kind, places in events:
            points = [{"x": x, "y": y} for x, y in (self.at(*place) for place in places)]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        session.detach()

    def plan_cats(self) -> None:
        self.locate("#rpg-standalone-prompt textarea").fill("a cat on the left and a dog on the right")
        self.button("plan-button").click()
        self.wait_for_plan(regions=CATS)
