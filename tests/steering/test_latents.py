"""Regions denoised by themselves: each is what the UNet makes of its part of the latent and its prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rpg.areas.area import Area
from rpg.areas.areas import Areas
from rpg.areas.layout import Box, Layout
from rpg.areas.patches import share_out, shares
from rpg.errors import GenerationError
from rpg.plan import Plan
from rpg.steering import latents
from rpg.steering.calls import LatentWindow
from rpg.steering.conditioning import Joined, join
from rpg.steering.hooks import attach, is_replaced
from rpg.steering.latents import denoise_apart, share_done
from rpg.steering.steering import Steering
from tests.areas.test_area import png
from tests.pipelines.models import regional
from tests.steering.unets import UNet

BEGIN = torch.tensor([999, 999])
"""The time of the first step."""


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(1)


def apart(text: str, base_ratio: float, count: int) -> tuple[Steering, Tensor, list[Tensor]]:
    """Steering, joined context and the segments: the base prompt's, then the regions'."""
    layout = Layout.parse(text)
    segments = [torch.randn(2, 5, 6) for _ in range(count + 1)]
    joined = join(segments)
    steering = Steering(Areas.of(layout), [base_ratio] * layout.count, latent_ratio=0.5)
    steering.prepare(joined)
    return steering, joined.context, segments


class DiffusersUNet(UNet):
    def forward(self, sample: Tensor, timestep: int, encoder_hidden_states: Tensor) -> tuple[Tensor]:
        return (super().forward(sample, None, encoder_hidden_states),)


@pytest.mark.parametrize("how", ["by position", "by name", "diffusers"])
@torch.no_grad()
def test_regions_see_their_own_part_and_prompt_only(how: str) -> None:
    unet, x = DiffusersUNet() if how == "diffusers" else UNet(), torch.randn(2, 8, 6, 9)
    steering, context, (_, left, right) = apart("1,2", 0.25, 2)

    def call(x: Tensor, context: Tensor) -> Tensor:
        if how == "diffusers":
            return unet(x, 700, encoder_hidden_states=context)[0]
        return unet(x, 700, context) if how == "by position" else unet(x, timesteps=BEGIN, context=context)

    expected = torch.cat([call(x[..., :3], left), call(x[..., 3:], right)], dim=-1)
    with attach(unet, steering):
        torch.testing.assert_close(call(x, context), expected)


@torch.no_grad()
def test_the_whole_picture_is_not_denoised() -> None:
    unet, x, seen = UNet(), torch.randn(2, 8, 6, 8), []
    steering, context, _ = apart("1,1", 0.5, 2)
    with attach(unet, steering), unet.register_forward_hook(lambda _unet, args, _out: seen.append(args[0].shape)):
        unet(x, BEGIN, context)
    assert seen == [(4, 8, 6, 4), (2, 8, 6, 8)], "two halves at once, and the call that asked for them"


class Controlled(UNet):
    """Takes what a ControlNet of Forge adds, which is nothing here."""

    def forward(self, *args: Any, control: Any = None) -> Tensor:
        return super().forward(*args)


@pytest.mark.parametrize(
    ("from_noise", "control"), [(False, None), (True, None), (True, {"input": []})], ids=["picture", "noise", "control"]
)
@torch.no_grad()
def test_areas_are_laid_over_what_no_region_covers(from_noise: bool, control: Any) -> None:
    """There the whole picture is denoised once, with the base prompt. No object begins there, unless a picture to start from or
    a ControlNet says what stands where."""
    unet, x, seen = Controlled(), torch.randn(2, 8, 8, 8), []
    segments = [torch.randn(2, 5, 6) for _ in range(3)]
    left = Area(Box(0, 0, 0.75, 0.5))
    blob = Area(mask=png([[0, 0, 0, 0], [0, 128, 255, 0], [0, 0, 255, 0], [0, 0, 0, 0]]))
    steering = Steering(Areas.of(None, (), [left, blob]), [0.3, 0.3], latent_ratio=0.5)
    steering.prepare(joined := join(segments))
    steering.from_noise = from_noise
    rest, one, other = (
        unet(x, BEGIN, segments[0]),
        unet(x[..., :4, :6], BEGIN, segments[1]),
        unet(x[..., 2:6, 2:6], BEGIN, segments[2]),
    )
    uncovered = shares(steering.areas, (0.0, 0.0), 8, 8).base
    expected = latents._plain(rest, x, torch.tensor(uncovered)) if from_noise and control is None else rest.clone()
    expected[..., :4, :6] = one
    grey, inside = expected[..., 2:4, 2:4], 128 / 255
    grey.lerp_(other[..., :2, :2], inside)
    expected[..., 2:6, 4:6] = other[..., 2:]
    with attach(unet, steering), unet.register_forward_hook(lambda _unet, args, _out: seen.append(args[0].shape)):
        torch.testing.assert_close(unet(x, BEGIN, joined.context, control=control), expected, atol=1e-3, rtol=1e-3)
    assert seen == [(2, 8, 8, 8), (2, 8, 4, 6), (2, 8, 4, 4), x.shape]


@torch.no_grad()
def test_regions_of_one_size_go_together_with_what_belongs_to_their_rows() -> None:
    class Conditioned(UNet):
        def forward(self, x: Tensor, times: Tensor, context: Tensor, y: Tensor, added: dict[str, Tensor]) -> Tensor:
            return super().forward(x, times, context) * times[:, None, None, None] + y[:, :1, None, None] + added["size"]

    unet, x, seen = Conditioned(), torch.randn(2, 8, 6, 12), []
    steering, context, (_, *segments) = apart("1,1,2", 0.0, 3)
    times, y, added = torch.tensor([900.0, 905.0]), torch.randn(2, 4), {"size": torch.randn(2, 1, 1, 1)}
    parts = zip((x[..., :3], x[..., 3:6], x[..., 6:]), segments, strict=True)
    expected = torch.cat([unet(part, times, segment, y, added) for part, segment in parts], dim=-1)
    with attach(unet, steering), unet.register_forward_hook(lambda _unet, args, _out: seen.append(args[0].shape)):
        torch.testing.assert_close(unet(x, times, context, y=y, added=added), expected)
    assert seen == [(4, 8, 6, 3), (2, 8, 6, 6), x.shape]


@torch.no_grad()
def test_attention_again_afterwards_and_nothing_at_the_end() -> None:
    unet, x = UNet(), torch.randn(2, 8, 6, 8)
    steering, context, (base, *_) = apart("1,1", 0.0, 2)
    before = unet(x, context=base)
    steering.has_base = False
    seen: list[bool] = []
    with attach(unet, steering):
        first = unet(x, BEGIN, context)
        for timestep in (500, 499, 0, 999):
            torch.testing.assert_close(unet(x, timestep, context), first, msg="the same, as no token of this UNet sees another")
            seen.append(steering.apart)
    assert seen == [True, False, False, True]
    assert torch.equal(unet(x, context=base), before)
    assert "forward" not in unet.__dict__


def test_an_error_in_a_region_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    unet, x = UNet(), torch.randn(2, 8, 6, 8)
    steering, context, _ = apart("1,1", 0.0, 2)

    def fail(*_args: Any, **_kwargs: Any) -> Tensor:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(UNet, "forward", fail)
    with pytest.raises(RuntimeError, match="out of memory"), attach(unet, steering):
        unet(x, BEGIN, context)
    assert not steering.inside


def test_who_has_taken_the_unets_place_is_refused() -> None:
    steering, context, _ = apart("1,1", 0.0, 2)
    unet = UNet()
    unet.forward = partial(UNet.forward, unet)  # type: ignore[method-assign]  # as others set theirs
    with pytest.raises(GenerationError, match="latent_ratio to 0"), attach(unet, steering):
        unet(torch.randn(2, 8, 6, 8), BEGIN, context)


@torch.no_grad()
def test_what_can_be_cut_is_asked_for_each_region_by_its_window() -> None:
    """In the UNet's place: adds the number of the column, and wants a mark in front of every context."""
    unet, x, mark, windows = UNet(), torch.randn(2, 8, 6, 9), torch.full((2, 1, 6), 1024.0), []
    columns = torch.arange(9.0)

    def in_place(x: Tensor, time: Any, context: Tensor) -> Tensor:
        assert torch.equal(context[:, :1], mark)
        return UNet.forward(unet, x, time, context[:, 1:]) + (windows[-1] if windows else columns)

    class StandIn:
        @contextmanager
        def cut(self, window: LatentWindow, latent: tuple[int, int]) -> Iterator[None]:
            assert latent == (6, 9)
            windows.append(columns[window[1]])
            yield
            windows.pop()

        def context(self, tokens: Tensor, base: Tensor) -> Tensor:
            return torch.cat([base[:, :1], tokens], 1)

    layout, (base, left, middle, right) = Layout.parse("1,1,1"), (torch.randn(2, 5, 6) for _ in range(4))
    joined = join([torch.cat([mark, base], 1), left, middle, right])
    steering = Steering(Areas.of(layout), [0.0] * 3, latent_ratio=0.5)
    steering.prepare(joined)
    steering.stand_in = StandIn()
    parts = [unet(x[..., 3 * i : 3 * i + 3], BEGIN, tokens) for i, tokens in enumerate((left, middle, right))]
    unet.forward = in_place  # type: ignore[method-assign]
    with attach(unet, steering):
        torch.testing.assert_close(unet(x, BEGIN, joined.context), torch.cat(parts, -1) + columns)
    assert not windows


@torch.no_grad()
@pytest.mark.parametrize("borders", [(0, 3, 6, 9), (0, 2, 9)])
@pytest.mark.parametrize("name", ["down_block_additional_residuals", "control"])
def test_a_controlnets_residuals_are_cut_to_each_region(name: str, borders: tuple[int, ...]) -> None:
    """Sizes as the UNet makes them: 6 x 9 tokens, halved with rounding up."""
    unet, x, columns = UNet(), torch.randn(2, 8, 6, 9), torch.arange(9.0).expand(2, 8, 6, 9)
    fine, coarse, pooled = columns, columns[..., ::2, ::2], torch.ones(2, 8, 1, 1)

    class Controlled(UNet):
        def forward(self, x: Tensor, timesteps: Any, context: Tensor, **kwargs: Any) -> Tensor:
            levels = kwargs[name]["input"] if name == "control" else kwargs[name]
            out = super().forward(x, timesteps, context) + levels[0] + levels.pop()  # Forge takes them away
            assert levels[1].shape[-2:] == x[..., ::2, ::2].shape[-2:]
            return out

    unet.__class__ = Controlled
    widths = [stop - start for start, stop in pairwise(borders)]
    steering, context, (_, *prompts) = apart(",".join(map(str, widths)), 0.0, len(widths))
    levels = [fine, coarse, pooled]
    given = {name: {"input": levels} if name == "control" else levels}
    with attach(unet, steering):
        result = unet(x, BEGIN, context, **given)
    parts = [UNet.forward(unet, x[..., start:stop], None, tokens) for (start, stop), tokens in zip(pairwise(borders), prompts)]
    torch.testing.assert_close(result, torch.cat(parts, -1) + columns + 1)
    assert len(levels) == 3


@torch.no_grad()
def test_the_unets_own_forward_left_there_by_others_is_its_own() -> None:
    """As sd-webui-controlnet leaves it after every job."""
    unet, x = UNet(), torch.randn(2, 8, 6, 8)
    left_there = unet.forward
    unet.forward = left_there  # type: ignore[method-assign]
    steering, context, _ = apart("1,1", 0.0, 2)
    assert not is_replaced(unet)
    with attach(unet, steering):
        unet(x, BEGIN, context)
    assert unet.__dict__["forward"] is left_there


@torch.no_grad()
def test_tokens_that_regions_share_are_mixed_by_their_shares() -> None:
    layout = Layout.parse(",".join(["1"] * 4))
    joined = join([torch.full((1, 1, 1), float(value)) for value in (9, 0, 1, 2, 3)])

    def denoise(part: Tensor, context: Tensor, _windows: Sequence[LatentWindow], _regions: object) -> Tensor:
        return torch.ones_like(part) * context[..., None]

    latent = torch.zeros(1, 1, 1, 2)
    result = denoise_apart(denoise, latent, joined, shares(Areas.of(layout), (0.0,) * 4, 1, 2), plain_rest=True)
    torch.testing.assert_close(result.flatten(), torch.tensor([0.5, 2.5]))


@pytest.mark.parametrize(("ratio", "width", "calls"), [("1,1,1", 40, [14]), ("1,1,1,1,1", 56, [12]), ("1,1,1", 14, [5, 4])])
def test_columns_of_nearly_one_width_go_into_one_call_and_keep_their_own_part(ratio: str, width: int, calls: list[int]) -> None:
    layout = Layout.parse(ratio)
    joined = join([torch.full((1, 1, 1), float(value)) for value in range(layout.count + 1)])
    latent = torch.arange(float(width)).expand(1, 1, 8, width)
    asked: list[int] = []

    def denoise(part: Tensor, context: Tensor, windows: Sequence[LatentWindow], _regions: object) -> Tensor:
        asked.append(part.shape[-1])
        for one, (_, columns) in zip(part, windows, strict=True):
            assert (one == latent[0][..., columns]).all()
        return part + 1000 * context[..., None]

    result = denoise_apart(denoise, latent, joined, shares(Areas.of(layout), (0.0,) * layout.count, 8, width), plain_rest=True)
    expected = latent.clone()
    for patch in shares(Areas.of(layout), (0.0,) * layout.count, 8, width).patches:
        expected[..., patch.window[1]] += 1000 * (patch.region + 1)
    torch.testing.assert_close(result, expected)
    assert sorted(asked) == sorted(calls)


@pytest.mark.parametrize("velocity", [False, True])
def test_a_plain_picture_is_left_and_an_object_vanishes(velocity: bool) -> None:
    noise, where = torch.randn(2, 4, 16, 16), torch.ones(16, 16)
    where[:, :5] = 0
    signal, power = 0.4, (1 - 0.4**2) ** 0.5

    def answer(picture: Tensor) -> Tensor:
        found = (latent - signal * picture) / power
        return signal * found - power * picture if velocity else found

    def picture(answer: Tensor) -> Tensor:
        return signal * latent - power * answer if velocity else (latent - power * answer) / signal

    plain = torch.randn(2, 4, 1, 1).expand(2, 4, 16, 16)
    latent = signal * plain + power * noise
    torch.testing.assert_close(latents._plain(answer(plain), latent, where), answer(plain), atol=1e-4, rtol=0)
    seen = plain.clone()
    seen[..., 4:9, 8:13] += 2
    left = picture(latents._plain(answer(seen), latent, where))
    assert seen[..., 5:].std((2, 3)).min() > 0.5
    assert left[..., 5:].std((2, 3)).max() < 0.15


def test_gaps_are_the_base_prompts_and_overlaps_are_mixed() -> None:
    joined = join([torch.full((1, 1, 1), float(value)) for value in (9, 1, 3)])
    shared = share_out(np.array([[[1, 1, 0, 0]], [[0, 1, 1, 0]]], dtype=float), [0.0, 0.5])

    def denoise(part: Tensor, context: Tensor, _windows: Sequence[LatentWindow], _regions: object) -> Tensor:
        return torch.ones_like(part) * context[..., None]

    result = denoise_apart(denoise, torch.zeros(1, 1, 1, 4), joined, shared, plain_rest=False)
    torch.testing.assert_close(result.flatten(), torch.tensor([1, 0.5 * 1 + 0.25 * 3 + 0.25 * 9, 0.5 * 3 + 0.5 * 9, 9]))


@torch.no_grad()
def test_the_hires_pass_has_its_objects_already() -> None:
    unet, x = UNet(), torch.randn(2, 8, 6, 8)
    steering, context, _ = apart("1,1", 0.0, 2)
    with attach(unet, steering):
        for hires in (False, True):
            steering.hires = hires
            unet(x, BEGIN, context)
            assert steering.apart is not hires


@pytest.mark.parametrize(("timestep", "share"), [(499, 0.6), (400, 0.6), (399, 0.1), (0, 0.1)])
@torch.no_grad()
def test_the_base_prompt_holds_the_objects_until_they_have_settled(timestep: int, share: float) -> None:
    unet, x = UNet(), torch.randn(2, 8, 6, 8)
    steering, _, (base, left, _) = apart("1,1", 0.1, 2)
    alone = Steering(steering.areas, [share, share])
    alone.prepare(join([base, left, left]))
    steering.prepare(joined := join([base, left, left]))
    with attach(unet, alone):
        expected = unet(x, timestep, joined.context)
    with attach(unet, steering):
        unet(x, BEGIN, joined.context)
        torch.testing.assert_close(unet(x, timestep, joined.context), expected)


@torch.no_grad()
def test_regions_are_guided_more_strongly_while_apart() -> None:
    unet, x = UNet(), torch.randn(2, 8, 6, 8)
    steering, context, _ = apart("1,1", 0.0, 2)
    with attach(unet, steering):
        unet(x, BEGIN, context)
        assert [steering.guidance_scale(scale) for scale in (1.0, 3.0, 7.0)] == [1.0, 4.0, 10.0]
        unet(x, 0, context)
        assert steering.guidance_scale(7.0) == 7.0


@pytest.mark.parametrize(("ratio", "steps"), [(0.0, 0), (0.3, 6), (0.7, 14), (1.0, 20)])
def test_evenly_spaced_steps_are_counted_as_their_share(ratio: float, steps: int) -> None:
    timesteps = np.linspace(999, 0, 20)
    assert sum(share_done(timestep) < ratio for timestep in timesteps) == steps


@pytest.mark.parametrize("kind", ["sd1", "sdxl"])
def test_a_pipelines_regions_do_not_see_each_other(kind: str) -> None:
    pipe = regional(kind)

    def latent(right: str, ratio: float) -> Tensor:
        plan = Plan.from_dict({"regions": ["a cat", right], "base_prompt": "pets", "base_ratio": 0, "latent_ratio": ratio})
        options = {"num_inference_steps": 4, "height": 64, "width": 128, "seed": 3, "output_type": "latent"}
        result: Tensor = pipe.generate(plan, **options).images
        return result

    for ratio, alike in ((1.0, True), (0.5, False), (0.0, False)):
        one, other = latent("a dog", ratio), latent("a green bird", ratio)
        assert torch.allclose(one[..., :8], other[..., :8]) == alike, ratio
        assert not torch.allclose(one[..., 8:], other[..., 8:]), ratio


@torch.no_grad()
def test_the_rows_that_forge_names_are_those_of_every_region() -> None:
    seen: list[dict[str, Any]] = []

    class Forge(UNet):
        def forward(self, x: Tensor, timesteps: Any, context: Tensor, transformer_options: dict[str, Any]) -> Tensor:
            seen.append(transformer_options)
            return super().forward(x, timesteps, context)

    steering, context, _ = apart("1,1", 0.0, 2)
    options = {
        "cond_or_uncond": [1, 0],
        "cond_indices": [1],
        "uncond_indices": [0],
        "sigmas": torch.ones(1),
        "block": ("input", 1),
    }
    unet = Forge()
    with attach(unet, steering):
        unet(torch.randn(2, 8, 6, 8), BEGIN, context, transformer_options=options)
    (both,) = seen
    assert both["cond_or_uncond"] == [1, 0, 1, 0]
    assert (both["cond_indices"], both["uncond_indices"]) == ([1, 3], [0, 2])
    assert (both["block"], len(both["sigmas"])) == (("input", 1), 1)
    assert options["cond_indices"] == [1]


def test_what_is_said_of_a_call_that_is_yet_to_come() -> None:
    steering, context, (base, *_) = apart("1,1", 0.0, 2)
    assert [steering.guidance_scale_at(timestep, 3) for timestep in (999, 500, 498)] == [4, 4, 3]
    assert torch.equal(steering.base_of(context), base)
    assert steering.base_of(base) is base
    steering.hires = True
    assert steering.guidance_scale_at(999, 3) == 3


@torch.no_grad()
def test_values_of_its_own_for_cross_attention_are_refused() -> None:
    """As an extension's patch gives them in Forge."""
    unet, context = UNet(), torch.randn(2, 5, 6)
    layer = unet.first.attn2
    steering, joined, _ = apart("1,1", 0.0, 2)
    steering.latent_ratio = 0
    original = type(layer).forward
    type(layer).forward = lambda self, x, context, value=None: original(self, x, context)  # type: ignore[assignment]
    try:
        with attach(unet, steering):
            unet(torch.randn(2, 8, 6, 8), BEGIN, joined)
            layer(torch.randn(2, 48, 8), context=steering._call.base, value=steering._call.base)  # type: ignore[union-attr]
            with pytest.raises(GenerationError, match="values of its own"):
                layer(torch.randn(2, 48, 8), context=context, value=context + 1)
    finally:
        type(layer).forward = original  # type: ignore[method-assign]


@torch.no_grad()
def test_a_picture_to_start_from_has_its_objects_already() -> None:
    """Img2img begins where no region is denoised by itself: base ratios are the plan's own."""
    unet, x = UNet(), torch.randn(2, 8, 6, 8)
    by_attention, context, _ = apart("1,1", 0.25, 2)
    by_attention.latent_ratio = 0
    later, *_ = apart("1,1", 0.25, 2)
    later.prepare(*[Joined(context, by_attention._tables[context.shape[1]])])
    with attach(unet, by_attention):
        expected = unet(x, 450, context)
    with attach(unet, later):
        torch.testing.assert_close(unet(x, 450, context), expected)
        unet(x, BEGIN, context)
        assert (unet(x, 450, context) - expected).abs().max() > 1e-3, "the base prompt holds the objects"
