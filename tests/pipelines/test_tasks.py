"""Every diffusers pipeline with regions: from noise, from a picture, below a mask, with ControlNets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import ControlNetModel
from PIL import Image

from rpg import pipelines, shapes
from rpg.errors import GenerationError
from rpg.pipelines import regional as regional_pipelines
from rpg.pipelines.classes import PIPELINES
from rpg.plan import Plan, Region
from rpg.steering.latents import GUIDANCE_APART
from tests.pipelines.models import regional
from tests.pipelines.test_regional import grey_levels

SIZE = {"height": 72, "width": 104}
SETTINGS = {"num_inference_steps": 3, "guidance_scale": 6.0}
STRENGTH = 0.8
SAME = Plan((Region("a red cat"),) * 3, "1,1,1;2", "a red cat", 0.3, latent_ratio=0)
OTHER = Plan((Region("a red cat"), Region("a green dog"), Region("a fish")), "1,1,1;2", base_ratio=0, latent_ratio=0)
FAMILIES = {"sd1": "", "sd2": "", "sdxl": "XL"}
TASKS = ["", "Img2Img", "Inpaint", "ControlNet", "ControlNetImg2Img", "ControlNetInpaint"]


def noise(seed: int, mode: str = "RGB") -> Image.Image:
    """A picture of coarse squares."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (9, 13, 3), dtype=np.uint8)).convert(mode)
    return small.resize((SIZE["width"], SIZE["height"]), Image.Resampling.NEAREST)


def mask() -> Image.Image:
    """Across the borders of all regions."""
    picture = Image.new("L", (SIZE["width"], SIZE["height"]))
    picture.paste(255, (24, 8, 80, 56))
    return picture


def control_net(unet: Any, seed: int = 0) -> ControlNetModel:
    """One that changes the picture; a new one is all zeros."""
    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 4, 8, 8)).eval()
    torch.manual_seed(seed)
    for layer in (*net.controlnet_down_blocks, net.controlnet_mid_block):
        torch.nn.init.normal_(layer.weight, std=0.5)
    for layer in net.controlnet_cond_embedding.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    return net


def inputs(task: str) -> dict[str, Any]:
    """What a task takes beside its prompt; the sizes only where there is no picture to start from."""
    given: dict[str, Any] = {} if "Img2Img" in task else dict(SIZE)
    control = {"image" if task == "ControlNet" else "control_image": noise(1)} if "ControlNet" in task else {}
    if "Img2Img" in task or "Inpaint" in task:
        given |= {"image": noise(2), "strength": STRENGTH}
    return given | control | ({"mask_image": mask()} if "Inpaint" in task else {})


@pytest.fixture(scope="module", params=list(FAMILIES))
def base(request: pytest.FixtureRequest) -> tuple[Any, str]:
    """A pipeline from noise, and its family."""
    return regional(request.param), FAMILIES[request.param]


def made(base: Any, family: str, task: str, controls: Any = None) -> tuple[Any, Any]:
    """The regional pipeline of a task, and diffusers' own."""
    controls = {"controlnet": controls or control_net(base.unet)} if "ControlNet" in task else {}
    name = f"{family}{task}Pipeline"
    pipes = [
        kind.from_pipe(base, **controls)
        for kind in (getattr(pipelines, f"RegionalDiffusion{name}"), getattr(diffusers, f"StableDiffusion{name}"))
    ]
    for pipe in pipes:
        pipe.set_progress_bar_config(disable=True)
    return pipes[0], pipes[1]


def plain_pictures(plain: Any, count: int = 1, **options: Any) -> list[Image.Image]:
    generators = [torch.Generator().manual_seed(7 + number) for number in range(count)]
    pictures: list[Image.Image] = plain(
        "a red cat", generator=generators, num_images_per_prompt=count, **SETTINGS, **options
    ).images
    return pictures


@pytest.mark.parametrize("task", TASKS)
def test_regions_that_say_what_the_base_says_change_nothing(base, task: str) -> None:
    ours, plain = made(*base, task)
    pictures = ours.generate(SAME, batch_size=2, seed=7, **SETTINGS, **inputs(task)).images
    assert grey_levels(pictures, plain_pictures(plain, 2, **inputs(task))) <= 1
    assert np.asarray(pictures[0]).std() > 5


@pytest.mark.parametrize("task", TASKS)
def test_regions_and_inputs_matter(base, task: str) -> None:
    ours, plain = made(*base, task)
    pictures = ours.generate(OTHER, seed=7, **SETTINGS, **inputs(task)).images
    assert grey_levels(pictures, plain_pictures(plain, **inputs(task))) > 8
    assert grey_levels(pictures, ours.generate(OTHER, seed=7, **SETTINGS, **inputs(task)).images) == 0
    for name in ("image", "control_image"):
        if name in inputs(task):
            assert grey_levels(pictures, ours.generate(OTHER, seed=7, **SETTINGS, **{**inputs(task), name: noise(5)}).images) > 8


def test_every_pipeline_is_tried() -> None:
    tried = [f"RegionalDiffusion{family}{task}Pipeline" for family in ("", "XL") for task in TASKS]
    assert sorted(kind.__name__ for kind in PIPELINES) == sorted(tried) == sorted(pipelines.__all__)


def test_two_controls_at_once_with_scale_start_and_end(base) -> None:
    pipe, family = base
    ours, plain = made(pipe, family, "ControlNet", [control_net(pipe.unet, 1), control_net(pipe.unet, 2)])
    options = {
        "image": [noise(1), noise(2)],
        "controlnet_conditioning_scale": [0.8, 0.3],
        "control_guidance_start": [0.0, 0.3],
        "control_guidance_end": [0.7, 1.0],
    }
    pictures = ours.generate(SAME, seed=7, **SETTINGS, **options).images  # as large as the control
    assert grey_levels(pictures, plain_pictures(plain, **SIZE, **options)) <= 1
    options["controlnet_conditioning_scale"] = [0.8, 0.0]
    assert grey_levels(pictures, ours.generate(SAME, seed=7, **SETTINGS, **options).images) > 0


def test_the_control_attends_to_the_base_prompt_only(base) -> None:
    ours, _ = made(*base, "ControlNet")
    seen: list[int] = []
    handle = ours.controlnet.controlnet_mid_block.register_forward_pre_hook(lambda *_: None)
    layer = next(module for name, module in ours.controlnet.named_modules() if name.endswith("attn2.to_k"))
    hook = layer.register_forward_pre_hook(lambda _module, args: seen.append(args[0].shape[1]))
    ours.generate(OTHER, seed=7, **SETTINGS, **inputs("ControlNet"))
    handle.remove()
    hook.remove()
    assert set(seen) == {77}


def test_what_lies_outside_the_mask_stays(base) -> None:
    ours, _ = made(*base, "Inpaint")
    plans = OTHER, replace(SAME, latent_ratio=0.9)
    options = {**SETTINGS, **inputs("Inpaint"), "output_type": "latent"}
    differ = np.not_equal(*(ours.generate(plan, seed=7, **options).images[0] for plan in plans)).any(0)
    assert differ[1:7, 3:10].all()
    differ[1:7, 3:10] = False
    assert not differ.any()


def test_latent_steps_with_a_picture_to_start_from(base) -> None:
    ours, _ = made(*base, "Img2Img")
    plan = replace(OTHER, latent_ratio=1)
    options = {"seed": 7, **SETTINGS, **inputs("Img2Img")}
    assert grey_levels(ours.generate(plan, **options).images, ours.generate(OTHER, **options).images) > 8
    # With half of the noise, the first half of the steps is over.
    half = {**options, "num_inference_steps": 8, "strength": 0.5}
    late = replace(OTHER, regions=(*OTHER.regions[:2], OTHER.regions[0]))  # counts nothing, so no base prompt comes in
    early = replace(late, latent_ratio=0.4)
    assert grey_levels(ours.generate(early, **half).images, ours.generate(late, **half).images) == 0


@pytest.mark.parametrize(("task", "from_noise"), [("", True), ("Img2Img", False), ("Inpaint", False)])
def test_whether_a_picture_is_the_start_is_known(base, task: str, from_noise: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """No object begins where no region lies, but a picture stays there."""
    seen = []
    attach = regional_pipelines.attach
    monkeypatch.setattr(regional_pipelines, "attach", lambda unet, steering: seen.append(steering) or attach(unet, steering))
    ours, _ = made(*base, task)
    ours.generate(replace(OTHER, latent_ratio=1), seed=7, **SETTINGS, **inputs(task))
    assert [steering.from_noise for steering in seen] == [from_noise]


def test_the_original_s_words(base) -> None:
    ours, _ = made(*base, "ControlNet")
    words = ours(
        prompt="a red cat BREAK a green dog BREAK a fish", split_ratio="1,1,1;2", seed=7, **SETTINGS, **inputs("ControlNet")
    )
    assert grey_levels(words.images, ours.generate(OTHER, seed=7, **SETTINGS, **inputs("ControlNet")).images) == 0


def test_saved_and_loaded(base, tmp_path: Path) -> None:
    ours, _ = made(*base, "ControlNet")
    ours.save_pretrained(tmp_path)
    again = type(ours).from_pretrained(tmp_path)
    again.set_progress_bar_config(disable=True)
    pictures = [pipe.generate(OTHER, seed=7, **SETTINGS, **inputs("ControlNet")).images for pipe in (ours, again)]
    assert grey_levels(*pictures) == 0


@pytest.mark.parametrize("task", TASKS)
def test_regions_denoised_by_themselves_see_nothing_of_the_others(base, task: str) -> None:
    """Of different sizes. A ControlNet sees the whole picture, so that this holds in one step only."""
    ours, _ = made(*base, task)
    plan = replace(OTHER, base_prompt="pets", latent_ratio=1)
    other = replace(plan, regions=(*plan.regions[:2], Region("a horse")))
    options = {**SETTINGS, **inputs(task), "output_type": "latent"}
    if "ControlNet" in task:
        options |= {"num_inference_steps": 1, "strength": 1.0} if "strength" in options else {"num_inference_steps": 1}
    first, second = (ours.generate(one, seed=7, **options).images[0] for one in (plan, other))
    differ = np.not_equal(first, second).any(0)
    assert differ[3:].any()  # the third region has two thirds of nine rows
    assert not differ[:3].any()


@pytest.mark.parametrize(
    ("task", "plan", "options", "sentence"),
    [
        ("Img2Img", {}, {"height": 64}, "height and width cannot be given here"),
        ("Inpaint", {}, {"padding_mask_crop": 8}, "padding_mask_crop cannot be given here"),
        ("ControlNet", {}, {"height": 100}, "height is 100; it must be a multiple of 8"),
    ],
)
def test_refused_with_a_sentence(base, task: str, plan: dict[str, Any], options: dict[str, Any], sentence: str) -> None:
    ours, _ = made(*base, task)
    with pytest.raises(GenerationError) as caught:
        ours.generate(Plan((Region("a"), Region("b")), "1,1", **plan), **{**inputs(task), **options})
    assert sentence in str(caught.value)


@pytest.mark.parametrize("task", ["", "ControlNetImg2Img"])
def test_guided_more_strongly_while_regions_are_denoised_by_themselves(base, task: str, monkeypatch) -> None:
    """Also in pipelines that read their guidance scale only once."""
    ours, _ = made(*base, task)
    options = {"seed": 7, "num_inference_steps": 2, **inputs(task)}
    plan = replace(OTHER, latent_ratio=1)
    pictures = ours.generate(plan, guidance_scale=4.0, **options).images
    monkeypatch.setattr("rpg.pipelines.regional.GUIDANCE_APART", 1.0)
    assert grey_levels(pictures, ours.generate(plan, guidance_scale=1 + 3 * GUIDANCE_APART, **options).images) <= 1
    assert grey_levels(pictures, ours.generate(plan, guidance_scale=4.0, **options).images) > 8


def test_from_a_checkpoint_file() -> None:
    """With the embedded model, whose own pictures the plain pipeline makes."""
    config = {"config": str(shapes.CONFIG), "local_files_only": True, "safety_checker": None}
    net = control_net(diffusers.StableDiffusionPipeline.from_single_file(str(shapes.CHECKPOINT), **config).unet)
    ours = pipelines.RegionalDiffusionControlNetPipeline.from_single_file(str(shapes.CHECKPOINT), controlnet=net, **config)
    plain = diffusers.StableDiffusionControlNetPipeline.from_pipe(ours)
    for pipe in (ours, plain):
        pipe.set_progress_bar_config(disable=True)
    options = inputs("ControlNet")
    assert grey_levels(ours.generate(SAME, seed=7, **SETTINGS, **options).images, plain_pictures(plain, **options)) <= 1
