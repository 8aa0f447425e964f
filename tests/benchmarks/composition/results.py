"""Scores that are made when first asked for, by several processes, and kept in a file for each model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tqdm import tqdm

from rpg import shapes
from rpg.pipelines.loading import load
from tests.benchmarks.composition.cases import Case
from tests.benchmarks.composition.methods import Settings, picture
from tests.benchmarks.composition.scores import Scores, score
from tests.benchmarks.composition.webui import OURS_THERE, REGIONAL_PROMPTER, InWebui

NAMES = {field.name for field in fields(Scores)}


class Results:
    """
    Args:
        pool: makes the pictures.
        model: a checkpoint; None for the embedded one.
        folder: of the files.
    """

    def __init__(self, pool: Executor, model: str | None, folder: Path) -> None:
        self.pool, self.model = pool, model
        self.webui: InWebui | None = None
        file = Path(model or shapes.CHECKPOINT)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
        self.model_name = f"{file.name} {digest}"
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"{digest}.jsonl"
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        rows = [row for row in map(json.loads, lines) if row["scores"].keys() == NAMES]  # not those of an earlier program
        self.known = {(row["settings"], row["prompt"], row["seed"]): Scores(**row["scores"]) for row in rows}

    def of(self, settings: Settings, drawn: list[Case]) -> list[Scores]:
        label = json.dumps(asdict(settings))
        keys = [(label, case.caption, seed) for seed, case in enumerate(drawn)]
        missing = {key: drawn[key[-1]] for key in keys if key not in self.known}
        pictures = self.pictures(settings, [(seed, case) for (*_, seed), case in missing.items()])
        for image, (key, case) in zip(tqdm(pictures, describe(settings), len(missing), mininterval=5), missing.items()):
            self.known[key] = score(case, image)
            row = dict(zip(("settings", "prompt", "seed"), key)) | {"scores": asdict(self.known[key])}
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        return [self.known[key] for key in keys]

    def pictures(self, settings: Settings, drawn: Sequence[tuple[int, Case]]) -> Iterator[Image.Image]:
        """Of the cases with their seeds, in order."""
        if self.webui and settings.method in (OURS_THERE, REGIONAL_PROMPTER):
            return (self.webui.picture(case, settings, seed) for seed, case in drawn)
        return self.pool.map(_picture, *zip(*((self.model, settings, seed, case) for seed, case in drawn))) if drawn else iter(())


@cache
def _pipeline(model: str | None) -> Any:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    pipe = load(model).pipeline
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _picture(model: str | None, settings: Settings, seed: int, case: Case) -> Image.Image:
    return picture(_pipeline(model), case, settings, seed)


def describe(settings: Settings) -> str:
    """What differs from the defaults."""
    usual = asdict(Settings(settings.method))
    return ", ".join([settings.method, *(f"{name} {value}" for name, value in asdict(settings).items() if value != usual[name])])
