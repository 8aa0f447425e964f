"""The command line: ``python -m rpg generate``, ``plan`` and ``ui``."""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from rpg.cli import plan_command
from rpg.errors import GenerationError, PlanError, RPGError
from rpg.llm import addresses, trust
from rpg.plan import RATIOS, Plan

PNG_KEY = "RPG plan"
"""Under this name a picture carries its plan."""
CANCELLED = 130
"""Exit code after Ctrl-C, as shells expect it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 after an error that is told in one line, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (RPGError, ImportError, OSError) as error:
        sentence = f"{error.filename}: {error.strerror}." if isinstance(error, OSError) and error.filename else error
        print(f"error: {sentence}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nCancelled.", file=sys.stderr)
        return CANCELLED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rpg", description="RPG: recaption, plan and generate pictures region by region."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    plan_command.add_parser(commands)
    _add_generate(commands)
    _add_ui(commands)
    return parser


def _add_generate(commands: Any) -> None:
    parser = commands.add_parser(
        "generate", help="make a picture", description="Plan a caption, or take a plan, and make the picture."
    )
    parser.set_defaults(run=generate)
    parser.add_argument("caption", nargs="?", default="", help="what the picture shall show")
    plan = parser.add_argument_group("plan", "Without --plan and --regions, the planner makes it from the caption.")
    plan_command.add_options(plan, model="--planner-model")
    plan.add_argument("--plan", type=Path, metavar="FILE", help="a plan as JSON, or a picture that carries one")
    plan.add_argument("--regions", nargs="+", metavar="PROMPT", help="region prompts, or one text with BREAK between them")
    plan.add_argument("--split-ratio", help="such as 1,1 or 1,1,1;2,1,1 (default with --regions: equal columns)")
    plan.add_argument("--base-prompt", help="describes the whole picture (default with --regions: the caption)")
    plan.add_argument("--base-ratio", type=float, help="share of the base prompt in every region, 0 to 1")
    steps = "share of the steps in which regions are denoised one by one, 0 to 1 (default: what suits the model)"
    plan.add_argument("--latent-ratio", type=float, help=steps)
    picture = parser.add_argument_group("picture", "Defaults suit the model.")
    _add_model(picture)
    picture.add_argument("--negative-prompt", metavar="TEXT")
    picture.add_argument("--seed", type=_whole(0), help="of the first picture; the next ones count up (default: random)")
    picture.add_argument("--width", type=_whole(8))
    picture.add_argument("--height", type=_whole(8))
    picture.add_argument("--steps", type=_whole(1))
    picture.add_argument("--guidance", type=float)
    picture.add_argument("--batch-size", type=_whole(1), default=1, help="number of pictures")
    picture.add_argument(
        "--output", type=Path, metavar="FILE", help="a .png file (default: in outputs/); the plan lies beside it"
    )


def _add_ui(commands: Any) -> None:
    parser = commands.add_parser("ui", help="serve the panel on a page of its own")
    parser.set_defaults(run=serve)
    _add_model(parser)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=_whole(0), default=7861, help="(default: %(default)s)")


def _add_model(parser: Any) -> None:
    parser.add_argument("--model", help="a .safetensors checkpoint or a diffusers folder (default: the embedded model of shapes)")


def _whole(least: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is below {least}")
        return value

    return whole_number


def generate(options: argparse.Namespace) -> None:
    """Make pictures and write the plan beside them."""
    output = options.output
    if output is not None and output.suffix.lower() != ".png":
        raise GenerationError(f"--output is {str(output)!r}; pictures carry their plan in a .png file.")
    plan = wanted_plan(options)
    loaded = _load(options.model)
    plan = plan.for_model(loaded.pipeline.latent_ratio)
    loaded.pipeline.set_progress_bar_config(desc="Generating")
    seed = random.randrange(2**32) if options.seed is None else options.seed
    pictures = loaded.pipeline.generate(
        plan,
        batch_size=options.batch_size,
        seed=seed,
        negative_prompt=options.negative_prompt,
        width=options.width or loaded.width,
        height=options.height or loaded.height,
        num_inference_steps=options.steps or loaded.steps,
        guidance_scale=loaded.guidance_scale if options.guidance is None else options.guidance,
    ).images
    paths = save(pictures, plan, output or Path("outputs", f"{_file_name(plan)}-{seed}.png"))
    print(f"seed:    {seed}")
    for path in paths[:-1]:
        print(f"picture: {path}")
    print(f"plan:    {paths[-1]}")


def wanted_plan(options: argparse.Namespace) -> Plan:
    """The plan that the options name, write out, or leave to the planner."""
    given = {name: value for name in ("split_ratio", "base_prompt", *RATIOS) if (value := getattr(options, name)) is not None}
    if options.plan and options.regions:
        raise PlanError("--plan and --regions were both given; keep one.")
    if options.regions:
        regions = options.regions[0] if len(options.regions) == 1 else options.regions
        return Plan.from_dict({"regions": regions, "caption": options.caption, **given})
    if options.plan:
        return replace(read_plan(options.plan), **given)
    if not options.caption.strip():
        raise PlanError("There is nothing to draw; give a caption, --plan or --regions.")
    return replace(plan_command.make(options), **given)


def read_plan(path: Path) -> Plan:
    """A plan from a JSON file or from a picture that carries one."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            text = picture.info.get(PNG_KEY)
    except UnidentifiedImageError:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise PlanError(f"{path} is neither a plan in JSON nor a picture.") from None
    if text is None:
        raise PlanError(f"{path} carries no plan; only pictures made by RPG do.")
    return Plan.from_json(text)


def save(pictures: Sequence[Any], plan: Plan, path: Path) -> list[Path]:
    """Write pictures and plan; ``path`` is the picture's, with a number for each if there are several.

    Returns:
        The pictures' paths, and the plan's as the last.
    """
    from PIL.PngImagePlugin import PngInfo

    path.parent.mkdir(parents=True, exist_ok=True)
    info = PngInfo()
    info.add_itxt(PNG_KEY, plan.to_json())
    names = [path] if len(pictures) == 1 else [path.with_stem(f"{path.stem}-{number}") for number in range(1, len(pictures) + 1)]
    for name, picture in zip(names, pictures):
        picture.save(name, pnginfo=info)
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps(plan.to_dict(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return [*names, beside]


def _file_name(plan: Plan) -> str:
    words = re.findall(r"\w+", plan.caption or plan.regions[0].prompt)
    return "-".join(words[:8])[:80].lower() or "picture"


def serve(options: argparse.Namespace) -> None:
    """Serve the panel until Ctrl-C."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from rpg.panel.app import Settings, build_app
    from rpg.pipelines.streaming import stream

    if not addresses.is_loopback(f"http://[{options.host}]" if ":" in options.host else f"http://{options.host}"):
        trust.serve_others()
    loaded = _load(options.model)
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
    build_app(pictures, defaults).queue(concurrency_count=8).launch(
        server_name=options.host, server_port=options.port, show_api=False
    )


def _load(model: str | None) -> Any:
    print(f"Loading {model or 'the embedded model of shapes'}", file=sys.stderr)
    from rpg.pipelines.loading import load

    quiet = import_module("diffusers.utils.logging")
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()
    import_module("transformers.utils.logging").set_verbosity_error()
    if model is None:
        import_module("torch").set_num_threads(1)  # so small that threads wait for one another, minutes on a busy machine
    return load(model)
