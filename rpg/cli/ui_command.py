"""``python -m rpg ui``: serve the panel on a page of its own."""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Generator
from dataclasses import replace
from typing import Any

from rpg.cli.common import add_model, load, whole
from rpg.editing.painter import Painter
from rpg.editing.pictures import Described
from rpg.errors import Stopped
from rpg.llm import addresses, trust
from rpg.plan import Plan
from rpg.presets import Presets


def add_parser(commands: Any) -> None:
    """Add the command ``ui``."""
    parser = commands.add_parser("ui", help="serve the panel on a page of its own")
    parser.set_defaults(run=serve)
    add_model(parser)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=whole(0), default=7861, help="(default: %(default)s)")


def serve(options: argparse.Namespace) -> None:
    """Serve the panel until Ctrl-C."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    if not addresses.is_loopback(f"http://[{options.host}]" if ":" in options.host else f"http://{options.host}"):
        trust.serve_others()
    page_of(load(options)).queue(concurrency_count=8).launch(server_name=options.host, server_port=options.port, show_api=False)


def page_of(loaded: Any, presets: Presets | None = None) -> Any:
    """The page for a model (see :func:`rpg.pipelines.loading.load`)."""
    from rpg.panel.app import Settings, build_app
    from rpg.pipelines.painter import painter_of
    from rpg.pipelines.streaming import stream

    loaded.pipeline.set_progress_bar_config(disable=True)

    def pictures(plan: Plan, settings: Settings) -> Generator[Any, None, None]:
        return stream(
            loaded.pipeline,
            replace(plan, base_prompt=plan.base_prompt or settings.prompt),
            seed=settings.seed,
            negative_prompt=settings.negative_prompt,
            width=settings.width,
            height=settings.height,
            num_inference_steps=settings.steps,
            guidance_scale=settings.guidance_scale,
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

    return build_app(pictures, defaults, presets, painters)
