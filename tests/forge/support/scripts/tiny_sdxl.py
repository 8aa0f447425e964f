"""The sizes of tests/webui/checkpoints.py's SDXL for the loaders of Forge and reForge, which know a checkpoint by its sizes."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from modules import scripts

try:
    from huggingface_guess import model_list as known  # Forge
except ImportError:
    from ldm_patched.modules import sd1_clip, sdxl_clip, supported_models_base
    from ldm_patched.modules import supported_models as known  # reForge

SHAPES = Path(scripts.basedir()).parent / "sd-webui-rpg" / "rpg" / "shapes" / "diffusers"
CONFIG = json.loads((SHAPES / "tokenizer" / "config.json").read_text())
BIG = {**CONFIG, "hidden_act": "gelu", "num_hidden_layers": 2}
"""The text encoder of two whose last state is pooled."""
PARTS: dict[str, list[str]] = {
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "tokenizer_2": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def write_parts(folder: Path) -> str:
    """What Forge reads besides the checkpoint, in diffusers' layout."""
    for name in PARTS:
        if (SHAPES / name).exists() and name != "text_encoder":
            (folder / name).symlink_to(SHAPES / name)
    (folder / "tokenizer_2").symlink_to(SHAPES / "tokenizer")
    for name, config in (("text_encoder", CONFIG), ("text_encoder_2", BIG)):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(json.dumps(config))
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionXLPipeline", **PARTS}))
    return str(folder)


class TinyXL(known.SDXL):
    unet_config: ClassVar = {"model_channels": 64, "use_linear_in_transformer": True, "context_dim": 128, "adm_in_channels": 1600}
    unet_extra_config: ClassVar = {"num_heads": -1, "num_head_channels": 32}


known.models.insert(0, TinyXL)
if hasattr(known.SDXL, "huggingface_repo"):
    TinyXL.huggingface_repo = write_parts(Path(tempfile.mkdtemp()))
else:  # reForge

    class Encoders(sdxl_clip.SDXLClipModel):
        def __init__(self, device: Any = "cpu", dtype: Any = None, model_options: Any = {}) -> None:  # noqa: B006
            super(sdxl_clip.SDXLClipModel, self).__init__()
            common = {"device": device, "dtype": dtype}  # the host takes the layer that it wants by itself
            self.clip_l = sd1_clip.SDClipModel(textmodel_json_config=CONFIG, return_projected_pooled=False, **common)
            tokens = {"start": 49406, "end": 49407, "pad": 0}
            self.clip_g = sd1_clip.SDClipModel(textmodel_json_config=BIG, special_tokens=tokens, **common)
            self.dtypes = {dtype} - {None}

    def clip_target(_config: Any, state_dict: Any = None) -> Any:
        return supported_models_base.ClipTarget(sdxl_clip.SDXLTokenizer, Encoders)

    TinyXL.latent_format = next(model for model in known.models if model.__name__ == "Shapes").latent_format
    TinyXL.clip_target = clip_target
