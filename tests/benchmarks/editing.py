"""``python -m tests.benchmarks.editing``: what rounds of repair make of the composition benchmark's pictures.

The judge scores them, beside the critic's best of as many new pictures; and it says how often edits of each kind succeed. The
critic is another program than the judge.

Every row is written down at once, so the same command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any

import numpy as np
import torch
from PIL import Image

from rpg.editing.checklist import Checklist
from rpg.editing.critic import Critic
from rpg.editing.instructions import operations_of
from rpg.editing.loop import Limits, Refined, refine
from rpg.editing.operations import OPERATION_KINDS
from rpg.editing.reading import checklist_of
from rpg.editing.repaint import repaint
from rpg.editing.shapes_critic import ShapesCritic
from rpg.pipelines.loading import load
from rpg.pipelines.painter import PipelinePainter
from rpg.plan import Plan, Region
from rpg.shapes import GUIDANCE_SCALE
from rpg.shapes.training.scenes import COLOURS, SHAPES
from tests.benchmarks.composition.cases import Case, cases
from tests.benchmarks.composition.judge import read
from tests.benchmarks.composition.methods import OURS, PLAIN, Settings, base_ratio, picture
from tests.benchmarks.composition.scores import score
from tests.editing.painters import Erring

SIZE = (256, 128)
FAR = 1000
"""Between the seeds of different purposes."""
OPTIONS = {"num_inference_steps": 20, "guidance_scale": GUIDANCE_SCALE}


COLUMNS = ("first", "refined", "erring", "same way", "latent ratio", "rounds", "looks", "work")
STARTS = {"attention alone": Settings(OURS), "plain prompt": Settings(PLAIN)}
"""How the pictures are made that the loop begins with."""
ERRING = 0.1
"""Share of the answers of the worse critic that are wrong."""


class Counting:
    """A painter that counts what it denoises, in whole pictures, and paints each new picture once."""

    def __init__(self, painter: PipelinePainter) -> None:
        self.painter, self.work = painter, 0.0
        self.drawn: dict[int, Image.Image] = {}

    def generate(self, plan: Plan, seed: int) -> Image.Image:
        self.work += 1
        if seed not in self.drawn:
            self.drawn[seed] = self.painter.generate(plan, seed)
        return self.drawn[seed]

    def repaint(self, picture: Image.Image, mask: Image.Image, plan: Plan, strength: float, seed: int) -> Image.Image:
        self.work += strength
        return self.painter.repaint(picture, mask, plan, strength, seed)


def refined(pipeline: Any, case: Case, seed: int, rounds: int) -> dict[str, Any]:
    """For each start what the judge says of it, of what the loop makes of it, and of the critic's best of as many other pictures:
    drawn in the same way as the first, and drawn at the model's own latent ratio."""
    size = case.arrangement.width, case.arrangement.height
    painter = Counting(PipelinePainter(pipeline, size, OPTIONS))
    row: dict[str, Any] = {}
    for start, settings in STARTS.items():
        plan = replace(case.plan(base_ratio(case, settings)), latent_ratio=None)
        checklist = checklist_of(plan)
        first = picture(pipeline, case, settings, seed)
        painter.work = 0

        def loop(critic: Critic, plan: Plan = plan, checklist: Checklist = checklist, first: Image.Image = first) -> Refined:
            return refine(first, plan, checklist, critic, painter, seed=seed + FAR, limits=Limits(rounds))

        done = loop(ShapesCritic())
        work = painter.work
        same = [picture(pipeline, case, settings, seed + 2 * FAR + number) for number in range(len(done.rounds))]
        drawn = [painter.generate(plan, seed + FAR + 1 + number) for number in range(len(done.rounds))]
        row[start] = {
            "first": score(case, first).all_correct,
            "refined": score(case, done.picture).all_correct,
            "erring": score(case, loop(Erring(ShapesCritic(), ERRING, seed)).picture).all_correct,
            "same way": score(case, best(checklist, [first, *same])).all_correct,
            "latent ratio": score(case, best(checklist, [first, *drawn])).all_correct,
            "rounds": len(done.rounds),
            "looks": done.calls,
            "work": work,
            "actions": [item.operation.kind if item.operation else item.action for item in done.rounds],
            "critic": not done.verdict.failed,
        }
    return row


def best(checklist: Checklist, pictures: list[Image.Image]) -> Image.Image:
    """The picture of which the critic passes most; of several the first."""
    return max(pictures, key=lambda item: len(ShapesCritic().check(item, checklist).passed))


def edited(pipeline: Any, kind: str, seed: int, regions: bool) -> dict[str, Any]:
    """An instruction on one of the model's pictures: whether the judge finds what it asks for, and all else is as before."""
    rng = Random(f"{kind} {seed}")
    first, second, new = ((colour, rng.choice(list(SHAPES))) for colour in rng.sample(list(COLOURS), 3))
    if first[1] == second[1]:
        second = second[0], rng.choice([shape for shape in SHAPES if shape != first[1]])
    background = rng.choice(["white", "gray", "pink"])
    plan = Plan(tuple(Region(f"a {' '.join(kind)} on a {background} background") for kind in (first, second)), "1,1")
    painter = PipelinePainter(pipeline, SIZE, OPTIONS)
    tries = (painter.generate(plan, FAR * seed + number) for number in count())
    start = next(made for made in tries if Counter(item.kind for item in read(made)) == Counter([first, second]))
    named = f"the {' '.join(first)}"
    instruction, wanted = {
        "add": (f"add a {' '.join(new)} in the middle", [first, second, new]),
        "remove": (f"remove {named}", [second]),
        "replace": (f"replace {named} with a {' '.join(new)}", [new, second]),
        "recolour": (f"make {named} {new[0]}", [(new[0], first[1]), second]),
        "move": (f"move {named} to the middle", [first, second]),
    }[kind]
    (operation,) = operations_of(instruction, start, ShapesCritic())
    made = repaint(operation, start, painter, seed, plan=plan if regions else None)
    found = read(made.picture)
    right = Counter(item.kind for item in found) == Counter(wanted)
    if kind == "move":
        right = right and any(item.kind == first and 90 < item.centre[0] < 166 for item in found)
    outside = np.asarray(made.mask) == 0
    return {"right": right, "same outside": bool((np.asarray(made.picture) == np.asarray(start))[outside].all())}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.editing", description=__doc__)
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--edits", type=int, default=20, help="of each kind (%(default)s)")
    parser.add_argument("--file", type=Path, default=Path("outputs", "editing.jsonl"), help="of the results (%(default)s)")
    parser.add_argument("--without-regions", action="store_true", help="edit as if the picture's plan were not known")
    parser.add_argument("--only-report", action="store_true", help="of what is there")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    pipeline = load().pipeline
    pipeline.set_progress_bar_config(disable=True)
    options.file.parent.mkdir(parents=True, exist_ok=True)
    lines = options.file.read_text("utf-8").splitlines() if options.file.exists() else []
    known = {row["name"]: row for row in map(json.loads, lines)}
    tasks: dict[str, Any] = {
        f"edit {kind} {n}": (edited, kind, n, not options.without_regions)
        for n in range(options.edits)
        for kind in OPERATION_KINDS
    }
    tasks |= {f"loop {seed}": (refined, case, seed, options.rounds) for seed, case in enumerate(cases(options.prompts))}
    for name, (task, *arguments) in tasks.items():
        if name not in known and not options.only_report:
            known[name] = {"name": name, **task(pipeline, *arguments)}
            with options.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(known[name]) + "\n")
    report([known[name] for name in tasks if name in known])


def report(rows: list[dict[str, Any]]) -> None:
    """Print tables in Markdown."""
    for kind in OPERATION_KINDS:
        edits = [row for row in rows if row["name"].startswith(f"edit {kind} ")]
        right, same = (sum(row[column] for row in edits) for column in ("right", "same outside"))
        print(f"| {kind} | {right} of {len(edits)} | {same} of {len(edits)} |")
    loops = [row for row in rows if row["name"].startswith("loop ")]
    print(f"\n{len(loops)} prompts")
    for start in STARTS if loops else ():
        cells = [f"{mean(row[start][column] for row in loops):.3f}" for column in COLUMNS]
        print(f"| {start} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
