"""UNets of the real sizes with random weights."""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

SD15 = {"cross_attention_dim": 768, "attention_head_dim": 8}
SDXL = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
CONFIGS = {
    "sd15": SD15,
    "sdxl": SDXL,
    "sdxl-short": SDXL | {"transformer_layers_per_block": (1, 2, 3)},
    "tiny": {"block_out_channels": (32, 64, 64, 64), "cross_attention_dim": 32, "attention_head_dim": 4},
}
"""``sdxl-short`` has SDXL's widths, with three transformer blocks where SDXL has ten: for machines that cannot hold it."""


def build(name: str, device: str, dtype: torch.dtype) -> UNet2DConditionModel:
    with torch.device("meta"):
        unet = UNet2DConditionModel(**CONFIGS[name])
    unet = unet.to(dtype).to_empty(device=device).eval().requires_grad_(False)
    for name_, parameter in unet.named_parameters():
        if parameter.dim() == 1:
            parameter.fill_(0 if name_.endswith("bias") else 1)
        else:
            parameter.normal_(std=parameter[0].numel() ** -0.5)
    return unet


def inputs(unet: UNet2DConditionModel, size: int) -> dict[str, object]:
    """What a step needs beside the prompts: a latent with a negative and a positive row."""
    weight = unet.conv_in.weight
    result: dict[str, object] = {"sample": weight.new_empty(2, 4, size // 8, size // 8).normal_(), "timestep": 500}
    if unet.config.addition_embed_type:
        result["added_cond_kwargs"] = {
            "text_embeds": weight.new_zeros(2, 1280),
            "time_ids": weight.new_full((2, 6), size),
        }
    return result


def prompts(unet: UNet2DConditionModel, count: int) -> list[Tensor]:
    """Conditionings [1, 77, channels]."""
    return [unet.conv_in.weight.new_empty(1, 77, unet.config.cross_attention_dim).normal_() for _ in range(count)]
