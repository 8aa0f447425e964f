"""``python -m rpg batch``: many prompts, continued where it was stopped."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from rpg.batch import jobs
from rpg.batch.batch import Batch
from rpg.batch.cluster import Cluster
from rpg.batch.folder import Folder
from rpg.batch.jobs import BatchJob, Defaults
from rpg.batch.webuis import BatchSettings, connect
from rpg.batch.workers import Makes
from rpg.cli import plan_command
from rpg.cli.common import add_model, whole
from rpg.cli.text_to_image import TextToImage
from rpg.errors import GenerationError
from rpg.plan import Plan, settings_of
from rpg.planners import PlanRequest, make_plan

CALLS = 4
"""Plans that are asked for at the same time."""
SIDE, STEPS, GUIDANCE, SAMPLER = 512, 20, 7.0, "Euler a"
"""Of pictures that webuis make: they do not tell what suits their model."""

Prepared = tuple[Defaults, Mapping[str, Any], Mapping[str, Makes]]
"""Sizes that suit the model, what pictures depend on beside their lines, and what makes them."""


def add_parser(commands: Any) -> None:
    """Add the command ``batch``."""
    parser = commands.add_parser(
        "batch",
        help="make many pictures",
        description="Plan and make a picture for each line of a file. What lies in the folder already is not made again: "
        "the same command goes on where it was stopped.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "prompts",
        type=Path,
        metavar="FILE",
        help="a line for each picture: a caption, or JSON with caption, plan or planner, negative_prompt, seed, width and height",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="gets the pictures, their plans and the failures"
    )
    plan = parser.add_argument_group("plans", "Of lines that bring none.")
    plan_command.add_options(plan, model="--planner-model")
    plan.add_argument(
        "--planner-calls",
        type=whole(1),
        default=CALLS,
        metavar="N",
        help="most plans asked for at the same time (default: %(default)s)",
    )
    picture = parser.add_argument_group("pictures", "Where a line does not say otherwise; defaults suit the model.")
    add_model(picture, "; for webuis the name of a checkpoint of theirs (default: the one that they have loaded)")
    picture.add_argument("--negative-prompt", default="", metavar="TEXT")
    picture.add_argument(
        "--seed", type=whole(0), default=0, help="of the first line; the next ones count up (default: %(default)s)"
    )
    picture.add_argument("--width", type=whole(8))
    picture.add_argument("--height", type=whole(8))
    picture.add_argument("--steps", type=whole(1))
    picture.add_argument("--guidance", type=float)
    webui = parser.add_argument_group("webuis", "They make the pictures instead of this machine.")
    webui.add_argument(
        "--webui", nargs="+", metavar="URL", help="addresses of webuis with this extension and --api; each makes what it can"
    )
    webui.add_argument("--sampler", metavar="NAME", help="as the webuis call it (default: Euler a)")
    ray = parser.add_argument_group("Ray", "A cluster makes the pictures; its machines need the package and the model, too.")
    ray.add_argument(
        "--ray",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="of the cluster, or auto for the one on this machine (default: RAY_ADDRESS, else one is started for the batch)",
    )
    ray.add_argument(
        "--workers",
        type=whole(1),
        metavar="N",
        help="processes in it (default: one for each GPU, or for each machine where there is none)",
    )


def run(options: argparse.Namespace) -> None:
    """Make what is not there yet.

    Raises:
        GenerationError: at the end, when some lines failed.
    """
    defaults = Defaults(
        plan_command.planner_of(options),
        options.seed,
        options.width or 0,
        options.height or 0,
        options.negative_prompt,
        plan_command.read_image(options.planner_image),
        settings_of(vars(options)),
    )
    for name in ("width", "height"):
        jobs.side(f"--{name}", getattr(options, name))
    total = jobs.check(options.prompts, defaults)
    if options.sampler and not options.webui:
        raise GenerationError("--sampler is for webuis; give their addresses with --webui, too.")
    if options.webui and options.ray is not None:
        raise GenerationError("There are both --webui and --ray; keep one.")
    if options.workers and options.ray is None:
        raise GenerationError("--workers is for a Ray cluster; give --ray, too.")
    prepare = _webuis if options.webui else _this_machine if options.ray is None else _ray
    with ExitStack() as stack:
        defaults, settings, makers = prepare(options, defaults, stack)
        folder = Folder(options.output, json.dumps(settings))
        wanted = partial(jobs.read, options.prompts, defaults)
        stack.enter_context(folder.opened())
        bar = stack.enter_context(_Bar(total, sum(map(folder.has, wanted()))))
        Batch(folder, _plan, options.planner_calls, makers, bar).run(wanted())
    print(f"pictures: {bar.count} of {total} in {folder.path}")
    if bar.failures:
        raise GenerationError(
            f"{bar.failures} of {total} lines failed; {folder.failures} says why. The same command tries them again."
        )


def _plan(request: PlanRequest, stopped: Callable[[], bool]) -> Plan:
    return make_plan(request, cancelled=stopped, attempts=1)


def _this_machine(options: argparse.Namespace, defaults: Defaults, _stack: ExitStack) -> Prepared:
    model = _loader(options)()
    return _sized(defaults, model.width, model.height), model.settings, {"this machine": model}


def _ray(options: argparse.Namespace, defaults: Defaults, stack: ExitStack) -> Prepared:
    cluster = stack.enter_context(Cluster(options.ray or None))
    about, workers = cluster.workers(options.workers, _loader(options))
    return _sized(defaults, about.width, about.height), about.settings, workers


def _loader(options: argparse.Namespace) -> Callable[[], TextToImage]:
    return partial(TextToImage, options.model, options.lora_folder, options.steps, options.guidance)


def _sized(defaults: Defaults, width: int, height: int) -> Defaults:
    return replace(defaults, width=defaults.width or width, height=defaults.height or height)


def _webuis(options: argparse.Namespace, defaults: Defaults, _stack: ExitStack) -> Prepared:
    guidance = GUIDANCE if options.guidance is None else options.guidance
    settings = BatchSettings(options.steps or STEPS, guidance, options.sampler or SAMPLER, options.model or "")
    webuis, model = connect(options.webui, settings, lambda sentence: print(sentence, file=sys.stderr))
    return (
        _sized(defaults, SIDE, SIDE),
        {"webui": True, **asdict(settings), "model": model},
        {webui.url: webui for webui in webuis},
    )


class _Bar:
    """Progress on the error output."""

    def __init__(self, total: int, count: int) -> None:
        self.count, self.failures, self._told = count, 0, ""
        self._bar = import_module("tqdm").tqdm(total=total, initial=count, unit="picture", desc="Batch")

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def made(self, job: BatchJob) -> None:
        self.count += 1
        self._bar.update()

    def failed(self, job: BatchJob, sentence: str) -> None:
        self.failures += 1
        self._bar.write(f"Line {job.line}: {sentence}", file=sys.stderr)

    def waits(self, sentence: str, seconds: float) -> None:
        line = f"{sentence} Asking again in {seconds:.0f} s."
        if line != self._told:
            self._bar.write(line, file=sys.stderr)
        self._told = line

    def lost(self, sentence: str) -> None:
        self._bar.write(f"{sentence} Going on without.", file=sys.stderr)
