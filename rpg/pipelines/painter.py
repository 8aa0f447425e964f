"""Paints with a pipeline what :mod:`rpg.editing` asks for: new pictures, and parts of pictures at full resolution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from PIL import Image

from rpg.errors import EditingError
from rpg.pipelines.classes import RegionalDiffusionInpaintPipeline, RegionalDiffusionXLInpaintPipeline
from rpg.pipelines.loading import Loaded
from rpg.plan import Plan

PADDING = 0.25
"""Around what is painted anew, as a share of its longer side: the painter sees so much of what stays."""
LEAST_PADDING = 8
"""Pixels."""


@dataclass(frozen=True)
class PipelinePainter:
    """
    Fields:
        pipeline: of :mod:`rpg.pipelines`, from noise.
        size: width and height of new pictures.
        options: of every call: ``num_inference_steps``, ``guidance_scale``, ``negative_prompt``, ...
    """

    pipeline: Any
    size: tuple[int, int]
    options: Mapping[str, Any] = field(default_factory=dict)

    def generate(self, plan: Plan, seed: int) -> Image.Image:
        width, height = self.size
        picture: Image.Image = self.pipeline.generate(plan, seed=seed, width=width, height=height, **self.options).images[0]
        return picture

    def repaint(self, picture: Image.Image, mask: Image.Image, plan: Plan, strength: float, seed: int) -> Image.Image:
        """The masked part and what is around it, cut out, painted in the size that the model was trained on, and put back."""
        window = window_of(mask, picture.size)
        part, inside = picture.crop(window), mask.crop(window)
        width, height = self._painted_size(part.size)
        made = self._inpaint.generate(
            plan,
            seed=seed,
            image=part.resize((width, height), Image.Resampling.LANCZOS),
            mask_image=inside.resize((width, height), Image.Resampling.BILINEAR),
            strength=strength,
            width=width,
            height=height,
            **self.options,
        ).images[0]
        result = picture.copy()
        result.paste(made.resize(part.size, Image.Resampling.LANCZOS), window[:2])
        return result

    @cached_property
    def _inpaint(self) -> Any:
        xl = getattr(self.pipeline, "tokenizer_2", None) is not None
        kind = RegionalDiffusionXLInpaintPipeline if xl else RegionalDiffusionInpaintPipeline
        made = kind.from_pipe(self.pipeline)
        made.latent_ratio, made.lora_folder = self.pipeline.latent_ratio, self.pipeline.lora_folder
        made.set_progress_bar_config(**getattr(self.pipeline, "_progress_bar_config", {}))
        return made

    def _painted_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """As large as the model's own pictures along the shorter side, or as it is if that is larger; multiples of 8."""
        trained = self.pipeline.unet.config.sample_size
        native = (trained if isinstance(trained, int) else min(trained)) * self.pipeline.vae_scale_factor
        scale = max(1.0, native / min(size))
        width, height = (max(8, round(side * scale / 8) * 8) for side in size)
        return width, height


def painter_of(loaded: Loaded, size: tuple[int, int], **options: Any) -> PipelinePainter:
    """A painter with a loaded model.

    Args:
        options: of every call; those that are None are as suits the model.
    """
    usual = {"num_inference_steps": loaded.steps, "guidance_scale": loaded.guidance_scale}
    return PipelinePainter(loaded.pipeline, size, usual | {name: value for name, value in options.items() if value is not None})


def window_of(mask: Image.Image, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what the painter gets to see: the mask's bounds, padded, and not much longer than high.

    Raises:
        EditingError: when the mask is empty.
    """
    bounds: tuple[int, int, int, int] | None = mask.getbbox()
    if bounds is None:
        raise EditingError("The mask is empty; there is nothing to paint anew.")
    left, top, right, bottom = bounds
    padding = max(LEAST_PADDING, round(PADDING * max(right - left, bottom - top)))
    side = max(right - left, bottom - top) + 2 * padding
    (left, right), (top, bottom) = _around(left, right, side, size[0]), _around(top, bottom, side, size[1])
    return left, top, right, bottom


def _around(start: int, end: int, length: int, limit: int) -> tuple[int, int]:
    """A stretch of that length around another, inside 0 to ``limit``."""
    length = min(length, limit)
    first = min(max((start + end - length) // 2, 0), limit - length)
    return first, first + length
