"""A tiny random ControlNet for the checkpoint sd1-deep, in sd-webui-controlnet's own format."""

import importlib.util
import sys
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import torch
from modules import paths, script_callbacks
from safetensors.torch import save_file

if importlib.util.find_spec("controlnet_aux") is None:
    # One of its preprocessors, unused here, imports this when it loads.
    for name in ("controlnet_aux", "controlnet_aux.segment_anything"):
        sys.modules[name] = MagicMock()

SIZES = {"model_channels": 64, "channel_mult": [1, 1, 1, 1], "num_heads": 4, "context_dim": 64}


def write_model(_demo: Any, _app: Any) -> None:
    sys.modules["scripts.controlnet_model_guess"].controlnet_default_config.update(SIZES)
    config = {**sys.modules["scripts.controlnet_model_guess"].controlnet_default_config, "hint_channels": 3, "use_fp16": False}
    torch.manual_seed(0)
    model = sys.modules["scripts.cldm"].ControlNet(**config)
    for name, weight in model.named_parameters():
        if not weight.any() and name.endswith("weight"):
            torch.nn.init.kaiming_uniform_(weight, a=5**0.5)
    with torch.no_grad():
        model.input_hint_block[-1].weight.mul_(300)  # a hint has to be seen
    folder = Path(paths.models_path) / "ControlNet"
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {f"control_model.{name}": value.contiguous() for name, value in model.state_dict().items()}, folder / "tiny.safetensors"
    )
    sys.modules["scripts.global_state"].update_cn_models()


script_callbacks.on_app_started(write_model)
