"""The planning section: who plans what, the Plan button, and the planner's thoughts as they arrive."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from PIL import Image

from rpg.errors import RPGError, Stopped
from rpg.panel.draft import kept_settings
from rpg.panel.lines import error_line, is_error, status_line, unexpected_line
from rpg.plan import Plan
from rpg.planners import DEFAULT, PlannerInfo, PlanRequest, known_planners, models_at, plan_or_request, stream_plan, templates
from rpg.planners.registry import RULES

PICTURE_SIDE = 1024
"""Longest side of a reference picture that is sent; models scale larger ones down, at the user's cost."""
REFRESH = 0.1
"""Seconds between two updates of the live text."""
LIVE_TEXT = 20_000
"""Characters of the live text that stay on the page."""
NOTES = 400
"""Characters of the planner's notes that are shown."""

Update = dict[Any, Any]


@dataclass(frozen=True)
class Planning:
    """The components of the section that others need.

    Fields:
        on_generate: leaves the planning to Generate; a view of what the plan says.
        names: the planners' names by label.
    """

    on_generate: gr.Checkbox
    names: dict[str, str]
    provider: gr.Dropdown
    model: gr.Dropdown
    base_url: gr.Textbox
    key: gr.Textbox


def build_planning(tab: str, plan: gr.Textbox) -> Planning:
    """Add the section."""

    def named(name: str, **kwargs: Any) -> dict[str, Any]:
        return {"elem_id": f"rpg-{tab}-{name}", **kwargs}

    known = {info.label: info for info in known_planners()}
    models = list(dict.fromkeys(model for info in known.values() for model in info.models))

    with gr.Row(equal_height=False, elem_classes="rpg-planning"):
        caption = gr.Textbox(label="Caption", placeholder="Empty: the main prompt", **named("caption"))
        plan_button = gr.Button("Plan", variant="primary", min_width=90, scale=0, **named("plan-button"))
        stop_button = gr.Button("Stop", variant="stop", visible=False, min_width=90, scale=0, **named("stop-button"))
    with gr.Accordion("Planner settings", open=False, **named("settings")):
        with gr.Row():
            provider = gr.Dropdown(list(known), value=RULES.label, label="Planner", scale=3, min_width=120, **named("provider"))
            model = gr.Dropdown(
                models, value=None, label="Model", scale=2, allow_custom_value=True, min_width=120, **named("model")
            )
            template = gr.Dropdown(templates(), value=DEFAULT, label="Instructions", min_width=120, **named("template"))
        hint = gr.HTML(describe(RULES), elem_classes="rpg-message")
        with gr.Row():
            base_url = gr.Textbox(label="Base URL", max_lines=1, placeholder="The planner's", **named("base-url"))
            key = gr.Textbox(label="API key", type="password", placeholder="The server's", **named("key"))
        picture = gr.Image(label="Reference picture", type="pil", height=120, **named("picture"))
        fallback = gr.Checkbox(label="Plan with the offline rules where the model's plan cannot be used", **named("fallback"))
        on_generate = gr.Checkbox(label="Plan at every Generate (with the server's own key)", **named("on-generate"))
    status = gr.HTML(elem_classes="rpg-message", **named("status"))
    offline_button = gr.Button("Plan with the offline rules", size="sm", visible=False, **named("offline-button"))
    live = gr.Textbox(label="The planner's words", lines=6, max_lines=12, visible=False, interactive=False, **named("live"))
    running = gr.State(None)
    size = gr.JSON(visible=False)

    for component in (caption, key, picture, on_generate, live):
        component.do_not_save_to_config = True
    for component in (provider, model, base_url, template, fallback):
        component.custom_script_source = "rpg_script.py"  # the host's ui-config.json keeps defaults under this name

    def start(values: dict[Any, Any]) -> Iterator[Update]:
        cancelled = threading.Event()
        yield {
            running: cancelled,
            plan_button: gr.update(visible=False),
            stop_button: gr.update(visible=True),
            status: "",
            offline_button: gr.update(visible=False),
            live: gr.update(value="", visible=False),
        }
        shown = ""

        def wanted() -> dict[str, Any]:
            planner = {
                "caption": values[caption],
                "provider": known[values[provider]].name,
                "model": values[model] or "",
                "base_url": values[base_url],
                "api_key": values[key],
                "template": values[template],
                "image": data_url(values[picture]),
                "fallback": RULES.name if values[fallback] else "",
                **{side: pixels for side, pixels in values[size].items() if pixels},
            }
            return {"planner": planner, **kept_settings(values[plan])}

        for text, sentence, made in plan_updates(wanted, cancelled):
            update: Update = {status: sentence}
            if text != shown:
                shown = text
                update[live] = gr.update(value=text[-LIVE_TEXT:], visible=bool(text))
            if made:
                update[plan] = made.to_json()
            elif is_error(sentence) and values[provider] != RULES.label:
                update[offline_button] = gr.update(visible=True)
            yield update

    def start_offline(values: dict[Any, Any]) -> Iterator[Update]:
        yield from start({**values, provider: RULES.label, picture: None})

    def finish() -> Update:
        return {running: None, plan_button: gr.update(visible=True), stop_button: gr.update(visible=False)}

    provider.change(lambda label: suggested(known[label]), [provider], [model, hint], show_progress=False, queue=False)
    for component in (base_url, key):
        component.blur(
            lambda label, *given: offered(known[label], *given),
            [provider, base_url, key, model],
            [model, hint],
            show_progress=False,
            queue=False,
        )
    for button, begin in ((plan_button, start), (offline_button, start_offline)):
        button.click(
            begin,
            inputs={plan, caption, provider, model, template, base_url, key, picture, fallback, size},
            outputs=[running, plan_button, stop_button, status, offline_button, live, plan],
            # In the order of creation.
            _js="(plan, text, provider, model, template, url, key, picture, fallback) => [plan, text.trim() ? text : "
            f"rpgMainPrompt('{tab}'), provider, model, template, url, key, picture, fallback, rpgSize('{tab}')]",
            show_progress=False,
        ).then(finish, outputs=[running, plan_button, stop_button], show_progress=False, queue=False)
    stop_button.click(stop, [running], show_progress=False, queue=False)

    _keep_in_editor(tab, known, on_generate, [provider, model, base_url, template, caption, fallback])
    return Planning(on_generate, {label: info.name for label, info in known.items()}, provider, model, base_url, key)


def _keep_in_editor(tab: str, known: Mapping[str, PlannerInfo], on_generate: gr.Checkbox, settings: list[Any]) -> None:
    """Let the page know who plans at every Generate."""
    provider_names = json.dumps({label: info.name for label, info in known.items()})
    script = f"(...settings) => rpgSetPlanner('{tab}', {provider_names}, ...settings)"
    follow = {"fn": None, "inputs": [on_generate, *settings], "_js": script}
    on_generate.input(**follow)
    for component in settings:
        component.change(**follow)


def plan_updates(wanted: Callable[[], Mapping[str, Any]], cancelled: threading.Event) -> Iterator[tuple[str, str, Plan | None]]:
    """Plan, and yield what to show: the planner's words so far, a line of HTML, and at last the plan.

    Args:
        wanted: gives what :func:`plan_or_request` takes.
        cancelled: set it to stop.
    """
    words = ""
    line = ""
    costs: list[str] = []
    latest = 0.0
    try:
        request = plan_or_request(wanted())
        assert isinstance(request, PlanRequest)
        events = stream_plan(request, cancelled.is_set, reuse=False)
        while True:
            event = next(events)
            if event.kind == "status":
                line = status_line(event.text)
            elif event.kind == "cost":
                costs.append(event.text)
            else:
                words += event.text
            if event.kind == "status" or time.monotonic() - latest > REFRESH:
                latest = time.monotonic()
                yield words, line, None
    except StopIteration as end:
        plan: Plan = end.value
        cost = f" ({'; '.join(costs)})" if costs else ""
        yield words, status_line(f"Planned {len(plan.regions)} regions{cost}." + f" {plan.notes[:NOTES]}".rstrip()), plan
    except Stopped:
        yield words, status_line("Planning was stopped."), None
    except RPGError as error:
        yield getattr(error, "raw", "") or words, error_line(str(error)), None
    except Exception as error:
        yield words, unexpected_line(error), None


def stop(running: threading.Event | None) -> None:
    """Stop the work that this page has started."""
    if running:
        running.set()


def suggested(info: PlannerInfo) -> tuple[Update, str]:
    """The planner's models for the dropdown, and a line of HTML."""
    return gr.update(choices=list(info.models), value=info.default_model or None), describe(info)


def offered(info: PlannerInfo, base_url: str, api_key: str, model: str | None) -> tuple[Update, str]:
    """The models that the server at ``base_url`` has, for the dropdown, and a line of HTML; ``model`` stays where it can."""
    if not base_url.strip():
        return gr.update(), describe(info)
    try:
        models = list(models_at(info.name, base_url, api_key))
    except RPGError as error:
        return gr.update(), error_line(str(error))
    stays = not models or model in models or (model and model not in info.models)
    return gr.update(choices=models or list(info.models), value=model if stays else models[0]), describe(info)


def describe(info: PlannerInfo) -> str:
    """What the planner needs from the user, as a line of HTML."""
    needs = [info.why_not] if info.why_not else []
    if info.needs_base_url:
        needs.append("Needs a base URL, such as http://127.0.0.1:11434/v1 for Ollama.")
    if info.needs_key and info.has_server_key:
        needs.append(f"Uses the key in {info.key_env} unless another is given.")
    elif info.needs_key:
        needs.append(f"Needs a key: here, or in the environment variable {info.key_env}.")
    if not info.sees_pictures:
        needs.append("Does not look at the reference picture.")
    return status_line(" ".join(needs))


def data_url(picture: Image.Image | None) -> str:
    """The reference picture as a planner takes it; empty without one."""
    if picture is None:
        return ""
    small = picture.convert("RGB")
    small.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
