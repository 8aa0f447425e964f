"""What a new user sees first: a caption, planned offline, and everything else at its default."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.benchmarks.composition.cases import Arrangement, Case
from tests.benchmarks.composition.scores import score
from tests.webui.host import Webui

CASES = [
    Case(
        "a red circle on the left and a blue square on the right, on a white background",
        (("red", "circle"), ("blue", "square")),
        Arrangement("columns", "1,1", 256, 128, ("left", "right")),
        same_class=False,
        background="white",
    ),
    Case(
        "a red circle on the left, a green star in the middle and a blue square on the right, on a white background",
        (("red", "circle"), ("green", "star"), ("blue", "square")),
        Arrangement("columns", "1,1,1", 320, 128, ("left", "middle", "right")),
        same_class=False,
        background="white",
    ),
    Case(
        "a yellow triangle at the top, a blue circle in the middle and a red star at the bottom",
        (("yellow", "triangle"), ("blue", "circle"), ("red", "star")),
        Arrangement("rows", "1;1;1", 128, 320, ("top", "middle", "bottom")),
        same_class=False,
        background=None,
    ),
    Case(
        "a red star at the top left, a blue square at the top right, a green circle at the bottom left and a yellow triangle at "
        "the bottom right",
        (("red", "star"), ("blue", "square"), ("green", "circle"), ("yellow", "triangle")),
        Arrangement("nested", "1,1,1;1,1,1", 224, 224, ("top left", "top right", "bottom left", "bottom right")),
        same_class=False,
        background=None,
    ),
]
SEEDS = range(1, 11)
FEWEST = 38
"""Of 40."""


@pytest.mark.parametrize("sampler", ["Euler a", "DPM++ 2M"])
def test_first_pictures_show_what_was_asked(webui: Webui, sampler: str) -> None:
    right = 0
    for case in CASES:
        plan = webui.post("/rpg/v1/plan", caption=case.caption)["plan"]
        assert plan["split_ratio"] == case.arrangement.split_ratio
        size = {"width": case.arrangement.width, "height": case.arrangement.height}
        settings = {"steps": 20, "cfg_scale": 3, "sampler_name": sampler, "scheduler": "Automatic", **size}
        for seed in SEEDS:
            picture = webui.generate(rpg=plan, prompt=case.caption, seed=seed, **settings).image
            right += score(case, Image.fromarray(picture.astype("uint8"))).all_correct
    assert right >= FEWEST
