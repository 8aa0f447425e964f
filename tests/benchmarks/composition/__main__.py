"""``python -m tests.benchmarks.composition``: how often each object gets its own colour, shape and place, in numbers.

Every picture's scores are written down at once, so the same command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import os
import platform
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch

from rpg.shapes import LATENT_RATIO
from tests.benchmarks.composition import report
from tests.benchmarks.composition.cases import cases, single_objects
from tests.benchmarks.composition.methods import DPM, EULER_A, OURS, PLAIN, PLANNED, PUBLISHED, Settings
from tests.benchmarks.composition.results import Results
from tests.benchmarks.composition.webui import THERE, InWebui

COMPARED = {
    PLAIN: Settings(PLAIN),
    OURS: Settings(OURS),
    f"{OURS}, latent ratio {LATENT_RATIO}": Settings(OURS, latent_ratio=LATENT_RATIO),
    f"{PLANNED}, latent ratio {LATENT_RATIO}": Settings(PLANNED, latent_ratio=LATENT_RATIO),
    PUBLISHED: Settings(PUBLISHED),
}
SWEEPS = {
    "latent ratio": [Settings(OURS, latent_ratio=ratio) for ratio in (0.0, 0.15, 0.3, 0.5, 0.7, 1.0)],
    "base ratio": [Settings(OURS, base_ratio=ratio) for ratio in (0.0, 0.2, 0.4, 0.6, 0.8)],
    "guidance": [Settings(method, guidance=guidance) for method in (PLAIN, OURS) for guidance in (2.0, 3.0, 4.0, 6.0)],
    "sampler": [
        Settings(method, latent_ratio=ratio, sampler=sampler)
        for method, ratio in ((PLAIN, 0.0), (OURS, LATENT_RATIO))
        for sampler in (EULER_A, DPM)
    ],
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
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="one thread each (%(default)s)")
    parser.add_argument("--model", help="a checkpoint instead of the embedded one")
    parser.add_argument("--regional-prompter", type=Path, help="its folder: compare with it, both in the webui in $WEBUI")
    parser.add_argument("--folder", type=Path, default=Path("outputs", "composition"), help="of the scores (%(default)s)")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="of the table and the pictures (%(default)s)")
    options = parser.parse_args()
    if options.model and options.regional_prompter:
        parser.error("--regional-prompter compares on the embedded model: give no --model with it")
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        run(options, Results(pool, options.model, options.folder))


def run(options: argparse.Namespace, results: Results) -> None:
    drawn = cases(options.prompts)
    alone = results.of(Settings(PLAIN), single_objects())
    compared = {label: results.of(settings, drawn) for label, settings in COMPARED.items()}
    first = drawn[: options.sweep_prompts]
    sweeps = {name: [(settings, results.of(settings, first)) for settings in sweep] for name, sweep in SWEEPS.items()}
    if options.regional_prompter:
        with InWebui(options.regional_prompter) as results.webui:
            sweeps["extension"] = [(settings, results.of(settings, first)) for settings in THERE]
    setting = (
        f"{platform.machine()}, {options.processes} processes; Python {platform.python_version()}, torch {torch.__version__}; "
        f"model {results.model_name}"
    )
    report.write(options.docs, drawn, compared, sweeps, alone=alone, setting=setting)
    report.examples(
        options.docs,
        drawn,
        compared,
        lambda case, label: next(results.pictures(COMPARED[label], [(drawn.index(case), case)])),
    )


if __name__ == "__main__":
    main()
