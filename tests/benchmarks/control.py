"""``python -m tests.benchmarks.control``: does a picture keep the outlines of its control, and what is bound, with regions
and without.

The prompts and layouts are those of the composition benchmark. An object of its own kind is drawn in every region, and the
ControlNet of the embedded model is given the drawing's outlines, or its silhouettes as depth. Intersection over union
compares each drawn object's pixels with those of the object in the picture that covers most of them, whatever its colour.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from rpg import shapes
from rpg.areas.layout import Layout
from rpg.inputs import Control, Inputs
from rpg.pipelines.inputs import prepare
from rpg.plan import DEFAULT_BASE_RATIO, Plan, Region
from rpg.shapes.training import hints
from rpg.shapes.training.scenes import SMALLEST, ColouredShape, Scene
from tests.benchmarks.composition.cases import Case, cases
from tests.benchmarks.composition.judge import Found, read
from tests.benchmarks.composition.results import _pipeline
from tests.benchmarks.composition.scores import score

STEPS = 20
SIZES = (0.42, 0.6)
"""Of objects, in shares of the shorter side of their regions: the model draws no larger single objects."""
METHODS = ("no control", "control alone", "control, regions by attention", "control, regions with latent steps")
HINTS = {"canny": hints.canny, "depth": hints.silhouettes}


@dataclass(frozen=True)
class Result:
    picture: Image.Image
    overlap: float
    """Intersection over union, mean of the drawn objects."""
    binding: float
    all_correct: float
    seconds: float
    """Of the processor, for a step."""


def drawn(case: Case, seed: int) -> Scene:
    """An object of every region's kind somewhere in it."""
    rng = Random(f"control {seed}")
    width, height = case.arrangement.width, case.arrangement.height
    things = []
    for (colour, shape), box in zip(case.kinds, Layout.parse(case.arrangement.split_ratio).boxes, strict=True):
        wide, high = (box.right - box.left) * width, (box.bottom - box.top) * height
        size = max(SMALLEST, min(wide, high) * rng.uniform(*SIZES))
        slack_x, slack_y = ((length - size) / 2 - 3 for length in (wide, high))
        x = box.left * width + wide / 2 + rng.uniform(-slack_x, slack_x)
        y = box.top * height + high / 2 + rng.uniform(-slack_y, slack_y)
        things.append(ColouredShape(colour, shape, x, y, size))
    return Scene(width, height, case.background or "white", tuple(things))


def overlap(scene: Scene, found: Sequence[Found]) -> float:
    shares = []
    for thing in scene.things:
        wanted = np.asarray(hints.silhouettes(replace(scene, things=(thing,)))) > 127
        best = max((one.pixels for one in found), key=lambda pixels: (pixels & wanted).sum(), default=np.zeros_like(wanted))
        shares.append((best & wanted).sum() / (best | wanted).sum())
    return float(np.mean(shares))


def made(method: str, kind: str, scale: float, seed: int, case: Case) -> Result:
    scene = drawn(case, seed)
    pipe, options = _controlled(_pipeline(None), HINTS[kind](scene), scale if method != METHODS[0] else 0.0)
    plan = case.plan(DEFAULT_BASE_RATIO if case.same_class else 0.0)
    if method in METHODS[:2]:
        plan = Plan((Region(case.caption),), "1", base_prompt=case.caption, base_ratio=1)
    plan = replace(plan, latent_ratio=shapes.LATENT_RATIO if method == METHODS[3] else 0)
    size = {"width": scene.width, "height": scene.height}
    began = time.process_time()
    picture = pipe.generate(
        plan, seed=seed, num_inference_steps=STEPS, guidance_scale=shapes.GUIDANCE_SCALE, **size, **options
    ).images[0]
    seconds = (time.process_time() - began) / STEPS
    scores = score(case, picture)
    return Result(picture, overlap(scene, read(picture)), scores.binding, scores.all_correct, seconds)


@cache
def _prepared(pipe: Any) -> Any:
    hint = Image.new("RGB", (64, 64))
    made, _ = prepare(pipe, Inputs((Control(None, hint, 1.0),)))
    made.set_progress_bar_config(disable=True)
    return made


def _controlled(pipe: Any, hint: Image.Image, scale: float) -> tuple[Any, dict[str, Any]]:
    return _prepared(pipe), {"image": hint.convert("RGB"), "controlnet_conditioning_scale": scale}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.control", description=__doc__)
    parser.add_argument("methods", nargs="*", default=list(METHODS), help=f"of {', '.join(METHODS)}")
    parser.add_argument("--prompts", type=int, default=100)
    parser.add_argument("--kind", choices=list(HINTS), default="canny")
    parser.add_argument("--scale", type=float, default=1.0, help="of the control (%(default)g)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="one thread each (%(default)s)")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="a picture of the hints and pictures of the first prompts")
    options = parser.parse_args()
    prompts = cases(options.prompts)
    print(f"{options.kind}, {len(prompts)} prompts\n")
    print("| method | intersection over union | binding | all correct | CPU seconds a step |\n|---|---|---|---|---|")
    rows = []
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        for method in options.methods:
            results = list(pool.map(partial(made, method, options.kind, options.scale), range(len(prompts)), prompts))
            means = [np.mean([getattr(one, name) for one in results]) for name in ("overlap", "binding", "all_correct")]
            cost = np.median([one.seconds for one in results])
            print(f"| {method} | {' | '.join(f'{mean:.3f}' for mean in means)} | {cost:.3f} |", flush=True)
            rows.append(results)
    if options.sheet:
        _sheet(options.kind, prompts, rows).save(options.sheet, optimize=True)


def _sheet(kind: str, prompts: Sequence[Case], rows: Sequence[Sequence[Result]]) -> Image.Image:
    """Hints above the pictures of each method; a red cross marks what is not all correct."""
    numbers = [number for number, case in enumerate(prompts) if case.arrangement.height < 200][:8]
    across = sum(prompts[number].arrangement.width + 8 for number in numbers)
    sheet = Image.new("RGB", (across, 136 * (len(rows) + 1)), "white")
    left = 0
    for number in numbers:
        case = prompts[number]
        sheet.paste(HINTS[kind](drawn(case, number)).convert("RGB"), (left, 0))
        for row, results in enumerate(rows, 1):
            sheet.paste(results[number].picture, (left, 136 * row))
            if results[number].all_correct < 1:
                lines = ImageDraw.Draw(sheet)
                lines.line((left + 4, 136 * row + 4, left + 14, 136 * row + 14), fill="red", width=2)
                lines.line((left + 4, 136 * row + 14, left + 14, 136 * row + 4), fill="red", width=2)
        left += case.arrangement.width + 8
    return sheet


if __name__ == "__main__":
    main()
