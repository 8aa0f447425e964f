"""A tiny Segment Anything model with random weights, in transformers' format."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def save_sam(transformers: Any, folder: Path) -> None:
    vision = transformers.SamVisionConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=64,
        patch_size=16,
        output_channels=16,
        mlp_dim=32,
        window_size=2,
        global_attn_indexes=[0],
        num_pos_feats=8,
    )
    prompt = transformers.SamPromptEncoderConfig(hidden_size=16, image_size=64, patch_size=16, mask_input_channels=4)
    decoder = transformers.SamMaskDecoderConfig(
        hidden_size=16, mlp_dim=32, num_hidden_layers=1, num_attention_heads=2, iou_head_hidden_dim=16
    )
    config = transformers.SamConfig(vision.to_dict(), prompt.to_dict(), decoder.to_dict())
    transformers.SamModel(config).save_pretrained(folder)
    size = {"longest_edge": 64}, {"height": 64, "width": 64}
    images = transformers.SamImageProcessor(size=size[0], pad_size=size[1])
    transformers.SamProcessor(images).save_pretrained(folder)
