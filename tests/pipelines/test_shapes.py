"""The embedded model, loaded as the original's samples load a model, and measured on its pictures."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from diffusers.schedulers import DPMSolverMultistepScheduler
from PIL import Image

from rpg import shapes
from rpg.pipelines import RegionalDiffusionPipeline
from rpg.plan import Plan, Region
from rpg.shapes.training.scenes import COLOURS, SHAPES
from tests.benchmarks.composition.judge import read

SAMPLE = {"num_inference_steps": 15, "height": 128, "width": 224, "guidance_scale": shapes.GUIDANCE_SCALE, "negative_prompt": ""}


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


def kinds(picture: Image.Image, axis: int) -> list[str]:
    """The objects from left to right (axis 0) or from top to bottom (1), as ``red circle``."""
    return [" ".join(item.kind) for item in sorted(read(picture), key=lambda item: item.centre[axis])]


@pytest.mark.parametrize(("left", "right"), [("red circle", "blue square"), ("green triangle", "yellow heart")])
def test_each_object_stands_in_its_region(pipe, left: str, right: str) -> None:
    pictures = pipe(
        prompt=f"a {left} BREAK a {right}",
        split_ratio="0.5,0.5",
        batch_size=5,
        base_ratio=0.2,
        base_prompt=f"a {left} and a {right}",
        latent_ratio=shapes.LATENT_RATIO,
        seed=1234,
        **SAMPLE,
    ).images
    found = [kinds(picture, 0) for picture in pictures]
    colours = [[kind.split()[0] for kind in one] for one in found]
    assert colours.count([text.split(maxsplit=1)[0] for text in (left, right)]) >= 4, found
    assert found.count([left, right]) >= 3, found


def test_an_object_above_another_by_attention_alone(pipe) -> None:
    pictures = pipe(
        prompt=["a green circle", "a yellow square"],
        split_ratio="1;1",
        seed=0,
        batch_size=5,
        **{**SAMPLE, "height": 224, "width": 128},
    ).images
    found = [kinds(picture, 1) for picture in pictures]
    colours = [[kind.split()[0] for kind in one] for one in found]
    assert colours.count(["green", "yellow"]) >= 3, found


@pytest.mark.parametrize(
    ("split_ratio", "cells"),
    [
        ("1,1,1;1,1,1", ["red circle", "blue square", "red circle", "green triangle"]),
        ("1,2,1,1;1,2,1,1", ["red circle", "blue square", "blue square"] * 2),
    ],
    ids=["beside two", "beside a square of four"],
)
def test_a_region_that_spans_rows_shows_one_object(pipe, split_ratio: str, cells: list[str]) -> None:
    plan = Plan(tuple(Region(f"a {kind}") for kind in cells), split_ratio, base_ratio=0, latent_ratio=shapes.LATENT_RATIO)
    found = [sorted(kinds(picture, 0)) for picture in pipe.generate(plan, batch_size=6, seed=1, **SAMPLE).images]
    cells.remove("red circle")  # it is written twice
    assert all(one.count("red circle") == 1 for one in found), found
    assert found.count(sorted(cells)) >= 4, "four equal squares side by side may merge"


def test_single_objects(pipe) -> None:
    plain = StableDiffusionPipeline(**pipe.components, requires_safety_checker=False)
    plain.set_progress_bar_config(disable=True)
    wanted = [f"{colour} {shape}" for colour, shape in zip(COLOURS, [*SHAPES, *SHAPES])]
    generators = [torch.Generator().manual_seed(seed) for seed in range(len(wanted))]
    settings = {**SAMPLE, "width": 128, "negative_prompt": None}
    pictures = plain([f"a {text}" for text in wanted], generator=generators, **settings).images
    found = [kinds(picture, 0) for picture in pictures]
    assert sum(one == [text] for one, text in zip(found, wanted, strict=True)) >= len(wanted) - 1, found
