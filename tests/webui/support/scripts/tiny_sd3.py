"""Stable Diffusion 3 in small: the host fixes its text encoders' and autoencoder's sizes, and asks the net for tokenizers."""

import functools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from fastapi import FastAPI
from modules import paths, script_callbacks, scripts, sd_models
from modules.models.sd3 import other_impls, sd3_cond, sd3_impls
from safetensors.torch import save_file
from transformers import CLIPTokenizer

CLIP = Path(scripts.basedir()).parent / "sd-webui-rpg" / "rpg" / "shapes" / "diffusers" / "tokenizer"
WIDTH, LAYERS, PATCHES, PREFIX = 64, 2, 32, "model.diffusion_model."
SIZES = {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_attention_heads": 4, "num_hidden_layers": 1 + LAYERS}


def local(_name: str) -> Any:
    return CLIPTokenizer.from_pretrained(CLIP)


sd3_cond.CLIPL_CONFIG.update(SIZES)
sd3_cond.CLIPG_CONFIG.update(SIZES)
sd3_impls.VAEEncoder = functools.partial(sd3_impls.VAEEncoder, ch=32)
sd3_impls.VAEDecoder = functools.partial(sd3_impls.VAEDecoder, ch=32)
for module in (other_impls, sd3_cond):
    module.CLIPTokenizer = module.T5TokenizerFast = SimpleNamespace(from_pretrained=local)


def write_checkpoint() -> None:
    """In the real layout; the host reads the transformer's sizes out of it."""
    torch.manual_seed(0)
    hidden = 64 * LAYERS
    sizes = {
        "x_embedder.proj.weight": torch.empty(hidden, 16, 2, 2),
        "pos_embed": torch.empty(1, PATCHES**2, hidden),
        "y_embedder.mlp.0.weight": torch.empty(hidden, 2 * WIDTH),
        "context_embedder.weight": torch.empty(hidden, 4096),
    }
    parts = {
        "model": sd3_impls.BaseModel(state_dict={PREFIX + name: value for name, value in sizes.items()}, prefix=PREFIX),
        "first_stage_model": sd3_impls.SDVAE(),
        "text_encoders": sd3_cond.SD3Cond(),
    }
    state = {f"{part}.{name}": value.half() for part, module in parts.items() for name, value in module.state_dict().items()}
    save_file(state, Path(paths.models_path) / "Stable-diffusion" / "sd3.safetensors")
    sd_models.list_models()


def routes(_demo: Any, app: FastAPI) -> None:
    app.add_api_route("/rpg-test/sd3", write_checkpoint, methods=["POST"])


script_callbacks.on_app_started(routes)
