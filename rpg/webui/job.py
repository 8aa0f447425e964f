"""One generation with regions: encode them, feed them to the denoiser, steer the UNet, clean up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from torch import Tensor, nn

from rpg.errors import GenerationError
from rpg.plan import Plan
from rpg.steering.conditioning import join, join_pair
from rpg.steering.hooks import attach
from rpg.steering.steering import Steering
from rpg.webui.host import Host, tokens, with_tokens
from rpg.webui.networks import without_networks

CONTROLNET_MARK = 1024
"""All numbers of that token: positive for the prompt, negative for the negative prompt."""

running: list[Job] = []
"""The jobs inside their ``p.sample``: one at most, as the host queues generations, unless a script nests them."""


class Job:
    """The regions of one generation, all batches and passes.

    Args:
        host: the generation.
        plan: with its own base prompt or with the main prompt's.
    """

    def __init__(self, host: Host, plan: Plan) -> None:
        self.host = host
        self.plan = plan
        self.prompts = [without_networks(region.prompt) for region in plan.regions]
        self.negatives = [region.negative_prompt for region in plan.regions]  # the host, too, leaves tags there as they are
        self.base_prompt = without_networks(plan.base_prompt)
        self.steering = Steering(plan.areas, plan.base_ratios, plan.latent_ratio or 0)
        self.weights: Any = None
        self.attached = ExitStack()
        self.unet: nn.Module | None = None

    def sample(self, original: Callable[..., Any], conditioning: Any, unconditional_conditioning: Any, **kwargs: Any) -> Any:
        """The host's ``p.sample`` with regions; every exit leaves the model as it was."""
        running.append(self)
        try:
            with ExitStack() as replaced:
                self._attach()
                if self.base_prompt:
                    given = self.host.with_base_prompt(self.base_prompt)
                    conditioning, unconditional_conditioning = replaced.enter_context(given)
                self._check_parts()
                result = original(conditioning=conditioning, unconditional_conditioning=unconditional_conditioning, **kwargs)
                self.steering.check()
                return result
        finally:
            running.remove(self)
            self.attached.close()
            self.unet = None

    def _check_parts(self) -> None:
        """A region may join as many prompts by ``AND`` as each picture's base prompt does, with its weights; or none."""
        bases = self.host.and_weights(self.host.base_prompts())
        for number, part in enumerate(self.host.and_weights(self.prompts), 1):
            for base in bases:
                if len(part) > 1 and part != base:
                    raise GenerationError(
                        f"Region {number} joins {len(part)} prompts by AND (weights {part}), the base prompt {len(base)} "
                        f"(weights {base}); use as many with the same weights, or none in the region."
                    )

    def denoise(self, params: Any) -> None:
        """Join the regions' conditionings to the ones that the denoiser is about to use.

        Args:
            params: the host's, with ``denoiser``, ``text_cond`` and ``text_uncond``, which it reads back.
        """
        try:
            self._attach()
            done, hires = self.host.progress(params.denoiser)
            self.steering.progress(done, hires=hires)
            weights = (hires, self.host.networks())
            if weights != self.weights:
                self.steering.forget()
                self.weights = weights
            self._join(params)
        except Exception as error:  # the host would log it and carry on without the regions
            self.steering.fail(error)

    def _attach(self) -> None:
        """Hook the UNet that is loaded now; the refiner and the hires pass may have swapped it."""
        unet = self.host.unet()
        if unet is not self.unet:
            self.attached.close()
            self.attached.enter_context(attach(unet, self.steering))
            self.unet = unet

    def _join(self, params: Any) -> None:
        step = params.denoiser.step
        positive, negative = params.text_cond, params.text_uncond
        base, base_negative = tokens(positive), tokens(negative)
        positives = [base, *map(self._rows, (schedule(step) for schedule in self.host.schedules(self.prompts, negative=False)))]
        if negative is None:
            joined = [join(positives)]
        else:
            own = [text for text in self.negatives if text is not None]
            encoded = iter(self.host.schedules(own, negative=True) if own else [])
            negatives = [
                base_negative,
                *(_unmarked(base_negative) if text is None else next(encoded)(step).to(base_negative) for text in self.negatives),
            ]
            pairs = [self.host.pad(params.denoiser, *pair) for pair in zip(positives, negatives)]
            joined = list(join_pair([pair[0] for pair in pairs], [pair[1] for pair in pairs]))
            params.text_uncond = with_tokens(negative, joined[1].context)
        params.text_cond = with_tokens(positive, joined[0].context)
        self.steering.prepare(*joined)

    def _rows(self, cond: Tensor) -> Tensor:
        """One row for all rows of the base, or one for each ``AND`` part of each picture."""
        return cond.repeat(self.host.pictures(), 1, 1) if len(cond) > 1 else cond


def _unmarked(tokens: Tensor) -> Tensor:
    """``tokens`` without the one that sd-webui-controlnet puts in front of the base prompts to tell them apart; it takes
    it off again inside the UNet, but only there."""
    return tokens[:, 1:] if bool((tokens[:, :1].abs() == CONTROLNET_MARK).all()) else tokens


def on_cfg_denoiser(params: Any) -> None:
    """Called by the host before every denoiser call of every generation."""
    for job in running:
        if params.denoiser.p is job.host.p:
            job.denoise(params)
