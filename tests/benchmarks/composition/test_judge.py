"""The judge reads drawn scenes, whose objects are known."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from rpg.shapes.training.scenes import BACKGROUNDS, COLOURS, SHAPES, ColouredShape, Scene, draw, random_scene
from tests.benchmarks.composition.judge import OTHER, read

SIZES = [(128, 128), (96, 96), (192, 128), (128, 384), (256, 256), (512, 256)]


def right(scene: Scene, picture: Image.Image) -> bool:
    """Every object read with its colour and shape and at most a tenth of its size away, and nothing else."""
    found = read(picture)
    if Counter(thing.kind for thing in scene.things) != Counter(item.kind for item in found):
        return False
    return all(
        any(
            item.kind == thing.kind and max(abs(a - b) for a, b in zip(item.box, thing.box)) <= 0.1 * thing.size + 1
            for item in found
        )
        for thing in scene.things
    )


@pytest.mark.parametrize("blur", [0, 1.0])
def test_at_least_99_of_100_drawn_scenes_are_read_rightly(blur: float) -> None:
    rng = Random(0)
    scenes = [random_scene(rng, *rng.choice(SIZES)) for _ in range(100)]
    pictures = [draw(scene).filter(ImageFilter.GaussianBlur(blur)) for scene in scenes]
    wrong = [scene for scene, picture in zip(scenes, pictures) if not right(scene, picture)]
    assert len(wrong) <= 0.01 * len(scenes), wrong


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("colour", COLOURS)
def test_every_kind_alone(colour: str, background: str) -> None:
    for shape in SHAPES:
        scene = Scene(128, 128, background, (ColouredShape(colour, shape, 60, 70, 50),))
        assert [item.kind for item in read(draw(scene))] == [(colour, shape)]


def test_noise_on_the_pixels_changes_nothing() -> None:
    rng, noise = Random(1), np.random.default_rng(1)
    scenes = [random_scene(rng, 192, 128) for _ in range(60)]
    noisy = [
        Image.fromarray((np.asarray(draw(scene)) + noise.normal(0, 8, (128, 192, 3))).clip(0, 255).astype(np.uint8))
        for scene in scenes
    ]
    assert sum(right(scene, picture) for scene, picture in zip(scenes, noisy)) >= 58


def test_nothing_in_an_empty_picture() -> None:
    assert all(read(Image.new("RGB", (128, 128), colour)) == [] for colour in BACKGROUNDS.values())


def test_an_object_of_two_colours_is_two_objects_of_no_shape_it_was_to_have() -> None:
    picture = draw(Scene(128, 128, "white", (ColouredShape("red", "circle", 64, 64, 60),)))
    right_half = draw(Scene(128, 128, "white", (ColouredShape("blue", "circle", 64, 64, 60),))).crop((64, 0, 128, 128))
    picture.paste(right_half, (64, 0))
    assert sorted(item.kind for item in read(picture)) == [("blue", OTHER), ("red", OTHER)]


def test_what_is_no_known_shape_is_other() -> None:
    picture = Image.new("RGB", (128, 128), "white")
    draw_on = ImageDraw.Draw(picture)
    draw_on.rectangle((20, 50, 110, 70), fill=COLOURS["green"])
    assert [item.kind for item in read(picture)] == [("green", OTHER)]
