"""The three networks, untrained: the bundled configuration, with the changes that are under trial."""

from __future__ import annotations

from typing import Any

from diffusers import AutoencoderKL, DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from rpg.shapes import CHECKPOINT, CLIP, CONFIG

TEXT_LAYERS = 4
PREDICTION = "v_prediction"


def autoencoder() -> Any:
    return AutoencoderKL.from_config(AutoencoderKL.load_config(CONFIG / "vae"))


def unet() -> Any:
    return UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(CONFIG / "unet"))


def text_encoder() -> Any:
    return CLIPTextModel(CLIPTextConfig.from_pretrained(CLIP, num_hidden_layers=TEXT_LAYERS))


def tokenizer() -> Any:
    return CLIPTokenizer.from_pretrained(CLIP)


def noise() -> Any:
    return DDPMScheduler.from_pretrained(CONFIG / "scheduler", prediction_type=PREDICTION)


def bundled() -> Any:
    """The model that is there already, as a pipeline."""
    return StableDiffusionPipeline.from_single_file(
        str(CHECKPOINT), config=str(CONFIG), local_files_only=True, safety_checker=None
    )
