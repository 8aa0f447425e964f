"""Test equipment inside every kind of webui: faults at a given denoiser call, a look into the layers of the UNet while a picture
is made and at what a job leaves, the buttons' seed, pictures that can be repeated."""

from __future__ import annotations

import functools
import random
import sys
import zlib
from typing import Any

import torch
from fastapi import Body, FastAPI
from modules import script_callbacks, scripts, shared

FAULTS = {
    "error": lambda: _raise(ValueError("a fault from the tests")),
    "memory": lambda: _raise(torch.cuda.OutOfMemoryError("simulated")),
    "interrupt": shared.state.interrupt,
    "skip": shared.state.skip,
}
fault: dict[str, Any] = {}
"""``name`` of a fault and the number of denoiser ``calls`` before it strikes."""
probe: dict[str, Any] = {}
"""``calls`` left to watch, and the ``records`` of what was seen."""


def unet() -> Any:
    forge = getattr(shared.sd_model, "forge_objects", None)
    return forge.unet.model.diffusion_model if forge else shared.sd_model.model.diffusion_model


def cross_attentions() -> list[tuple[str, Any]]:
    return [(name, module) for name, module in unet().named_modules() if name.endswith("attn2")]


def of_forge(objects: Any) -> dict[str, Any]:
    weights = [*unet().state_dict().values(), *objects.clip.patcher.model.state_dict().values()]
    return {
        "weights": functools.reduce(checksum, weights, 0),
        "networks": shared.sd_model.current_lora_hash,
        "modifiers": len(objects.unet.model_options.get("conditioning_modifiers", [])),
    }


def checksum(known: int, weights: torch.Tensor) -> int:
    return zlib.crc32(weights.float().cpu().numpy().tobytes(), known)


def plot_module() -> Any:
    return next(
        data.module for data in scripts.scripts_data if data.script_class.__module__ in ("xyz_grid.py", "scripts.xyz_grid")
    )


def _raise(error: Exception) -> None:
    raise error


def strike_or_watch(_params: Any) -> None:
    if fault:
        fault["calls"] -= 1
        if fault["calls"] <= 0:
            strike = FAULTS[fault["name"]]
            fault.clear()

            def hook(*_: Any) -> None:
                handle.remove()
                strike()

            handle = unet().register_forward_pre_hook(hook)
    if probe.get("calls", 0) > 0:
        probe["calls"] -= 1
        handles = [layer.register_forward_hook(watch(name), with_kwargs=True) for name, layer in cross_attentions()]
        handles.append(unet().register_forward_hook(lambda *_: [handle.remove() for handle in handles] and None))


def watch(name: str) -> Any:
    """Change one region's segment of the context at a time, and note in which tokens the layer's output moves."""

    def hook(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: torch.Tensor) -> None:
        steering = sys.modules["rpg.webui.job"].running[-1].steering
        x = args[0]
        base = kwargs["context"] if "context" in kwargs else args[1]
        call = steering._call
        grid = sys.modules["rpg.steering.attention"].token_grid(call.latent, x.shape[1])
        for patch in sys.modules["rpg.areas.patches"].shares(steering.areas, steering.base_ratios, *grid).patches:
            number = patch.region + 1
            changed = call.joined.context.clone()
            start, stop = call.joined.table[number]
            noise = torch.randn(changed[:, start:stop].shape, generator=torch.Generator().manual_seed(number))
            changed[:, start:stop] += noise.to(changed)
            steering._call = call._replace(joined=call.joined._replace(context=changed))
            moved = (layer.forward(x, context=base.clone()) - output).abs().amax(-1).unflatten(1, grid)
            steering._call = call
            inside = torch.zeros(grid, dtype=torch.bool)
            inside[patch.window] = torch.from_numpy(patch.weights > 0)
            probe["records"].append(
                {
                    "layer": name,
                    "grid": grid,
                    "region": number,
                    "inside": moved[:, inside].min().item(),
                    "outside": moved[:, ~inside].max().item() if not inside.all() else 0.0,
                    "scale": output.abs().max().item(),
                }
            )

    return hook


def routes(_demo: Any, app: FastAPI) -> None:
    @app.post("/rpg-test/fault")
    def set_fault(name: str = Body(""), calls: int = Body(1)) -> None:
        fault.clear()
        if name:
            fault.update(name=name, calls=calls)

    @app.post("/rpg-test/probe")
    def set_probe(calls: int = Body(..., embed=True)) -> Any:
        """Arm the probe for so many denoiser calls; gives back what was seen since the last time."""
        records = probe.pop("records", [])
        probe.update(calls=calls, records=[])
        return records

    @app.post("/rpg-test/seed")
    def set_seed(seed: int = Body(..., embed=True)) -> None:
        """Of what the buttons paint, which is otherwise another each time."""
        random.seed(seed)

    @app.get("/rpg-test/state")
    def state() -> Any:
        """Everything that a job must leave as it found it."""
        forge = getattr(shared.sd_model, "forge_objects", None)
        return {
            "patched": [name for name, layer in cross_attentions() if "forward" in layer.__dict__],
            "hooks": len(unet()._forward_pre_hooks) + len(unet()._forward_hooks),
            "running": len(sys.modules["rpg.webui.job"].running),
            "axes": [option.label for option in plot_module().axis_options if "[RPG]" in option.label],
            "callbacks": sum("rpg" in callback.script for callback in script_callbacks.callback_map["callbacks_cfg_denoiser"]),
            **(of_forge(forge) if forge else {}),
        }

    @app.get("/rpg-test/axes")
    def axes() -> Any:
        """Labels of the X/Y/Z plot's axes in txt2img, in the order of its menus."""
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


script_callbacks.on_cfg_denoiser(strike_or_watch)
script_callbacks.on_app_started(routes)
