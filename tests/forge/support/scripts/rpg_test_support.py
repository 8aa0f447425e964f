"""Test equipment inside Forge: its loader learns the sizes of the shapes model; faults, a look at what a job leaves behind."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any, ClassVar

import torch
from fastapi import Body, FastAPI
from huggingface_guess import model_list
from modules import script_callbacks, scripts, shared

SHAPES = Path(scripts.basedir()).parent / "sd-webui-rpg" / "rpg" / "shapes" / "diffusers"
fault: dict[str, int] = {}
"""The denoiser ``calls`` before an error."""


class Shapes(model_list.SD15):
    huggingface_repo = str(SHAPES)
    unet_config: ClassVar = {"context_dim": 64, "model_channels": 64}
    unet_extra_config: ClassVar = {"num_heads": 4, "num_head_channels": -1}


model_list.models.insert(0, Shapes)


def unet() -> Any:
    return shared.sd_model.forge_objects.unet.model.diffusion_model


def on_cfg_denoiser(_params: Any) -> None:
    if fault:
        fault["calls"] -= 1
        if fault["calls"] <= 0:
            fault.clear()

            def hook(*_: Any) -> None:
                handle.remove()
                raise ValueError("a fault from the tests")

            handle = unet().register_forward_pre_hook(hook)


def plot_module() -> Any:
    return next(
        data.module for data in scripts.scripts_data if data.script_class.__module__ in ("xyz_grid.py", "scripts.xyz_grid")
    )


def routes(_demo: Any, app: FastAPI) -> None:
    @app.post("/rpg-test/fault")
    def set_fault(name: str = Body(""), calls: int = Body(1)) -> None:
        fault.clear()
        if name:
            fault.update(calls=calls)

    @app.get("/rpg-test/state")
    def state() -> Any:
        """Everything that a job must leave as it found it."""
        layers = [(name, layer) for name, layer in unet().named_modules() if name.endswith("attn2")]
        options = shared.sd_model.forge_objects.unet.model_options
        return {
            "patched": [name for name, layer in layers if "forward" in layer.__dict__],
            "hooks": len(unet()._forward_pre_hooks) + len(unet()._forward_hooks),
            "modifiers": len(options.get("conditioning_modifiers", [])),
            "running": len(sys.modules["rpg.webui.job"].running),
        }

    @app.get("/rpg-test/axes")
    def axes() -> Any:
        return [
            option.label
            for option in plot_module().axis_options
            if type(option).__name__ == "AxisOption" or not option.is_img2img
        ]

    @app.post("/rpg-test/merge")
    def set_merge(merge: bool = Body(..., embed=True)) -> None:
        """Whether equal conditionings are computed once. If so, the identity law holds too easily."""
        job, steering = sys.modules["rpg.webui.job"], sys.modules["rpg.steering.steering"].Steering
        job.Steering = steering if merge else functools.partial(steering, merge=False)


class Repeatable(scripts.Script):
    """The host draws from its autoencoder without a seed, so that two plain pictures from one picture differ."""

    def title(self) -> str:
        return "RPG test support"

    def show(self, is_img2img: bool) -> Any:
        return scripts.AlwaysVisible

    def process(self, p: Any, *args: Any) -> None:
        torch.manual_seed(0)


script_callbacks.on_cfg_denoiser(on_cfg_denoiser)
script_callbacks.on_app_started(routes)
