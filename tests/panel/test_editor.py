"""The editor in a real browser, on the standalone page."""

import json
import random
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import pytest
from playwright.sync_api import expect

from rpg.areas.layout import Layout
from rpg.errors import LayoutError, ReplyError, Stopped
from rpg.llm import Event
from rpg.panel import draft, panel, planning
from rpg.panel.app import Settings
from rpg.plan import VERSION, Plan
from rpg.planners import PlanRequest, Subject
from tests.llm.servers import serve, streamed
from tests.panel.page import Page


def test_a_plan_is_written_by_hand(page: Page) -> None:
    assert page.json == ""
    page.ratio.fill("1,1,2;1")
    expect(page.rows).to_have_count(3)
    page.prompt(1).press_sequentially("a cat")
    expect(page.cells.nth(0)).to_have_text("1a cat")
    page.prompt(1).press("Home")
    page.prompt(1).press_sequentially("big ")
    page.wait_for_plan(split_ratio="1,1,2;1", regions=[{"prompt": "big a cat"}, {"prompt": ""}, {"prompt": ""}])
    assert page.prompt(1).evaluate("area => [document.activeElement === area, area.selectionStart]") == [True, 4]
    page.rows.nth(1).locator(".rpg-negative textarea").fill("dark")
    page.rows.nth(1).locator(".rpg-own-ratio").fill("0.25")
    page.locate(".rpg-base-prompt textarea").fill("two pets")
    page.locate(".rpg-common-prompt textarea").fill("masterpiece")
    page.locate("input.rpg-base-ratio").fill("0.5")
    page.wait_for_plan(
        common_prompt="masterpiece",
        regions=[{"prompt": "big a cat"}, {"prompt": "", "negative_prompt": "dark", "base_ratio": 0.25}, {"prompt": ""}],
        base_prompt="two pets",
        base_ratio=0.5,
    )


def test_prompts_are_built_as_the_hosts_own_so_that_tags_are_completed(page: Page) -> None:
    prompts = page.locate(".rpg-editor .prompt > label > textarea")
    expect(prompts).to_have_count(2 + 2 * 2)  # base and common prompt, and those of each region
    prompts.last.fill("dark, " * 60)
    high, low = (prompts.nth(number).evaluate("area => area.clientHeight") for number in (-1, 2))
    assert high > 2 * low, "the field does not grow with its text"
    page.wait_for_plan(regions=[{"prompt": ""}, {"prompt": "", "negative_prompt": "dark, " * 60}])


def test_rows_are_added_moved_and_deleted_with_their_cells(page: Page) -> None:
    page.prompt(1).fill("one")
    page.prompt(2).fill("two")
    page.ratio.fill("3,1")
    page.locate("text=Add region").click()
    page.raw.keyboard.type("three")
    page.wait_for_plan(split_ratio="3,1,1", regions=[{"prompt": "one"}, {"prompt": "two"}, {"prompt": "three"}])
    page.rows.nth(2).locator(".rpg-number").press("ArrowUp")
    page.raw.keyboard.press("ArrowUp")  # the number that has the focus is the row's new one
    assert page.prompts() == ["three", "one", "two"]
    page.rows.nth(0).locator("[title^=Delete]").click()
    page.wait_for_plan(split_ratio="1,1", regions=[{"prompt": "one"}, {"prompt": "two"}])
    page.ratio.fill("1")
    assert page.prompts() == ["one", "two"], "a region with text in it was dropped"
    expect(page.message).to_contain_text("makes 1 region, but there are 2")


def test_the_message_is_that_of_the_last_edit(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow_problem(text: str) -> str:
        time.sleep(0.5)
        return draft.problem(text)

    monkeypatch.setattr(panel, "problem", slow_problem)
    page.prompt(1).fill("a cat")
    page.prompt(2).fill("a dog")
    page.ratio.fill("1,3,,")
    expect(page.message).to_contain_text("'1,3,,' has an empty cell")
    for ratio in "1,4,,", "1,5,,":
        page.ratio.fill(ratio)
        page.raw.wait_for_timeout(150)  # longer than an edit waits to be written, shorter than the answer takes
    expect(page.message).to_contain_text("'1,5,,' has an empty cell")


def test_texts_are_never_markup(page: Page) -> None:
    page.prompt(2).fill("a dog")
    page.prompt(1).fill("<img src=x onerror='window.hacked=1'>")
    expect(page.cells.nth(0)).to_contain_text("<img src=x")
    page.ratio.fill("1,<img src=x onerror='window.hacked=1'>")
    expect(page.message).to_contain_text("<img src=x")
    page.ratio.fill("1,2")
    expect(page.message).to_have_text("")
    assert page.raw.evaluate("window.hacked") is None


def test_the_picture_is_the_layout(page: Page) -> None:
    rng = random.Random(1)
    texts = [
        "1",
        "1;1",
        "1,1,1;2,1,1",
        " 1 , .5 ; 2.,1",
        "1,,1",
        ";",
        "0,1",
        "1e3,1",
        "-1",
        "1,1001",
        "1,1000",
        "１，2；３．５",
        "1、1",
        "½,1",
        "١,1",
        "1;" * 64 + "1",
    ]
    texts += ["".join(rng.choice("12.,; ") for _ in range(rng.randint(1, 9))) for _ in range(500)]
    script = """texts => texts.map(rpgParseRatio).map(rows => rows && rpgCellBoxes(rows))"""
    drawn = page.raw.evaluate(script, texts)
    for text, boxes in zip(texts, drawn, strict=True):
        try:
            expected = [[box.left, box.top, box.right, box.bottom] for box in Layout.parse(text).boxes]
        except LayoutError:
            assert boxes is None, text
        else:
            assert boxes == [pytest.approx(box) for box in expected], text


def test_the_picture_has_the_proportions_of_the_picture_to_be(page: Page) -> None:
    page.locate("#rpg-standalone-width input[type=number]").fill("512")
    page.locate("#rpg-standalone-height input[type=number]").fill("256")
    script = (
        "() => { const {clientWidth, clientHeight} = document.querySelector('.rpg-canvas'); return clientWidth / clientHeight; }"
    )
    page.raw.wait_for_function(f"Math.abs(({script})() - 2) < 0.05")


def test_planning_fills_the_editor_and_can_be_undone(page: Page) -> None:
    page.prompt(1).fill("by hand")
    page.plan_cats()
    expect(page.cells.nth(1)).to_have_text("2a dog")
    assert page.prompts() == ["a cat", "a dog"]
    expect(page.button("status")).to_contain_text("Planned 2 regions.")
    page.locate("[title^=Undo]").click()
    assert page.prompts() == ["by hand", ""]
    page.wait_for_plan(regions=[{"prompt": "by hand"}, {"prompt": ""}])
    page.locate("button:text-is('Clear')").click()
    assert page.json == ""
    page.locate("[title^=Undo]").click()
    assert page.prompts() == ["by hand", ""]


def test_planning_leaves_the_latent_ratio_alone(page: Page) -> None:
    page.locate("input.rpg-latent-ratio").fill("0.3")
    page.wait_for_plan(latent_ratio=0.3, regions=[{"prompt": ""}, {"prompt": ""}])
    page.locate("#rpg-standalone-prompt textarea").fill("a cat and a dog")
    page.button("plan-button").click()
    page.wait_for_plan(latent_ratio=0.3, regions=[{"prompt": "a cat"}, {"prompt": "a dog"}])
    page.locate("input.rpg-latent-ratio").fill("0")
    page.wait_for_plan(latent_ratio=0)
    page.locate("input.rpg-latent-ratio").fill("")
    expect(page.locate("input.rpg-latent-ratio")).to_have_attribute("placeholder", "auto")
    page.locate("input.rpg-base-ratio").fill("0.5")
    page.wait_for_plan(base_ratio=0.5)
    assert "latent_ratio" not in page.json
    page.locate("input.rpg-latent-ratio").fill("2")
    expect(page.message).to_contain_text("latent_ratio is 2")


def test_planning_leaves_the_common_prompt_alone(page: Page) -> None:
    page.locate(".rpg-common-prompt textarea").fill("masterpiece")
    page.wait_for_plan(common_prompt="masterpiece", regions=[{"prompt": ""}, {"prompt": ""}])
    page.plan_cats()
    page.wait_for_plan(common_prompt="masterpiece", regions=[{"prompt": "a cat"}, {"prompt": "a dog"}])
    expect(page.locate(".rpg-common-prompt textarea")).to_have_value("masterpiece")
    page.locate("#rpg-standalone-settings .label-wrap").click()
    page.locate("#rpg-standalone-on-generate input").check()
    page.wait_for_plan(planner={"provider": "rules", "template": "default"}, common_prompt="masterpiece")
    page.locate(".rpg-common-prompt textarea").fill("")
    page.raw.wait_for_function("!document.querySelector('#rpg-standalone-plan textarea').value.includes('common_prompt')")


def test_rows_that_planning_adds_show_the_base_ratio(page: Page) -> None:
    page.locate("#rpg-standalone-prompt textarea").fill("a cat, a dog and a bird")
    page.button("plan-button").click()
    expect(page.rows).to_have_count(3)
    for number in range(3):
        expect(page.rows.nth(number).locator(".rpg-own-ratio")).to_have_attribute("placeholder", "0")


def test_planning_shows_its_words_and_stops_for_its_own_page_only(
    open_page: Callable[[], Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[PlanRequest] = []
    release = threading.Event()

    def stream_plan(request: PlanRequest, cancelled: Callable[[], bool], **_: Any) -> Generator[Event, None, Plan]:
        asked.append(request)
        yield Event("reasoning", f"Thinking about {request.subject.caption} <b>")
        for _second in range(200):
            if cancelled():
                raise Stopped("The model was stopped.")
            if release.is_set():
                raise ReplyError("The answer holds no plan.", "I <i>cannot</i>.")
            time.sleep(0.05)
        raise AssertionError("neither stopped nor released")

    monkeypatch.setattr(planning, "stream_plan", stream_plan)
    first, second = open_page(), open_page()
    for page, caption in ((first, "cats"), (second, "dogs")):
        page.prompt(1).fill("by hand")
        page.locate("#rpg-standalone-settings .label-wrap").click()
        page.locate("#rpg-standalone-key input").fill("sk-typed-secret")
        page.locate("#rpg-standalone-caption textarea").fill(caption)
        page.button("plan-button").click()
        expect(page.locate("#rpg-standalone-live textarea")).to_have_value(f"Thinking about {caption} <b>")
    first.button("stop-button").click()
    expect(first.button("status")).to_contain_text("Planning was stopped.")
    expect(first.button("plan-button")).to_be_visible()
    expect(second.button("stop-button")).to_be_visible()
    release.set()
    expect(second.button("status")).to_contain_text("The answer holds no plan.")
    expect(second.locate("#rpg-standalone-live textarea")).to_have_value("I <i>cannot</i>.")
    assert [request.subject for request in asked] == [Subject(text, Settings.width, Settings.height) for text in ("cats", "dogs")]
    assert [request.planner.api_key for request in asked] == ["sk-typed-secret"] * 2
    for page in (first, second):
        assert page.prompts() == ["by hand", ""], "a failure overwrote the editor"
        assert "sk-typed-secret" not in page.json + page.raw.content()


def choose_server(page: Page, url: str) -> None:
    page.locate("#rpg-standalone-settings .label-wrap").click()
    page.locate("#rpg-standalone-provider input").click()
    page.locate("ul.options li").filter(has_text="OpenAI-compatible server").click()
    page.locate("#rpg-standalone-base-url input").fill(url + "/v1")
    page.locate("#rpg-standalone-caption textarea").fill("a cat on the left and a dog on the right")


def test_the_offline_plan_is_offered_where_a_model_fails(page: Page) -> None:
    with serve(streamed("No.")) as server:
        choose_server(page, server.url)
        expect(page.button("offline-button")).to_be_hidden()
        page.button("plan-button").click()
        expect(page.button("status")).to_contain_text("holds no plan", timeout=20_000)
    page.button("offline-button").click()
    page.wait_for_plan(regions=[{"prompt": "a cat"}, {"prompt": "a dog"}], planned_by="rules 2")
    expect(page.button("offline-button")).to_be_hidden()


def test_the_offline_plan_takes_its_place_where_that_is_wanted(page: Page) -> None:
    with serve(streamed("No.")) as server:
        choose_server(page, server.url)
        page.locate("#rpg-standalone-fallback input").check()
        page.button("plan-button").click()
        page.wait_for_plan(regions=[{"prompt": "a cat"}, {"prompt": "a dog"}], planned_by="rules 2")
        expect(page.button("status")).to_contain_text("so the offline rules planned")
        expect(page.button("offline-button")).to_be_hidden()
        page.locate("#rpg-standalone-on-generate input").check()
        page.button("generate").click()
        expect(page.locate("#rpg-standalone-gallery img").first).to_be_visible(timeout=20_000)
    assert json.loads(page.json)["planner"]["fallback"] == "rules"


def test_the_models_of_the_server_are_offered(page: Page) -> None:
    with serve(streamed()) as server:
        server.models = ["llama3.1", "mistral"]
        page.locate("#rpg-standalone-settings .label-wrap").click()
        page.locate("#rpg-standalone-provider input").click()
        page.locate("ul.options li").filter(has_text="OpenAI-compatible server").click()
        expect(page.locate("#rpg-standalone-model input")).to_have_value("qwen2.5vl")
        page.locate("#rpg-standalone-base-url input").fill(server.url + "/v1")
        page.locate("#rpg-standalone-base-url input").blur()
        expect(page.locate("#rpg-standalone-model input")).to_have_value("llama3.1", timeout=20_000)


def test_an_unforeseen_error_gives_the_button_back(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def stream_plan(*_: object, **__: object) -> None:
        raise TypeError("can only join texts")

    monkeypatch.setattr(planning, "stream_plan", stream_plan)
    page.locate("#rpg-standalone-caption textarea").fill("cats")
    page.button("plan-button").click()
    expect(page.button("status")).to_contain_text("Something unexpected went wrong (TypeError")
    expect(page.button("plan-button")).to_be_visible()
    expect(page.button("stop-button")).not_to_be_visible()


def test_planning_can_be_left_to_generate(page: Page) -> None:
    page.prompt(1).fill("kept aside")
    page.locate("#rpg-standalone-settings .label-wrap").click()
    page.locate("#rpg-standalone-on-generate input").check()
    page.wait_for_plan(version=VERSION, planner={"provider": "rules", "template": "default"})
    assert "regions" not in json.loads(page.json)
    page.locate("#rpg-standalone-caption textarea").fill("two cats")
    page.wait_for_plan(planner={"provider": "rules", "template": "default", "caption": "two cats"})
    expect(page.message).to_have_text("")
    page.locate("input.rpg-latent-ratio").fill("0.3")  # no planner decides it
    page.wait_for_plan(planner={"provider": "rules", "template": "default", "caption": "two cats"}, latent_ratio=0.3)
    expect(page.message).to_have_text("")
    assert page.locate("input.rpg-base-ratio").evaluate("field => Boolean(field.closest('[inert]'))")
    page.locate("#rpg-standalone-on-generate input").uncheck()
    page.wait_for_plan(regions=[{"prompt": "kept aside"}, {"prompt": ""}], latent_ratio=0.3)
    page.locate("#rpg-standalone-on-generate input").check()
    page.locate("#rpg-standalone-caption textarea").fill("")
    page.plan_cats()
    expect(page.locate("#rpg-standalone-on-generate input")).not_to_be_checked()


def test_generate_and_stop(page: Page) -> None:
    page.button("generate").click()
    expect(page.button("result")).to_contain_text("Nothing is planned yet")
    page.plan_cats()
    page.button("generate").click()
    expect(page.locate("#rpg-standalone-gallery img").first).to_be_visible()
    expect(page.button("generate")).to_be_visible()
    page.locate("#rpg-standalone-steps input[type=number]").fill("100")
    page.button("generate").click()
    page.button("stop").click()
    expect(page.button("result")).to_contain_text("Generation was stopped.")
    expect(page.button("generate")).to_be_visible()
