"""The embedded model and its ControlNet in sd-webui-controlnet: outlines are kept as without regions, attributes are bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from rpg import shapes
from rpg.plan import DEFAULT_BASE_RATIO
from tests.benchmarks.composition.cases import Case, cases
from tests.benchmarks.composition.judge import read
from tests.benchmarks.composition.scores import score
from tests.benchmarks.control import HINTS, drawn, overlap
from tests.webui.host import Webui, write_image
from tests.webui.matrix.test_extensions import EXTENSIONS, NAMES, control, needs

__all__ = ["EXTENSIONS"]
COUNT = 20
CASES = cases(COUNT)


def picture(webui: Webui, kind: str, case: Case, seed: int, rpg: dict[str, Any] | None) -> Image.Image:
    size = {"width": case.arrangement.width, "height": case.arrangement.height}
    settings = {"steps": 20, "cfg_scale": shapes.GUIDANCE_SCALE, "sampler_name": "Euler a", "scheduler": "Automatic"}
    hint = np.asarray(HINTS[kind](drawn(case, seed)).convert("RGB"))
    unit = {"model": "shapes-control", "resize_mode": "Just Resize", "pixel_perfect": True}
    asked = control(write_image(hint), unit, prompt=case.caption, seed=seed, **size, **settings)
    return Image.fromarray(webui.generate(rpg=rpg, **asked).image.astype("uint8"))


@pytest.mark.parametrize("kind", list(HINTS))
def test_outlines_are_kept_and_attributes_bound(webui: Webui, kind: str) -> None:
    needs(NAMES[1])
    webui.options(sd_model_checkpoint="shapes")
    kept: dict[str, list[float]] = {"alone": [], "attention": [], "latent steps": []}
    bound: dict[str, list[float]] = {name: [] for name in kept}
    for seed, case in enumerate(CASES):
        plan = {
            "regions": [region.prompt for region in case.plan(0).regions],
            "split_ratio": case.arrangement.split_ratio,
            "base_ratio": DEFAULT_BASE_RATIO if case.same_class else 0,
        }
        for name, rpg in (("alone", None), ("attention", {**plan, "latent_ratio": 0}), ("latent steps", plan)):
            made = picture(webui, kind, case, seed, rpg)
            kept[name].append(overlap(drawn(case, seed), read(made)))
            bound[name].append(score(case, made).binding)
    print({name: (round(np.mean(kept[name]), 3), round(np.mean(bound[name]), 3)) for name in kept})
    for name in ("attention", "latent steps"):
        assert np.mean(kept[name]) >= np.mean(kept["alone"]) - 0.02
    assert np.mean(bound["latent steps"]) >= 0.95  # the default
    assert np.mean(bound["attention"]) >= 0.9
