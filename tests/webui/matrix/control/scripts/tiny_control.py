"""ControlNets in sd-webui-controlnet's own format, which it builds at Stable Diffusion's sizes by itself: a tiny random one for
the checkpoint sd1-deep, and the embedded model's."""

import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import torch
from modules import paths, script_callbacks, scripts
from safetensors.torch import save_file

if importlib.util.find_spec("controlnet_aux") is None:
    # One of its preprocessors, unused here, imports this when it loads.
    for name in ("controlnet_aux", "controlnet_aux.segment_anything"):
        sys.modules[name] = MagicMock()

SIZES = {"model_channels": 64, "channel_mult": [1, 1, 1, 1], "num_heads": 4, "context_dim": 64}
OWN = {
    **SIZES,
    "num_res_blocks": 1,
    "attention_resolutions": [1, 2],
    "transformer_depth": [1, 1],
    "channel_mult": [1, 2],
    "hint_channels": 3,
    "use_fp16": False,
}
"""The embedded model's."""


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
    shutil.copy(
        Path(paths.data_path, "extensions/sd-webui-rpg/rpg/shapes/control.safetensors"), folder / "shapes-control.safetensors"
    )
    for loaded in scripts.scripts_data:
        if hasattr(loaded.module, "build_model_by_guess"):
            loaded.module.build_model_by_guess = knowing_ours(loaded.module.build_model_by_guess)
    sys.modules["scripts.global_state"].update_cn_models()


def knowing_ours(guess: Callable[..., Any]) -> Callable[..., Any]:
    def build(state_dict: Any, unet: Any, model_path: str) -> Any:
        if Path(model_path).stem != "shapes-control":
            return guess(state_dict, unet, model_path)
        config = {**sys.modules["scripts.controlnet_model_guess"].controlnet_default_config, **OWN}
        weights = {name.removeprefix("control_model."): value for name, value in state_dict.items()}
        network = sys.modules["scripts.cldm"].PlugableControlModel(config)
        network.control_model.load_state_dict(weights)
        network.forward = as_deep_as_stable_diffusions(network.forward)
        kinds = sys.modules["scripts.enums"].ControlModelType
        return sys.modules["scripts.controlnet_model_guess"].ControlModel(network.float(), kinds.ControlNet)

    return build


def as_deep_as_stable_diffusions(forward: Callable[..., Any]) -> Callable[..., Any]:
    """That extension adds up thirteen answers and hands them out from the last one on; the embedded model has five."""

    def answers(*args: Any, **kwargs: Any) -> list[Any]:
        control = forward(*args, **kwargs)
        return [0.0] * (13 - len(control)) + control

    return answers


script_callbacks.on_app_started(write_model)
