"""Test equipment inside the webui: tiny OpenCLIP, a look at the text encoder and memory, what resizes or replaces the UNet."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
from pathlib import Path
from typing import Any

import open_clip
import psutil
import torch
from fastapi import Body, FastAPI
from modules import paths_internal, script_callbacks, scripts, sd_unet, sd_vae_taesd, shared

open_clip.add_model_config(Path(scripts.basedir()) / "rpg-tiny-clip.json")

encoder: dict[str, Any] = {}
"""The ``texts`` that each call of the text encoder got, and the ``hook`` that notes them."""

shrink: list[Any] = []
"""The hooks that make the UNet shrink its picture."""


def routes(_demo: Any, app: FastAPI) -> None:
    @app.post("/rpg-test/encoded")
    def encoded() -> Any:
        """The texts of every call of the text encoder since the last time."""
        texts = encoder.get("texts", [])
        if "hook" in encoder:
            encoder["hook"].remove()
        model = shared.sd_model.cond_stage_model
        encoder.update(texts=[], hook=model.register_forward_pre_hook(lambda _, args: encoder["texts"].append(list(args[0]))))
        return texts

    @app.get("/rpg-test/memory")
    def memory() -> int:
        """What the process keeps; what it has freed is given back first."""
        gc.collect()
        with contextlib.suppress(OSError, AttributeError):  # glibc
            ctypes.CDLL(None).malloc_trim(0)
        return psutil.Process().memory_info().rss

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
script_callbacks.on_app_started(routes)
