"""Regional diffusion on diffusers' pipelines."""

try:
    import diffusers  # noqa: F401
except ImportError as error:
    raise ImportError("rpg.pipelines needs diffusers; install it with: pip install 'sd-webui-rpg[standalone]'") from error

from rpg.pipelines.regional import RegionalDiffusionPipeline, RegionalDiffusionXLPipeline

__all__ = ["RegionalDiffusionPipeline", "RegionalDiffusionXLPipeline"]
