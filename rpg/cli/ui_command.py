"""``python -m rpg ui``: serve the panel on a page of its own."""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

from rpg.cli.common import add_model, load, whole
from rpg.cli.inputs import kind_of
from rpg.editing.painter import Painter
from rpg.editing.pictures import Described
from rpg.errors import GenerationError, Stopped
from rpg.inputs import OWN_CONTROLS, OWN_KINDS
from rpg.llm import addresses, trust
from rpg.plan import Plan
from rpg.presets import Presets


def add_parser(commands: Any) -> None:
    """Add the command ``ui``."""
    parser = commands.add_parser("ui", help="serve the panel on a page of its own")
    parser.set_defaults(run=serve)
    add_model(parser)
    parser.add_argument(
        "--control-model",
        action="append",
        default=[],
        metavar="KIND=DIR",
        help="a ControlNet in diffusers' format and what it follows, such as pose=FOLDER; repeatable (default: the embedded "
        f"model's own, for {' and '.join(OWN_KINDS)})",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=whole(0), default=7861, help="(default: %(default)s)")


def serve(options: argparse.Namespace) -> None:
    """Serve the panel until Ctrl-C."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    if not addresses.is_loopback(f"http://[{options.host}]" if ":" in options.host else f"http://{options.host}"):
        trust.serve_others()
    controls = controls_of(options)
    page_of(load(options), controls=controls).queue(concurrency_count=8).launch(
        server_name=options.host, server_port=options.port, show_api=False
    )


def controls_of(options: argparse.Namespace) -> dict[str, str | None]:
    """Kinds of control and their ControlNets; those of the embedded model for it, unless options name others.

    Raises:
        GenerationError: when there is no such kind, or no such folder.
    """
    controls: dict[str, str | None] = dict(OWN_CONTROLS) if options.model is None else {}
    for text in options.control_model:
        kind, folder = kind_of(text)
        if not folder.is_dir():
            raise GenerationError(f"--control-model {text!r}: there is no such folder.")
        controls[kind] = str(folder)
    return controls


def page_of(loaded: Any, presets: Presets | None = None, controls: Mapping[str, str | None] = OWN_CONTROLS) -> Any:
    """The page for a model (see :func:`rpg.pipelines.loading.load`) and its ControlNets."""
    from rpg.panel.app import Settings, build_app
    from rpg.pipelines.inputs import prepare
    from rpg.pipelines.painter import painter_of
    from rpg.pipelines.streaming import stream

    loaded.pipeline.set_progress_bar_config(disable=True)

    def pictures(plan: Plan, settings: Settings) -> Generator[Any, None, None]:
        pipeline, given = loaded.pipeline, {"width": settings.width, "height": settings.height}
        if settings.inputs:
            pipeline, given = prepare(pipeline, settings.inputs)
            pipeline.set_progress_bar_config(disable=True)
        return stream(
            pipeline,
            replace(plan, base_prompt=plan.base_prompt or settings.prompt),
            seed=settings.seed,
            negative_prompt=settings.negative_prompt,
            num_inference_steps=settings.steps,
            guidance_scale=settings.guidance_scale,
            **given,
        )

    defaults = Settings(width=loaded.width, height=loaded.height, steps=loaded.steps, guidance_scale=loaded.guidance_scale)

    def painters(given: Described, cancelled: threading.Event) -> Painter:
        def step(_pipeline: Any, _step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            if cancelled.is_set():
                raise Stopped("Generation was stopped.")
            return tensors

        told = given.told
        return painter_of(
            loaded,
            told.size or given.picture.size,
            num_inference_steps=told.steps,
            guidance_scale=told.guidance_scale,
            negative_prompt=told.negative_prompt or None,
            callback_on_step_end=step,
        )

    return build_app(pictures, defaults, presets, painters, controls)
