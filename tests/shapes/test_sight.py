"""Sight reads drawn scenes, whose objects are known."""

from collections import Counter
from random import Random

import pytest
from PIL import Image, ImageDraw, ImageFilter

from rpg.shapes.sight import background, objects
from rpg.shapes.training.scenes import BACKGROUNDS, COLOURS, SHAPES, ColouredShape, Scene, draw, random_scene

SIZES = [(128, 128), (96, 96), (192, 128), (128, 384), (256, 256)]


def right(scene: Scene, picture: Image.Image) -> bool:
    """Every object with its colour and shape, about where it is, and nothing else; and the background."""
    found = objects(picture)
    if Counter(thing.kind for thing in scene.things) != Counter((seen.colour, seen.shape) for seen in found):
        return False
    near = [
        any(
            (seen.colour, seen.shape) == thing.kind
            and abs(seen.centre[0] * scene.width - thing.x) < 0.15 * thing.size
            and abs(seen.centre[1] * scene.height - thing.y) < 0.15 * thing.size
            for seen in found
        )
        for thing in scene.things
    ]
    return all(near) and background(picture) == scene.background


@pytest.mark.parametrize(("blur", "rate"), [(0, 0.99), (1.0, 0.98)])
def test_drawn_scenes_are_read_rightly(blur: float, rate: float) -> None:
    rng = Random(0)
    scenes = [random_scene(rng, *rng.choice(SIZES)) for _ in range(100)]
    wrong = [scene for scene in scenes if not right(scene, draw(scene).filter(ImageFilter.GaussianBlur(blur)))]
    assert len(wrong) <= (1 - rate) * len(scenes), wrong


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("colour", COLOURS)
def test_every_kind_alone(colour: str, background: str) -> None:
    for shape in SHAPES:
        scene = Scene(128, 128, background, (ColouredShape(colour, shape, 60, 70, 50),))
        assert [(seen.colour, seen.shape) for seen in objects(draw(scene))] == [(colour, shape)]


def test_nothing_in_an_empty_picture() -> None:
    assert all(objects(Image.new("RGB", (128, 128), colour)) == [] for colour in BACKGROUNDS.values())


def test_what_is_no_known_shape_has_none() -> None:
    picture = Image.new("RGB", (128, 128), "white")
    picture.paste(COLOURS["green"], (10, 50, 118, 70))
    assert [(seen.colour, seen.shape) for seen in objects(picture)] == [("green", None)]


def test_corners_drawn_out_by_strong_guidance_make_no_other_shape() -> None:
    picture = Image.new("RGB", (128, 128), "white")
    corners = [(30, 28), (38, 33), (90, 33), (98, 28), (95, 60), (97, 98), (31, 98), (33, 60)]
    ImageDraw.Draw(picture).polygon(corners, fill=COLOURS["blue"])
    assert [(seen.colour, seen.shape) for seen in objects(picture)] == [("blue", "square")]
