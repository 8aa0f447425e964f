"""``python -m tests.benchmarks.editing``: what rounds of repair make of the composition benchmark's pictures.

The judge scores them, beside the critic's best of as many new pictures; and it says how often edits of each kind succeed.

Every row is written down at once, so the same command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from PIL import Image

from rpg.editing.instructions import operations_of
from rpg.editing.loop import Limits, refine
from rpg.editing.operations import OPERATIONS
from rpg.editing.reading import checklist_of
from rpg.editing.repaint import repaint
from rpg.editing.shapes_critic import ShapesCritic
from rpg.pipelines.loading import load
from rpg.pipelines.painter import PipelinePainter
from rpg.shapes import GUIDANCE_SCALE
from rpg.shapes.training.scenes import COLOURS, SHAPES, Scene, Thing, draw
from tests.benchmarks.composition.cases import Case, cases
from tests.benchmarks.composition.judge import read
from tests.benchmarks.composition.methods import OURS, Settings, base_ratio
from tests.benchmarks.composition.scores import score

SIZE = (256, 128)
OPTIONS = {"num_inference_steps": 20, "guidance_scale": GUIDANCE_SCALE}


class Pixels:
    """A painter that counts the pixels which it denoises, as a share of the whole picture and of all the steps."""

    def __init__(self, painter: PipelinePainter) -> None:
        self.painter, self.work = painter, 0.0

    def generate(self, *arguments: Any) -> Image.Image:
        self.work += 1
        return self.painter.generate(*arguments)

    def repaint(self, picture: Image.Image, mask: Image.Image, plan: Any, strength: float, seed: int) -> Image.Image:
        self.work += strength
        return self.painter.repaint(picture, mask, plan, strength, seed)


def refined(pipeline: Any, case: Case, seed: int, rounds: int) -> dict[str, Any]:
    """The judge's scores before and after, and of the critic's best of as many pictures drawn in the same way as the first."""
    plan = replace(case.plan(base_ratio(case, Settings(OURS))), latent_ratio=0)
    size = case.arrangement.width, case.arrangement.height
    painter, critic, checklist = Pixels(PipelinePainter(pipeline, size, OPTIONS)), ShapesCritic(), checklist_of(plan)
    first = painter.painter.generate(plan, seed)
    done = refine(first, plan, checklist, critic, painter, seed=seed + 1000, limits=Limits(rounds))
    best, verdict = first, done.first
    for number in range(len(done.rounds)):
        other = painter.painter.generate(plan, seed + 2000 + number)
        found = critic.check(other, checklist)
        if len(found.passed) > len(verdict.passed):
            best, verdict = other, found
    return {
        "first": score(case, first).all_correct,
        "refined": score(case, done.picture).all_correct,
        "best of as many": score(case, best).all_correct,
        "rounds": len(done.rounds),
        "work": painter.work,
        "actions": [item.operation.kind if item.operation else item.action for item in done.rounds],
        "critic": not done.verdict.failed,
    }


def edited(pipeline: Any, kind: str, seed: int) -> dict[str, Any]:
    """An instruction on a drawn picture: whether the judge finds what it asks for, and whether all else is as before."""
    rng = Random(f"{kind} {seed}")
    first, second, new = ((colour, rng.choice(list(SHAPES))) for colour in rng.sample(list(COLOURS), 3))
    if first[1] == second[1]:
        second = second[0], rng.choice([shape for shape in SHAPES if shape != first[1]])
    things = (
        Thing(*first, 46, rng.randint(50, 78), rng.randint(44, 60)),
        Thing(*second, 210, rng.randint(50, 78), rng.randint(44, 60)),
    )
    picture = draw(Scene(*SIZE, rng.choice(["white", "gray", "pink"]), things))
    named = f"the {' '.join(first)}"
    instruction, wanted = {
        "add": (f"add a {' '.join(new)} in the middle", [first, second, new]),
        "remove": (f"remove {named}", [second]),
        "replace": (f"replace {named} with a {' '.join(new)}", [new, second]),
        "recolour": (f"make {named} {new[0]}", [(new[0], first[1]), second]),
        "move": (f"move {named} to the middle", [first, second]),
    }[kind]
    (operation,) = operations_of(instruction, picture, ShapesCritic())
    made = repaint(operation, picture, PipelinePainter(pipeline, SIZE, OPTIONS), seed)
    found = read(made.picture)
    right = Counter(item.kind for item in found) == Counter(wanted)
    if kind == "move":
        right = right and any(item.kind == first and 90 < item.centre[0] < 166 for item in found)
    outside = np.asarray(made.mask) == 0
    return {"right": right, "same outside": bool((np.asarray(made.picture) == np.asarray(picture))[outside].all())}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.editing", description=__doc__)
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--edits", type=int, default=20, help="of each kind (%(default)s)")
    parser.add_argument("--file", type=Path, default=Path("outputs", "editing.jsonl"), help="of the results (%(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    pipeline = load().pipeline
    pipeline.set_progress_bar_config(disable=True)
    options.file.parent.mkdir(parents=True, exist_ok=True)
    lines = options.file.read_text("utf-8").splitlines() if options.file.exists() else []
    known = {row["name"]: row for row in map(json.loads, lines)}
    tasks: dict[str, Any] = {f"edit {kind} {n}": (edited, kind, n) for n in range(options.edits) for kind in OPERATIONS}
    tasks |= {
        f"{seed}, {options.rounds} rounds": (refined, case, seed, options.rounds)
        for seed, case in enumerate(cases(options.prompts))
    }
    for name, (task, *arguments) in tasks.items():
        if name not in known:
            known[name] = {"name": name, **task(pipeline, *arguments)}
            with options.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(known[name]) + "\n")
    rows = [known[name] for name in tasks]
    for kind in OPERATIONS:
        edits = [row for row in rows if row["name"].startswith(f"edit {kind} ")]
        right, same = (sum(row[column] for row in edits) for column in ("right", "same outside"))
        print(f"{kind:9} right {right} of {len(edits)}, nothing else changed in {same}")
    loops = [row for row in rows if "first" in row]
    for column in ("first", "refined", "best of as many", "rounds", "work"):
        print(f"{column:16} {sum(row[column] for row in loops) / max(len(loops), 1):.3f}")


if __name__ == "__main__":
    main()
