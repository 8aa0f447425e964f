"""``python -m rpg generate``: make pictures on the command line."""

from __future__ import annotations

import argparse
import random
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from rpg.cli import plan_command
from rpg.cli.common import add_model, load, whole
from rpg.cli.editing_options import Refiner, add_refining
from rpg.cli.files import read_plan, read_remake, save
from rpg.cli.inputs import InputOptions, add_inputs
from rpg.errors import GenerationError, PlanError
from rpg.infotext import Infotext
from rpg.plan import RATIOS, Plan

WRITTEN = ("split_ratio", "base_prompt", "common_prompt")
"""Options that are texts of a plan."""


def add_parser(commands: Any) -> None:
    """Add the command ``generate``."""
    parser = commands.add_parser(
        "generate", help="make a picture", description="Plan a caption, or take a plan, and make the picture."
    )
    parser.set_defaults(run=generate)
    parser.add_argument("caption", nargs="?", default="", help="what the picture shall show")
    plan = parser.add_argument_group("plan", "Without --plan, --regions and --remake, the planner makes it from the caption.")
    plan_command.add_options(plan, model="--planner-model", image="--planner-image")
    plan.add_argument(
        "--plan", type=Path, metavar="FILE", help="a plan as JSON, or a picture that carries one, of which only the plan is used"
    )
    plan.add_argument("--regions", nargs="+", metavar="PROMPT", help="region prompts, or one text with BREAK between them")
    plan.add_argument("--split-ratio", help="such as 1,1 or 1,1,1;2,1,1 (default with --regions: equal columns)")
    plan.add_argument("--base-prompt", help="describes the whole picture (default with --regions: the caption)")
    plan.add_argument("--base-ratio", type=float, help="share of the base prompt in every region, 0 to 1")
    steps = "share of the steps in which regions are denoised one by one, 0 to 1 (default: what suits the model)"
    plan.add_argument("--latent-ratio", type=float, help=steps)
    picture = parser.add_argument_group("picture", "Defaults suit the model.")
    picture.add_argument(
        "--remake",
        type=Path,
        metavar="PICTURE",
        help="a picture made by RPG, here or in the webui: its plan, negative prompt, seed, size, steps and guidance, "
        "where other options do not say otherwise",
    )
    add_model(picture)
    picture.add_argument("--negative-prompt", metavar="TEXT")
    picture.add_argument("--seed", type=whole(0), help="of the first picture; the next ones count up (default: random)")
    picture.add_argument("--width", type=whole(8))
    picture.add_argument("--height", type=whole(8))
    picture.add_argument("--steps", type=whole(1))
    picture.add_argument("--guidance", type=float)
    picture.add_argument("--batch-size", type=whole(1), default=1, help="number of pictures")
    add_inputs(parser.add_argument_group("pictures to start from or to follow", "Regions lie in the whole picture."))
    add_refining(parser.add_argument_group("repair", "Of pictures from noise, after they are made."))
    picture.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="a .png file (default: in outputs/); it carries the plan and the settings as the webui's pictures do, and the plan "
        "lies beside it",
    )


def generate(options: argparse.Namespace) -> None:
    """Make pictures and write the plan beside them."""
    output = options.output
    if output is not None and output.suffix.lower() != ".png":
        raise GenerationError(f"--output is {str(output)!r}; pictures carry their plan in a .png file.")
    former, former_plan = read_remake(options.remake) if options.remake else (Infotext(""), None)
    inputs = InputOptions(options)
    plan = wanted_plan(options, former_plan)
    if options.refine and inputs:
        raise GenerationError("--refine draws pictures again from noise; leave it out with --image and --control.")
    refiner = Refiner(options, plan) if options.refine else None
    loaded = load(options)
    plan = plan.for_model(loaded.pipeline.latent_ratio)
    negative_prompt = _first(options.negative_prompt, former.negative_prompt or None)
    seed = _first(options.seed, former.seed, random.randrange(2**32))
    fitting = inputs.size(options.width, options.height, loaded.width * loaded.height)
    width, height = former.size or fitting or (loaded.width, loaded.height)
    width, height = _first(options.width, width), _first(options.height, height)
    steps = _first(options.steps, former.steps, loaded.steps)
    made = Infotext(
        plan.main_prompt,
        negative_prompt or "",
        steps=steps,
        sampler=loaded.sampler,
        guidance_scale=_first(options.guidance, former.guidance_scale, loaded.guidance_scale),
        seed=seed,
        size=(width, height),
        model_hash=loaded.model_hash,
        model=loaded.name,
        rng="CPU",
        plan=plan,
    )
    output = output or Path("outputs", f"{_file_name(plan)}-{seed}.png")
    pipeline, given = loaded.pipeline, {"width": width, "height": height}
    if inputs:
        pipeline, given = inputs.prepare(pipeline, (width, height), steps)
        made = replace(made, denoising_strength=given.get("strength"))
        for path in inputs.save_hints(output):
            print(f"control: {path}")
    _warn(former, made)
    pipeline.set_progress_bar_config(desc="Generating")
    pictures = pipeline.generate(
        plan,
        batch_size=options.batch_size,
        seed=seed,
        negative_prompt=negative_prompt,
        num_inference_steps=steps,
        guidance_scale=made.guidance_scale,
        **given,
    ).images
    infotexts = [replace(made, seed=seed + number) for number in range(len(pictures))]
    sheets: list[Any] = []
    if refiner:
        refined = [refiner.refine(picture, infotext, loaded) for picture, infotext in zip(pictures, infotexts)]
        pictures, infotexts, sheets = [list(column) for column in zip(*refined)]
    paths = save(pictures, infotexts, output)
    print(f"seed:    {seed}")
    for path in paths[:-1]:
        print(f"picture: {path}")
    for path, sheet in zip(paths, sheets):
        if sheet:
            sheet.save(beside := path.with_stem(f"{path.stem}-rounds"))
            print(f"rounds:  {beside}")
    print(f"plan:    {paths[-1]}")


def wanted_plan(options: argparse.Namespace, former: Plan | None = None) -> Plan:
    """The plan that the options name, write out, or leave to the planner; ``former`` is that of the picture to make again."""
    given = {name: value for name in (*WRITTEN, *RATIOS) if (value := getattr(options, name)) is not None}
    sources = [name for name in ("remake", "plan", "regions") if getattr(options, name)]
    if len(sources) > 1:
        raise PlanError(f"--{sources[0]} and --{sources[1]} were both given; keep one.")
    if options.regions:
        regions = options.regions[0] if len(options.regions) == 1 else options.regions
        return Plan.from_dict({"regions": regions, "caption": options.caption, **given})
    if former is not None:
        return replace(former, **given)
    if options.plan:
        return replace(read_plan(options.plan), **given)
    if not options.caption.strip():
        raise PlanError("There is nothing to draw; give a caption, --plan or --regions.")
    return replace(plan_command.make(options), **given)


def _warn(former: Infotext, made: Infotext) -> None:
    """Say what a picture that is made again will not have in common with the former one."""
    if former.sampler not in (None, made.sampler):
        print(f"The picture was made with the sampler {former.sampler}; this one is made with {made.sampler}.", file=sys.stderr)
    if former.refined:
        print("The picture was repaired after it was made; this one begins as that one did.", file=sys.stderr)
    if former.model_hash not in (None, made.model_hash):
        print(f"The picture was made with the model {former.model}; this one is made with {made.model}.", file=sys.stderr)
    if former.denoising_strength is not None and made.denoising_strength is None:
        print("The picture was made from another one, or in two passes; this one is made from noise.", file=sys.stderr)


def _first(*values: Any) -> Any:
    """The first value that is given, if any."""
    return next((value for value in values if value is not None), None)


def _file_name(plan: Plan) -> str:
    words = re.findall(r"\w+", plan.caption or plan.regions[0].prompt)
    return "-".join(words[:8])[:80].lower() or "picture"
