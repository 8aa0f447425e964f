"""Tiny models with random weights in the shapes of Stable Diffusion 1.x, 2.x and SDXL."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from rpg import shapes
from rpg.pipelines import RegionalDiffusionPipeline, RegionalDiffusionXLPipeline
from rpg.steering.hooks import cross_attentions

REGIONAL = {"sd1": RegionalDiffusionPipeline, "sd2": RegionalDiffusionPipeline, "sdxl": RegionalDiffusionXLPipeline}
PLAIN = {"sd1": StableDiffusionPipeline, "sd2": StableDiffusionPipeline, "sdxl": StableDiffusionXLPipeline}

_UNETS: dict[str, dict[str, Any]] = {
    "sd1": {"attention_head_dim": 2, "cross_attention_dim": 32},
    "sd2": {"attention_head_dim": [2, 4], "cross_attention_dim": 32, "use_linear_projection": True},
    "sdxl": {
        "attention_head_dim": [2, 4],
        "cross_attention_dim": 64,
        "use_linear_projection": True,
        "transformer_layers_per_block": [1, 2],
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + 32,
    },
}


def regional(kind: str) -> Any:
    """A regional pipeline of ``kind``."""
    pipeline = REGIONAL[kind](**_components(kind))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def plain(pipeline: Any, kind: str) -> Any:
    """Diffusers' own pipeline on the same components."""
    options = {} if kind == "sdxl" else {"requires_safety_checker": False}
    other = PLAIN[kind](**pipeline.components, **options)
    other.set_progress_bar_config(disable=True)
    return other


def _components(kind: str) -> dict[str, Any]:
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=16,
        layers_per_block=1,
        block_out_channels=[16, 32],
        down_block_types=["CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
        norm_num_groups=4,
        **_UNETS[kind],
    ).eval()
    for layer in cross_attentions(unet):  # a picture that listens to its prompt
        layer.to_v.weight.data *= 10
        layer.to_q.weight.data *= 10
    levels = 4
    vae = AutoencoderKL(
        block_out_channels=[8] * levels,
        down_block_types=["DownEncoderBlock2D"] * levels,
        up_block_types=["UpDecoderBlock2D"] * levels,
        norm_num_groups=4,
        layers_per_block=1,
    ).eval()
    scheduler = DDIMScheduler(
        beta_schedule="scaled_linear",
        clip_sample=False,
        steps_offset=1,
        prediction_type="v_prediction" if kind == "sd2" else "epsilon",
    )
    text = CLIPTextConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4, projection_dim=32, hidden_act="gelu"
    )
    tokenizer = CLIPTokenizer.from_pretrained(shapes.CLIP)
    common = {
        "unet": unet,
        "vae": vae,
        "scheduler": scheduler,
        "text_encoder": CLIPTextModel(text).eval(),
        "tokenizer": tokenizer,
    }
    if kind == "sdxl":
        return {**common, "text_encoder_2": CLIPTextModelWithProjection(text).eval(), "tokenizer_2": tokenizer}
    return {**common, "safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
