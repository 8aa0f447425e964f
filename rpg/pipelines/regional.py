"""What makes a diffusers pipeline regional: prompts go in as one joined embedding, attention is hooked meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache, partial
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from rpg import networks
from rpg.areas.patches import check_sizes
from rpg.errors import GenerationError
from rpg.pipelines import lora
from rpg.pipelines.encoding import Encoded, encode
from rpg.plan import DEFAULT_LATENT_RATIO, Plan, regions_from
from rpg.steering.conditioning import Joined, join_pair
from rpg.steering.hooks import attach
from rpg.steering.latents import GUIDANCE_APART
from rpg.steering.steering import Steering

_PLANNED = (
    "prompt_2",
    "negative_prompt_2",
    "prompt_embeds",
    "negative_prompt_embeds",
    "pooled_prompt_embeds",
    "negative_pooled_prompt_embeds",
)


_Pipeline: Any = object
"""The diffusers class that follows in the order of resolution."""


class RegionalMixin(_Pipeline):
    """Stands in front of a diffusers pipeline class.

    Attributes:
        latent_ratio: what suits the model, where a plan leaves it open.
        lora_folder: in it or below it lie the files that tags such as ``<lora:name:0.8>`` name.
    """

    latent_ratio = DEFAULT_LATENT_RATIO
    lora_folder: str | Path | None = None

    def __call__(  # noqa: PLR0917 - the order of the reference implementation
        self,
        split_ratio: str,
        base_ratio: float | None = None,
        base_prompt: str | None = None,
        batch_size: int = 1,
        prompt: str | Sequence[str] = (),
        seed: int | None = None,
        latent_ratio: float = 0.0,
        **options: Any,
    ) -> Any:
        """Generate from prompts and a split ratio, in the reference implementation's words.

        Args:
            split_ratio: rows and columns, such as ``1,1`` or ``1,1,1;2,1,1`` (see :mod:`rpg.areas.layout`).
            base_ratio: share of the base prompt in every region, 0 to 1.
            base_prompt: describes the whole picture. Without it, or without ``base_ratio``, no base is mixed in.
            batch_size: number of pictures.
            prompt: the region prompts as a list, or as one string with ``BREAK`` between them.
            seed: see :meth:`generate`, as for all other options.
            latent_ratio: share of the steps in which regions are denoised by themselves (see :class:`rpg.plan.Plan`).

        Returns:
            What the diffusers pipeline returns; the pictures are in ``.images``.
        """
        base = base_ratio if base_prompt and base_ratio is not None else 0
        plan = Plan(regions_from(prompt), split_ratio, base_prompt or "", base, latent_ratio=latent_ratio)
        return self.generate(plan, batch_size=batch_size, seed=seed, **options)

    @torch.no_grad()
    def generate(
        self,
        plan: Plan,
        *,
        batch_size: int = 1,
        seed: int | None = None,
        negative_prompt: str | None = None,
        height: int | None = None,
        width: int | None = None,
        num_images_per_prompt: int = 1,
        **options: Any,
    ) -> Any:
        """Generate pictures from a plan.

        The base prompt is the plan's; if that is empty its caption, and if that is empty too, the region prompts
        in a row. SDXL's pooled embedding comes from the base prompt, also where none of it is mixed in. Prompts
        longer than the text encoder's window are encoded in chunks; nothing is cut off. Weights, ``BREAK`` and LoRA
        tags work as in the webui: ``(red:1.3)``; a LoRA named in a region's prompt acts there alone, one in the base prompt
        or the caption everywhere.

        Args:
            plan: regions and where they lie.
            batch_size: number of pictures.
            seed: of the first picture; the next ones count up, so each can be made again alone. The noise is drawn
                on the CPU: the same on every device. None or negative: random.
            negative_prompt: of all regions that have none of their own.
            height, width: in pixels, multiples of 8; by default those of the picture to start from, or of the control.
            options: everything else that the diffusers pipeline takes (``num_inference_steps``, ``guidance_scale``,
                ``image``, ``mask_image``, ``control_image``, ``callback_on_step_end``, ...).
        """
        plan = plan.for_model(self.latent_ratio).written_out()
        self._check(negative_prompt, options)
        size = self._size(height, width, options)
        if drawn := tuple(size.values()) or _picture_size(options.get("image")):
            check_sizes(plan.areas, *(side // self.vae_scale_factor for side in drawn))
        count = _positive("batch_size", batch_size) * _positive("num_images_per_prompt", num_images_per_prompt)
        if seed is not None and seed >= 0:
            if options.get("generator") is not None:
                raise GenerationError("seed and generator were both given; keep one.")
            options["generator"] = [torch.Generator().manual_seed(seed + number) for number in range(count)]
        tagged = [plan.base_prompt or plan.main_prompt, *(region.prompt for region in plan.regions)]
        negatives = [negative_prompt if own is None else own for own in (None, *(r.negative_prompt for r in plan.regions))]
        if unheard := networks.tags(text for text in negatives if text):
            raise GenerationError(
                f"{next(iter(unheard.values()))} stands in a negative prompt, where it does nothing; remove it."
            )
        # A list of all region prompts, where there is no other, names what each of them has for itself.
        named = networks.named(plan.base_prompt or plan.caption, tagged[1:], covers=plan.areas.layout is not None)
        prompts = [networks.without_networks(prompt) for prompt in tagged]
        # A list of region prompts names each object, but does not count equal ones.
        has_base = bool(plan.base_prompt or plan.caption) or len(set(prompts[1:])) == len(plan.regions)
        steering = Steering(plan.areas, plan.base_ratios, plan.latent_ratio or 0, has_base=has_base)
        steering.from_noise = options.get("image") is None
        with ExitStack() as attached:
            adapters = attached.enter_context(lora.loaded(self, named, self.lora_folder))
            joined, embeds = self._embeds(prompts, negatives, adapters, options)
            steering.prepare(joined)
            attached.enter_context(attach(self.unet, steering))
            attached.enter_context(steering.networks(self.unet, adapters.branches(_lora_scale(options) or 1.0)))
            attached.enter_context(self.unet.register_forward_hook(partial(self._guide, steering)))
            if (control := getattr(self, "controlnet", None)) is not None:
                attached.enter_context(control.register_forward_pre_hook(partial(_base_only, joined), with_kwargs=True))
            return super().__call__(num_images_per_prompt=count, **size, **embeds, **options)

    def _guide(self, steering: Steering, _unet: nn.Module, _args: object, answer: tuple[Tensor]) -> None:
        """Guide more strongly while regions are denoised by themselves. Some pipelines read their guidance scale once, so that
        the negative prompt's answer [first half of the rows] is moved away from the positive one's instead."""
        if steering.apart and not steering.inside and self.do_classifier_free_guidance:
            negative, positive = answer[0].chunk(2)
            negative.copy_(positive.lerp(negative, GUIDANCE_APART))

    def _embeds(
        self, prompts: Sequence[str], negatives: Sequence[str | None], adapters: lora.Adapters, options: Mapping[str, Any]
    ) -> tuple[Joined, dict[str, Tensor]]:
        """The positive conditionings as they are joined, and what diffusers takes in the prompts' place.

        Args:
            prompts, negatives: of the base, then of each region.
        """
        scale = _lora_scale(options)

        @cache
        def encoded(text: str, clip_skip: int | None = None) -> Encoded:
            return encode(self, text, clip_skip, scale)

        def negated(text: str | None) -> Encoded:
            zeros = text is None and getattr(self.config, "force_zeros_for_empty_prompt", False)
            return encoded("").zeros() if zeros else encoded(text or "")  # as diffusers: clip_skip is not for negatives

        positive = [encoded(text, options.get("clip_skip")) for text in prompts]
        negative = [negated(text) for text in negatives]
        for number in range(1, len(prompts)):
            if adapters.of(number - 1):
                encoded.cache_clear()
                with adapters.encoding(number - 1):
                    positive[number] = encoded(prompts[number], options.get("clip_skip"))
                    negative[number] = negated(negatives[number])
        joined, joined_negative = join_pair([p.embeds for p in positive], [n.embeds for n in negative], stretch=None)
        embeds = {"prompt_embeds": joined.context, "negative_prompt_embeds": joined_negative.context}
        if positive[0].pooled is not None:
            embeds |= {"pooled_prompt_embeds": positive[0].pooled, "negative_pooled_prompt_embeds": negative[0].pooled}
        return joined, embeds

    def _check(self, negative_prompt: object, options: dict[str, Any]) -> None:
        if not isinstance(negative_prompt, str | None):
            raise GenerationError(f"negative_prompt is {type(negative_prompt).__name__}; it must be one text for all regions.")
        if options.get("padding_mask_crop") is not None:
            raise GenerationError(
                "padding_mask_crop cannot be given here; regions lie in the whole picture, not in a part of it."
            )
        if (options.get("cross_attention_kwargs") or {}).get("ip_adapter_masks") is not None:
            raise GenerationError("ip_adapter_masks cannot be given here; an IP-Adapter acts on the whole picture.")
        for name in _PLANNED:
            if options.pop(name, None) is not None:
                raise GenerationError(f"{name} cannot be given here; the plan makes the embeddings from its prompts.")

    def _size(self, height: int | None, width: int | None, options: Mapping[str, Any]) -> dict[str, int]:
        """Height and width, for pipelines that take them; the others make the picture as large as the one they start from."""
        if "height" not in signature(super().__call__).parameters:
            if (height, width) != (None, None):
                raise GenerationError("height and width cannot be given here; the picture is as large as the one it starts from.")
            return {}
        trained = self.unet.config.sample_size
        rows, columns = trained if isinstance(trained, (list, tuple)) else (trained, trained)
        usual = _picture_size(options.get("image")) or (rows * self.vae_scale_factor, columns * self.vae_scale_factor)
        size = {"height": height or usual[0], "width": width or usual[1]}
        for name, value in size.items():
            if _positive(name, value) % 8:
                raise GenerationError(f"{name} is {value}; it must be a multiple of 8.")
        return size


def _lora_scale(options: Mapping[str, Any]) -> float | None:
    scale: float | None = (options.get("cross_attention_kwargs") or {}).get("scale")
    return scale


def _base_only(joined: Joined, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """A ControlNet attends to the base prompt, as without regions."""
    return args, {**kwargs, "encoder_hidden_states": kwargs["encoder_hidden_states"][:, slice(*joined.table[0])]}


def _picture_size(image: Any) -> tuple[int, int] | None:
    """Height and width of a picture, or of the first of several, without what is over a multiple of 8."""
    if isinstance(image, (list, tuple)):
        return _picture_size(image[0]) if image else None
    if isinstance(image, Image.Image):
        width, height = image.size
    elif isinstance(image, Tensor):
        height, width = image.shape[-2:]
    elif isinstance(image, np.ndarray):
        height, width = image.shape[-3:-1] if image.ndim > 2 else image.shape
    else:
        return None
    return height // 8 * 8, width // 8 * 8


def _positive(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise GenerationError(f"{name} is {value!r}; it must be a whole number above 0.")
    return value
