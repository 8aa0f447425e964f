import base64
import io
import json
import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from rpg.errors import GenerationError, ReplyError, Stopped
from rpg.llm import Event
from rpg.panel import planning
from rpg.panel.app import Settings, build_app, results
from rpg.panel.panel import build_panel
from rpg.plan import Plan
from rpg.planners import known_planners
from rpg.planners.make import REUSED
from tests.llm.servers import serve, streamed

PLAN = Plan.from_dict({"regions": ["a cat", "a dog"]})


def build_two() -> gr.Blocks:
    with gr.Blocks() as blocks:
        build_panel("txt2img")
        build_panel("img2img")
    return blocks


def test_panels_of_two_tabs_share_no_id() -> None:
    ids = [block.elem_id for block in build_two().blocks.values() if getattr(block, "elem_id", None)]
    assert {"rpg-txt2img-plan", "rpg-img2img-plan"} <= set(ids)
    assert len(ids) == len(set(ids))
    assert all(name.startswith("rpg-") for name in ids)


def test_passing_things_stay_out_of_the_hosts_defaults() -> None:
    blocks = build_two().blocks.values()
    kept = [block.elem_id for block in blocks if isinstance(block, gr.components.FormComponent) and saved(block)]
    names = ("provider", "model", "template", "base-url", "fallback", "critic", "rounds", "cut-out", "sam", "mask-first")
    assert kept == [f"rpg-{tab}-{name}" for tab in ("txt2img", "img2img") for name in names]


def saved(block: Any) -> bool:
    return not getattr(block, "do_not_save_to_config", False)


def test_the_page_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-the-server")
    config = json.dumps(build_two().get_config_file())
    assert "Uses the key in" not in config  # the first planner needs none
    assert "sk-secret-of-the-server" not in config
    passwords = [part["props"] for part in build_two().get_config_file()["components"] if part["props"].get("type") == "password"]
    assert [props["value"] for props in passwords] == ["", ""]


def test_no_event_needs_the_queue_to_launch() -> None:
    """A webui started with --no-gradio-queue has to start with the panel in it."""
    blocks = build_two()
    blocks.enable_queue = False
    blocks.validate_queue_settings()


def scripted(monkeypatch: pytest.MonkeyPatch, *events: Event, end: Plan | Exception) -> None:
    def stream_plan(*_: object, **__: object) -> Generator[Event, None, Plan]:
        yield from events
        if isinstance(end, Exception):
            raise end
        return end

    monkeypatch.setattr(planning, "stream_plan", stream_plan)
    monkeypatch.setattr(planning, "REFRESH", -1)


def updates() -> list[tuple[str, str, Plan | None]]:
    return list(planning.plan_updates(lambda: {"planner": {"caption": "a cat and a dog"}}, threading.Event()))


def test_words_gather_and_the_plan_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    events = Event("status", "Asking <b>."), Event("reasoning", "Two animals"), Event("text", ", two columns.")
    scripted(monkeypatch, *events, end=PLAN)
    asking = '<p class="rpg-status">Asking &lt;b&gt;.</p>'
    assert updates() == [
        ("", asking, None),
        ("Two animals", asking, None),
        ("Two animals, two columns.", asking, None),
        ("Two animals, two columns.", '<p class="rpg-status">Planned 2 regions.</p>', PLAN),
    ]


def test_what_it_cost_stands_beside_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, Event("cost", "9 tokens in, 3 out, 1.0 s"), Event("text", "x"), Event("cost", "2.0 s"), end=PLAN)
    assert updates()[-1][:2] == (
        "x",
        '<p class="rpg-status">Planned 2 regions (9 tokens in, 3 out, 1.0 s; 2.0 s).</p>',
    )


def test_warnings_stand_beside_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, end=replace(PLAN, notes="Warning: The caption has 'a cat' on the left; its region lies on the right."))
    assert "Planned 2 regions. Warning: The caption has &#x27;a cat&#x27; on the left" in updates()[-1][1]


def test_a_failure_shows_its_sentence_and_the_models_words(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, Event("text", "No."), end=ReplyError("The answer holds no plan.", "No."))
    assert updates()[-1] == ("No.", '<p class="rpg-error">The answer holds no plan.</p>', None)
    scripted(monkeypatch, end=Stopped("The model was stopped."))
    assert updates() == [("", '<p class="rpg-status">Planning was stopped.</p>', None)]


def test_wrong_fields_are_refused_like_any_failure() -> None:
    (_, line, plan), *rest = planning.plan_updates(lambda: {"planner": {"caption": ""}}, threading.Event())
    assert "caption is empty" in line
    assert plan is None
    assert not rest


def test_what_nobody_foresaw_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    scripted(monkeypatch, Event("text", "No."), end=TypeError("can only <join> texts"))
    words, line, plan = updates()[-1]
    assert (words, plan) == ("No.", None)
    assert "unexpected went wrong (TypeError: can only &lt;join&gt; texts); the console has the details." in line
    assert "Traceback" in caplog.text
    [(_, line, _)] = planning.plan_updates(lambda: {}["gone"], threading.Event())
    assert "KeyError" in line

    def broken(plan: Plan, settings: Settings) -> Generator[float, None, None]:
        raise ValueError("no such tensor")
        yield 0.0

    assert "ValueError: no such tensor" in list(results(broken, PLAN.to_json(), Settings(), threading.Event()))[-1]


def test_the_servers_models_are_offered() -> None:
    compatible = next(info for info in known_planners() if info.name == "compatible")
    with serve(streamed()) as server:
        server.models = ["llama3.1", "mistral"]
        for model, value in ((None, "llama3.1"), ("qwen2.5vl", "llama3.1"), ("mistral", "mistral"), ("my-own", "my-own")):
            update, _ = planning.offered(compatible, server.url + "/v1", "", model)
            assert (update["choices"], update["value"]) == (server.models, value)
    update, line = planning.offered(compatible, server.url + "/v1", "", "mistral")
    assert "choices" not in update
    assert "cannot be reached" in line
    assert "Needs a base URL" in planning.offered(compatible, " ", "", None)[1]


def test_a_reference_picture_is_sent_small() -> None:
    assert planning.data_url(None) == ""
    sent = planning.data_url(Image.new("RGBA", (3000, 1500), "red")).removeprefix("data:image/jpeg;base64,")
    assert Image.open(io.BytesIO(base64.b64decode(sent))).size == (1024, 512)


def counting(closed: list[bool]) -> Any:
    def generate(plan: Plan, settings: Settings) -> Generator[float | Image.Image, None, None]:
        try:
            for step in range(settings.steps):
                yield step / settings.steps
            yield Image.new("RGB", (settings.width, settings.height))
        finally:
            closed.append(True)

    return generate


def test_progress_then_the_picture() -> None:
    shown = list(results(counting([]), PLAN.to_json(), Settings(steps=2, width=40), threading.Event()))
    assert [item.size for item in shown if isinstance(item, Image.Image)] == [(40, Settings.height)]
    assert [part for part in shown if isinstance(part, str) and "width: 50%" in part]
    assert shown[-1] == ""


def test_stop_closes_the_generator() -> None:
    closed: list[bool] = []
    cancelled = threading.Event()
    shown: Iterator[Any] = results(counting(closed), PLAN.to_json(), Settings(), cancelled)
    next(shown)
    next(shown)
    cancelled.set()
    assert list(shown) == ['<p class="rpg-status">Generation was stopped.</p>']
    assert closed


def test_nothing_planned_and_errors_are_sentences() -> None:
    def broken(plan: Plan, settings: Settings) -> Generator[float, None, None]:
        raise GenerationError("This model has no cross-attention.")
        yield 0.0

    shown = list(results(counting([]), "", Settings(), threading.Event()))
    assert "Nothing is planned yet" in shown[0]
    assert len(shown) == 1
    assert "This model has no cross-attention." in list(results(broken, PLAN.to_json(), Settings(), threading.Event()))[-1]


def test_plan_at_generate_uses_the_prompt() -> None:
    plans: list[Plan] = []

    def generate(plan: Plan, settings: Settings) -> Generator[float, None, None]:
        plans.append(plan)
        yield 1.0

    settings = Settings(prompt="a cat on the left and a dog on the right")
    list(results(generate, '{"planner": {"provider": "rules"}}', settings, threading.Event()))
    assert plans[0].caption == settings.prompt
    assert len(plans[0].regions) == 2


def test_a_plan_that_is_used_again_says_so() -> None:
    with serve(streamed(), streamed()) as server:
        asked = json.dumps({"planner": {"provider": "compatible", "model": "m", "base_url": server.url}})
        shown = [
            list(results(counting([]), asked, Settings("a cat and a dog", width=40), threading.Event()))[-1] for _ in range(2)
        ]
        assert len(server.received) == 1
    assert shown == ["", f'<p class="rpg-status">{REUSED}</p>']


def test_the_page_needs_no_font_from_elsewhere() -> None:
    config = build_app(counting([])).get_config_file()
    assert config["stylesheets"] == []
    assert "rpgParseRatio" in json.dumps(config["dependencies"])
