"""``python -m rpg ui``: serve the panel on a page of its own."""

from __future__ import annotations

import argparse
import os
from collections.abc import Generator
from dataclasses import replace
from typing import Any

from rpg.cli.common import add_model, load, whole
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
    return build_app(pictures, defaults, presets)
