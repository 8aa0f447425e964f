"""Test equipment inside Forge and reForge: the sizes of the shapes model for the loader, faults, a look at what a job leaves."""

from __future__ import annotations

import functools
import sys
import zlib
from pathlib import Path
from typing import Any, ClassVar

import torch
from fastapi import Body, FastAPI
from modules import script_callbacks, scripts, shared

SHAPES = Path(scripts.basedir()).parent / "sd-webui-rpg" / "rpg" / "shapes" / "diffusers"
FAULTS = {"error": lambda: _raise(ValueError("a fault from the tests")), "interrupt": shared.state.interrupt}
fault: dict[str, Any] = {}
"""``name`` of a fault and the number of denoiser ``calls`` before it strikes."""
rows: list[int] = []
"""Of the calls of the UNet since memory is short."""
watching: list[Any] = []

try:
    from backend.sampling import sampling_function as sampling
    from huggingface_guess import model_list as known  # Forge

    MEMORY = "memory_management"
except ImportError:
    from ldm_patched.modules import latent_formats, sd, sd1_clip, supported_models_base
    from ldm_patched.modules import samplers as sampling
    from ldm_patched.modules import supported_models as known  # reForge

    MEMORY = "model_management"


class Shapes(known.SD15):
    huggingface_repo = str(SHAPES)
    unet_config: ClassVar = {"context_dim": 64, "model_channels": 64}
    unet_extra_config: ClassVar = {"num_heads": 4, "num_head_channels": -1}


known.models.insert(0, Shapes)
if not hasattr(known.SD15, "huggingface_repo"):  # reForge: that folder has the other sizes

    class TextEncoder(sd1_clip.SDClipModel):
        def __init__(self, device: Any = "cpu", dtype: Any = None, model_options: Any = {}) -> None:  # noqa: B006
            config = str(SHAPES / "text_encoder" / "config.json")
            super().__init__(device=device, dtype=dtype, textmodel_json_config=config, return_projected_pooled=False)

    class Latents(latent_formats.SD15):
        def __init__(self) -> None:
            super().__init__()
            self.scale_factor = 2.0385

    def clip_target(_config: Any, state_dict: Any = None) -> Any:
        model = functools.partial(sd1_clip.SD1ClipModel, clip_model=TextEncoder)
        return supported_models_base.ClipTarget(sd1_clip.SD1Tokenizer, model)

    def vae(self: Any, sd: Any = None, *args: Any, **kwargs: Any) -> None:
        if sd and "decoder.conv_in.weight" in sd and len(sd["decoder.conv_in.weight"]) == 64:
            sizes = {"in_channels": 3, "out_ch": 3, "z_channels": 4, "ch": 64, "ch_mult": [1, 1, 1, 1], "num_res_blocks": 0}
            rest = {"double_z": True, "resolution": 256, "attn_resolutions": [], "dropout": 0.0}
            kwargs["config"] = {"params": {"ddconfig": {**sizes, **rest}, "embed_dim": 4}}
        whole_vae(self, sd, *args, **kwargs)

    whole_vae, sd.VAE.__init__ = sd.VAE.__init__, vae
    Shapes.latent_format, Shapes.clip_target = Latents, clip_target


class Short:
    """A module of the host, with no memory left."""

    def __init__(self, whole: Any) -> None:
        self.whole = whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)

    def get_free_memory(self, *args: Any, **kwargs: Any) -> int:
        return 0


def load_alone(memory: Any, models: Any, *args: Any, **kwargs: Any) -> None:
    """A device with room for one at a time."""
    wanted = [model.model for model in models]
    for loaded in list(memory.current_loaded_models):
        if all(loaded.model.model is not model for model in wanted):
            memory.current_loaded_models.remove(loaded)
            loaded.model_unload()
    memory.whole_load(models, *args, **kwargs)


def unet() -> Any:
    return shared.sd_model.forge_objects.unet.model.diffusion_model


def _raise(error: Exception) -> None:
    raise error


def on_cfg_denoiser(_params: Any) -> None:
    if fault:
        fault["calls"] -= 1
        if fault["calls"] <= 0:
            strike = FAULTS[fault["name"]]
            fault.clear()

            def hook(*_: Any) -> None:
                handle.remove()
                strike()

            handle = unet().register_forward_pre_hook(hook)


def checksum(known: int, weights: torch.Tensor) -> int:
    return zlib.crc32(weights.float().cpu().numpy().tobytes(), known)


def plot_module() -> Any:
    return next(
        data.module for data in scripts.scripts_data if data.script_class.__module__ in ("xyz_grid.py", "scripts.xyz_grid")
    )


def routes(_demo: Any, app: FastAPI) -> None:
    @app.post("/rpg-test/fault")
    def set_fault(name: str = Body(""), calls: int = Body(1)) -> None:
        fault.clear()
        if name:
            fault.update(name=name, calls=calls)

    @app.get("/rpg-test/state")
    def state() -> Any:
        """Everything that a job must leave as it found it."""
        layers = [(name, layer) for name, layer in unet().named_modules() if name.endswith("attn2")]
        objects = shared.sd_model.forge_objects
        options = objects.unet.model_options
        weights = [*unet().state_dict().values(), *objects.clip.patcher.model.state_dict().values()]
        return {
            "weights": functools.reduce(checksum, weights, 0),
            "networks": shared.sd_model.current_lora_hash,
            "patched": [name for name, layer in layers if "forward" in layer.__dict__],
            "hooks": len(unet()._forward_pre_hooks) + len(unet()._forward_hooks),
            "modifiers": len(options.get("conditioning_modifiers", [])),
            "running": len(sys.modules["rpg.webui.job"].running),
        }

    @app.post("/rpg-test/short-memory")
    def set_short_memory(short: bool = Body(..., embed=True)) -> list[int]:
        """Whether the sampler finds no memory for rows beyond one conditioning's, and one model takes the place of another. Gives
        the rows of the calls since."""
        seen = list(rows)
        rows.clear()
        for handle in watching:
            handle.remove()
        watching.clear()
        memory = vars(sampling)[MEMORY]
        if short:
            vars(sampling)[MEMORY] = Short(memory)
            memory.whole_load, memory.load_models_gpu = memory.load_models_gpu, functools.partial(load_alone, memory)

            def watch(_unet: Any, args: Any) -> None:
                rows.append(len(args[0]))
                patcher = shared.sd_model.forge_objects.unet
                if not any(loaded.model.model is patcher.model for loaded in memory.current_loaded_models):
                    raise RuntimeError("expected all tensors to be on the same device")

            watching.append(unet().register_forward_pre_hook(watch))
        elif isinstance(memory, Short):
            vars(sampling)[MEMORY] = memory.whole
            memory.whole.load_models_gpu = memory.whole.whole_load
        return seen

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
