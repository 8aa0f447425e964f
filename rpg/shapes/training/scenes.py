"""Pictures of coloured shapes and their captions, drawn from a random number generator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw

COLOURS = {
    "red": (225, 30, 30),
    "green": (40, 160, 60),
    "blue": (40, 80, 215),
    "yellow": (240, 215, 50),
    "purple": (130, 50, 170),
    "orange": (245, 140, 30),
    "black": (20, 20, 20),
    "cyan": (60, 200, 220),
}
BACKGROUNDS = {"white": (255, 255, 255), "gray": (160, 160, 160), "pink": (250, 190, 210)}
SUPERSAMPLING = 4
NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def _star() -> list[tuple[float, float]]:
    turns = [math.pi * (point / 5 - 0.5) for point in range(10)]
    radii = [1.0 if point % 2 == 0 else 0.42 for point in range(10)]
    return [(radius * math.cos(turn), radius * math.sin(turn)) for radius, turn in zip(radii, turns)]


def _heart() -> list[tuple[float, float]]:
    """https://mathworld.wolfram.com/HeartCurve.html, the sixth."""
    turns = [2 * math.pi * point / 60 for point in range(60)]
    return [
        (16 * math.sin(t) ** 3, -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t))) for t in turns
    ]


def _circle() -> list[tuple[float, float]]:
    turns = [2 * math.pi * point / 60 for point in range(60)]
    return [(math.cos(turn), math.sin(turn)) for turn in turns]


def _fitted(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Stretched to the unit square."""
    (left, right), (top, bottom) = ((min(axis), max(axis)) for axis in zip(*points))
    return [((x - left) / (right - left), (y - top) / (bottom - top)) for x, y in points]


SHAPES = {
    "circle": _fitted(_circle()),
    "square": [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)],
    "triangle": [(0.5, 0.0), (1.0, 1.0), (0.0, 1.0)],
    "star": _fitted(_star()),
    "heart": _fitted(_heart()),
}
"""Outlines in the unit square, y downwards."""


@dataclass(frozen=True)
class ColouredShape:
    colour: str
    shape: str
    x: float
    """Of the centre, in pixels, as all lengths here."""
    y: float
    size: float

    @property
    def kind(self) -> tuple[str, str]:
        return self.colour, self.shape

    @property
    def box(self) -> tuple[float, float, float, float]:
        half = self.size / 2
        return self.x - half, self.y - half, self.x + half, self.y + half


@dataclass(frozen=True)
class Scene:
    width: int
    height: int
    background: str
    things: tuple[ColouredShape, ...]
    """In reading order."""


def draw(scene: Scene) -> Image.Image:
    """[height, width] of RGB, edges antialiased."""
    size = (scene.width * SUPERSAMPLING, scene.height * SUPERSAMPLING)
    picture = Image.new("RGB", size, BACKGROUNDS[scene.background])
    canvas = ImageDraw.Draw(picture)
    for thing in scene.things:
        canvas.polygon(outline(thing, SUPERSAMPLING), fill=COLOURS[thing.colour])
    return picture.reduce(SUPERSAMPLING)


def outline(thing: ColouredShape, scale: float = 1) -> list[tuple[float, float]]:
    """Its corners, in pixels of a picture ``scale`` times as large."""
    left, top, *_ = thing.box
    return [((left + thing.size * x) * scale, (top + thing.size * y) * scale) for x, y in SHAPES[thing.shape]]


USUAL, WIDE = (32, 40, 16, 12, 8, 8), (10, 36, 20, 16, 10, 8)
"""How often a picture has one object, two, three and so on."""


def is_wide(width: int, height: int) -> bool:
    """Or high: there is more room along one side than a single object takes."""
    return max(width, height) > 1.6 * min(width, height)


def random_scene(rng: Random, width: int, height: int, most: int = 4, shapes: Sequence[str] = tuple(SHAPES)) -> Scene:
    """One to ``most`` objects that do not touch; rows, columns and grids as often as free places."""
    while True:
        count = rng.choices(range(1, most + 1), (WIDE if is_wide(width, height) else USUAL)[:most])[0]
        places = (_aligned if count > 1 and rng.random() < 0.5 else _free)(rng, width, height, count)
        if places:
            kinds = _kinds(rng, count, shapes)
            things = tuple(ColouredShape(*kind, *place) for kind, place in zip(kinds, places))
            return Scene(width, height, rng.choice(list(BACKGROUNDS)), things)


def _kinds(rng: Random, count: int, shapes: Sequence[str]) -> list[tuple[str, str]]:
    colours = list(COLOURS)
    kinds = [(rng.choice(colours), rng.choice(shapes)) for _ in range(count)]
    sameness = rng.random()
    if sameness < 0.15:
        return [(colour, kinds[0][1]) for colour, _ in kinds]
    if sameness < 0.25:
        return [kinds[0]] * count
    return kinds


Placement = tuple[float, float, float]
SMALLEST, LARGEST = 26.0, 110.0
"""Objects, in pixels."""


def _free(rng: Random, width: int, height: int, count: int) -> list[Placement]:
    short = min(width, height)
    largest = min(LARGEST, (0.6, 0.5, 0.42, 0.36, 0.33, 0.3)[count - 1] * short)
    places: list[Placement] = []
    for _ in range(40):
        size = max(SMALLEST, largest * rng.uniform(0.65, 1))
        margin = size / 2 + 3
        x, y = rng.uniform(margin, width - margin), rng.uniform(margin, height - margin)
        if all(max(abs(x - other_x), abs(y - other_y)) > (size + other) / 2 + 4 for other_x, other_y, other in places):
            places.append((x, y, size))
        if len(places) == count:
            return _reading_order(places)
    return []


def _reading_order(places: list[Placement]) -> list[Placement]:
    spread_x, spread_y = (max(axis) - min(axis) for axis in list(zip(*places))[:2])
    return sorted(places, key=lambda place: place[0] if spread_x >= spread_y else place[1])


def _aligned(rng: Random, width: int, height: int, count: int) -> list[Placement]:
    """One object somewhere in every cell of a grid that suits the picture's proportions."""
    grids = [(rows, count // rows) for rows in range(1, count + 1) if count % rows == 0]
    room = SMALLEST + 6
    rows, columns = rng.choice([grid for grid in grids if min(height / grid[0], width / grid[1]) >= room] or [(0, 0)])
    places: list[Placement] = []
    for cell in range(rows * columns):
        row, column = divmod(cell, columns)
        cell_width, cell_height = width / columns, height / rows
        largest = min(LARGEST, cell_width - 6, cell_height - 6)
        size = max(SMALLEST, largest * rng.uniform(0.65, 1))
        slack_x, slack_y = ((length - size - 6) / 2 for length in (cell_width, cell_height))
        x = (column + 0.5) * cell_width + rng.uniform(-slack_x, slack_x)
        y = (row + 0.5) * cell_height + rng.uniform(-slack_y, slack_y)
        places.append((x, y, size))
    return places


def caption(rng: Random, scene: Scene, partial: float | None = None, placed: float = 0.5) -> str:
    """What the scene shows, sometimes with places and background.

    Args:
        partial: the share of scenes with several objects of which only some are named, as in captions of photographs. A
            region's prompt is such a caption: there is more in the picture than it says. By default more of the wide
            pictures, so that "a red circle" alone still means one object in a square.
        placed: the share of the others that say where things are.
    """
    things = scene.things
    partial = (0.25 if is_wide(scene.width, scene.height) else 0.08) if partial is None else partial
    if len(things) > 1 and rng.random() < partial:
        named = rng.sample(range(len(things)), rng.randint(1, len(things) - 1))
        text = listed([things[index] for index in sorted(named)])
    else:
        text = (_placed(rng, scene) if rng.random() < placed else None) or listed(things)
    return f"{text} on a {scene.background} background" if rng.random() < 0.4 else text


def named_shape(colour: str, shape: str) -> str:
    return f"{'an' if colour[0] in 'aeiou' else 'a'} {colour} {shape}"


def listed(things: Sequence[ColouredShape]) -> str:
    """``two red circles and a blue square``."""
    counts: dict[tuple[str, str], int] = {}
    for thing in things:
        counts[thing.kind] = counts.get(thing.kind, 0) + 1
    return enumerated(
        [named_shape(*kind) if count == 1 else f"{NUMBERS[count]} {' '.join(kind)}s" for kind, count in counts.items()]
    )


def enumerated(texts: Sequence[str]) -> str:
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


PLACES = {
    (-1, -1): "at the top left",
    (0, -1): "at the top",
    (1, -1): "at the top right",
    (-1, 0): "on the left",
    (0, 0): "in the middle",
    (1, 0): "on the right",
    (-1, 1): "at the bottom left",
    (0, 1): "at the bottom",
    (1, 1): "at the bottom right",
}
"""Column and row, counted from the middle."""


def _placed(rng: Random, scene: Scene) -> str | None:
    """The same with places, where each object has one of its own."""
    things = scene.things
    short = min(scene.width, scene.height)
    across, down = (max(axis) - min(axis) > 0.25 * short for axis in zip(*((thing.x, thing.y) for thing in things)))
    if len(things) == 2 and across != down and rng.random() < 0.4:
        first, second = (named_shape(*thing.kind) for thing in things)
        forwards, backwards = ("to the left of", "to the right of") if across else ("above", "below")
        return f"{first} {forwards} {second}" if rng.random() < 0.5 else f"{second} {backwards} {first}"

    def side(position: float, length: int) -> int:
        return (position > 0.62 * length) - (position < 0.38 * length)

    spots = [(side(thing.x, scene.width), side(thing.y, scene.height)) for thing in things]
    if len(things) > 1 and not (across and down):
        spots = [(x, 0) if across else (0, y) for x, y in spots]
    texts = [PLACES[spot] for spot in spots]
    if len(set(texts)) == len(texts):
        return enumerated([f"{named_shape(*thing.kind)} {text}" for thing, text in zip(things, texts)])
    return None
