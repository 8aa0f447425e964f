"""One call of ``p.sample`` with regions: encode them, feed them to the denoiser, steer the UNet, clean up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from modules import devices, prompt_parser, sd_hijack, sd_samplers, sd_unet, shared
from torch import Tensor

from rpg.errors import GenerationError
from rpg.plan import Plan
from rpg.steering.conditioning import join, join_pair
from rpg.steering.hooks import attach
from rpg.steering.steering import Steering
from rpg.webui.networks import applied, without_networks

CONTROLNET_MARK = 1024
"""All numbers of that token: positive for the prompt, negative for the negative prompt."""

running: list[Job] = []
"""The jobs inside their ``p.sample``: one at most, as the host queues generations, unless a script nests them."""


class Job:
    """The regions of one generation, all batches and passes.

    Args:
        p: the host's ``StableDiffusionProcessing``.
        plan: with its own base prompt or with the main prompt's.
    """

    def __init__(self, p: Any, plan: Plan) -> None:
        self.p = p
        self.plan = plan
        self.prompts = [without_networks(region.prompt) for region in plan.regions]
        self.negatives = [None if r.negative_prompt is None else without_networks(r.negative_prompt) for r in plan.regions]
        self.base_prompt = without_networks(plan.base_prompt)
        self.steering = Steering(plan.layout, plan.base_ratios)
        self.caches: dict[tuple[bool, bool], list[Any]] = {}
        self.base_cache: list[Any] = [None, None]
        self.weights: Any = None
        self.attached = ExitStack()
        self.unet: Any = None

    def sample(self, original: Callable[..., Any], conditioning: Any, unconditional_conditioning: Any, **kwargs: Any) -> Any:
        """The host's ``p.sample`` with regions; every exit leaves the model as it was."""
        p = self.p
        if p.extra_generation_params.get("RP Active"):
            raise GenerationError(
                "Regional Prompter and RPG are both on, and each wants to place the prompts; turn one of them off."
            )
        prompts, hr_prompts, cache = p.prompts, getattr(p, "hr_prompts", None), p.cached_c
        running.append(self)
        try:
            self._attach()
            if self.base_prompt:
                p.prompts = [self.base_prompt] * len(prompts)
                if hr_prompts is not None:
                    p.hr_prompts = [self.base_prompt] * len(hr_prompts)
                p.cached_c = self.base_cache  # the host's keeps the main prompt for the next batch
                p.setup_conds()
                conditioning, unconditional_conditioning = p.c, p.uc
            self._check_parts([*p.prompts, *(getattr(p, "hr_prompts", None) or [])])
            result = original(conditioning=conditioning, unconditional_conditioning=unconditional_conditioning, **kwargs)
            if self.steering.error is not None:
                raise self.steering.error
            return result
        finally:
            running.remove(self)
            self.attached.close()
            self.unet = None
            p.prompts, p.cached_c = prompts, cache
            if hr_prompts is not None:
                p.hr_prompts = hr_prompts

    def _check_parts(self, prompts: list[str]) -> None:
        """A region may join as many prompts by ``AND`` as each picture's base prompt does, with its weights; or none."""
        for number, part in enumerate(_and_weights(self.prompts), 1):
            for base in _and_weights(prompts):
                if len(part) > 1 and part != base:
                    raise GenerationError(
                        f"Region {number} joins {len(part)} prompts by AND (weights {part}), the base prompt {len(base)} "
                        f"(weights {base}); use as many with the same weights, or none in the region."
                    )

    def denoise(self, params: Any) -> None:
        """Join the regions' conditionings to the ones that the denoiser is about to use."""
        try:
            self._attach()
            weights = (bool(getattr(self.p, "is_hr_pass", False)), applied())
            if weights != self.weights:
                self.steering.forget()
                self.weights = weights
            self._join(params)
            # The hires pass has a layout already. Second-order samplers call twice a step; both counts mean calls.
            share = params.denoiser.step / max(1, params.denoiser.total_steps)
            self.steering.apart = share < self.plan.latent_ratio and not getattr(self.p, "is_hr_pass", False)
        except Exception as error:  # the host would log it and carry on without the regions
            self.steering.error = error

    def _attach(self) -> None:
        """Hook the UNet that is loaded now; the refiner and the hires pass may have swapped it."""
        unet = shared.sd_model.model.diffusion_model
        if unet is self.unet:
            return
        if sd_unet.current_unet is not None:
            raise GenerationError(
                f"The UNet is replaced by {sd_unet.current_unet_option.label}, which regions cannot steer; "
                "set Settings > Stable Diffusion > SD Unet to None, or turn RPG off."
            )
        self.attached.close()
        self.attached.enter_context(attach(unet, self.steering))
        self.unet = unet

    def _join(self, params: Any) -> None:
        step = params.denoiser.step
        positive, negative = params.text_cond, params.text_uncond
        conds, unconds = self._encode()
        base, base_negative = _tokens(positive), _tokens(negative)
        pictures = len(self.p.get_conds()[0].batch)
        positives, negatives = [base], [base_negative]
        for cond, uncond in zip(conds, unconds):
            positives.append(_rows(cond, step, pictures))
            negatives.append(
                _unmarked(base_negative)
                if uncond is None
                else _tokens(prompt_parser.reconstruct_cond_batch([uncond], step)).to(base_negative)
            )
        if negative is None:
            joined = [join(positives)]
        else:
            pairs = [self._pad(params.denoiser, *pair) for pair in zip(positives, negatives)]
            joined = list(join_pair([pair[0] for pair in pairs], [pair[1] for pair in pairs]))
            params.text_uncond = _with_tokens(negative, joined[1].context)
        params.text_cond = _with_tokens(positive, joined[0].context)
        self.steering.tables = {part.context.shape[1]: part.table for part in joined}

    def _encode(self) -> tuple[list[Any], list[Any]]:
        """Schedules of the regions' prompts and negative prompts by the host's parser, each encoded once a pass.

        One by one, as the host encodes its own: in a batch, longer prompts and emphasis would change the others."""
        p = self.p
        hires = bool(getattr(p, "is_hr_pass", False))
        width, height = (p.hr_upscale_to_x, p.hr_upscale_to_y) if hires else (p.width, p.height)
        networks = p.hr_extra_network_data if hires else p.extra_network_data
        steps, hires_steps = p.firstpass_steps, None
        if hires:
            sampler = sd_samplers.find_sampler_config(p.hr_sampler_name or p.sampler_name)
            count = p.hr_second_pass_steps or p.steps
            hires_steps = sampler.total_steps(count) if sampler else count

        def encode(function: Callable[..., Any], texts: list[str], negative: bool) -> Any:
            texts = prompt_parser.SdConditioning(texts, is_negative_prompt=negative, width=width, height=height)
            cache = self.caches.setdefault((hires, negative), [None, None])
            return p.get_conds_with_caching(function, texts, steps, [cache], networks, hires_steps)

        with devices.autocast():
            conds = encode(prompt_parser.get_multicond_learned_conditioning, self.prompts, False).batch
            texts = [text for text in self.negatives if text is not None]
            encoded = iter(encode(prompt_parser.get_learned_conditioning, texts, True) if texts else [])
        p.extra_generation_params.update(sd_hijack.model_hijack.extra_generation_params)
        return conds, [None if text is None else next(encoded) for text in self.negatives]

    def _pad(self, denoiser: Any, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
        """The host's own padding of unequal lengths, if its options ask for it, and its note in the infotext."""
        if positive.shape[1] == negative.shape[1]:
            return positive, negative
        if shared.opts.pad_cond_uncond_v0:
            self.p.extra_generation_params["Pad conds v0"] = True
            return denoiser.pad_cond_uncond_v0(positive, negative)
        if shared.opts.pad_cond_uncond:
            self.p.extra_generation_params["Pad conds"] = True
            return denoiser.pad_cond_uncond(positive, negative)
        return positive, negative


def _and_weights(prompts: list[str]) -> list[list[float]]:
    """For each prompt, the weights of what it joins by ``AND``."""
    return [[weight for _, weight in parts] for parts in prompt_parser.get_multicond_prompt_list(prompts)[0]]


def _rows(cond: list[Any], step: int, pictures: int) -> Tensor:
    """A region's conditioning at ``step``: one row for all rows of the base, or one for each ``AND`` part of each picture."""
    batch = prompt_parser.MulticondLearnedConditioning(shape=(1,), batch=[cond])
    rows = _tokens(prompt_parser.reconstruct_multicond_batch(batch, step)[1])
    return rows.repeat(pictures, 1, 1) if len(cond) > 1 else rows


def _tokens(cond: Any) -> Any:
    """The token embeddings [rows, tokens, channels] of a conditioning; SDXL keeps others beside them."""
    return cond["crossattn"] if isinstance(cond, dict) else cond


def _unmarked(tokens: Tensor) -> Tensor:
    """``tokens`` without the one that sd-webui-controlnet puts in front of the base prompts to tell them apart; it takes
    it off again inside the UNet, but only there."""
    return tokens[:, 1:] if bool((tokens[:, :1].abs() == CONTROLNET_MARK).all()) else tokens


def _with_tokens(cond: Any, tokens: Tensor) -> Any:
    """``cond`` with other token embeddings; pooled embedding and size conditioning stay the base prompt's."""
    if not isinstance(cond, dict):
        return tokens
    return type(cond)({**cond, "crossattn": tokens})


def on_cfg_denoiser(params: Any) -> None:
    """Called by the host before every denoiser call of every generation."""
    for job in running:
        if params.denoiser.p is job.p:
            job.denoise(params)
