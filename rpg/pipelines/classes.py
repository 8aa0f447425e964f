"""Diffusers' own pipelines for Stable Diffusion 1.x, 2.x and SDXL, steered by regions.

``from_pretrained``, ``from_single_file`` and ``from_pipe`` load them as diffusers does; a plan, or the arguments of
:meth:`RegionalMixin.__call__`, stand in the prompts' place, and everything else keeps its name: ``image``, ``mask_image``,
``control_image``, ``strength``, ``controlnet_conditioning_scale``, ...
"""

from __future__ import annotations

import diffusers

from rpg.pipelines.regional import RegionalMixin


class RegionalDiffusionPipeline(RegionalMixin, diffusers.StableDiffusionPipeline):
    """Stable Diffusion 1.x and 2.x: a picture from noise."""


class RegionalDiffusionImg2ImgPipeline(RegionalMixin, diffusers.StableDiffusionImg2ImgPipeline):
    """Stable Diffusion 1.x and 2.x: a picture from a picture."""


class RegionalDiffusionInpaintPipeline(RegionalMixin, diffusers.StableDiffusionInpaintPipeline):
    """Stable Diffusion 1.x and 2.x: a picture below a mask."""


class RegionalDiffusionControlNetPipeline(RegionalMixin, diffusers.StableDiffusionControlNetPipeline):
    """Stable Diffusion 1.x and 2.x: a picture from noise, with one or several ControlNets."""


class RegionalDiffusionControlNetImg2ImgPipeline(RegionalMixin, diffusers.StableDiffusionControlNetImg2ImgPipeline):
    """Stable Diffusion 1.x and 2.x: a picture from a picture, with one or several ControlNets."""


class RegionalDiffusionControlNetInpaintPipeline(RegionalMixin, diffusers.StableDiffusionControlNetInpaintPipeline):
    """Stable Diffusion 1.x and 2.x: a picture below a mask, with one or several ControlNets."""


class RegionalDiffusionXLPipeline(RegionalMixin, diffusers.StableDiffusionXLPipeline):
    """SDXL: a picture from noise."""


class RegionalDiffusionXLImg2ImgPipeline(RegionalMixin, diffusers.StableDiffusionXLImg2ImgPipeline):
    """SDXL: a picture from a picture."""


class RegionalDiffusionXLInpaintPipeline(RegionalMixin, diffusers.StableDiffusionXLInpaintPipeline):
    """SDXL: a picture below a mask."""


class RegionalDiffusionXLControlNetPipeline(RegionalMixin, diffusers.StableDiffusionXLControlNetPipeline):
    """SDXL: a picture from noise, with one or several ControlNets."""


class RegionalDiffusionXLControlNetImg2ImgPipeline(RegionalMixin, diffusers.StableDiffusionXLControlNetImg2ImgPipeline):
    """SDXL: a picture from a picture, with one or several ControlNets."""


class RegionalDiffusionXLControlNetInpaintPipeline(RegionalMixin, diffusers.StableDiffusionXLControlNetInpaintPipeline):
    """SDXL: a picture below a mask, with one or several ControlNets."""


PIPELINES = [kind for kind in RegionalMixin.__subclasses__() if kind.__module__ == __name__]
"""All of them."""
