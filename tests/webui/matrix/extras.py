"""Small random things that prompts can name and previews need: a LoRA, an embedding, a hypernetwork, preview decoders."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

WIDTH = 64
LORA, UNET_LORA, EMBEDDING, HYPERNET = "tiny-lora", "tiny-unet-lora", "tinyembedding", "tiny-hypernet"


def write_extras(data: Path) -> None:
    """Put them into a webui's data folder."""
    torch.manual_seed(1)
    folders = {name: data / name for name in ("models/Lora", "embeddings", "models/hypernetworks")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    weights = lora()
    save_file(weights, folders["models/Lora"] / f"{LORA}.safetensors")
    without_text = {name: weight for name, weight in weights.items() if "_te_" not in name}
    save_file(without_text, folders["models/Lora"] / f"{UNET_LORA}.safetensors")
    save_file({"emb_params": torch.randn(2, WIDTH) * 0.5}, folders["embeddings"] / f"{EMBEDDING}.safetensors")
    # The host reads only the older of torch's two formats with care.
    torch.save(hypernetwork(), folders["models/hypernetworks"] / f"{HYPERNET}.pt", _use_new_zipfile_serialization=False)


def lora() -> dict[str, torch.Tensor]:
    """For the shapes model: the innermost attention layers and the text encoder."""
    block = "lora_unet_mid_block_attentions_0_transformer_blocks_0"
    text = "lora_te_text_model_encoder_layers_0_self_attn"
    sizes = {
        **{f"{block}_{layer}_{projection}": (128, 128) for layer in ("attn1", "attn2") for projection in ("to_q", "to_out_0")},
        **{f"{block}_attn2_{projection}": (WIDTH, 128) for projection in ("to_k", "to_v")},
        **{f"{text}_{projection}": (WIDTH, WIDTH) for projection in ("q_proj", "v_proj")},
    }
    state = {}
    for name, (inputs, outputs) in sizes.items():
        state[f"{name}.lora_down.weight"] = torch.randn(2, inputs) * 0.2
        state[f"{name}.lora_up.weight"] = torch.randn(outputs, 2) * 0.2
        state[f"{name}.alpha"] = torch.tensor(2.0)
    return state


def hypernetwork() -> dict[object, object]:
    """For contexts of WIDTH channels; keys and values apart."""

    def network() -> dict[str, torch.Tensor]:
        sizes = [("linear.0", 2 * WIDTH, WIDTH), ("linear.1", WIDTH, 2 * WIDTH)]
        weights = {f"{name}.weight": torch.randn(outputs, inputs) * 0.05 for name, outputs, inputs in sizes}
        return {**weights, **{f"{name}.bias": torch.randn(outputs) * 0.05 for name, outputs, _ in sizes}}

    return {WIDTH: (network(), network()), "layer_structure": [1, 2, 1], "activation_func": "linear", "name": HYPERNET, "step": 1}
