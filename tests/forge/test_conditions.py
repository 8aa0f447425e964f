"""On Forge: many prompts and pictures, calls split where memory is short, its ControlNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.forge.laws import check_identity_in_memory, check_one_region_denoised_by_itself
from tests.forge.test_forge import _nothing_is_left  # noqa: F401
from tests.webui.host import PROMPT, Webui, write_image
from tests.webui.laws import distance, same_as_base
from tests.webui.test_generation import RED_BLUE

LONG = PROMPT + ", on a white background" * 30
SETTINGS: list[dict[str, Any]] = [
    {"prompt": "a red circle AND a blue square :0.7", "batch_size": 2},
    {"prompt": LONG, "negative_prompt": "green"},
    {"negative_prompt": "green, " * 80, "batch_size": 3, "cfg_scale": 1},
]


@pytest.mark.parametrize("short", [False, True], ids=["", "short of memory"])
@pytest.mark.parametrize("settings", SETTINGS, ids=["AND, batch", "long prompt", "long negative, batch, CFG 1"])
def test_identity_of_many_prompts(webui: Webui, settings: dict[str, Any], short: bool) -> None:
    assert check_identity_in_memory(webui, short=short, **settings) <= {settings.get("batch_size", 1)}


@pytest.mark.parametrize("short", [False, True], ids=["", "short of memory"])
@pytest.mark.parametrize("settings", SETTINGS[:2], ids=["AND, batch", "long prompt"])
def test_one_region_denoised_by_itself(webui: Webui, settings: dict[str, Any], short: bool) -> None:
    check_one_region_denoised_by_itself(webui, short=short, **settings)


def controlled(webui: Webui, *, left: int = 0, **settings: Any) -> dict[str, Any]:
    """Settings with one unit: white outlines of two boxes."""
    hint = np.zeros((128, 256, 3))
    for x in (32 + left, 160):
        hint[32:96, x : x + 64] = 255
        hint[36:92, x + 4 : x + 60] = 0
    names = webui.get("/controlnet/model_list")["model_list"]
    name = next(name for name in names if name.startswith("control"))
    unit = {"enabled": True, "module": "None", "model": name, "image": write_image(hint), "resize_mode": "Just Resize"}
    unit["save_detected_map"] = False
    return {"alwayson_scripts": {"ControlNet": {"args": [unit]}}, **settings}


def test_controlnet(webui: Webui) -> None:
    plain, settings = webui.generate(), controlled(webui)
    with_hint = webui.generate(**settings)
    assert distance(plain.images, with_hint.images) > 20
    assert distance(webui.generate(rpg=same_as_base(), **settings).images, with_hint.images) <= 1
    assert distance(webui.generate(rpg=RED_BLUE, **settings).images, with_hint.images) > 20


@pytest.mark.parametrize("batch_size", [1, 2])
def test_controlnet_cut_to_regions(webui: Webui, batch_size: int) -> None:
    settings = controlled(webui, batch_size=batch_size)
    one = {"regions": [PROMPT], "split_ratio": "1", "base_ratio": 0, "latent_ratio": 1}
    stronger = webui.generate(**settings, cfg_scale=5.5)
    assert distance(webui.generate(rpg=one, **settings).images, stronger.images) <= 1
    apart = {**RED_BLUE, "base_ratio": 0, "latent_ratio": 1}
    pictures = [webui.generate(rpg=apart, **controlled(webui, left=left)).image for left in (0, 16)]
    assert np.abs(pictures[0] - pictures[1])[:, :112].max() > 20
    # It sees the whole picture, and what it answers is cut.
    assert np.abs(pictures[0] - pictures[1])[:, 144:].max() <= 20


def test_controlnet_sees_the_base_prompt_alone(webui: Webui) -> None:
    """Regions that no layer of the UNet attends to change nothing."""
    plan = {**RED_BLUE, "base_ratio": 1, "latent_ratio": 0}
    for settings in (controlled(webui), {}):
        assert distance(webui.generate(rpg=plan, **settings).images, webui.generate(**settings).images) <= 1
