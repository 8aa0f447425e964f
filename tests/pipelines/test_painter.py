"""Painting parts of pictures with the embedded model."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from rpg.areas.layout import Box
from rpg.editing.operations import Operation
from rpg.editing.repaint import repaint
from rpg.errors import EditingError
from rpg.pipelines.loading import load
from rpg.pipelines.painter import PipelinePainter, window_of
from rpg.plan import Plan, Region
from rpg.shapes.training.scenes import ColouredShape, Scene, draw
from tests.benchmarks.composition.judge import read

PICTURE = draw(Scene(256, 128, "white", (ColouredShape("red", "circle", 50, 60, 46), ColouredShape("blue", "star", 200, 64, 56))))


@pytest.fixture(scope="module")
def painter() -> PipelinePainter:
    pipeline: Any = load().pipeline
    pipeline.set_progress_bar_config(disable=True)
    return PipelinePainter(pipeline, (256, 128), {"num_inference_steps": 20, "guidance_scale": 3.0})


def test_a_part_is_painted_anew_and_the_rest_stays(painter: PipelinePainter) -> None:
    operation = Operation("replace", Box(0.65, 0.2, 0.92, 0.8), "a green heart")
    made = repaint(operation, PICTURE, painter, 1)
    assert sorted(item.kind for item in read(made.picture)) == [("green", "heart"), ("red", "circle")]
    assert made.picture.crop((0, 0, 150, 128)).tobytes() == PICTURE.crop((0, 0, 150, 128)).tobytes()
    assert repaint(operation, PICTURE, painter, 1).picture.tobytes() == made.picture.tobytes()


def test_new_pictures_have_the_size_and_the_seed(painter: PipelinePainter) -> None:
    plan = Plan((Region("a red circle"), Region("a blue star")), "1,1")
    picture = painter.generate(plan, 3)
    assert picture.size == (256, 128)
    assert picture.tobytes() != painter.generate(plan, 4).tobytes()


@pytest.mark.parametrize(
    ("box", "window"),
    [
        ((100, 40, 140, 80), (90, 30, 150, 90)),
        ((0, 0, 40, 40), (0, 0, 60, 60)),
        ((0, 0, 256, 128), (0, 0, 256, 128)),
        ((100, 60, 102, 62), (92, 52, 110, 70)),
    ],
)
def test_windows_are_padded_and_square_where_there_is_room(box: tuple[int, ...], window: tuple[int, ...]) -> None:
    mask = Image.new("L", (256, 128))
    mask.paste(255, box)
    assert window_of(mask, mask.size) == window


def test_an_empty_mask_is_refused() -> None:
    with pytest.raises(EditingError, match="mask is empty"):
        window_of(Image.new("L", (8, 8)), (8, 8))
