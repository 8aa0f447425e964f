"""Paints with a pipeline what :mod:`rpg.editing` asks for: new pictures, and parts of pictures at full resolution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from PIL import Image

from rpg.editing.windows import window_of
from rpg.pipelines.classes import RegionalDiffusionInpaintPipeline, RegionalDiffusionXLInpaintPipeline
from rpg.pipelines.loading import Loaded
from rpg.plan import Plan


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
        width, height = window.painted_size(self._native)
        made = self._inpaint.generate(
            window.part_of(plan, picture.size, (width, height)),
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

    @property
    def _native(self) -> int:
        """Pixels along the shorter side of the pictures that the model was trained on."""
        trained = self.pipeline.unet.config.sample_size
        side: int = trained if isinstance(trained, int) else min(trained)
        return side * int(self.pipeline.vae_scale_factor)


def painter_of(loaded: Loaded, size: tuple[int, int], **options: Any) -> PipelinePainter:
    """A painter with a loaded model.

    Args:
        options: of every call; those that are None are as suits the model.
    """
    usual = {"num_inference_steps": loaded.steps, "guidance_scale": loaded.guidance_scale}
    return PipelinePainter(loaded.pipeline, size, usual | {name: value for name, value in options.items() if value is not None})
