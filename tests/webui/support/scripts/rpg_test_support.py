"""Test equipment inside the webui: tiny OpenCLIP, faults at a given denoiser call, a look at layers and memory."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import sys
from pathlib import Path
from typing import Any

import open_clip
import psutil
import torch
from fastapi import Body, FastAPI
from modules import paths_internal, script_callbacks, scripts, sd_unet, sd_vae_taesd, shared

open_clip.add_model_config(Path(scripts.basedir()) / "rpg-tiny-clip.json")

FAULTS = {
    "error": lambda: _raise(ValueError("a fault from the tests")),
    "memory": lambda: _raise(torch.cuda.OutOfMemoryError("simulated")),
    "interrupt": shared.state.interrupt,
    "skip": shared.state.skip,
}
fault: dict[str, Any] = {}
"""``name`` of a fault and the number of denoiser ``calls`` before it strikes."""

encoder: dict[str, Any] = {}
"""The ``texts`` that each call of the text encoder got, and the ``hook`` that notes them."""

shrink: list[Any] = []
"""The hooks that make the UNet shrink its picture."""


def _raise(error: Exception) -> None:
    raise error


def on_cfg_denoiser(_params: Any) -> None:
    unet = shared.sd_model.model.diffusion_model
    if fault:
        fault["calls"] -= 1
        if fault["calls"] <= 0:
            strike = FAULTS[fault["name"]]
            fault.clear()

            def hook(*_: Any) -> None:
                handle.remove()
                strike()

            handle = unet.register_forward_pre_hook(hook)


def plot_module() -> Any:
    return next(
        data.module for data in scripts.scripts_data if data.script_class.__module__ in ("xyz_grid.py", "scripts.xyz_grid")
    )


def cross_attentions(unet: torch.nn.Module) -> list[tuple[str, Any]]:
    return [(name, module) for name, module in unet.named_modules() if name.endswith("attn2")]


def routes(_demo: Any, app: FastAPI) -> None:
    @app.post("/rpg-test/fault")
    def set_fault(name: str = Body(""), calls: int = Body(1)) -> None:
        fault.clear()
        if name:
            fault.update(name=name, calls=calls)

    @app.post("/rpg-test/encoded")
    def encoded() -> Any:
        """The texts of every call of the text encoder since the last time."""
        texts = encoder.get("texts", [])
        if "hook" in encoder:
            encoder["hook"].remove()
        model = shared.sd_model.cond_stage_model
        encoder.update(texts=[], hook=model.register_forward_pre_hook(lambda _, args: encoder["texts"].append(list(args[0]))))
        return texts

    @app.get("/rpg-test/state")
    def state() -> Any:
        """Everything that a job must leave as it found it."""
        unet = shared.sd_model.model.diffusion_model
        return {
            "patched": [name for name, layer in cross_attentions(unet) if "forward" in layer.__dict__],
            "hooks": len(unet._forward_pre_hooks) + len(unet._forward_hooks),
            "running": len(sys.modules["rpg.webui.job"].running),
            "axes": [option.label for option in plot_module().axis_options if "[RPG]" in option.label],
            "callbacks": sum("rpg" in callback.script for callback in script_callbacks.callback_map["callbacks_cfg_denoiser"]),
        }

    @app.get("/rpg-test/axes")
    def axes() -> Any:
        """Labels of the X/Y/Z plot's axes in txt2img, in the order of its menus."""
        return [
            option.label
            for option in plot_module().axis_options
            if type(option).__name__ == "AxisOption" or not option.is_img2img
        ]

    @app.get("/rpg-test/memory")
    def memory() -> int:
        """What the process keeps; what it has freed is given back first."""
        gc.collect()
        with contextlib.suppress(OSError, AttributeError):  # glibc
            ctypes.CDLL(None).malloc_trim(0)
        return psutil.Process().memory_info().rss

    @app.post("/rpg-test/merge")
    def set_merge(merge: bool = Body(..., embed=True)) -> None:
        """Whether equal conditionings are computed once. If so, the identity law holds too easily."""
        job, steering = sys.modules["rpg.webui.job"], sys.modules["rpg.steering.steering"].Steering
        job.Steering = steering if merge else functools.partial(steering, merge=False)

    @app.post("/rpg-test/shrink")
    def set_shrink(on: bool = Body(..., embed=True)) -> None:
        """Let the UNet halve its picture behind the first block and double it before the last, as Kohya's hires fix does."""
        while shrink:
            shrink.pop().remove()
        if on:
            unet = shared.sd_model.model.diffusion_model
            sizes: list[torch.Size] = []
            resize = functools.partial(torch.nn.functional.interpolate, mode="bilinear")

            def halve(_: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
                sizes.append(args[0].shape[-2:])
                return (resize(args[0], scale_factor=0.5), *args[1:])

            shrink.append(unet.input_blocks[1].register_forward_pre_hook(halve))
            shrink.append(unet.output_blocks[-2].register_forward_hook(lambda _, __, out: resize(out, size=sizes.pop())))

    @app.post("/rpg-test/reload")
    def reload() -> None:
        """What the Reload UI button does."""
        shared.state.request_restart()


class Repeatable(scripts.Script):
    """The host draws from its autoencoder without a seed, so that two plain pictures from one picture differ."""

    def title(self) -> str:
        return "RPG test support"

    def show(self, is_img2img: bool) -> Any:
        return scripts.AlwaysVisible

    def process(self, p: Any, *args: Any) -> None:
        torch.manual_seed(0)


class CompiledUnet(sd_unet.SdUnet):
    """Stands for a UNet that an extension replaced by a compiled one."""

    def forward(self, x: Any, timesteps: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        return shared.sd_model.model.diffusion_model.forward(x, timesteps, context, *args, **kwargs)


class CompiledUnetOption(sd_unet.SdUnetOption):
    label = "[test] compiled"
    model_name = ""

    def create_unet(self) -> CompiledUnet:
        return CompiledUnet()


def write_preview_decoder() -> None:
    """A random one, so that the host need not download it."""
    path = Path(paths_internal.models_path) / "VAE-taesd" / "taesd_decoder.pth"
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(sd_vae_taesd.decoder().state_dict(), path, _use_new_zipfile_serialization=False)


write_preview_decoder()
script_callbacks.on_list_unets(lambda options: options.append(CompiledUnetOption()))
script_callbacks.on_cfg_denoiser(on_cfg_denoiser)
script_callbacks.on_app_started(routes)
