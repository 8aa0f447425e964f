"""``python -m tests.benchmarks.areas``: objects in boxes at random places, in painted blobs, and in boxes that overlap.

Every region has an area of its own; what none covers is the base prompt's, which names all objects. All correct: each object is
in its own area, and there is no other. Of two overlapping boxes: the upper one's object is there, whole enough to be recognised.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from rpg import shapes
from rpg.plan import Plan
from rpg.shapes.training.scenes import BACKGROUNDS, COLOURS, SHAPES, enumerated, named_shape
from tests.benchmarks.composition.cases import Kind
from tests.benchmarks.composition.judge import read
from tests.benchmarks.composition.results import _pipeline

SIZES = ((256, 256), (320, 224), (224, 320), (256, 192))
SIDES = (80, 144)
"""Of boxes, in pixels: smallest and largest. The model draws no smaller objects."""
COUNTS = {"boxes": 60, "blobs": 40, "overlapping": 40}
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Case:
    kind: str
    size: tuple[int, int]
    objects: tuple[Kind, ...]
    boxes: tuple[Box, ...]
    background: str | None

    def plan(self, latent_ratio: float | None) -> Plan:
        on = f" on a {self.background} background" if self.background else ""
        caption = enumerated([named_shape(*kind) for kind in self.objects]) + on
        regions = [{"prompt": named_shape(*kind) + on, "area": self._area(box)} for kind, box in zip(self.objects, self.boxes)]
        return Plan.from_dict({"regions": regions, "base_prompt": caption, "caption": caption, "latent_ratio": latent_ratio})

    def _area(self, box: Box) -> dict[str, Any]:
        if self.kind != "blobs":
            return {"box": [round(side / self.size[index % 2], 4) for index, side in enumerate(box)]}
        left, top, right, bottom = box
        rng = Random(f"{box}")
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        radii = 1 + 0.12 * np.sin(angles * rng.randint(2, 3) + rng.random() * 6)
        across, down = np.cos(angles) * radii / radii.max(), np.sin(angles) * radii / radii.max()
        points = zip((left + right) / 2 + (right - left) / 2 * across, (top + bottom) / 2 + (bottom - top) / 2 * down)
        mask = Image.new("L", self.size)
        ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in points], fill=255)
        file = io.BytesIO()
        mask.save(file, "PNG")
        return {"mask": base64.b64encode(file.getvalue()).decode()}


def cases(kind: str, count: int) -> Iterator[Case]:
    rng = Random(kind)
    while count:
        size = rng.choice(SIZES)
        objects = 2 if kind == "overlapping" else rng.choice([2, 2, 3])
        boxes = _boxes(rng, size, objects, overlapping=kind == "overlapping")
        if boxes is None:
            continue
        kinds = tuple(zip(rng.sample(list(COLOURS), objects), [rng.choice(list(SHAPES)) for _ in range(objects)]))
        yield Case(kind, size, kinds, boxes, rng.choice(list(BACKGROUNDS)) if rng.random() < 0.5 else None)
        count -= 1


def _boxes(rng: Random, size: tuple[int, int], count: int, *, overlapping: bool) -> tuple[Box, ...] | None:
    """Apart from one another; or two, of which the upper takes a tenth to a third of the lower."""
    boxes: list[Box] = []
    for _ in range(200):
        width, height = rng.randint(*SIDES), rng.randint(*SIDES)
        if max(width, height) > 1.5 * min(width, height):
            continue
        left, top = rng.randint(0, size[0] - width), rng.randint(0, size[1] - height)
        box = (left, top, left + width, top + height)
        shares = [_shared(other, box) for other in boxes]
        if all(0.1 <= share <= 1 / 3 if overlapping else share == 0 for share in shares):
            boxes.append(box)
        if len(boxes) == count:
            return tuple(boxes)
    return None


def _shared(lower: Box, upper: Box) -> float:
    width = min(lower[2], upper[2]) - max(lower[0], upper[0])
    height = min(lower[3], upper[3]) - max(lower[1], upper[1])
    return max(0, width) * max(0, height) / ((lower[2] - lower[0]) * (lower[3] - lower[1]))


def made(latent_ratio: float | None, seed: int, case: Case) -> tuple[Image.Image, list[bool], int]:
    """The picture, which objects are in their areas, and how many there are in all."""
    width, height = case.size
    options = {"width": width, "height": height, "num_inference_steps": 20, "guidance_scale": shapes.GUIDANCE_SCALE}
    image = _pipeline(None).generate(case.plan(latent_ratio), seed=seed, **options).images[0]
    found = read(image)

    def there(kind: Kind, box: Box) -> bool:
        left, top, right, bottom = box
        return any(one.kind == kind and left <= one.centre[0] <= right and top <= one.centre[1] <= bottom for one in found)

    return image, [there(*one) for one in zip(case.objects, case.boxes)], len(found)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.areas", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(COUNTS), help=f"of {', '.join(COUNTS)}")
    parser.add_argument("--prompts", type=int, help="of each kind (" + ", ".join(f"{n} {k}" for k, n in COUNTS.items()) + ")")
    parser.add_argument("--latent-ratio", type=float, help="instead of what suits the model")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="one thread each (%(default)s)")
    parser.add_argument("--sheet", help="a picture of the first 24 pictures of each kind: FOLDER")
    options = parser.parse_args()
    print("| areas | prompts | objects in their areas | other objects | all correct |\n|---|---|---|---|---|")
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        for kind in options.kinds:
            drawn = list(cases(kind, options.prompts or COUNTS[kind]))
            results = list(pool.map(partial(made, options.latent_ratio), range(len(drawn)), drawn))
            if kind == "overlapping":
                right = [there[-1] for _, there, _ in results]
            else:
                right = [all(there) and count == len(there) for _, there, count in results]
            objects = np.mean([there for _, inside, _ in results for there in inside])
            others = np.mean([count - sum(inside) for _, inside, count in results])
            print(f"| {kind} | {len(drawn)} | {objects:.3f} | {others:.2f} each | {np.mean(right):.3f} |", flush=True)
            if options.sheet:
                _sheet(drawn, [image for image, *_ in results], right).save(f"{options.sheet}/{kind}.png")


def _sheet(drawn: list[Case], images: list[Image.Image], right: list[bool]) -> Image.Image:
    """The first pictures with their areas' boxes: blue where all is right."""
    side, across = 330, 8
    sheet = Image.new("RGB", (side * across, side * -(-min(len(images), 24) // across)), "white")
    for number, (case, image, good) in enumerate(zip(drawn[:24], images, right)):
        draw = ImageDraw.Draw(image)
        for box in case.boxes:
            draw.rectangle(box, outline="blue" if good else "magenta")
        sheet.paste(image, (side * (number % across), side * (number // across)))
    return sheet


if __name__ == "__main__":
    main()
