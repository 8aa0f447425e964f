"""The networks as one file in the layout of Stable Diffusion 1.x, with its yaml and diffusers configuration beside it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from safetensors.torch import save_file
from torch import Tensor

from rpg import shapes
from rpg.plan import LATENT_RATIO_KEY
from rpg.shapes.training import models

Rules = Iterable[tuple[str, str]]
"""Pattern and replacement: from the names in diffusers to those of the original code."""

_RESNET: Rules = (
    (r"\.norm1\.", ".in_layers.0."),
    (r"\.conv1\.", ".in_layers.2."),
    (r"\.time_emb_proj\.", ".emb_layers.1."),
    (r"\.norm2\.", ".out_layers.0."),
    (r"\.conv2\.", ".out_layers.3."),
    (r"\.conv_shortcut\.", ".skip_connection."),
)
_UNET: Rules = (
    (r"^time_embedding\.linear_1\.", "time_embed.0."),
    (r"^time_embedding\.linear_2\.", "time_embed.2."),
    (r"^conv_in\.", "input_blocks.0.0."),
    (r"^conv_norm_out\.", "out.0."),
    (r"^conv_out\.", "out.2."),
    (r"^mid_block\.resnets\.0\.", "middle_block.0."),
    (r"^mid_block\.attentions\.0\.", "middle_block.1."),
    (r"^mid_block\.resnets\.1\.", "middle_block.2."),
)
_AUTOENCODER: Rules = (
    (r"\.mid_block\.resnets\.0\.", ".mid.block_1."),
    (r"\.mid_block\.resnets\.1\.", ".mid.block_2."),
    (r"\.mid_block\.attentions\.0\.", ".mid.attn_1."),
    (r"\.down_blocks\.(\d+)\.resnets\.", r".down.\1.block."),
    (r"\.down_blocks\.(\d+)\.downsamplers\.0\.", r".down.\1.downsample."),
    (r"\.resnets\.", ".block."),
    (r"\.upsamplers\.0\.", ".upsample."),
    (r"\.conv_shortcut\.", ".nin_shortcut."),
    (r"\.conv_norm_out\.", ".norm_out."),
    (r"\.group_norm\.", ".norm."),
    (r"\.to_([qkv])\.", r".\1."),
    (r"\.to_out\.0\.", ".proj_out."),
)
_HINT_BLOCK = r"^controlnet_cond_embedding\.blocks\.(\d+)\."
_CONTROL: Rules = (
    (r"^controlnet_cond_embedding\.conv_in\.", "input_hint_block.0."),
    (r"^controlnet_cond_embedding\.conv_out\.", "input_hint_block.14."),
    (r"^controlnet_down_blocks\.(\d+)\.", r"zero_convs.\1.0."),
    (r"^controlnet_mid_block\.", "middle_block_out.0."),
)


def state_dict(autoencoder: Any, unet: Any, text_encoder: Any) -> dict[str, Tensor]:
    """All weights under their names in the original code, in half precision."""
    parts = (
        ("model.diffusion_model.", _unet(unet)),
        ("first_stage_model.", _autoencoder(autoencoder)),
        ("cond_stage_model.transformer.", text_encoder.state_dict()),
    )
    return {prefix + name: value.detach().cpu().half().contiguous() for prefix, part in parts for name, value in part.items()}


def _renamed(name: str, rules: Rules) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def control_state_dict(net: Any) -> dict[str, Tensor]:
    """The same for a ``ControlNetModel``."""

    def hint(match: re.Match[str]) -> str:
        """Activations are counted there."""
        return f"input_hint_block.{2 * int(match[1]) + 2}."

    named = {_renamed(re.sub(_HINT_BLOCK, hint, name), _CONTROL): value for name, value in _unet(net).items()}
    return {f"control_model.{name}": value.detach().cpu().half().contiguous() for name, value in named.items()}


def _unet(unet: Any) -> dict[str, Tensor]:
    return {unet_name(key, unet.config.layers_per_block): value for key, value in unet.state_dict().items()}


def unet_name(key: str, per_level: int = 1) -> str:
    """A UNet's weight as the original code names it.

    Blocks are counted through there, and a level's here: input 0 is the first convolution, then each level's residual blocks, of
    which there are ``per_level``, and its downsampling; outputs are the residual blocks from the coarsest level up.
    """

    def down(match: re.Match[str]) -> str:
        level, kind, index = int(match[1]), match[2], int(match[3])
        block = 1 + level * (per_level + 1) + (per_level if kind == "downsamplers" else index)
        return f"input_blocks.{block}." + {"resnets": "0.", "attentions": "1.", "downsamplers": "0.op."}[kind]

    def up(match: re.Match[str]) -> str:
        level, kind, index = int(match[1]), match[2], int(match[3])
        block = level * (per_level + 1) + (per_level if kind == "upsamplers" else index)
        return f"output_blocks.{block}." + {"resnets": "0.", "attentions": "1.", "upsamplers": "2."}[kind]

    name = _renamed(key, _UNET)
    name = re.sub(r"^down_blocks\.(\d+)\.(resnets|attentions|downsamplers)\.(\d+)\.(conv\.(?=\w+$))?", down, name)
    name = re.sub(r"^up_blocks\.(\d+)\.(resnets|attentions|upsamplers)\.(\d+)\.", up, name)
    return name if "transformer_blocks" in name else _renamed(name, _RESNET)


def _autoencoder(autoencoder: Any) -> dict[str, Tensor]:
    """Up levels are counted from the finest there; the attention's projections are convolutions of one pixel."""
    levels = len(autoencoder.config.block_out_channels)
    named = {}
    for key, value in autoencoder.state_dict().items():
        name = re.sub(r"\.up_blocks\.(\d+)\.", lambda match: f".up.{levels - 1 - int(match[1])}.", key)
        name = _renamed(name, _AUTOENCODER)
        named[name] = value[:, :, None, None] if ".attn_1." in name and value.ndim == 2 else value
    return named


def write(folder: Path, autoencoder: Any, unet: Any, text_encoder: Any) -> Path:
    """Write ``shapes.safetensors``, ``shapes.yaml`` and the folder ``diffusers``, as :mod:`rpg.shapes` has them.

    Returns:
        The checkpoint's path.
    """
    path = folder / shapes.CHECKPOINT.name
    save_file(state_dict(autoencoder, unet, text_encoder), path, {LATENT_RATIO_KEY: str(shapes.LATENT_RATIO)})
    config = folder / shapes.CONFIG.name
    shutil.copytree(shapes.CONFIG, config, dirs_exist_ok=True)
    _change(config / "vae" / "config.json", scaling_factor=autoencoder.config.scaling_factor)
    _change(config / "scheduler" / "scheduler_config.json", prediction_type=models.PREDICTION)
    for name in ("text_encoder", shapes.CLIP.name):
        _change(config / name / "config.json", num_hidden_layers=text_encoder.config.num_hidden_layers)
    settings = yaml.safe_load(shapes.CHECKPOINT.with_suffix(".yaml").read_text(encoding="utf-8"))
    settings["model"]["params"]["scale_factor"] = autoencoder.config.scaling_factor
    settings["model"]["params"]["parameterization"] = models.PREDICTION[0]
    path.with_suffix(".yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return path


def write_control(folder: Path, net: Any) -> Path:
    """Write ``control.safetensors``, and its configuration into the folder ``diffusers``.

    Returns:
        The file's path.
    """
    path = folder / shapes.CONTROL.name
    save_file(control_state_dict(net), path)
    net.save_config(folder / shapes.CONFIG.name / shapes.CONTROL_CONFIG.name)
    return path


def _change(file: Path, **settings: object) -> None:
    changed = json.loads(file.read_text(encoding="utf-8")) | settings
    file.write_text(json.dumps(changed, indent=2) + "\n", encoding="utf-8")
