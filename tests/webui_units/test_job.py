"""A job with a host of its own: prompts are seeded noise, the UNet has cross-attention only."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from rpg.errors import GenerationError
from rpg.networks import Tags
from rpg.plan import Plan
from rpg.steering.branches import LowRank
from rpg.steering.hooks import cross_attentions
from rpg.steering.steering import Steering
from rpg.webui import job as module
from rpg.webui.host import PromptSchedule
from rpg.webui.job import Job, on_cfg_denoised, on_cfg_denoiser
from tests.steering.unets import UNet

STEPS = 4


def embedding(text: str) -> Tensor:
    """[parts, tokens, channels]; a text of many words takes twice the tokens."""
    generator = torch.Generator().manual_seed(random.Random(text).randrange(2**31))
    return torch.cat([torch.randn(1, 10 if text.count(" ") > 8 else 5, 6, generator=generator) for _ in text.split(" AND ")])


class OwnHost:
    """As a webui does: what is raised in the callback is swallowed, and the UNet is called all the same."""

    def __init__(self, *prompts: str, hires: bool = False, sdxl: bool = False) -> None:
        self.p = object()
        self.prompts = list(prompts or ["main"])
        self.negative: str | None = "bad"
        self.hires, self.sdxl = hires, sdxl
        self.loaded: nn.Module = UNet()
        self.picture = False
        self.made_of = "none"
        self.padding = False
        self.before_step: Callable[[int], None] = lambda step: None
        self.encoded: list[str] = []
        self.steps: list[Any] = []
        self.guided: list[float] = []
        self.began: list[Steering] = []
        self.branched: list[str] = []

    def unet(self) -> nn.Module:
        return self.loaded

    def stand_in(self) -> None:
        return None

    def weights(self) -> str:
        return self.made_of

    def begin(self, steering: Steering, x: Tensor) -> None:
        self.began.append(steering)

    def end(self) -> None:
        self.began.clear()

    def starts_from_picture(self) -> bool:
        return self.picture

    def is_hires(self) -> bool:
        return self.hires

    def guide(self, denoiser: Any, scale: Callable[[float], float]) -> None:
        self.guided.append(scale(3.0))

    def rows(self) -> list[int]:
        return [len(prompt.split(" AND ")) for prompt in self.prompts]

    def base_prompts(self) -> list[list[str]]:
        return [[prompt] for prompt in self.prompts]

    def and_weights(self, prompts: Sequence[str]) -> list[list[float]]:
        return [[1.0] * len(prompt.split(" AND ")) for prompt in prompts]

    def negative_prompts(self) -> list[str]:
        return [self.negative or ""] * len(self.prompts)

    def branches(self, unet: nn.Module, regions: Sequence[Tags]) -> dict[int, dict[nn.Module, list[LowRank]]]:
        """Of a LoRA for the first layer's output projection, as strong as the letters in its name."""
        self.branched.append(self.made_of)
        layer = cast(UNet, unet).first.attn2.to_out[0]
        return {
            number: {layer: [LowRank(torch.ones(1, 8), torch.full((8, 1), float(len("".join(tags.values())))))]}
            for number, tags in enumerate(regions)
            if tags
        }

    def schedule(self, prompt: str, *, negative: bool, networks: Tags) -> PromptSchedule:
        self.encoded.append(prompt + "".join(networks.values()))
        return lambda step: embedding(prompt)

    def pad(self, denoiser: Any, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
        if self.padding and negative.shape[1] < positive.shape[1]:
            negative = torch.cat([negative, torch.zeros(len(negative), positive.shape[1] - negative.shape[1], 6)], 1)
        return positive, negative

    def cond(self, tokens: Tensor) -> Any:
        return {"crossattn": tokens, "vector": tokens.new_ones(len(tokens), 3)} if self.sdxl else tokens

    def sample(self, steps: int = STEPS) -> Tensor:
        """The webui's ``p.sample``, with positive and negative rows in two calls."""
        torch.manual_seed(0)
        parts = torch.cat([embedding(prompt) for prompt in self.prompts])
        x = torch.randn(1, 8, 6, 8).expand(len(parts), -1, -1, -1)
        for step in range(steps):
            self.before_step(step)
            denoiser = SimpleNamespace(p=self.p, step=step, inner_model=self)
            negative = None if self.negative is None else self.cond(embedding(self.negative).repeat(len(self.prompts), 1, 1))
            params = SimpleNamespace(denoiser=denoiser, x=x, text_cond=self.cond(parts), text_uncond=negative)
            on_cfg_denoiser(params)
            self.steps.append(params)
            for cond in (params.text_cond, params.text_uncond):
                if cond is not None:
                    tokens = cond["crossattn"] if self.sdxl else cond
                    time = torch.full((len(tokens),), 999.0 - 1000 * step / steps)
                    out = self.loaded(x[: len(tokens)], time, context=tokens)
                    x = 0.9 * x + 0.1 * out.repeat(len(x) // len(tokens), 1, 1, 1)
            on_cfg_denoised(SimpleNamespace(inner_model=self))
        return x


def picture(host: OwnHost, *plans: dict[str, Any], networks: Sequence[Sequence[Tags]] = ()) -> Tensor:
    """As the webui makes it, with or without regions; nothing may be left of them. One plan is that of all pictures."""
    with torch.no_grad():
        if not plans:
            return host.sample()
        given = [Plan.from_dict(plan) for plan in plans] * (len(host.prompts) if len(plans) == 1 else 1)
        try:
            return Job(host, given, networks).sample(host.sample)
        finally:
            assert module.running == []
            assert host.began == []
            assert not host.loaded._forward_pre_hooks
            assert not [layer for layer in cross_attentions(host.loaded) if layer.to_out[0]._forward_hooks]
            assert not [layer for layer in cross_attentions(host.loaded) if "forward" in layer.__dict__]


@pytest.mark.parametrize("base_ratio", [0, 0.4])
@pytest.mark.parametrize("prompts", [["main"], ["main"] * 3, ["a AND b"] * 2, ["one of many words " * 3], ["a :1 AND b AND c"]])
@pytest.mark.parametrize("sdxl", [False, True])
def test_identity(prompts: list[str], base_ratio: float, sdxl: bool) -> None:
    plan = {"regions": [prompts[0]] * 3, "split_ratio": "1,1,2;1", "base_ratio": base_ratio}
    torch.testing.assert_close(picture(OwnHost(*prompts, sdxl=sdxl), plan), picture(OwnHost(*prompts, sdxl=sdxl)))


def test_every_picture_of_a_batch_has_its_own_plan() -> None:
    """Also where their prompts are of unequal length, and where one region says the same in all of them."""
    plans = [
        {"regions": ["a", {"prompt": "same", "negative_prompt": "x"}]},
        {"regions": ["one of many words " * 3, {"prompt": "same", "negative_prompt": "y"}]},
        {"regions": ["c", {"prompt": "same", "negative_prompt": "one of many words " * 3}]},
    ]
    together = picture(OwnHost("main", "another", "main"), *plans)
    for number, (prompt, plan) in enumerate(zip(("main", "another", "main"), plans)):
        torch.testing.assert_close(together[number : number + 1], picture(OwnHost(prompt), plan))


@pytest.mark.parametrize("other", [{"split_ratio": "1;1"}, {"base_ratio": 0.1}, {"latent_ratio": 0.5}])
def test_plans_of_one_batch_that_differ_in_more_than_prompts_are_refused(other: dict[str, Any]) -> None:
    plan = {"regions": ["a", "b"]}
    with pytest.raises(GenerationError, match="set the batch size to 1"):
        picture(OwnHost("main", "main"), plan, {**plan, **other})


def test_a_region_changes_its_own_place_only() -> None:
    one, other = (picture(OwnHost(), {"regions": ["main", text], "base_ratio": 0}) for text in ("main", "other"))
    moved = (one - other).abs().amax((0, 1))
    assert moved[:, :4].max() < 1e-5
    assert moved[:, 4:].min() > 1e-4


def test_networks_are_no_words() -> None:
    host = OwnHost()
    picture(host, {"regions": ["a<lora:x:1>", "b"]})
    assert set(host.encoded) == {"a", "b"}


HAT = {("lora", "x"): "<lora:x:1>"}


def test_a_network_of_a_region_acts_in_its_place_only() -> None:
    host = OwnHost()
    without, plan = picture(OwnHost(), {"regions": ["a", "b"], "base_ratio": 0.3}), {"regions": ["a", "b"], "base_ratio": 0.3}
    moved = (picture(host, plan, networks=[[{}, HAT]]) - without).abs().amax((0, 1))
    assert moved[:, :4].max() < 1e-5
    assert moved[:, 4:].min() > 1e-4
    assert {"a", "b<lora:x:1>", "bad<lora:x:1>"} <= set(host.encoded)  # it reads the negative prompt, too
    assert "a<lora:x:1>" not in host.encoded


def test_what_is_merged_meanwhile_changes_what_regions_add() -> None:
    host = OwnHost()
    host.before_step = lambda step: setattr(host, "made_of", "merged" if step else "none")
    picture(host, {"regions": ["a", "b"]}, networks=[[{}, HAT]])
    assert host.branched == ["none", "merged"]
    host = OwnHost()
    picture(host, {"regions": ["a", "b"]}, networks=[[{}, {}]])
    assert host.branched == []


def test_a_batch_with_unlike_networks_is_refused() -> None:
    with pytest.raises(GenerationError, match="name different LoRA, .*set the batch size to 1"):
        picture(OwnHost("main", "main"), {"regions": ["a", "b"]}, networks=[[{}, HAT], [{}, {}]])


def test_in_a_negative_prompt_they_are_words_as_in_the_host() -> None:
    host = OwnHost()
    picture(host, {"regions": [{"prompt": "a", "negative_prompt": "bad<lora:x:1>"}, "b"]})
    assert set(host.encoded) == {"a", "b", "bad<lora:x:1>"}


def test_a_negative_prompt_of_its_own() -> None:
    own = {"prompt": "a", "negative_prompt": "worse"}
    one, other = (picture(OwnHost(), {"regions": [first, "b"], "base_ratio": 0}) for first in ("a", own))
    moved = (one - other).abs().amax((0, 1))
    assert moved[:, 4:].max() < 1e-5
    assert moved[:, :4].min() > 1e-4


def test_no_negative_prompt_at_guidance_1() -> None:
    host, plain = OwnHost(), OwnHost()
    host.negative = plain.negative = None
    torch.testing.assert_close(picture(host, {"regions": ["main", "main"]}), picture(plain))


def test_the_hosts_padding_comes_first() -> None:
    plan = {"regions": ["one of many words " * 3, "b"]}
    host = OwnHost("one of many words " * 3)
    host.padding = True
    picture(host, plan)
    assert host.steps[0].text_uncond[:, 5:10].abs().max() == 0


def test_another_count_of_and_is_refused_before_sampling() -> None:
    host = OwnHost("a AND b")
    with pytest.raises(GenerationError, match="Region 1 joins 3 prompts by AND"):
        picture(host, {"regions": ["a AND b AND c", "d"]})
    assert host.steps == []


def test_what_fails_in_the_callback_stops_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    host = OwnHost()
    monkeypatch.setattr(host, "schedule", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        picture(host, {"regions": ["a", "b"]})
    assert len(host.steps) == 1, "the first call of the UNet raises it"


def test_what_fails_in_the_unet_leaves_nothing() -> None:
    host, before = OwnHost(), picture(OwnHost())
    handle = host.loaded.second.register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        picture(host, {"regions": ["a", "b"]})
    handle.remove()
    assert torch.equal(picture(host), before)


def test_a_model_loaded_in_mid_run_is_steered_too() -> None:
    first, second = UNet(), UNet(seed=1)
    seen: list[tuple[nn.Module, bool]] = []
    for unet in (first, second):
        unet.first.register_forward_pre_hook(lambda block, _: seen.append((block, "forward" in block.attn2.__dict__)))
    host = OwnHost()
    host.before_step = lambda step: setattr(host, "loaded", first if step < 2 else second)
    picture(host, {"regions": ["a", "b"]})
    assert seen == [(first.first, True)] * 4 + [(second.first, True)] * 4
    assert "forward" not in first.first.attn2.__dict__


@pytest.mark.parametrize(("hires", "calls"), [(False, [2, 2, 1, 1]), (True, [1, 1, 1, 1])])
def test_regions_are_denoised_by_themselves_for_their_share_of_the_first_pass(hires: bool, calls: list[int]) -> None:
    """Each step then calls the UNet for the two halves, as they are of unequal size."""
    host, sizes = OwnHost(hires=hires), []
    host.negative = None
    host.loaded.first.register_forward_pre_hook(lambda _, args: sizes.append((len(host.steps), args[0].shape[-1])))
    picture(host, {"regions": ["a", "b"], "split_ratio": "1,3", "base_ratio": 0, "latent_ratio": 0.5})
    assert [sum(step == number for number, _ in sizes) for step in range(1, STEPS + 1)] == calls
    assert host.guided == [3.0 if count == 1 else 4.0 for count in calls]


@pytest.mark.parametrize("from_picture", [False, True])
def test_whether_a_picture_is_the_start_is_asked_of_the_host(from_picture: bool) -> None:
    host, seen = OwnHost(), []
    host.picture = from_picture
    host.loaded.first.register_forward_pre_hook(lambda *_: seen.extend(steering.from_noise for steering in host.began))
    picture(host, {"regions": [{"prompt": "a", "area": {"box": [0, 0, 0.5, 1]}}], "latent_ratio": 0.5})
    assert set(seen) == {not from_picture}


def test_kept_values_are_forgotten_when_weights_change() -> None:
    """Else the first weights' keys would steer the steps after them."""

    def changing() -> OwnHost:
        host = OwnHost()
        host.loaded.ballast = nn.Parameter(torch.zeros(10**5))  # the room for what is kept is a share of the weights

        def before_step(step: int) -> None:
            host.made_of = str(step // 2)
            for layer in cross_attentions(host.loaded):
                layer.to_k.weight.mul_(1.5)
                layer.to_v.weight.mul_(1.5)

        host.before_step = lambda step: before_step(step) if step == 2 else None
        return host

    torch.testing.assert_close(picture(changing(), {"regions": ["main", "main"]}), picture(changing()))


def test_tiles_are_refused() -> None:
    host = OwnHost()

    def tiled() -> None:
        host.sample(steps=1)
        host.loaded(torch.randn(1, 8, 6, 4), context=host.steps[-1].text_cond)

    with torch.no_grad(), pytest.raises(GenerationError, match="Tiled Diffusion"):
        Job(host, [Plan.from_dict({"regions": ["a", "b"]})]).sample(tiled)


@pytest.mark.parametrize("whole", [True, False])
def test_a_compiled_unet_cannot_denoise_regions_by_themselves(whole: bool) -> None:
    host = OwnHost()
    if whole:
        host.loaded = torch.compile(host.loaded, backend="eager")
    else:
        host.loaded.forward = torch.compile(host.loaded.forward, backend="eager")
    with pytest.raises(GenerationError, match=r"compiled by torch\.compile.*set latent_ratio to 0"):
        picture(host, {"regions": ["a", "b"], "latent_ratio": 0.5})


def test_a_webui_that_tells_nobody_of_its_steps_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As SD.Next does: the pictures would be plain ones."""
    monkeypatch.setitem(globals(), "on_cfg_denoiser", lambda params: None)
    with pytest.raises(GenerationError, match=r"SD\.Next, cannot be steered"):
        picture(OwnHost(), {"regions": ["a", "b"]})
