"""From things and their places to rows of cells.

Everything becomes a *block*: rows of cells. Blocks beside or above each other are cut into the rows that the
split ratio knows. A cell that spans several of them is written once in each: two neighbours of equal prompt
act as one region, because what a token attends to depends on its own region's prompt alone.
"""

from __future__ import annotations

from itertools import accumulate, groupby, pairwise
from math import gcd, lcm, log

from rpg.areas.areas import Areas
from rpg.areas.layout import MAX_REGIONS, Layout
from rpg.planners.rules.lexicon import SCENERY
from rpg.planners.rules.reading import Place, Reading, Thing

Cell = Thing | None
"""What a region shows; ``None`` is background."""
Block = list[list[Cell]]
Rows = list[tuple[int, list[tuple[int, Cell]]]]
"""Height of each row with the widths and cells in it."""

_SIDE = 1000
"""Columns between the middle and a side of the picture; relations between things count single columns."""

_PERSON, _FEW, _MANY = 0.45, 0.6, 0.86
"""Width to height of a good cell: of a person; of one of up to three things, which most lists set side by side; of others."""
_UNEVEN = 0.36
"""What cells of unequal width count beside cells that are too wide or too narrow."""


def arrange(reading: Reading, aspect: float = 1.0) -> Rows:
    """Rows of cells for all things of a reading.

    Args:
        aspect: width to height of the picture.
    """
    things = reading.things
    if not any(thing.place or thing.relation for thing in things):
        return _flatten([[_together(things, reading.order, aspect)]])
    if reading.order in ("column", "reversed column") and len(things) > 1:
        return _flatten([[_together(things, reading.order, aspect)]])
    if not reading.order and (blocks := _towers(things)) and _shows_all(rows := _flatten([blocks]), things):
        return rows
    spots = sorted(_spots(things), key=lambda spot: spot[:2])
    grouped = [list(row) for _, row in groupby(spots, key=lambda spot: spot[0])]
    lines: list[list[Block]] = []
    for row in grouped:
        columns = groupby(row, key=lambda spot: spot[1])
        cells = [(column, [thing for _, _, thing in group]) for column, group in columns]
        order = reading.order or ("row" if len(cells) > 1 or _same_row(cells[0][1]) else "")
        part = aspect * len(grouped)  # a block's width follows its cells
        blocks = _level([_together(group, order if len(group) > 1 or _same_row(group) else "", part) for _, group in cells])
        if len(cells) == 1 and abs(cells[0][0]) == _SIDE:
            blocks.insert(0 if cells[0][0] > 0 else 1, [[None]])
        lines.append(blocks)
    if len(spots) == 1 and len(lines[0]) == 1 and things[0].place and things[0].place.row:
        lines.insert(0 if things[0].place.row > 0 else 1, [[[None]]])
    return _flatten(lines)


def _towers(things: list[Thing]) -> list[Block]:
    """Blocks side by side, where things stand above others and beside these more things, and nothing else is said of places.

    What stands above others is as wide as they are; the rest is as high as both.
    """
    if any(thing.place or _is_wide(thing) for thing in things):
        return []
    spots = sorted(_spots(things), key=lambda spot: (spot[1], spot[0]))
    columns = [list(column) for _, column in groupby(spots, key=lambda spot: spot[1])]
    depths = {len(column) for column in columns}
    if len(depths) != 2 or min(depths) > 1 or len({spot[:2] for spot in spots}) < len(spots):
        return []
    blocks: list[Block] = []
    for alone, side in groupby(columns, key=lambda column: len(column) == 1):
        cells = [[_members(thing, "row") for _, _, thing in column] for column in side]
        if alone:
            singles = [cell for (row,) in cells for cell in row]
            people = all(cell is None or cell.person for cell in singles)
            blocks.append(_cut(singles, _even(len(singles), 1 if people else min(max(depths), len(singles)))))
        else:
            blocks += cells
    return blocks


def _shows_all(rows: Rows, things: list[Thing]) -> bool:
    """Whether as many regions come of the rows as there are things: equal cells one below the other are one region."""
    said = [cell and cell.name + cell.tail for _, cells in rows for _, cell in cells]
    if not fits(rows):
        return False
    regions = Areas.of(Layout.parse(split_ratio(rows)), said).regions
    return len(set(regions)) == sum(thing.count for thing in things)


def _is_wide(thing: Thing) -> bool:
    """Whether a thing is wider than what it stands above or below: surroundings, or a rug below a table."""
    row = (thing.relation[0].row or 0) if thing.relation else 0
    return bool(row) and thing.kind in SCENERY and not (thing.kind == "support" and row < 0)


def _shape(count: int, aspect: float, good: float) -> list[int]:
    """How many of ``count`` cells stand in each row, so that they come nearest to the ``good`` width to height."""

    def cost(lengths: list[int]) -> float:
        off = sum(length * abs(log(aspect * len(lengths) / length / good)) for length in lengths) / count
        return off + _UNEVEN * log(lengths[0] / lengths[-1])

    return min((_even(count, rows) for rows in range(1, count + 1)), key=cost)


def _even(count: int, rows: int) -> list[int]:
    return [count // rows + (number < count % rows) for number in range(rows)]


def _same_row(things: list[Thing]) -> bool:
    """Whether the caption names a row for all of these things."""
    return all(thing.place and thing.place.row is not None and thing.place.column is None for thing in things)


def _together(things: list[Thing], order: str, aspect: float) -> Block:
    """A block of that width to height for things of which no places are known."""
    cells: list[Cell] = []
    for thing in things:
        cells += _members(thing, order)
    if order.startswith("reversed"):
        cells.reverse()
    if order.endswith("column"):
        return [[cell] for cell in cells]
    if order.endswith("row"):
        lengths = [len(cells)]
    elif order == "X" and len(cells) == 5:
        lengths = [2, 1, 2]
    else:
        good = _PERSON if all(thing.person for thing in things) else _FEW if len(cells) < 4 else _MANY
        lengths = _shape(len(cells), aspect, good)
        several = any(thing.count > 1 for thing in things) and all(thing.count < 5 for thing in things)
        if len(cells) > 4 and several and 1 < len(things) < 4 and 1 < len(lengths) < len(cells):
            lengths = [thing.count for thing in things]  # each class in a row of its own
    return _cut(cells, lengths)


def _cut(cells: list[Cell], lengths: list[int]) -> Block:
    edges = [0, *accumulate(lengths)]
    return [cells[start:stop] for start, stop in pairwise(edges)]


def _level(blocks: list[Block]) -> list[Block]:
    """Neighbouring blocks with one number of rows, where they have cells enough: fewer cuts."""
    depth = max(map(len, blocks))
    level = []
    for block in blocks:
        cells = [cell for row in block for cell in row]
        level.append(block if len(block) in (1, depth) else _cut(cells, _even(len(cells), depth if len(cells) >= depth else 1)))
    return level


def _members(thing: Thing, order: str) -> list[Cell]:
    """The cells of one thing: ``count`` times itself, except where the caption describes one of them."""
    cells: list[Cell] = [thing] * thing.count
    for member in thing.members:
        column = member.place.column if member.place else None
        row = member.place.row if member.place else None
        side = column or row
        free = [number for number, cell in enumerate(cells) if cell is thing]
        if free:
            middle = member.place is not None and not side
            cells[free[0 if not middle and (side or -1) < 0 else len(free) // 2 if middle else -1]] = member
    return cells


def _spots(things: list[Thing]) -> list[tuple[int, int, Thing]]:
    """Row and column of every thing; those without a place take what the placed ones leave free."""
    placed = {id(thing): _absolute(thing.place) for thing in things if thing.place}
    roots = [thing for thing in things if not thing.place and not thing.relation]
    free = (
        _free([thing.place for thing in things if thing.place]) if placed else [(0, 10 * number) for number in range(len(roots))]
    )
    for thing in roots:
        placed[id(thing)] = free.pop(0) if len(free) > 1 else free[0]
    for _ in things:
        for thing in things:
            if thing.relation and id(thing) not in placed and id(thing.relation[1]) in placed:
                offset, anchor = thing.relation
                row, column = placed[id(anchor)]
                placed[id(thing)] = (row + (offset.row or 0), column + (offset.column or 0))
    return [(*placed.get(id(thing), (0, 0)), thing) for thing in things]


def _absolute(place: Place) -> tuple[int, int]:
    return place.row or 0, (place.column or 0) * _SIDE


def _free(places: list[Place]) -> list[tuple[int, int]]:
    """Spots that are left, best first; the last one takes all that remain."""
    taken = {_absolute(place) for place in places}
    rows = {place.row for place in places if place.row is not None}
    columns = {place.column for place in places if place.column is not None}
    if rows and columns:
        corners = [(row, column * _SIDE) for row in (-1, 1) for column in (-1, 1)]
        middle = [] if len(taken) > 1 else [(0, 0)]
        return middle + [spot for spot in corners if spot not in taken and len(taken) > 1] or [(0, 0)]
    if rows:
        return [(row, 0) for row in (-1, 1, 0) if row not in rows][:1] or [(max(rows) + 1, 0)]
    order = [column for column in (-1, 1, 0) if column not in columns] if columns != {0} else [-1, 1]
    return [(0, column * _SIDE) for column in order] or [(0, 1)]


def _flatten(rows: list[list[Block]]) -> Rows:
    """Cut rows of blocks into rows of cells."""
    result: Rows = []
    depths = [lcm(*(len(block) for block in blocks)) for blocks in rows]
    unit = lcm(*depths)
    for blocks, depth in zip(rows, depths, strict=True):
        widths = [max(map(len, block)) for block in blocks]
        scale = lcm(*(len(row) for block in blocks for row in block))
        for number in range(depth):
            cells: list[tuple[int, Cell]] = []
            for block, width in zip(blocks, widths, strict=True):
                row = block[number * len(block) // depth]
                cells += [(width * scale // len(row), cell) for cell in row]
            shrink = gcd(*(width for width, _ in cells))
            result.append((unit // depth, [(width // shrink, cell) for width, cell in cells]))
    shrink = gcd(*(height for height, _ in result))
    return [(height // shrink, cells) for height, cells in result]


def fits(rows: Rows) -> bool:
    """Whether a plan can hold so many regions."""
    return sum(len(cells) for _, cells in rows) <= MAX_REGIONS


def split_ratio(rows: Rows) -> str:
    if len(rows) == 1:
        return ",".join(str(width) for width, _ in rows[0][1])
    return ";".join(",".join(map(str, (height, *(width for width, _ in cells)))) for height, cells in rows)
