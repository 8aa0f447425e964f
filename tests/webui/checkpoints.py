"""Tiny random checkpoints of every model family, in the files' real layouts.

Runs in the webui's own environment, on the classes and yaml files that the host uses:

    $WEBUI/venv/bin/python tests/webui/checkpoints.py WEBUI FOLDER FAMILY...

The autoencoder is the one of the shapes model, as a random one saturates and would hide differences; families of
Stable Diffusion 1.x also share its text encoder and whatever of its UNet fits.
"""

from __future__ import annotations

import importlib
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from safetensors.torch import load_file, save_file

SHAPES = Path(__file__).parents[2] / "rpg" / "shapes"
CLIP = SHAPES / "diffusers" / "tokenizer"
ARCH = Path(__file__).parent / "support" / "rpg-tiny-clip.json"
WIDTH = 64
"""Of every text encoder here."""

UNET = {"model_channels": 64, "num_res_blocks": 1}
SD1 = {**UNET, "attention_resolutions": [1, 2], "channel_mult": [1, 2], "num_heads": 4, "context_dim": WIDTH}
DEEP = {"model_channels": 64, "channel_mult": [1, 1, 1, 1], "num_heads": 4, "context_dim": WIDTH}
"""As many blocks as the real one has, for what hooks into them by number."""
SD2 = {**UNET, "attention_resolutions": [1, 2, 4], "channel_mult": [1, 2, 2], "num_head_channels": 32, "context_dim": WIDTH}
SDXL = {**UNET, "attention_resolutions": [2, 4], "channel_mult": [1, 2, 2], "num_head_channels": 32}

STABILITY = "repositories/stable-diffusion-stability-ai/configs/stable-diffusion/"
SGM = "repositories/generative-models/configs/inference/"
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "sd1-deep": ("configs/v1-inference.yaml", DEEP),
    "sd1-inpainting": ("configs/v1-inpainting-inference.yaml", SD1),
    "instruct-pix2pix": ("configs/instruct-pix2pix.yaml", SD1),
    "sd2": (STABILITY + "v2-inference.yaml", SD2),
    "sd2-v": (STABILITY + "v2-inference-v.yaml", SD2),
    "sdxl": (
        SGM + "sd_xl_base.yaml",
        {**SDXL, "transformer_depth": [1, 1, 2], "context_dim": 2 * WIDTH, "adm_in_channels": WIDTH + 6 * 256},
    ),
    "sdxl-refiner": (
        SGM + "sd_xl_refiner.yaml",
        {**SDXL, "transformer_depth": 1, "context_dim": [WIDTH], "adm_in_channels": WIDTH + 5 * 256},
    ),
}
"""Family -> (the host's yaml, what is smaller in its UNet)."""
SHAPES_CONFIG: dict[str, Any] = OmegaConf.to_container(OmegaConf.load(SHAPES / "shapes.yaml"))  # type: ignore[assignment]


def main(webui: Path, folder: Path, families: list[str]) -> None:
    torch.set_num_threads(1)
    sys.path[:0] = [str(webui / "repositories" / name) for name in ("stable-diffusion-stability-ai", "generative-models")]
    import open_clip
    from transformers import CLIPTextConfig, CLIPTextModel

    open_clip.add_model_config(ARCH)
    CLIPTextModel.from_pretrained = lambda version: CLIPTextModel(CLIPTextConfig.from_pretrained(version))
    folder.mkdir(parents=True, exist_ok=True)
    for family in families:
        config = tiny_config(webui, family)
        torch.manual_seed(0)
        model = instantiate(config["model"])
        randomize(model)
        state = {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
        shapes = load_file(SHAPES / "shapes.safetensors")
        if predicts(config) != predicts(SHAPES_CONFIG):
            shapes = {name: value for name, value in shapes.items() if not name.startswith("model.diffusion_model.")}
        state.update({name: value for name, value in shapes.items() if name in state and state[name].shape == value.shape})
        OmegaConf.save(config, folder / f"{family}.yaml")
        partial = folder / f"{family}.partial"
        save_file({name: value.contiguous() for name, value in state.items()}, partial)
        partial.rename(folder / f"{family}.safetensors")


def tiny_config(webui: Path, family: str) -> dict[str, Any]:
    """The host's yaml of a family with small sizes, local text encoders and the shapes model's autoencoder."""
    source, unet = FAMILIES[family]
    config: dict[str, Any] = OmegaConf.to_container(OmegaConf.load(webui / source))  # type: ignore[assignment]
    params = config["model"]["params"]
    unet_config = params.get("unet_config") or params["network_config"]
    unet_config["params"].update(unet, use_checkpoint=False)
    unet_config["params"].pop("use_fp16", None)
    params["use_ema"] = False
    shapes = SHAPES_CONFIG["model"]["params"]
    autoencoder = shapes["first_stage_config"]["params"]
    params["scale_factor"] = shapes["scale_factor"]
    if unet is not SD2 and "ddpm_edit" not in config["model"]["target"] and "cond_stage_config" in params:
        params["parameterization"] = predicts(SHAPES_CONFIG)
    params["first_stage_config"]["params"].update(ddconfig=autoencoder["ddconfig"])
    if "conditioner_config" in params:
        encoders = params["conditioner_config"]["params"]["emb_models"]
    else:
        encoders = [params["cond_stage_config"]]
    for encoder in encoders:
        settings = encoder.setdefault("params", {})
        if encoder["target"].endswith("FrozenCLIPEmbedder"):
            settings["version"] = str(CLIP)
            if "layer_idx" in settings:
                settings["layer_idx"] = 1
        elif "OpenCLIP" in encoder["target"]:
            settings.update(arch=ARCH.stem, version="")
    return config


def predicts(config: dict[str, Any]) -> str:
    parameterization: str = config["model"]["params"].get("parameterization", "eps")
    return parameterization


def instantiate(config: dict[str, Any]) -> torch.nn.Module:
    """As the host does, but InstructPix2Pix as plain latent diffusion: its class needs the host running."""
    target = config["target"].replace("modules.models.diffusion.ddpm_edit", "ldm.models.diffusion.ddpm")
    module, name = target.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)(**deepcopy(config["params"]))


def randomize(model: torch.nn.Module) -> None:
    """Weights that a new model has at 0 or 1 would make it blind to its prompt, or its text encoder to weights."""
    for module in model.modules():
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        if isinstance(module, torch.nn.LayerNorm):
            torch.nn.init.normal_(weight, 1, 0.2)
            torch.nn.init.normal_(bias, 0, 0.2)
        elif isinstance(weight, torch.Tensor) and not weight.any():
            torch.nn.init.kaiming_uniform_(weight, a=5**0.5)
    for name, module in model.named_modules():
        if name.endswith("attn2"):
            for projection in (module.to_q, module.to_k, module.to_v):
                projection.weight.data *= 3


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
