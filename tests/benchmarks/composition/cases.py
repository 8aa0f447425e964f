"""The prompts of the benchmark: drawn from a seed, with the layout that each of them means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random

from rpg.plan import Plan, Region
from rpg.shapes.training.scenes import BACKGROUNDS, COLOURS, SHAPES, enumerated, named_shape

Kind = tuple[str, str]
"""Colour and shape."""


@dataclass(frozen=True)
class Arrangement:
    name: str
    split_ratio: str
    width: int
    height: int
    places: tuple[str, ...] = ()
    """Words for the regions' places, in their order."""
    joined: str = ""
    """Or a word between two objects."""

    @property
    def rows(self) -> list[int]:
        """Number of regions in each row."""
        if ";" not in self.split_ratio:
            return [self.split_ratio.count(",") + 1]
        return [max(1, row.count(",")) for row in self.split_ratio.split(";")]


CORNERS = ("at the top left", "at the top right", "at the bottom left", "at the bottom right")
TWO = (
    Arrangement("columns", "1,1", 224, 128, ("on the left", "on the right")),
    Arrangement("columns", "1,1", 256, 128, joined="to the left of"),
    Arrangement("columns", "1,1", 224, 128),
    Arrangement("rows", "1;1", 128, 224, ("at the top", "at the bottom")),
    Arrangement("rows", "1;1", 128, 224, joined="above"),
)
THREE = (
    Arrangement("columns", "1,1,1", 320, 128, ("on the left", "in the middle", "on the right")),
    Arrangement("columns", "1,1,1", 320, 128),
    Arrangement("rows", "1;1;1", 128, 320, ("at the top", "in the middle", "at the bottom")),
    Arrangement("nested", "1;1,1,1", 224, 224, ("at the top", "at the bottom left", "at the bottom right")),
    Arrangement("nested", "1,1,1;1", 224, 224, ("at the top left", "at the top right", "at the bottom")),
)
FOUR = (
    Arrangement("nested", "1,1,1;1,1,1", 224, 224, CORNERS),
    Arrangement("columns", "1,1,1,1", 384, 128),
)
FIVE = (
    Arrangement("nested", "1,1,1;1,1,1,1", 320, 224),
    Arrangement("columns", "1,1,1,1,1", 448, 128),
)
SIX = (Arrangement("nested", "1,1,1,1;1,1,1,1", 320, 224),)
COUNTS = {2: (80, TWO), 3: (50, THREE), 4: (40, FOUR), 5: (15, FIVE), 6: (15, SIX)}
"""Objects -> how many of 200 prompts, in which arrangements."""


@dataclass(frozen=True)
class Case:
    caption: str
    kinds: tuple[Kind, ...]
    """One for each region, in reading order."""
    arrangement: Arrangement
    same_class: bool
    """All objects have one shape, some perhaps one colour as well."""
    background: str | None

    def plan(self, base_ratio: float) -> Plan:
        """The layout that the caption means."""
        regions = tuple(Region(self._with_background(named_shape(*kind))) for kind in self.kinds)
        return Plan(regions, self.arrangement.split_ratio, base_prompt=self.caption, base_ratio=base_ratio, caption=self.caption)

    def _with_background(self, text: str) -> str:
        return f"{text} on a {self.background} background" if self.background else text

    @property
    def relations(self) -> list[tuple[int, int, int]]:
        """(axis, first, second): what the caption's words say about places. Object ``first`` has the smaller x or y."""
        if not (self.arrangement.places or self.arrangement.joined):
            return []
        cells = [(row, column) for row, columns in enumerate(self.arrangement.rows) for column in range(columns)]
        pairs = [(a, b) for a in range(len(cells)) for b in range(a + 1, len(cells))]
        across = [(0, a, b) for a, b in pairs if cells[a][0] == cells[b][0]]
        return across + [(1, a, b) for a, b in pairs if cells[a][0] != cells[b][0]]


def cases(count: int = 200, seed: int = 0) -> list[Case]:
    """Prompts of two to six objects; any first part of them has about the same mix."""
    rng = Random(seed)
    drawn = []
    for objects, (share, arrangements) in COUNTS.items():
        drawn += [_case(rng, objects, arrangements[number % len(arrangements)]) for number in range(share)]
    rng.shuffle(drawn)
    return drawn[:count]


def single_objects(count: int = 100, seed: int = 0) -> list[Case]:
    """Every kind about as often."""
    kinds = [(colour, shape) for shape in SHAPES for colour in COLOURS]
    Random(seed).shuffle(kinds)
    square = Arrangement("alone", "1", 128, 128)
    return [Case(named_shape(*kind), (kind,), square, False, None) for kind, _ in zip(cycle(kinds), range(count))]


def _case(rng: Random, objects: int, arrangement: Arrangement) -> Case:
    same_class = rng.random() < 0.4
    colours = rng.sample(list(COLOURS), objects)
    shapes = [rng.choice(list(SHAPES))] * objects if same_class else _different(rng, objects)
    if same_class and not arrangement.places and not arrangement.joined and rng.random() < 0.3:
        colours = colours[:1] * objects
    kinds = tuple(zip(colours, shapes))
    background = rng.choice(list(BACKGROUNDS)) if rng.random() < 0.5 else None
    texts = [named_shape(*kind) for kind in kinds]
    if arrangement.joined:
        text = f" {arrangement.joined} ".join(texts)
    elif arrangement.places:
        text = enumerated([f"{text} {place}" for text, place in zip(texts, arrangement.places)])
    else:
        text = _listed(kinds)
    return Case(f"{text} on a {background} background" if background else text, kinds, arrangement, same_class, background)


def _different(rng: Random, objects: int) -> list[str]:
    """Shapes of which no two neighbours are the same."""
    shapes = rng.sample(list(SHAPES), min(objects, len(SHAPES)))
    while len(shapes) < objects:
        shapes.append(rng.choice([shape for shape in SHAPES if shape != shapes[-1]]))
    return shapes


def _listed(kinds: Sequence[Kind]) -> str:
    number = ("", "a", "two", "three", "four", "five", "six")[len(kinds)]
    return f"{number} {' '.join(kinds[0])}s" if len(set(kinds)) == 1 else enumerated([named_shape(*kind) for kind in kinds])
