"""The embedded model, loaded as the original's samples load a model, and measured on its pictures."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers.schedulers import DPMSolverMultistepScheduler

from rpg import shapes
from rpg.pipelines import RegionalDiffusionPipeline
from tests.pipelines.pixels import shape_of

SAMPLE = {"num_inference_steps": 15, "height": 128, "width": 224, "guidance_scale": 4.0, "negative_prompt": ""}


@pytest.fixture(scope="module")
def pipe() -> Any:
    pipe = RegionalDiffusionPipeline.from_single_file(
        str(shapes.CHECKPOINT),
        torch_dtype=torch.float32,
        use_safetensors=True,
        variant="fp16",  # as in the samples; a single file has no variants
        config=str(shapes.CONFIG),
        local_files_only=True,
        safety_checker=None,
    )
    pipe.to("cpu")
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config, use_karras_sigmas=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.mark.parametrize(("left", "right"), [("red circle", "blue square"), ("blue square", "red circle")])
def test_each_object_stands_in_its_region(pipe, left: str, right: str) -> None:
    pictures = pipe(
        prompt=f"a {left} BREAK a {right}",
        split_ratio="0.5,0.5",
        batch_size=8,
        base_ratio=0.5,
        base_prompt=f"a {left} and a {right} on a white background",
        seed=1234,
        **SAMPLE,
    ).images
    (left_colour, left_shape), (right_colour, right_shape) = left.split(), right.split()
    found = [(shape_of(picture, left_colour, 0, 0.5), shape_of(picture, right_colour, 0.5, 1)) for picture in pictures]
    assert sum(one is not None and other is not None for one, other in found) >= 4, found
    assert found.count((left_shape, right_shape)) >= 2, found
    assert not any(shape_of(picture, left_colour, 0.5, 1) or shape_of(picture, right_colour, 0, 0.5) for picture in pictures)


def test_an_object_above_another(pipe) -> None:
    pictures = pipe(
        prompt=["a green circle", "a yellow square"],
        split_ratio="1;1",
        base_prompt="a green circle and a yellow square",
        base_ratio=0.4,
        seed=0,
        batch_size=4,
        **{**SAMPLE, "height": 192, "width": 128},
    ).images
    turned = [picture.rotate(90, expand=True) for picture in pictures]  # the top becomes the left
    assert sum(bool(shape_of(p, "green", 0, 0.5) and shape_of(p, "yellow", 0.5, 1)) for p in turned) >= 2


def test_the_measure_tells_shapes_and_places() -> None:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (192, 128), "white")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((20, 40, 70, 90), fill=(225, 30, 30))
    draw.rectangle((120, 40, 170, 90), fill=(40, 80, 215))
    assert shape_of(picture, "red", 0, 0.5) == "circle"
    assert shape_of(picture, "blue", 0.5, 1) == "square"
    assert shape_of(picture, "red", 0.5, 1) is None
    assert shape_of(picture, "green", 0, 1) is None
    draw.rectangle((150, 40, 190, 90), fill=(225, 30, 30))
    assert shape_of(picture, "red", 0, 0.5) is None
