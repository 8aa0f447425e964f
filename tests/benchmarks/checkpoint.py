"""A checkpoint with Stable Diffusion 1.5's UNet, random, and the shapes model's autoencoder.

Runs in the webui's own environment: ``$WEBUI/venv/bin/python tests/benchmarks/checkpoint.py WEBUI FOLDER``.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from omegaconf import OmegaConf
from safetensors.torch import save_file

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from rpg import shapes  # noqa: E402
from tests.webui.checkpoints import instantiate, randomize  # noqa: E402


def main(webui: Path, folder: Path) -> None:
    torch.set_num_threads(1)
    sys.path.insert(0, str(webui / "repositories" / "stable-diffusion-stability-ai"))
    from transformers import CLIPTextConfig, CLIPTextModel

    CLIPTextModel.from_pretrained = lambda version: CLIPTextModel(CLIPTextConfig.from_pretrained(version))
    folder.mkdir(parents=True, exist_ok=True)
    clip = Path(shutil.copytree(shapes.CLIP, folder / "clip"))
    settings = json.loads((clip / "config.json").read_text())
    (clip / "config.json").write_text(json.dumps(settings | {"hidden_size": 768, "intermediate_size": 768}))
    config = OmegaConf.load(shapes.CHECKPOINT.with_suffix(".yaml"))
    unet = OmegaConf.load(webui / "configs" / "v1-inference.yaml").model.params.unet_config
    config.model.params.unet_config = unet
    unet.params.use_checkpoint = False
    config.model.params.cond_stage_config.params.version = str(clip)
    model = instantiate(OmegaConf.to_container(config.model))
    randomize(model)
    OmegaConf.save(config, folder / "sd15-random.yaml")
    state = {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
    save_file({name: value.contiguous() for name, value in state.items()}, folder / "sd15-random.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
