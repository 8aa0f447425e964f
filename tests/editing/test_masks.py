"""Masks of drawn objects, whose outlines are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rpg.areas.layout import Box
from rpg.editing.masks import grown, mask_of, pixel_bounds
from rpg.editing.masks.sam import chosen
from rpg.errors import EditingError
from rpg.shapes.training.scenes import COLOURS, SHAPES, ColouredShape, Scene, draw
from tests.editing.sam import save_sam

STAR, HEART = ColouredShape("blue", "star", 60, 64, 70), ColouredShape("red", "heart", 190, 64, 60)
PICTURE = draw(Scene(256, 128, "gray", (STAR, HEART)))


def box_of(thing: ColouredShape) -> Box:
    left, top, right, bottom = thing.box
    return Box(left / 256, top / 128, right / 256, bottom / 128)


def overlap(mask: Image.Image, thing: ColouredShape) -> float:
    """Intersection over union with the object's own outline."""
    true = Image.new("L", mask.size)
    left, top, *_ = thing.box
    ImageDraw.Draw(true).polygon([(left + thing.size * x, top + thing.size * y) for x, y in SHAPES[thing.shape]], 255)
    one, other = np.asarray(mask) > 127, np.asarray(true) > 127
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("thing", [STAR, HEART])
def test_grabcut_finds_the_outline(thing: ColouredShape) -> None:
    assert overlap(mask_of(PICTURE, box_of(thing), "grabcut"), thing) > 0.9
    assert overlap(mask_of(PICTURE, box_of(thing), "box"), thing) < 0.8


def test_grabcut_takes_the_box_where_there_is_nothing() -> None:
    empty = Image.new("RGB", (128, 128), COLOURS["red"])
    box = Box(0.2, 0.2, 0.8, 0.8)
    assert mask_of(empty, box, "grabcut") == mask_of(empty, box, "box")
    assert mask_of(PICTURE, Box(0, 0, 1, 1), "grabcut") == mask_of(PICTURE, Box(0, 0, 1, 1), "box")


def test_a_box_has_soft_edges_and_nothing_outside() -> None:
    mask = np.asarray(mask_of(PICTURE, Box(0.25, 0.25, 0.75, 0.75), "box"))
    assert mask[32:96, 64:192].min() > 0
    assert mask[64, 128] == 255
    assert 0 < mask[64, 64] < 255
    assert mask.sum() == mask[32:96, 64:192].sum()


def test_what_is_preserved_is_taken_out() -> None:
    mask = mask_of(PICTURE, Box(0, 0, 1, 1), "box", preserved=[box_of(HEART)])
    assert pixel_bounds(mask.crop((155, 30, 225, 98)))[0] < 10
    assert not np.asarray(mask)[40:90, 165:215].any()


def test_what_is_preserved_takes_no_more_than_leaves_something() -> None:
    assert mask_of(PICTURE, box_of(STAR), "box", preserved=[Box(0, 0, 1, 1)]) == mask_of(PICTURE, box_of(STAR), "box")


def test_growing() -> None:
    mask = Image.new("L", (21, 21))
    mask.putpixel((10, 10), 255)
    assert pixel_bounds(grown(mask, 3)) == (7, 7, 14, 14)
    with pytest.raises(EditingError, match="mask is empty"):
        pixel_bounds(Image.new("L", (4, 4)))


def test_unknown_methods_and_folders_are_told() -> None:
    with pytest.raises(EditingError, match="mask is 'magic'"):
        mask_of(PICTURE, box_of(STAR), "magic")
    with pytest.raises(EditingError, match="needs the folder of a Segment Anything model"):
        mask_of(PICTURE, box_of(STAR), "sam")


def test_the_largest_sure_mask_is_taken() -> None:
    masks = np.zeros((3, 4, 4), bool)
    for number, size in enumerate((1, 2, 3)):
        masks[number, :size, :size] = True
    assert chosen(masks, np.array([0.9, 0.86, 0.5])).sum() == 4
    assert chosen(masks, np.array([0.7, 0.2, 0.3])).sum() == 1


def test_a_tiny_random_model_from_disk(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    save_sam(transformers, tmp_path)
    mask = mask_of(PICTURE, box_of(STAR), "sam", folder=str(tmp_path))
    assert mask.size == PICTURE.size
    assert set(np.unique(np.asarray(mask))) <= {0, 255}
    (tmp_path / "config.json").unlink()
    from rpg.editing.masks import sam

    sam._load.cache_clear()
    with pytest.raises(EditingError, match="holds no Segment Anything model"):
        mask_of(PICTURE, box_of(STAR), "sam", folder=str(tmp_path))
