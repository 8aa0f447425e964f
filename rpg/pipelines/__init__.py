"""Regional diffusion on diffusers' pipelines."""

try:
    import diffusers  # noqa: F401
except ImportError as error:
    raise ImportError("rpg.pipelines needs diffusers; install it with: pip install 'sd-webui-rpg[standalone]'") from error

from rpg.pipelines.classes import (
    RegionalDiffusionControlNetImg2ImgPipeline,
    RegionalDiffusionControlNetInpaintPipeline,
    RegionalDiffusionControlNetPipeline,
    RegionalDiffusionImg2ImgPipeline,
    RegionalDiffusionInpaintPipeline,
    RegionalDiffusionPipeline,
    RegionalDiffusionXLControlNetImg2ImgPipeline,
    RegionalDiffusionXLControlNetInpaintPipeline,
    RegionalDiffusionXLControlNetPipeline,
    RegionalDiffusionXLImg2ImgPipeline,
    RegionalDiffusionXLInpaintPipeline,
    RegionalDiffusionXLPipeline,
)

__all__ = [
    "RegionalDiffusionControlNetImg2ImgPipeline",
    "RegionalDiffusionControlNetInpaintPipeline",
    "RegionalDiffusionControlNetPipeline",
    "RegionalDiffusionImg2ImgPipeline",
    "RegionalDiffusionInpaintPipeline",
    "RegionalDiffusionPipeline",
    "RegionalDiffusionXLControlNetImg2ImgPipeline",
    "RegionalDiffusionXLControlNetInpaintPipeline",
    "RegionalDiffusionXLControlNetPipeline",
    "RegionalDiffusionXLImg2ImgPipeline",
    "RegionalDiffusionXLInpaintPipeline",
    "RegionalDiffusionXLPipeline",
]
