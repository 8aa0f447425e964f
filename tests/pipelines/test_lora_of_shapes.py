"""The embedded model's own LoRA: stripes in one region, outlines in the other."""

from __future__ import annotations

import pytest

from rpg.pipelines.loading import load
from rpg.plan import Plan, Region
from tests.benchmarks.networks import look


@pytest.mark.parametrize(("left", "right"), [("stripes", "outlines"), ("outlines", None), (None, "stripes")])
def test_each_region_has_its_own(left: str | None, right: str | None) -> None:
    pipe = load().pipeline
    pipe.set_progress_bar_config(disable=True)
    tags = [f"<lora:{style}:1>" if style else "" for style in (left, right)]
    plan = Plan((Region(f"a red circle{tags[0]}"), Region(f"a blue square{tags[1]}")), "1,1", "a red circle and a blue square")
    options = {"num_inference_steps": 16, "guidance_scale": 3.0, "width": 224, "height": 128}
    picture = pipe.generate(plan, seed=1, **options).images[0]
    halves = [look(picture.crop(edges)) for edges in ((0, 0, 112, 128), (112, 0, 224, 128))]
    assert halves[0]["red"].style == left
    assert halves[1]["blue"].style == right
