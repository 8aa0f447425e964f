"""Test equipment inside every kind of webui: a look into the layers of the UNet while a picture is made, the buttons' seed."""

from __future__ import annotations

import random
import sys
from typing import Any

import torch
from fastapi import Body, FastAPI
from modules import script_callbacks, shared

probe: dict[str, Any] = {}
"""``calls`` left to watch, and the ``records`` of what was seen."""


def on_cfg_denoiser(_params: Any) -> None:
    if probe.get("calls", 0) > 0:
        probe["calls"] -= 1
        forge = getattr(shared.sd_model, "forge_objects", None)
        unet = forge.unet.model.diffusion_model if forge else shared.sd_model.model.diffusion_model
        layers = [(name, module) for name, module in unet.named_modules() if name.endswith("attn2")]
        handles = [layer.register_forward_hook(watch(name), with_kwargs=True) for name, layer in layers]
        handles.append(unet.register_forward_hook(lambda *_: [handle.remove() for handle in handles] and None))


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


script_callbacks.on_cfg_denoiser(on_cfg_denoiser)
script_callbacks.on_app_started(routes)
