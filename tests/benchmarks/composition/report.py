"""The benchmark's results as a table, a plot and a picture of pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import matplotlib
from PIL import Image, ImageDraw

from tests.benchmarks.composition.cases import Case
from tests.benchmarks.composition.methods import Settings
from tests.benchmarks.composition.scores import SHARES, Scores, summary

matplotlib.use("Agg")
from matplotlib import pyplot

NAMES = [field.name for field in fields(Scores)]
Compared = Mapping[str, Sequence[Scores]]
Sweeps = Mapping[str, Sequence[tuple[Settings, Sequence[Scores]]]]
KINDS: dict[str, Callable[[Case], bool]] = {
    "two objects": lambda case: len(case.kinds) == 2,
    "three and four": lambda case: len(case.kinds) in (3, 4),
    "five and six": lambda case: len(case.kinds) > 4,
    "one shape": lambda case: case.same_class,
    "different shapes": lambda case: not case.same_class,
    "background named": lambda case: case.background is not None,
    "no background named": lambda case: case.background is None,
}
START, END = "<!-- results -->", "<!-- end of results -->"


def write(
    folder: Path, cases: Sequence[Case], compared: Compared, sweeps: Sweeps, *, alone: Sequence[Scores], setting: str
) -> None:
    """``composition.md``, between its two marks, and ``composition.png``."""
    lines = ["", f"{len(cases)} prompts; {setting}.", "", *_table("method", {name: summary(s) for name, s in compared.items()})]
    lines += ["", f"Single objects by the plain prompt: {sum(s.all_correct for s in alone):.0f} of {len(alone)} all correct."]
    lines += ["", "All correct, by kind of prompt:", "", *_by_kind(cases, compared)]
    for name, rows in sweeps.items():
        labels = {_label(settings, rows): summary(scores) for settings, scores in rows}
        lines += ["", f"### By {name}", "", f"The first {len(rows[0][1])} prompts.", "", *_table(name, labels)]
    path = folder / "composition.md"
    before, _, rest = path.read_text(encoding="utf-8").partition(START)
    path.write_text(before + START + "\n".join(lines) + "\n\n" + END + rest.partition(END)[2], encoding="utf-8")
    _plot(folder / "composition.png", compared, sweeps)


def _table(first: str, rows: Mapping[str, Mapping[str, tuple[float, float, float]]]) -> list[str]:
    lines = [f"| {first} | {' | '.join(name.replace('_', ' ') for name in NAMES)} |", "|---" * (len(NAMES) + 1) + "|"]
    for label, scores in rows.items():
        cells = ["{:.3f} ({:.3f} to {:.3f})".format(*scores[name]) if name in scores else "" for name in NAMES]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return lines


def _by_kind(cases: Sequence[Case], compared: Compared) -> list[str]:
    lines = [f"| prompts | number | {' | '.join(compared)} |", "|---" * (len(compared) + 2) + "|"]
    for name, belongs in KINDS.items():
        chosen = [index for index, case in enumerate(cases) if belongs(case)]
        if chosen:
            cells = [
                "{:.3f} ({:.3f} to {:.3f})".format(*summary([scores[index] for index in chosen])["all_correct"])
                for scores in compared.values()
            ]
            lines.append(f"| {name} | {len(chosen)} | {' | '.join(cells)} |")
    return lines


def _label(settings: Settings, rows: Sequence[tuple[Settings, Any]]) -> str:
    """What differs among the rows."""
    all_values = [asdict(other) for other, _ in rows]
    differing = {name: value for name, value in asdict(settings).items() if any(values[name] != value for values in all_values)}
    return ", ".join(str(value) if name == "method" else f"{name.replace('_', ' ')} {value}" for name, value in differing.items())


def _plot(path: Path, compared: Compared, sweeps: Sweeps) -> None:
    figure, axes = pyplot.subplots(1, 3, figsize=(15, 4.2), width_ratios=(2.2, 1, 1), layout="constrained")
    width = 0.8 / len(compared)
    for number, (method, scores) in enumerate(compared.items()):
        table = summary(scores)
        places = [index + (number - (len(compared) - 1) / 2) * width for index in range(len(SHARES))]
        axes[0].bar(
            places, [table[name][0] for name in SHARES], width, label=method, yerr=_errors([table[name] for name in SHARES])
        )
    axes[0].set_xticks(range(len(SHARES)), [name.replace("_", " ") for name in SHARES])
    axes[0].set_ylim(0, 1.02)
    axes[0].set_title("Scores with 95 % intervals")
    axes[0].legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=len(compared), fontsize="small")
    for axis, (name, attribute) in zip(axes[1:], (("base ratio", "base_ratio"), ("guidance", "guidance"))):
        for method in dict.fromkeys(settings.method for settings, _ in sweeps[name]):
            rows = [(getattr(settings, attribute), summary(s)) for settings, s in sweeps[name] if settings.method == method]
            for score, style in (("binding", "--"), ("all_correct", "-")):
                values = [table[score] for _, table in rows]
                axis.errorbar(
                    [x for x, _ in rows],
                    [value[0] for value in values],
                    yerr=_errors(values),
                    fmt=f"o{style}",
                    capsize=3,
                    label=f"{method}: {score.replace('_', ' ')}",
                )
        axis.set_ylim(0, 1.02)
        axis.set_xlabel(name)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, fontsize="small")
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def _errors(values: Sequence[tuple[float, float, float]]) -> list[list[float]]:
    return [[mean - low for mean, low, _ in values], [high - mean for mean, _, high in values]]


def examples(folder: Path, cases: Sequence[Case], compared: Compared, picture: Callable[[Case, str], Image.Image]) -> None:
    """``composition-examples.png``: the first prompts with a shape of their own each; a row for each, a column for each method.
    A cross marks pictures that are not all correct."""
    chosen = list({case.arrangement.split_ratio: case for case in reversed(cases)}.values())[:6]
    cell, gap, heading = 200, 10, 16
    sheet = Image.new(
        "RGB", ((cell + gap) * len(compared), sum(_height(case, cell) + 2 * heading for case in chosen) + heading), "white"
    )
    draw = ImageDraw.Draw(sheet)
    for column, method in enumerate(compared):
        draw.text((column * (cell + gap), 0), method, "black")
    top = heading
    for case in chosen:
        draw.text((0, top), case.caption, "black")
        for column, (method, scores) in enumerate(compared.items()):
            image = picture(case, method).resize((cell, _height(case, cell)), Image.Resampling.LANCZOS)
            left = column * (cell + gap)
            sheet.paste(image, (left, top + heading))
            if not scores[cases.index(case)].all_correct:
                draw.text((left + cell - 12, top + heading + 2), "x", "red")
        top += _height(case, cell) + 2 * heading
    sheet.save(folder / "composition-examples.png")


def _height(case: Case, width: int) -> int:
    return round(width * case.arrangement.height / case.arrangement.width)
