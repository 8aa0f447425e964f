"""The embedded model: coloured shapes in Stable Diffusion's own file format. See README.md beside this file.

The folder of the tokenizer also holds the text encoder's configuration, so that it serves as the CLIP folder of
the webui's yaml too.
"""

import json
import shutil
from pathlib import Path

_FOLDER = Path(__file__).parent

CHECKPOINT = _FOLDER / "shapes.safetensors"
"""One file in the layout of Stable Diffusion 1.x, half precision."""
CONFIG = _FOLDER / "diffusers"
"""What ``from_single_file(CHECKPOINT, config=CONFIG)`` needs to load it offline."""
CONTROL = _FOLDER / "control.safetensors"
"""A ControlNet of it for outlines and depth, in the original code's layout, half precision."""
CONTROL_CONFIG = CONFIG / "controlnet"
CLIP = CONFIG / "tokenizer"
"""Tokenizer and text encoder configuration, as ldm's ``FrozenCLIPEmbedder`` wants them."""

LORA = _FOLDER / "lora"
"""LoRA for the model, in kohya's form: "stripes" fills shapes with stripes, "outlines" leaves their outlines."""

LATENT_RATIO = 0.7
GUIDANCE_SCALE = 3.0
"""What suits the model best: the sweeps in docs/composition.md."""


def install(folder: Path) -> Path:
    """Put the checkpoint and its yaml into a webui's ``models/Stable-diffusion`` folder.

    Returns:
        The checkpoint's path there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    yaml = CHECKPOINT.with_suffix(".yaml").read_text(encoding="utf-8")
    # Quoted as JSON, which YAML reads too: the path may hold a colon or a backslash.
    (folder / "shapes.yaml").write_text(yaml.replace("CLIP_DIR", json.dumps(str(CLIP))), encoding="utf-8")
    return Path(shutil.copy(CHECKPOINT, folder))
