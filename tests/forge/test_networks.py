"""A LoRA for each region on Forge, whose patchers merge what the whole picture has."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.forge.laws import memory
from tests.forge.test_forge import _nothing_is_left  # noqa: F401
from tests.webui.host import PROMPT, Webui
from tests.webui.laws import distance
from tests.webui.matrix.extras import LORA, UNET_LORA
from tests.webui.test_networks import (  # noqa: F401
    HIRES,
    SMALL,
    _files,
    check_identity_with_network,
    moved,
    regions,
    test_a_refiner_in_the_same_unet,
    test_a_region_says_another_weight_than_the_main_prompt,
    test_another_weight_in_the_hires_pass,
    test_bad_values_are_refused,
    test_every_layer_and_form,
    test_it_acts_in_its_region,
    test_kinds_without_a_low_rank,
    test_one_network_with_two_weights,
    test_search_and_replace_in_a_regions_tag,
    test_stopped_in_the_middle,
    test_the_infotext_gives_the_picture_again,
    test_the_model_changes,
)


@pytest.mark.parametrize("settings", [{}, HIRES, {"batch_size": 2, "n_iter": 2}], ids=["plain", "hires", "batches"])
def test_identity_law(webui: Webui, settings: dict[str, Any]) -> None:
    """In every region, it is what it is in the main prompt."""
    check_identity_with_network(webui, {**SMALL, **settings})


@pytest.mark.parametrize("latent_ratio", [0, 1])
@pytest.mark.parametrize("tag", [f"<lora:{LORA}:-1>", f"<lora:{LORA}:-3:0>"])
def test_identity_law_in_the_text_encoder(webui: Webui, tag: str, latent_ratio: float) -> None:
    """What regions say alike is merged for the whole picture."""
    tags = ("", ""), (tag, tag), (tag, re.sub(r"(-\d)", r"\g<1>.000001", tag))
    plain, alike, apart = (webui.generate(rpg=regions(*pair, latent_ratio=latent_ratio), **SMALL) for pair in tags)
    assert distance(alike.images, apart.images) <= 1
    assert distance(alike.images, plain.images) > 20


def test_in_the_text_encoder(webui: Webui) -> None:
    """Its part there is heard in its region alone, and taken out again as soon as the text is encoded."""
    before = webui.get("/rpg-test/state")
    tag = f"<lora:{LORA}:-3:0>"
    plain, inside = (webui.generate(rpg=regions(*tags), **SMALL).image for tags in ((), (tag,)))
    assert webui.get("/rpg-test/state") == before
    left, right = moved(plain, inside)
    assert left > 2
    assert right < left / 5


def test_short_of_memory(webui: Webui) -> None:
    """What the main prompt has merged comes back with the UNet, after the text encoder has pushed it out."""
    settings = {**SMALL, "prompt": f"{PROMPT} <lora:{UNET_LORA}:0.5>"}
    plan = regions(f"<lora:{LORA}:-1>", f"<lora:{UNET_LORA}:-1>", latent_ratio=0, base_ratio=0.3)
    made = webui.generate(rpg=plan, **settings)
    with memory(webui, short=True):
        assert distance(webui.generate(rpg=plan, **settings).images, made.images) <= 1


def test_a_missing_one_is_said(webui: Webui) -> None:
    without, missing = (webui.generate(rpg=regions(tag), **SMALL) for tag in ("", f"<lora:nowhere:1><lora:{LORA}:0>"))
    assert (without.image == missing.image).all()
    assert "loading network nowhere" in webui.log.read_text()
