"""Scores of one picture, after T2I-CompBench (Huang et al., 2023): attributes, places, numbers; and its seams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import permutations
from statistics import mean

import numpy as np
from PIL import Image

from rpg.areas.layout import Layout
from tests.benchmarks.composition.cases import Case, Kind
from tests.benchmarks.composition.judge import Found, read
from tests.benchmarks.composition.seams import seam


@dataclass(frozen=True)
class Scores:
    """Each from 0 to 1 but the last; None where a prompt does not ask for it."""

    colour: float
    """Share of the named colours that some object has; each object counts once."""
    shape: float
    binding: float
    """Share of the named objects that are there with their own colour and their own shape."""
    spatial: float | None
    """Share of the stated relations that hold between the objects named."""
    counting: float
    """1 if there are as many objects as named."""
    all_correct: float
    """1 if everything above is 1."""
    seam: float | None
    """See :func:`tests.benchmarks.composition.seams.seam`; None where the prompt names a background."""


SHARES = [field.name for field in fields(Scores) if field.name != "seam"]


def score(case: Case, picture: Image.Image) -> Scores:
    kinds, found = case.kinds, read(picture)
    binding = _share([item.kind for item in found], kinds)
    spatial = _spatial(case, found)
    counting = float(len(found) == len(kinds))
    return Scores(
        colour=_share([item.colour for item in found], [colour for colour, _ in kinds]),
        shape=_share([item.shape for item in found], [shape for _, shape in kinds]),
        binding=binding,
        spatial=spatial,
        counting=counting,
        all_correct=float(binding == counting == 1 and spatial in (None, 1)),
        seam=None if case.background else seam(picture, Layout.parse(case.arrangement.split_ratio)),
    )


def _share(found: Sequence[object], wanted: Sequence[object]) -> float:
    return (Counter(found) & Counter(wanted)).total() / len(wanted)


def _spatial(case: Case, found: Sequence[Found]) -> float | None:
    """Objects of one kind may stand for each other: the best of their orders counts."""
    if not case.relations:
        return None
    of_kind: dict[Kind, list[Found]] = {kind: [item for item in found if item.kind == kind] for kind in set(case.kinds)}

    def holding(choice: dict[int, Found]) -> float:
        return mean(
            float(first in choice and second in choice and choice[first].centre[axis] < choice[second].centre[axis])
            for axis, first, second in case.relations
        )

    choices: list[dict[int, Found]] = [{}]
    for kind, items in of_kind.items():
        places = [index for index, other in enumerate(case.kinds) if other == kind]
        orders = list(permutations(items, min(len(places), len(items))))[:120]
        choices = [choice | dict(zip(places, order)) for choice in choices for order in orders]
    return max(holding(choice) for choice in choices)


def summary(scores: Sequence[Scores], resamples: int = 2000) -> dict[str, tuple[float, float, float]]:
    """Mean of every score with its 95 % interval, by resampling the prompts from a fixed seed."""
    rng = np.random.default_rng(0)
    table = {}
    for field in fields(Scores):
        values = np.array([value for item in scores if (value := getattr(item, field.name)) is not None], float)
        if len(values):
            means = rng.choice(values, (resamples, len(values))).mean(axis=1)
            low, high = np.quantile(means, (0.025, 0.975))
            table[field.name] = (float(values.mean()), float(low), float(high))
    return table
