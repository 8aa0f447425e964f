"""IP-Adapter beside regions: it acts on the whole picture, as without them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from rpg.errors import GenerationError
from rpg.plan import Plan, Region
from rpg.steering.hooks import cross_attentions
from tests.pipelines.models import plain, regional
from tests.pipelines.test_regional import grey_levels

SETTINGS = {"num_inference_steps": 3, "guidance_scale": 6.0, "height": 72, "width": 104}
SAME = Plan((Region("a red cat"),) * 3, "1,1,1;2", "a red cat", 0.3, latent_ratio=0)
OTHER = replace(SAME, regions=(Region("a red cat"), Region("a green dog"), Region("a fish")))
CHANNELS, TOKENS = 16, 4
"""Of the picture's embedding; tokens that it gives."""


def weights(unet: Any) -> dict[str, Any]:
    """An adapter that is heard."""
    generator = torch.Generator().manual_seed(3)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    width = unet.config.cross_attention_dim
    layers = {}
    for number, layer in enumerate(cross_attentions(unet)):
        layers[f"{2 * number + 1}.to_k_ip.weight"] = random(layer.inner_dim, width)
        layers[f"{2 * number + 1}.to_v_ip.weight"] = random(layer.inner_dim, width)
    projection = {
        "proj.weight": random(TOKENS * width, CHANNELS),
        "proj.bias": random(TOKENS * width),
        "norm.weight": torch.ones(width),
        "norm.bias": torch.zeros(width),
    }
    return {"image_proj": projection, "ip_adapter": layers}


def picture(seed: int) -> dict[str, Any]:
    """The embedding of one, in the place of an encoder: nothing [1, 1, channels] for the negative prompt, then the picture."""
    embedding = torch.randn(1, 1, CHANNELS, generator=torch.Generator().manual_seed(seed))
    return {"ip_adapter_image_embeds": [torch.cat([torch.zeros_like(embedding), embedding])]}


@pytest.fixture(scope="module", params=["sd1", "sdxl"])
def pipes(request: pytest.FixtureRequest) -> tuple[Any, Any, Any]:
    """Ours with an adapter, diffusers' own on the same parts, and ours without."""
    ours = regional(request.param)
    ours.load_ip_adapter(weights(ours.unet), subfolder="", weight_name="", image_encoder_folder=None)
    ours.set_ip_adapter_scale(0.3)
    return ours, plain(ours, request.param), regional(request.param)


def test_regions_that_say_what_the_base_says_change_nothing(pipes) -> None:
    ours, other, without = pipes
    pictures = ours.generate(SAME, batch_size=2, seed=7, **SETTINGS, **picture(1)).images
    generators = [torch.Generator().manual_seed(seed) for seed in (7, 8)]
    expected = other("a red cat", generator=generators, num_images_per_prompt=2, **SETTINGS, **picture(1)).images
    assert grey_levels(pictures, expected) <= 1
    assert grey_levels(pictures, without.generate(SAME, batch_size=2, seed=7, **SETTINGS).images) > 8


@pytest.mark.parametrize("latent_ratio", [0, 1])
def test_regions_and_the_picture_are_heard(pipes, latent_ratio: float) -> None:
    ours, _, _ = pipes
    plan = replace(OTHER, latent_ratio=latent_ratio)
    pictures = ours.generate(plan, seed=7, **SETTINGS, **picture(1)).images
    assert grey_levels(pictures, ours.generate(plan, seed=7, **SETTINGS, **picture(2)).images) > 8
    other = replace(plan, regions=(Region("a horse"), *plan.regions[1:]))
    assert grey_levels(pictures, ours.generate(other, seed=7, **SETTINGS, **picture(1)).images) > 8


@pytest.mark.parametrize("pipes", ["sd1"], indirect=True)
def test_a_region_whose_prompt_is_the_negative_one_attends_to_the_picture_in_the_positive_rows_only(pipes) -> None:
    """Equal conditionings are else attended to once for all rows."""
    ours, other, _ = pipes
    plan = replace(SAME, base_prompt="pets", base_ratio=0)
    options = {**SETTINGS, "negative_prompt": "a red cat", **picture(1)}
    expected = other("a red cat", generator=torch.Generator().manual_seed(7), **options).images
    assert grey_levels(ours.generate(plan, seed=7, **options).images, expected) <= 1


def test_masks_are_refused(pipes) -> None:
    masks = {"cross_attention_kwargs": {"ip_adapter_masks": [torch.ones(1, 1, 72, 104)]}}
    with pytest.raises(GenerationError, match="ip_adapter_masks cannot be given here"):
        pipes[0].generate(SAME, seed=7, **SETTINGS, **picture(1), **masks)
