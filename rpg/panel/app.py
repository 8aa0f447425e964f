"""The panel on a page of its own: ``build_app(generate).queue().launch()``."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from rpg.errors import PlanError, RPGError, Stopped
from rpg.llm import Event
from rpg.panel.draft import read_draft
from rpg.panel.lines import error_line, progress_bar, status_line, unexpected_line
from rpg.panel.panel import build_panel
from rpg.panel.planning import stop
from rpg.plan import Plan
from rpg.planners import PlanRequest, Subject, stream_plan
from rpg.planners.make import REUSED
from rpg.presets import Presets

ROOT = Path(__file__).parents[2]
"""Where ``javascript/`` and ``style.css`` lie, for the webui and for this page."""


@dataclass(frozen=True)
class Settings:
    """What a picture needs besides its plan. The defaults are what the page shows at first."""

    prompt: str = ""
    negative_prompt: str = ""
    width: int = 256
    height: int = 128
    steps: int = 20
    guidance_scale: float = 4.0
    seed: int | None = None


Generate = Callable[[Plan, Settings], Generator[float | Image.Image, None, None]]
"""Makes pictures: yields each as it is done, and the share of the work done so far (0..1) in between.

When the user presses Stop, the generator is closed between two items. Calls never overlap.
"""


def build_app(generate: Generate, defaults: Settings | None = None, presets: Presets | None = None) -> gr.Blocks:
    """The page. Call ``queue()`` and ``launch()`` on it."""
    defaults = defaults or Settings()
    theme = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])  # nothing to download
    css = (ROOT / "style.css").read_text("utf-8")
    with gr.Blocks(title="RPG", theme=theme, css=css, analytics_enabled=False) as app:
        running = gr.State(None)
        with gr.Row():
            with gr.Column():
                prompt = gr.Textbox(defaults.prompt, label="Prompt", lines=2, elem_id="rpg-standalone-prompt")
                negative = gr.Textbox(defaults.negative_prompt, label="Negative prompt", lines=1)
                with gr.Row():
                    width = gr.Slider(64, 2048, defaults.width, step=8, label="Width", elem_id="rpg-standalone-width")
                    height = gr.Slider(64, 2048, defaults.height, step=8, label="Height", elem_id="rpg-standalone-height")
                with gr.Row():
                    steps = gr.Slider(1, 100, defaults.steps, step=1, label="Steps", elem_id="rpg-standalone-steps")
                    guidance = gr.Slider(1, 20, defaults.guidance_scale, step=0.5, label="Guidance")
                    given = -1 if defaults.seed is None else defaults.seed
                    seed = gr.Number(given, precision=0, label="Seed (-1: random)", elem_id="rpg-standalone-seed")
                with gr.Accordion("Regions", open=True):
                    panel = build_panel("standalone", presets)
            with gr.Column():
                with gr.Row():
                    generate_button = gr.Button("Generate", variant="primary", elem_id="rpg-standalone-generate")
                    stop_button = gr.Button("Stop", variant="stop", visible=False, elem_id="rpg-standalone-stop")
                status = gr.HTML(elem_classes="rpg-message", elem_id="rpg-standalone-result")
                gallery = gr.Gallery(label="Pictures", columns=1, object_fit="contain", elem_id="rpg-standalone-gallery")

        one_at_a_time = threading.Lock()

        def start(values: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
            cancelled = threading.Event()
            yield {running: cancelled, generate_button: gr.update(visible=False), stop_button: gr.update(visible=True)}
            settings = Settings(
                prompt=values[prompt],
                negative_prompt=values[negative],
                width=int(values[width]),
                height=int(values[height]),
                steps=int(values[steps]),
                guidance_scale=float(values[guidance]),
                seed=int(values[seed]) if values[seed] >= 0 else None,
            )
            pictures: list[Image.Image] = []
            with one_at_a_time:
                for item in results(generate, values[panel.plan], settings, cancelled):
                    if isinstance(item, Image.Image):
                        pictures.append(item)
                        yield {gallery: pictures}
                    else:
                        yield {status: item}

        def finish() -> dict[Any, Any]:
            return {running: None, generate_button: gr.update(visible=True), stop_button: gr.update(visible=False)}

        buttons = [running, generate_button, stop_button]
        generate_button.click(
            start,
            {panel.plan, prompt, negative, width, height, steps, guidance, seed},
            [*buttons, status, gallery],
            show_progress=False,
        ).then(finish, outputs=buttons, show_progress=False, queue=False)
        stop_button.click(stop, [running], show_progress=False, queue=False)
        app.load(fn=None, _js=page_script())
    return app


def results(generate: Generate, text: str, settings: Settings, cancelled: threading.Event) -> Iterator[str | Image.Image]:
    """Pictures as they are done, and in between what to show above them, as HTML."""
    said = ""
    try:
        plan = read_draft(text, Subject(settings.prompt, settings.width, settings.height))
        if plan is None:
            raise PlanError("Nothing is planned yet; write region prompts or press Plan.")
        if isinstance(plan, PlanRequest):
            yield status_line("Planning.")
            said, plan = yield from told(stream_plan(plan, cancelled.is_set))
        yield progress_bar(0)
        with closing(generate(plan, settings)) as items:
            for item in items:
                if cancelled.is_set():
                    yield status_line("Generation was stopped.")
                    return
                yield progress_bar(item) if isinstance(item, (int, float)) else item
        yield status_line(REUSED if said == REUSED else "")
    except Stopped:
        yield status_line("Planning was stopped.")
    except RPGError as error:
        yield error_line(str(error))
    except Exception as error:
        yield unexpected_line(error)


def told(planning: Generator[Event, None, Plan]) -> Generator[str, None, tuple[str, Plan]]:
    """What the planner reports, as lines of HTML; the last of these sentences, and the plan."""
    said = ""
    while True:
        try:
            event = next(planning)
        except StopIteration as end:
            return said, end.value
        if event.kind == "status":
            said = event.text
            yield status_line(said)


def page_script() -> str:
    """A function that loads ``localizations/`` and ``javascript/`` as the webui does, the latter as scripts that see one another.

    The words are those of the first of the browser's languages that there are any for; English needs none.
    """
    sources = [path.read_text("utf-8") for path in sorted((ROOT / "javascript").glob("*.js"))]
    words = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "localizations").glob("*.json"))}
    return f"""() => {{
        const words = {json.dumps({"en": {}, **words})};
        const named = (language) => Object.keys(words).find((name) => name.slice(0, 2) === language.slice(0, 2));
        window.localization = words[navigator.languages.map(named).find(Boolean)] ?? {{}};
        for (const source of {json.dumps(sources)}) {{
            document.head.append(Object.assign(document.createElement("script"), {{textContent: source}}));
        }}
    }}"""
