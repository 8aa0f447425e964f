"""``python -m tests.benchmarks.composition``: how often each object gets its own colour, shape and place, in numbers.

Every picture's scores are written down at once, so the same command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from rpg import shapes
from rpg.pipelines.loading import load
from tests.benchmarks.composition import report
from tests.benchmarks.composition.cases import Case, cases
from tests.benchmarks.composition.judge import read
from tests.benchmarks.composition.methods import METHODS, OURS, PLAIN, Settings, picture
from tests.benchmarks.composition.scores import Scores, score
from tests.benchmarks.composition.webui import METHODS_THERE, InWebui

SWEEPS = {
    "base ratio": [Settings(OURS, base_ratio=ratio) for ratio in (0.0, 0.2, 0.4, 0.6, 0.8)],
    "guidance": [Settings(method, guidance=guidance) for method in (PLAIN, OURS) for guidance in (2.0, 4.0, 6.0, 8.0)],
    "steps with regions": [
        *(Settings(OURS, last=last) for last in (0.25, 0.5, 0.75, 1.0)),
        *(Settings(OURS, first=first) for first in (0.1, 0.25)),
    ],
    "layers with regions": [Settings(OURS, layers=layers) for layers in ("all", "fine", "coarse")],
    "soft edges": [Settings(OURS, feather=share) for share in (0.0, 0.15, 0.3)],
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.composition", description=__doc__)
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--sweep-prompts", type=int, default=60, help="each sweep takes the first of them (%(default)s)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--model", help="a checkpoint instead of the embedded one")
    parser.add_argument("--regional-prompter", type=Path, help="its folder: compare with it, both in the webui in $WEBUI")
    parser.add_argument("--folder", type=Path, default=Path("outputs", "composition"), help="of the scores (%(default)s)")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="of the table and the pictures (%(default)s)")
    options = parser.parse_args()
    if options.model and options.regional_prompter:
        parser.error("--regional-prompter compares on the embedded model: give no --model with it")
    torch.set_num_threads(options.threads)
    model = Path(options.model or shapes.CHECKPOINT)
    results = Results(load(options.model).pipeline, model, options.folder)
    drawn = cases(options.prompts)
    compared = {method: results.of(Settings(method), drawn) for method in METHODS}
    if options.regional_prompter:
        with InWebui(options.regional_prompter) as results.webui:
            compared |= {method: results.of(Settings(method), drawn) for method in METHODS_THERE}
    first = drawn[: options.sweep_prompts]
    sweeps = {name: [(settings, results.of(settings, first)) for settings in sweep] for name, sweep in SWEEPS.items()}
    setting = (
        f"{platform.machine()}, {options.threads} threads; Python {platform.python_version()}, torch {torch.__version__}; "
        f"model {model.name} {results.digest}"
    )
    report.write(options.docs, drawn, compared, sweeps, setting)
    drawable = {method: compared[method] for method in METHODS}
    report.examples(
        options.docs, drawn, drawable, lambda case, method: results.picture(Settings(method), drawn.index(case), case)
    )


class Results:
    """Scores by settings and prompt, made when first asked for and kept in a file for each model."""

    def __init__(self, pipe: Any, model: Path, folder: Path) -> None:
        self.pipe = pipe
        self.webui: Any = None
        pipe.set_progress_bar_config(disable=True)
        self.digest = hashlib.sha256(model.read_bytes()).hexdigest()[:8]
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"{self.digest}.jsonl"
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        self.known = {(row["settings"], row["prompt"], row["seed"]): Scores(**row["scores"]) for row in map(json.loads, lines)}

    def of(self, settings: Settings, drawn: list[Case]) -> list[Scores]:
        label = json.dumps(asdict(settings))
        scores = []
        for seed, case in enumerate(tqdm(drawn, desc=describe(settings), mininterval=5)):
            key = (label, case.caption, seed)
            if key not in self.known:
                self.known[key] = score(case, read(self.picture(settings, seed, case)))
                row = dict(zip(("settings", "prompt", "seed"), key)) | {"scores": asdict(self.known[key])}
                with self.file.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
            scores.append(self.known[key])
        return scores

    def picture(self, settings: Settings, seed: int, case: Case) -> Any:
        if settings.method in METHODS_THERE:
            return self.webui.picture(case, settings, seed)
        return picture(self.pipe, case, settings, seed)


def describe(settings: Settings) -> str:
    """What differs from the defaults."""
    usual = asdict(replace(Settings(settings.method)))
    return ", ".join([settings.method, *(f"{name} {value}" for name, value in asdict(settings).items() if value != usual[name])])


if __name__ == "__main__":
    main()
