"""All rounds of the loop in one picture: what was painted anew, what the critic saw, and what was kept."""

from __future__ import annotations

from math import ceil

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from rpg.editing.critic import Verdict
from rpg.editing.loop import Refined
from rpg.editing.marks import FAILED, PASSED, marked

SIDE = 448
"""Most pixels of a round's longer side."""
COLUMNS = 4
TITLE, GAP = 20, 6
"""Pixels above each round, and between them."""
FIRST, PAINTED = "#555555", (255, 196, 0)


def rounds_sheet(first: Image.Image, refined: Refined) -> Image.Image | None:
    """The picture as it came and after every round, each below a line that says what was done, how many checks passed, and
    whether it was kept; what was painted anew is outlined. None where there was no round.

    Args:
        first: the picture as it came.
    """
    if not refined.rounds:
        return None
    cells = [_cell(first, refined.first, "0. as it came", FIRST)]
    for number, item in enumerate(refined.rounds, 1):
        done = item.operation.kind if item.operation else "draw again"
        end, colour = ("kept", PASSED) if item.kept else ("undone", FAILED)
        cells.append(_cell(item.picture, item.verdict, f"{number}. {done}, {end}", colour, item.mask))
    width, height = max(cell.width for cell in cells) + GAP, max(cell.height for cell in cells) + GAP
    columns = min(len(cells), COLUMNS)
    sheet = Image.new("RGB", (columns * width - GAP, ceil(len(cells) / columns) * height - GAP), "white")
    for number, cell in enumerate(cells):
        sheet.paste(cell, (number % columns * width, number // columns * height))
    return sheet


def _cell(picture: Image.Image, verdict: Verdict, title: str, colour: str, mask: Image.Image | None = None) -> Image.Image:
    scale = min(1, SIDE / max(picture.size))
    size = round(picture.width * scale), round(picture.height * scale)
    small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    if mask is not None:
        inside = mask.resize(size).point(lambda value: 255 * (value > 127))
        small.paste(PAINTED, mask=ImageChops.difference(inside, inside.filter(ImageFilter.MinFilter(5))))
    cell = Image.new("RGB", (size[0], size[1] + TITLE), colour)
    text = f"{title}: {len(verdict.passed)} of {len(verdict.findings)}"
    ImageDraw.Draw(cell).text((4, TITLE // 4), text, fill="white")
    cell.paste(marked(small, verdict), (0, TITLE))
    return cell
