"""The panel on a page of its own: ``build_app(generate).queue().launch()``."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from rpg.editing.actions import Action
from rpg.errors import PlanError, RPGError, Stopped
from rpg.infotext import PNG_KEY, Infotext
from rpg.inputs import OWN_CONTROLS, Inputs
from rpg.llm import Event
from rpg.panel.acting import Bench, Mask, Painters, edited, no_painters, repaired
from rpg.panel.draft import read_draft
from rpg.panel.lines import error_line, progress_bar, status_line, unexpected_line
from rpg.panel.panel import build_panel
from rpg.panel.pictures import Controls, build_pictures
from rpg.panel.planning import stop
from rpg.panel.refining import asked
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
    inputs: Inputs = field(default_factory=Inputs)


Generate = Callable[[Plan, Settings], Generator[float | Image.Image, None, None]]
"""Makes pictures: yields each as it is done, and the share of the work done so far (0..1) in between.

When the user presses Stop, the generator is closed between two items. Calls never overlap.
"""


def build_app(
    generate: Generate,
    defaults: Settings | None = None,
    presets: Presets | None = None,
    painters: Painters = no_painters,
    controls: Controls = OWN_CONTROLS,
) -> gr.Blocks:
    """The page. Call ``queue()`` and ``launch()`` on it.

    Args:
        painters: repaint pictures; without them they can only be checked.
        controls: what pictures can follow; by default what the embedded model has ControlNets for.
    """
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
                pictures = build_pictures(controls, defaults.width * defaults.height, width, height)
            with gr.Column():
                generate_button, stop_button, status, gallery = _results_column()

        made = gr.State([])
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
            try:
                inputs = pictures.inputs(values, (settings.width, settings.height), settings.steps)
            except RPGError as error:
                yield {status: error_line(str(error))}
                return
            settings = replace(settings, inputs=inputs)
            with one_at_a_time:
                wanted = values[panel.plan], values[panel.refining.wanted]
                for item in generated(generate, wanted, settings, Bench(painters, cancelled)):
                    yield shown(item)

        def on_selected(action: Action, pictures: list[Image.Image], index: str, *given: Any) -> Iterator[dict[Any, Any]]:
            cancelled = threading.Event()
            yield {running: cancelled, generate_button: gr.update(visible=False), stop_button: gr.update(visible=True)}
            with one_at_a_time:
                for item in edited(
                    action, pictures, int(index or 0), lambda: asked(panel.planners, given), Bench(painters, cancelled)
                ):
                    yield shown(item)

        def shown(item: str | list[Image.Image] | Mask) -> dict[Any, Any]:
            if isinstance(item, (str, Mask)):
                return {status: item} if isinstance(item, str) else {panel.refining.waiting: item.text}
            return {gallery: gr.update(value=item, columns=min(len(item), 3)), made: item}

        def finish() -> dict[Any, Any]:
            return {running: None, generate_button: gr.update(visible=True), stop_button: gr.update(visible=False)}

        buttons = [running, generate_button, stop_button]
        generate_button.click(
            start,
            {panel.plan, panel.refining.wanted, prompt, negative, width, height, steps, guidance, seed, *pictures.components},
            [*buttons, status, gallery, made],
            show_progress=False,
        ).then(finish, outputs=buttons, show_progress=False, queue=False)
        for action, button in panel.refining.buttons.items():
            button.click(
                partial(on_selected, action),
                [made, panel.refining.task, panel.refining.task, *panel.refining.inputs],
                [*buttons, status, gallery, made, panel.refining.waiting],
                _js=f"(pictures, _place, _page, ...others) => [pictures, ...rpgChosen('standalone', '{action}'), ...others]",
                show_progress=False,
            ).then(finish, outputs=buttons, show_progress=False, queue=False)
        stop_button.click(stop, [running], show_progress=False, queue=False)
        app.load(fn=None, _js=page_script())
    return app


def _results_column() -> tuple[gr.Button, gr.Button, gr.HTML, gr.Gallery]:
    with gr.Row():
        generate_button = gr.Button("Generate", variant="primary", elem_id="rpg-standalone-generate")
        stop_button = gr.Button("Stop", variant="stop", visible=False, elem_id="rpg-standalone-stop")
    status = gr.HTML(elem_classes="rpg-message", elem_id="rpg-standalone-result")
    gallery = gr.Gallery(label="Pictures", columns=1, object_fit="contain", elem_id="rpg-standalone-gallery")
    return generate_button, stop_button, status, gallery


def generated(generate: Generate, wanted: tuple[str, str], settings: Settings, bench: Bench) -> Iterator[str | list[Image.Image]]:
    """All pictures so far whenever there is another one or a better one, and in between what to show above them, as HTML.

    Args:
        wanted: the plan's JSON, and that of the repair or nothing.
    """
    pictures: list[Image.Image] = []
    for item in results(generate, wanted[0], settings, bench.cancelled):
        if isinstance(item, Image.Image):
            pictures.append(item)
            yield [*pictures]
        else:
            yield item
    if wanted[1] and settings.inputs:
        yield status_line("Pictures with a control or from another picture are not repaired as they are made; press Repair.")
    elif wanted[1]:
        for number in range(len(pictures)):
            if not bench.cancelled.is_set():
                yield from repaired(pictures, number, wanted[1], bench)


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
                if isinstance(item, Image.Image):
                    item.info[PNG_KEY] = infotext_of(plan, settings)
                yield progress_bar(item) if isinstance(item, (int, float)) else item
        yield status_line(REUSED if said == REUSED else "")
    except Stopped:
        yield status_line("Planning was stopped.")
    except RPGError as error:
        yield error_line(str(error))
    except Exception as error:
        yield unexpected_line(error)


def infotext_of(plan: Plan, settings: Settings) -> str:
    """What a picture says of itself."""
    return str(
        Infotext(
            plan.base_prompt or settings.prompt or plan.main_prompt,
            settings.negative_prompt,
            steps=settings.steps,
            guidance_scale=settings.guidance_scale,
            seed=settings.seed,
            size=(settings.width, settings.height),
            plan=plan,
        )
    )


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
