"""``python -m tests.benchmarks.networks``: a LoRA in some regions, another in others. Is its effect seen there alone?

Prompts of two to four objects in cells of their own; in each region stripes, outlines or neither. A region's object is read in
its own cell: striped, hollow or whole. Bound: what is there is of its colour and of no other; where there are no stripes, which
the decoder blurs too much for that (of 30 drawn ones 10 are read), also of its shape.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from random import Random
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image

from rpg import shapes
from rpg.areas.layout import Layout
from rpg.pipelines.loading import load
from rpg.plan import Plan
from rpg.shapes import sight
from rpg.shapes.training.scenes import COLOURS, SHAPES, enumerated, named_shape

CASES = 60
LAYOUTS = (("1,1", (224, 128)), ("1;1", (128, 224)), ("1,1,1", (320, 128)), ("1,1,1;1,1,1", (224, 224)))
"""Split ratios and the sizes that give each region room for an object."""
STYLES = (None, "stripes", "outlines")
GAP = 12
"""Pixels: gaps up to this are between stripes of one object."""


@dataclass(frozen=True)
class Case:
    layout: str
    size: tuple[int, int]
    objects: tuple[tuple[str, str], ...]
    styles: tuple[str | None, ...]

    def plan(self, with_networks: bool) -> Plan:
        caption = enumerated([named_shape(*kind) for kind in self.objects])
        regions = [
            named_shape(*kind) + (f" <lora:{style}:1>" if style and with_networks else "")
            for kind, style in zip(self.objects, self.styles)
        ]
        return Plan.from_dict({"regions": regions, "split_ratio": self.layout, "base_prompt": caption, "caption": caption})


@dataclass(frozen=True)
class Seen:
    style: str | None
    shape: str | None
    area: float
    """Of its cell."""


class Drawn(NamedTuple):
    """What is seen in one region."""

    asked: str | None
    style: str | None
    coloured: bool
    """In its colour, and in no other."""
    bound: bool
    """Also in its shape, but for stripes."""


def cases(count: int) -> Iterator[Case]:
    rng = Random("networks")
    for number in range(count):
        layout, size = LAYOUTS[number % len(LAYOUTS)]
        objects = Layout.parse(layout).count
        styles: list[str | None] = [None]
        while not any(styles):
            styles = [rng.choice(STYLES) for _ in range(objects)]
        kinds = tuple(zip(rng.sample(list(COLOURS), objects), [rng.choice(list(SHAPES)) for _ in range(objects)]))
        yield Case(layout, size, kinds, tuple(styles))


def look(cell: Image.Image) -> dict[str, Seen]:
    """The largest object of every colour in a cell."""
    larger = cell.convert("RGB").resize((sight.FINER * cell.width, sight.FINER * cell.height), Image.Resampling.BICUBIC)
    hues = sight._hues(np.asarray(larger))
    found = {}
    for number, colour in enumerate(COLOURS, 1):
        mask = cv2.morphologyEx((hues == number).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((GAP * sight.FINER, 1), np.uint8))
        contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        contour = max(contours, key=cv2.contourArea, default=None)
        if contour is not None and cv2.contourArea(contour) > 0.02 * mask.size:
            found[colour] = Seen(_style(mask, contour), sight._shape(contour), cv2.contourArea(contour) / mask.size)
    return found


def _style(mask: Any, contour: Any) -> str | None:
    """Stripes: some row between its ends is empty. An outline: its middle is."""
    hull = cv2.convexHull(contour)
    left, top, width, height = cv2.boundingRect(hull)
    part = slice(top, top + height), slice(left, left + width)
    own, within = (cv2.drawContours(np.zeros_like(mask), [one], 0, 1, -1)[part].astype(bool) for one in (contour, hull))
    filled = mask[part].astype(bool)
    rows = (filled & own).sum(1) / np.maximum(own.sum(1), 1)
    if (rows[height // 5 : -(height // 5)] < 0.1).any():
        return "stripes"
    down, across = (int(axis.mean()) for axis in np.nonzero(within))
    reach = max(2, min(height, width) // 12)
    return "outlines" if filled[down - reach : down + reach + 1, across - reach : across + reach + 1].mean() < 0.4 else None


@cache
def _pipeline() -> Any:
    torch.set_num_threads(1)
    pipeline = load().pipeline
    pipeline.lora_folder = shapes.LORA
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def made(job: tuple[int, Case, bool]) -> tuple[Image.Image, list[Drawn]]:
    """The picture, and what is drawn in each region."""
    seed, case, with_networks = job
    width, height = case.size
    options = {"width": width, "height": height, "num_inference_steps": 20, "guidance_scale": shapes.GUIDANCE_SCALE}
    image = _pipeline().generate(case.plan(with_networks), seed=seed, **options).images[0]
    results = []
    for (colour, shape), asked, box in zip(case.objects, case.styles, Layout.parse(case.layout).boxes):
        left, top, right, bottom = (round(side * (width, height)[index % 2]) for index, side in enumerate(box))
        seen = look(image.crop((left, top, right, bottom)))
        largest = max(seen.values(), key=lambda one: one.area, default=None)
        bound = list(seen) == [colour] and (asked == "stripes" or seen[colour].shape == shape)
        results.append(Drawn(asked, largest.style if largest else None, list(seen) == [colour], bound))
    return image, results


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.networks", description=__doc__)
    parser.add_argument("--prompts", type=int, default=CASES)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="one thread each (%(default)s)")
    parser.add_argument("--sheet", help="a picture of the first 24 pictures: FILE")
    options = parser.parse_args()
    drawn = list(cases(options.prompts))
    jobs = [(seed, case, with_networks) for with_networks in (True, False) for seed, case in enumerate(drawn)]
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        results = list(pool.map(made, jobs))
    regions, plain = ([one for _, found in half for one in found] for half in (results[: len(drawn)], results[len(drawn) :]))
    print("| LoRA | its regions | seen in them | seen in others | seen where no region has one |\n|---|---|---|---|---|")
    for style in STYLES[1:]:
        own = [one.style == style for one in regions if one.asked == style]
        others = [one.style == style for one in regions if one.asked != style]
        nowhere = [one.style == style for one in plain]
        print(f"| {style} | {len(own)} | {np.mean(own):.3f} | {np.mean(others):.3f} | {np.mean(nowhere):.3f} |")
    print("\n| bound | regions | colour | colour and shape |\n|---|---|---|---|")
    alone = [number for number, one in enumerate(regions) if one.asked is None]
    groups = {"with LoRA": regions, "without": plain}
    groups |= {f"{name}, regions that name none": [found[number] for number in alone] for name, found in groups.items()}
    for name, found in groups.items():
        coloured, bound = np.mean([one.coloured for one in found]), np.mean([one.bound for one in found])
        print(f"| {name} | {len(found)} | {coloured:.3f} | {bound:.3f} |")
    if options.sheet:
        sheet = Image.new("RGB", (330 * 6, 230 * 4), "white")
        for number, (image, _) in enumerate(results[: len(drawn)][:24]):
            sheet.paste(image, (330 * (number % 6), 230 * (number // 6)))
        sheet.save(options.sheet)


if __name__ == "__main__":
    main()
