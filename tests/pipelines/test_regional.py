from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from rpg.areas.area import Area
from rpg.areas.patches import check_sizes
from rpg.errors import GenerationError, PlanError
from rpg.pipelines.encoding import encode
from rpg.plan import Plan, Region
from tests.areas.test_area import areas as own_areas
from tests.pipelines.models import REGIONAL, plain, regional

SMALL = {"num_inference_steps": 2, "height": 72, "width": 104, "seed": 3}
LONG = " ".join(f"word{number} of the long prompt" for number in range(40))


@pytest.fixture(scope="module", params=list(REGIONAL))
def pipes(request: pytest.FixtureRequest) -> tuple[Any, str]:
    """A regional pipeline and the kind of its model."""
    return regional(request.param), request.param


@pytest.fixture(scope="module")
def pipe() -> Any:
    return regional("sd1")


@pytest.fixture(scope="module")
def xl() -> Any:
    return regional("sdxl")


def grey_levels(one: list[Image.Image], other: list[Image.Image]) -> int:
    """Largest difference of any pixel."""
    assert len(one) == len(other)
    return max(int(np.abs(np.asarray(a).astype(int) - np.asarray(b)).max()) for a, b in zip(one, other))


def plain_pictures(pipe: Any, kind: str, prompt: str, *, seed: int, count: int = 1, **options: Any) -> list[Image.Image]:
    generators = [torch.Generator().manual_seed(seed + number) for number in range(count)]
    return plain(pipe, kind)(prompt, generator=generators, num_images_per_prompt=count, **options).images


@pytest.mark.parametrize(
    ("split_ratio", "count", "base_ratio", "options"),
    [
        ("1,1", 2, None, {"negative_prompt": None, "height": 72, "width": 104}),
        ("1;2,1,3;1", 4, 0.4, {"negative_prompt": "blurry", "height": 136, "width": 88}),
        ("1,2", 2, 1, {"negative_prompt": "", "height": 64, "width": 64}),
    ],
)
def test_regions_that_say_what_the_base_says_change_nothing(pipes, split_ratio, count, base_ratio, options) -> None:
    pipe, kind = pipes
    options = {"num_inference_steps": 3, "guidance_scale": 6.0, **options}
    base = {} if base_ratio is None else {"base_prompt": "a red cat", "base_ratio": base_ratio}
    ours = pipe(prompt=["a red cat"] * count, split_ratio=split_ratio, batch_size=2, seed=7, **base, **options).images
    assert grey_levels(ours, plain_pictures(pipe, kind, "a red cat", seed=7, count=2, **options)) <= 1
    assert np.asarray(ours[0]).std() > 5  # not a flat picture, which would equal anything


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    own=st.lists(own_areas(), min_size=1, max_size=3),
    cells=st.sampled_from(["", "1", "1,2"]),
    base_ratio=st.sampled_from([0, 0.3]),
)
def test_boxes_and_masks_that_say_what_the_base_says_change_nothing(pipe, own: list[Area], cells: str, base_ratio: float) -> None:
    texts = ["a red cat"] * (cells.count(",") + 1 if cells else 0)
    regions = [*texts, *({"prompt": "a red cat", "area": area} for area in own)]
    plan = Plan.from_dict(
        {"regions": regions, "split_ratio": cells, "base_prompt": "a red cat", "base_ratio": base_ratio, "latent_ratio": 0}
    )
    try:
        check_sizes(plan.areas, SMALL["height"] // 8, SMALL["width"] // 8)
    except PlanError:
        return
    ours = pipe.generate(plan, **SMALL).images
    assert grey_levels(ours, plain_pictures(pipe, "sd1", "a red cat", **SMALL)) <= 1


def test_a_box_too_small_for_the_picture_is_refused(pipe) -> None:
    plan = Plan.from_dict({"regions": ["a cat", {"prompt": "a hat", "area": {"box": [0, 0, 0.02, 0.02]}}]})
    with pytest.raises(PlanError, match=r"Region 2: its area is less than 8 x 8 pixels large in a picture of 104 x 72"):
        pipe.generate(plan, **SMALL)


def test_regions_follow_their_prompts(pipes) -> None:
    pipe, kind = pipes
    mixed = pipe(prompt="a red cat BREAK a green dog", split_ratio="1,1", **SMALL).images
    for prompt in ("a red cat", "a green dog", "a red cat, a green dog"):
        assert grey_levels(mixed, plain_pictures(pipe, kind, prompt, **SMALL)) > 8
    swapped = pipe(prompt=["a green dog", "a red cat"], split_ratio="1,1", **SMALL).images
    assert grey_levels(mixed, swapped) > 8


@pytest.mark.parametrize("fields", [{}, {"base_prompt": "two pets", "base_ratio": 0.4}])
def test_a_common_prompt_is_as_if_written_in_every_region(pipe, fields: dict[str, Any]) -> None:
    boxed = {"prompt": "a (green:1.3) dog", "area": {"box": [0.5, 0.5, 1, 1]}}
    plan = Plan.from_dict({"regions": ["a red cat", boxed], "common_prompt": "best quality", "latent_ratio": 0.5, **fields})
    common, written = (pipe.generate(one, **SMALL).images for one in (plan, plan.written_out()))
    assert grey_levels(common, written) == 0
    assert grey_levels(common, pipe.generate(replace(plan, common_prompt=""), **SMALL).images) > 8


def test_base_ratio_1_is_the_base_prompt_alone(pipes) -> None:
    pipe, kind = pipes
    ours = pipe(prompt="a cat BREAK a dog", split_ratio="1;1", base_prompt="two birds", base_ratio=1, **SMALL).images
    assert grey_levels(ours, plain_pictures(pipe, kind, "two birds", **SMALL)) <= 1


def test_no_base_prompt_or_no_base_ratio_mixes_nothing_in(pipe) -> None:
    regions = {"prompt": "a cat BREAK a dog", "split_ratio": "1,1"}
    without = pipe(**regions, base_prompt=None, base_ratio=0.5, **SMALL).images
    assert grey_levels(without, pipe(**regions, **SMALL).images) == 0


def test_a_region_has_its_own_negative_prompt_and_base_ratio(pipes) -> None:
    pipe, _ = pipes

    def pictures(*regions: Region) -> list[Image.Image]:
        return pipe.generate(Plan(regions, "1,1", "animals", 0.5), negative_prompt="blurry", **SMALL).images

    usual = pictures(Region("a cat"), Region("a dog"))
    assert grey_levels(usual, pictures(Region("a cat", "blurry", 0.5), Region("a dog"))) == 0
    assert grey_levels(usual, pictures(Region("a cat", "a tail"), Region("a dog"))) > 0
    assert grey_levels(usual, pictures(Region("a cat", None, 0.0), Region("a dog"))) > 0


def test_seeds_count_up_in_a_batch(pipes) -> None:
    pipe, _ = pipes
    regions = {"prompt": "a cat BREAK a dog", "split_ratio": "1,1", "num_inference_steps": 2, "height": 64, "width": 64}
    batch = pipe(**regions, seed=5, batch_size=3).images
    for number, picture in enumerate(batch):
        assert grey_levels([picture], pipe(**regions, seed=5 + number).images) <= 1
    assert all(grey_levels([one], [other]) > 8 for one, other in pairwise(batch))
    assert grey_levels(pipe(**regions, seed=None).images, pipe(**regions, seed=None).images) > 8


def test_long_prompts_are_read_to_the_end(pipes) -> None:
    pipe, _ = pipes
    plan = Plan((Region(LONG), Region("a dog")), "1,1", "animals", 0.4)
    other = Plan((Region(LONG + " at night"), Region("a dog")), "1,1", "animals", 0.4)
    assert grey_levels(pipe.generate(plan, **SMALL).images, pipe.generate(other, **SMALL).images) > 0


def test_a_long_prompt_is_encoded_in_parts(xl) -> None:
    first = "a b c " * 25  # 75 tokens fill the text encoder's window
    with torch.no_grad():
        whole, part, rest = (encode(xl, text) for text in (first + "a dog at night", first, "a dog at night"))
    torch.testing.assert_close(whole.embeds, torch.cat([part.embeds, rest.embeds], dim=1))
    torch.testing.assert_close(whole.pooled, part.pooled)
    assert part.embeds.shape[1] == 77


def test_the_next_plain_picture_is_untouched(pipes) -> None:
    pipe, kind = pipes
    before = plain_pictures(pipe, kind, "a cat", **SMALL)
    pipe(prompt="a cat BREAK a dog", split_ratio="1,1", **SMALL)
    assert grey_levels(before, plain_pictures(pipe, kind, "a cat", **SMALL)) == 0

    def fail(*_arguments: Any) -> dict[str, Any]:
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        pipe(prompt="a cat BREAK a dog", split_ratio="1,1", callback_on_step_end=fail, **SMALL)
    assert grey_levels(before, plain_pictures(pipe, kind, "a cat", **SMALL)) == 0


@pytest.mark.parametrize("saver", ["enable_attention_slicing", "fuse_qkv_projections"])
def test_what_saves_memory_changes_nothing(saver: str) -> None:
    """diffusers 1552: with attention slicing, pictures of Stable Diffusion 2 in another size than the trained one are black."""
    pipe = regional("sd2")
    options = {"prompt": "a cat BREAK a dog", "split_ratio": "1,1", "base_prompt": "animals", "base_ratio": 0.4, **SMALL}
    for latent_ratio in (0, 0.5):
        before = pipe(latent_ratio=latent_ratio, **options).images
        getattr(pipe, saver)()
        assert grey_levels(before, pipe(latent_ratio=latent_ratio, **options).images) <= 1


def test_other_options_reach_diffusers(pipe) -> None:
    steps = []

    def note(_pipeline: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        steps.append(step)
        return tensors

    out = pipe(
        prompt="a cat BREAK a dog",
        split_ratio="1,1",
        callback_on_step_end=note,
        output_type="latent",
        guidance_scale=1.0,
        **SMALL,
    )
    assert steps == [0, 1]
    assert out.images.shape == (1, 4, 9, 13)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"prompt": "a BREAK b BREAK c"}, "split_ratio '1,1' makes 2 regions, but there are 3 region prompts"),
        ({"prompt": ()}, "regions is empty"),
        ({"base_ratio": 1.5, "base_prompt": "x"}, "base_ratio is 1.5"),
        ({"height": 100}, "height is 100; it must be a multiple of 8"),
        ({"width": -8}, "width is -8; it must be a whole number above 0"),
        ({"batch_size": 0}, "batch_size is 0; it must be a whole number above 0"),
        ({"negative_prompt": ["a", "b"]}, "negative_prompt is list"),
        ({"prompt_embeds": torch.zeros(1, 77, 32)}, "prompt_embeds cannot be given here"),
        ({"seed": 1, "generator": torch.Generator()}, "seed and generator were both given"),
    ],
)
def test_refused_with_a_sentence(pipe, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises((PlanError, GenerationError)) as caught:
        pipe(**{"prompt": "a cat BREAK a dog", "split_ratio": "1,1", **options})
    assert sentence in str(caught.value)


def test_saved_and_loaded(pipes, tmp_path: Path) -> None:
    pipe, kind = pipes
    pipe.save_pretrained(tmp_path, variant="fp16")
    again = REGIONAL[kind].from_pretrained(tmp_path, torch_dtype=torch.float32, use_safetensors=True, variant="fp16")
    again.set_progress_bar_config(disable=True)
    regions = {"prompt": "a cat BREAK a dog", "split_ratio": "1,1"}
    assert grey_levels(pipe(**regions, **SMALL).images, again(**regions, **SMALL).images) == 0


@pytest.mark.parametrize(("base_prompt", "text"), [("two animals", "two animals"), (None, "a cat, a dog")])
def test_sdxl_pooled_embedding_comes_from_the_base(xl, base_prompt: str | None, text: str) -> None:
    seen: list[dict[str, Any]] = []
    handle = xl.unet.register_forward_pre_hook(lambda _unet, _args, kwargs: seen.append(kwargs), with_kwargs=True)
    try:
        xl(prompt="a cat BREAK a dog", split_ratio="1,1", base_prompt=base_prompt, base_ratio=0.5, **SMALL)
    finally:
        handle.remove()
    with torch.no_grad():
        pooled = xl.encode_prompt(text, do_classifier_free_guidance=False)[2]
    negative, positive = seen[0]["added_cond_kwargs"]["text_embeds"]
    torch.testing.assert_close(positive, pooled[0])
    assert (negative == 0).all()  # without a negative prompt SDXL takes zeros
    assert (seen[0]["encoder_hidden_states"][0] == 0).all()
