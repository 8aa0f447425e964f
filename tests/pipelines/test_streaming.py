from __future__ import annotations

import threading
from typing import Any

import pytest
from PIL import Image

from rpg.errors import GenerationError
from rpg.pipelines.streaming import stream
from rpg.plan import Plan, Region
from tests.pipelines.models import regional

PLAN = Plan((Region("a cat"), Region("a dog")), "1,1", base_ratio=0)
SIZE = {"height": 64, "width": 64}


@pytest.fixture(scope="module")
def pipe() -> Any:
    return regional("sd1")


def test_shares_of_the_steps_then_the_pictures(pipe) -> None:
    *shares, first, second = stream(pipe, PLAN, num_inference_steps=4, batch_size=2, seed=1, **SIZE)
    assert shares == [0.25, 0.5, 0.75, 1.0]
    direct = pipe.generate(PLAN, num_inference_steps=4, batch_size=2, seed=1, **SIZE).images
    assert isinstance(first, Image.Image)
    assert [first.tobytes(), second.tobytes()] == [picture.tobytes() for picture in direct]


def test_closing_stops_the_pipeline(pipe) -> None:
    before = threading.active_count()
    items = stream(pipe, PLAN, num_inference_steps=900, **SIZE)
    assert next(items) == pytest.approx(1 / 900)
    items.close()
    assert threading.active_count() == before
    assert len(list(stream(pipe, PLAN, num_inference_steps=1, **SIZE))) == 2  # one step, one picture


def test_errors_come_through(pipe) -> None:
    with pytest.raises(GenerationError, match="multiple of 8"):
        list(stream(pipe, PLAN, num_inference_steps=1, height=100, width=64))
