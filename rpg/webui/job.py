"""One call of ``p.sample`` with regions: encode them, feed them to the denoiser, steer the UNet, clean up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from rpg.errors import GenerationError
from rpg.networks import Tags, without_networks
from rpg.plan import Plan
from rpg.steering.conditioning import join, join_pair
from rpg.steering.hooks import attach
from rpg.steering.steering import Steering
from rpg.webui.controlnet import unmarked
from rpg.webui.host import Host, tokens, with_tokens

running: list[Job] = []
"""The jobs inside their ``p.sample``: one at most, as the host queues generations, unless a script nests them."""


class Job:
    """One batch.

    Args:
        host: the generation.
        plans: one for each picture. A base prompt of its own already stands in the picture's main prompt's place.
        networks: for each picture those of each region.

    Raises:
        GenerationError: when the plans differ in more than prompts.
    """

    def __init__(self, host: Host, plans: Sequence[Plan], networks: Sequence[Sequence[Tags]] = ()) -> None:
        self.host = host
        self.plan = plan = plans[0]
        for other in plans:
            if _shape(other) != _shape(plan):
                raise GenerationError(
                    f"The prompts of one batch are planned differently (split_ratio {plan.split_ratio!r} and "
                    f"{other.split_ratio!r}, or other ratios), but its pictures are denoised together; set the batch size to 1."
                )
        self.networks = networks[0] if networks else [{}] * len(plan.regions)
        if any(list(other) != list(self.networks) for other in networks):
            raise GenerationError(
                "The regions of one batch's pictures name different LoRA, but its pictures are denoised together; set the batch "
                "size to 1."
            )
        # For each region what it says in each picture. In negative prompts, the host leaves tags as they are.
        self.prompts = [[without_networks(region.prompt) for region in same] for same in zip(*(plan.regions for plan in plans))]
        self.negatives = [[region.negative_prompt for region in same] for same in zip(*(plan.regions for plan in plans))]
        self.steering = Steering(plan.areas, plan.base_ratios, plan.latent_ratio or 0)
        self.weights: Any = None
        self.denoiser: Any = None
        self.attached = ExitStack()
        self.branched = ExitStack()
        self.unet: nn.Module | None = None
        self.size: torch.Size | None = None
        """Of the latent that is denoised."""

    def sample(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The host's ``p.sample`` with regions; every exit leaves the model as it was."""
        running.append(self)
        try:
            self._attach()
            self._branch()
            self._check_parts()
            self.steering.from_noise = not self.host.starts_from_picture()
            self.steering.has_base = all(text.strip() for passes in self.host.base_prompts() for text in passes)
            result = original(*args, **kwargs)
            self.steering.check()
            return result
        finally:
            running.remove(self)
            self.branched.close()
            self.attached.close()
            self.host.end()
            self.unet = self.denoiser = None

    def _check_parts(self) -> None:
        """A region may join as many prompts by ``AND`` as the picture's base prompt does, with its weights; or none."""
        bases = [self.host.and_weights(prompts) for prompts in self.host.base_prompts()]
        for number, prompts in enumerate(self.prompts, 1):
            for part, passes in zip(self.host.and_weights(prompts), bases):
                for base in passes:
                    if len(part) > 1 and part != base:
                        raise GenerationError(
                            f"Region {number} joins {len(part)} prompts by AND (weights {part}), the base prompt {len(base)} "
                            f"(weights {base}); use as many with the same weights, or none in the region."
                        )

    def denoise(self, params: Any) -> None:
        """Join the regions' conditionings to the ones that the denoiser is about to use.

        Args:
            params: the host's, with ``denoiser``, ``x``, ``text_cond`` and ``text_uncond``, which it reads back.
        """
        try:
            self._attach()
            self.denoiser = params.denoiser
            self.steering.hires = self.host.is_hires()
            self._branch()
            self._join(params)
            self.size = params.x.shape[-2:]
            self.host.begin(self.steering, params.x)
        except Exception as error:  # the host would log it and carry on without the regions
            self.steering.fail(error)

    def guide(self) -> None:
        """Guide regions more strongly while they are denoised by themselves."""
        self.host.guide(self.denoiser, self.steering.guidance_scale)

    def _attach(self) -> None:
        """Hook the UNet that is loaded now; the refiner and the hires pass may have swapped it."""
        unet = self.host.unet()
        if unet is not self.unet:
            self.branched.close()
            self.attached.close()
            self.weights = None
            if self.plan.latent_ratio and _compiled(unet):
                raise GenerationError(
                    "The UNet is compiled by torch.compile, so that regions cannot be denoised by themselves; "
                    "set latent_ratio to 0, or use the UNet as it is."
                )
            self.steering.stand_in = self.host.stand_in() if self.plan.latent_ratio else None
            self.attached.enter_context(attach(unet, self.steering))
            self.attached.callback(unet.register_forward_pre_hook(self._check_size).remove)
            self.unet = unet

    def _branch(self) -> None:
        """What regions add to the UNet's weights, beside what is merged into them now; the hires pass may name others."""
        weights = (self.host.is_hires(), self.host.weights())
        if weights != self.weights:
            self.branched.close()
            self.steering.forget()
            self.weights = weights
            if any(self.networks):
                assert self.unet is not None  # it is hooked by now
                self.branched.enter_context(self.steering.networks(self.unet, self.host.branches(self.unet, self.networks)))

    def _check_size(self, _unet: nn.Module, args: tuple[Any, ...]) -> None:
        if not self.steering.inside and self.size not in (None, args[0].shape[-2:]):
            raise GenerationError(
                "Another extension, such as Tiled Diffusion, renders the picture in tiles, in each of which all regions would "
                "appear; turn it off, or turn RPG off."
            )

    def _join(self, params: Any) -> None:
        step = params.denoiser.step
        positive, negative = params.text_cond, params.text_uncond
        positives = [tokens(positive), *(self._rows(*region, step) for region in zip(self.prompts, self.networks))]
        if negative is None:
            joined = [join(positives)]
        else:
            base = tokens(negative)
            negatives = [base, *(self._negative_rows(*region, base, step) for region in zip(self.negatives, self.networks))]
            pairs = [self.host.pad(params.denoiser, *pair) for pair in zip(positives, negatives)]
            joined = list(join_pair([pair[0] for pair in pairs], [pair[1] for pair in pairs]))
            params.text_uncond = with_tokens(negative, joined[1].context)
        params.text_cond = with_tokens(positive, joined[0].context)
        self.steering.prepare(*joined)

    def _rows(self, texts: Sequence[str], networks: Tags, step: int) -> Tensor:
        """One row that stands for all rows of the base, or for each of them one."""
        conds = {text: self.host.schedule(text, negative=False, networks=networks)(step) for text in texts}
        if len(conds) == 1 and len(conds[texts[0]]) == 1:
            return conds[texts[0]]
        return _stacked([conds[text].expand(count, -1, -1) for text, count in zip(texts, self.host.rows())])

    def _negative_rows(self, texts: Sequence[str | None], networks: Tags, base: Tensor, step: int) -> Tensor:
        if networks:  # they read the picture's negative prompt, too
            texts = [given if text is None else text for text, given in zip(texts, self.host.negative_prompts())]
        own = [self.host.schedule(text, negative=True, networks=networks)(step) for text in texts if text is not None]
        if not own:
            return unmarked(base)
        return (own[0] if len(set(texts)) == 1 else _stacked(own)).to(base)


def _shape(plan: Plan) -> tuple[Any, ...]:
    """What must be alike in the plans of one batch."""
    own_negatives = [region.negative_prompt is None for region in plan.regions]
    return plan.areas, plan.base_ratios, plan.latent_ratio, own_negatives


def _compiled(unet: nn.Module) -> bool:
    """Whether torch.compile made it or put its own forward into it."""
    return hasattr(unet, "_orig_mod") or hasattr(unet.__dict__.get("forward"), "_torchdynamo_orig_callable")


def _stacked(rows: Sequence[Tensor]) -> Tensor:
    """Conditionings as rows of one batch. A shorter one is repeated, which changes nothing in attention."""
    length = math.lcm(*(row.shape[1] for row in rows))
    return torch.cat([row.repeat(1, length // row.shape[1], 1) for row in rows])


def on_cfg_denoiser(params: Any) -> None:
    """Called by the host before every denoiser call of every generation."""
    for job in running:
        if params.denoiser.p is job.host.p:
            job.denoise(params)


def on_cfg_denoised(params: Any) -> None:
    """Called by the host after every denoiser call of every generation, before it applies the guidance scale."""
    for job in running:
        if job.denoiser is not None and params.inner_model is job.denoiser.inner_model:
            job.guide()
