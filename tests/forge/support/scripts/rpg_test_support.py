"""Test equipment inside Forge and reForge: the sizes of the shapes model for the loader, and short memory."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, ClassVar

from fastapi import Body, FastAPI
from modules import script_callbacks, scripts, shared

SHAPES = Path(scripts.basedir()).parent / "sd-webui-rpg" / "rpg" / "shapes" / "diffusers"
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


def routes(_demo: Any, app: FastAPI) -> None:
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


script_callbacks.on_app_started(routes)
