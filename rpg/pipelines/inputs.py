"""A pipeline for what a picture starts from or follows beside its plan: a picture, a mask, the hints of ControlNets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diffusers import ControlNetModel

from rpg import shapes
from rpg.errors import GenerationError
from rpg.inputs import Inputs
from rpg.pipelines.classes import PIPELINES, RegionalDiffusionXLPipeline


def prepare(pipeline: Any, inputs: Inputs) -> tuple[Any, dict[str, Any]]:
    """The pipeline for the inputs, of the parts of one for pictures from noise, and the options that hand them over.

    Raises:
        GenerationError: when a ControlNet cannot be loaded, or is made for another kind of model.
    """
    family = "XL" if isinstance(pipeline, RegionalDiffusionXLPipeline) else ""
    control = "ControlNet" if inputs.controls else ""
    start = "" if inputs.image is None else "Img2Img" if inputs.mask is None else "Inpaint"
    kind = next(kind for kind in PIPELINES if kind.__name__ == f"RegionalDiffusion{family}{control}{start}Pipeline")
    options: dict[str, Any] = {}
    parts: dict[str, Any] = {}
    if inputs.controls:
        nets = [_control_net(one.model, pipeline) for one in inputs.controls]
        parts["controlnet"] = _one_or_all(nets)
        options["control_image" if start else "image"] = _one_or_all([one.hint for one in inputs.controls])
        options["controlnet_conditioning_scale"] = _one_or_all([one.scale for one in inputs.controls])
    if start:
        options |= {"image": inputs.image, "strength": inputs.strength}
    if start == "Inpaint":
        options["mask_image"] = inputs.mask
    made = kind.from_pipe(pipeline, torch_dtype=pipeline.dtype, **parts)
    made.latent_ratio, made.lora_folder = pipeline.latent_ratio, pipeline.lora_folder
    return made, options


def _control_net(folder: str | None, pipeline: Any) -> ControlNetModel:
    if folder is None:
        net = ControlNetModel.from_single_file(
            str(shapes.CONTROL), config=str(shapes.CONTROL_CONFIG), torch_dtype=pipeline.dtype, local_files_only=True
        )
        return net.to(pipeline.device)
    if not Path(folder, "config.json").is_file():
        raise GenerationError(f"There is no ControlNet {folder!r}; name a folder in diffusers' format, with a config.json.")
    try:
        net = ControlNetModel.from_pretrained(folder, torch_dtype=pipeline.dtype, local_files_only=True)
    except (OSError, ValueError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise GenerationError(f"The ControlNet {folder!r} cannot be loaded: {reason}") from error
    own, wanted = net.config.cross_attention_dim, pipeline.unet.config.cross_attention_dim
    if own != wanted:
        raise GenerationError(
            f"The ControlNet {folder!r} is made for another kind of model: it reads prompts of {own} channels, this model has "
            f"{wanted} (Stable Diffusion 1.x has 768, 2.x 1024, SDXL 2048)."
        )
    return net.to(pipeline.device)


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values
