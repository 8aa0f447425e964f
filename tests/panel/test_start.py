"""The first minutes on the page: what an empty panel offers, and what its buttons say where something is missing."""

import threading
from typing import Any

import pytest
from playwright.sync_api import expect

from rpg.llm import Event
from rpg.panel import planning
from tests.panel.page import Page


def test_an_example_is_planned_by_one_click(page: Page) -> None:
    examples = page.locate(".rpg-examples").nth(0).locator("button")
    expect(examples).to_have_count(3)
    examples.nth(0).click()
    page.wait_for_plan(split_ratio="1,1", regions=[{"prompt": "a red circle"}, {"prompt": "a blue square"}])
    assert page.locate("#rpg-standalone-prompt textarea").input_value() == examples.nth(0).inner_text()
    expect(page.locate(".rpg-start")).to_be_hidden()
    expect(page.button("plan-button")).to_be_visible()  # planning is over
    page.locate("text=Clear").click()
    examples.nth(1).click()  # the main prompt stays the user's
    page.wait_for_plan(split_ratio="1;1")
    assert page.locate("#rpg-standalone-caption textarea").input_value() == examples.nth(1).inner_text()


def test_a_picture_of_a_split_ratio_is_taken_by_one_click(page: Page) -> None:
    button = page.raw.locator(".rpg-examples button", has_text="1,1,1;2,1,1")
    assert button.locator("rect").count() == 4
    button.click()
    assert page.ratio.input_value() == "1,1,1;2,1,1"
    expect(page.cells).to_have_count(4)
    expect(button).to_be_visible()  # until something is written
    page.prompt(1).fill("a cat")
    expect(button).to_be_hidden()


def test_buttons_say_what_is_missing(page: Page) -> None:
    page.button("plan-button").click()
    expect(page.button("status")).to_have_text("caption is empty; describe the picture that shall be planned.")
    page.button("generate").click()
    expect(page.button("result")).to_have_text("Nothing is planned yet; write region prompts or press Plan.")
    page.locate("#rpg-standalone-settings .label-wrap").click()
    page.locate("#rpg-standalone-provider input").click()
    page.raw.locator("#rpg-standalone-provider li", has_text="DeepSeek").click()
    page.locate("#rpg-standalone-caption textarea").fill("a cat and a dog")
    page.button("plan-button").click()
    expect(page.button("status")).to_contain_text(
        "needs a key; fill in api_key or set the environment variable DEEPSEEK_API_KEY."
    )
    page.button("offline-button").click()
    page.wait_for_plan(regions=[{"prompt": "a cat"}, {"prompt": "a dog"}])


def test_the_stop_button_counts_seconds(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def thinking(*_: object, **__: object) -> Any:
        yield Event("status", "Asking a model (slow).")
        done.wait(20)
        raise planning.Stopped("The model was stopped.")

    monkeypatch.setattr(planning, "stream_plan", thinking)
    page.locate("#rpg-standalone-caption textarea").fill("a cat and a dog")
    page.button("plan-button").click()
    expect(page.button("stop-button")).to_have_attribute("data-rpg-seconds", "1 s")
    expect(page.button("stop-button")).to_have_attribute("data-rpg-seconds", "2 s")
    done.set()
    expect(page.button("plan-button")).to_be_visible()
    expect(page.button("stop-button")).not_to_have_attribute("data-rpg-since", "")
