"""Forge and its descendants behind the host's seam: what its backend does otherwise than AUTOMATIC1111's.

Regions steer the layers as they do there. Forge's patches of cross-attention would not do: they get no tokens of the layer's own
projections, and a layer that one of them replaces is asked for nothing. What is set on its patcher is set on a clone.
"""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from modules import errors, sd_samplers_kdiffusion
from torch import Tensor, nn

from rpg.errors import GenerationError
from rpg.networks import Tags
from rpg.steering.branches import LowRank
from rpg.steering.steering import Steering
from rpg.webui.a1111 import A1111
from rpg.webui.lora import OTHER_KINDS, Part, RegionLora, Used, extension, low_rank, use

Modifier = Callable[..., tuple[Any, ...]]
MEMORY = ("backend.memory_management", "ldm_patched.modules.model_management", "comfy.model_management")
"""Where Forge, reForge and Forge Neo manage what is on the device."""


def is_forge(p: Any) -> bool:
    """Whether the webui that runs a generation has Forge's backend; its version says nothing."""
    return hasattr(p.sd_model, "forge_objects")


class Forge(A1111):
    """See :class:`rpg.webui.host.Host`."""

    def __init__(self, p: Any) -> None:
        super().__init__(p)
        self._lora = ForgeLora(p)
        self._found: Any = None
        """Its patcher of the UNet; a clone in its place has the modifier."""
        self._modifier: Modifier | None = None

    def _unet(self) -> nn.Module:
        unet: nn.Module = self.p.sd_model.forge_objects.unet.model.diffusion_model
        return unet

    def pad(self, denoiser: Any, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
        # As Forge does to call the UNet once for both, which would take a region's tokens for those of several.
        length = math.lcm(positive.shape[1], negative.shape[1])
        return positive.repeat(1, length // positive.shape[1], 1), negative.repeat(1, length // negative.shape[1], 1)

    def begin(self, steering: Steering, x: Tensor) -> None:
        objects = self.p.sd_model.forge_objects
        _hold(objects.unet, x)
        if self._is_told(objects.unet):
            return
        if "attn2" in objects.unet.model_options["transformer_options"].get("patches_replace", {}):
            raise GenerationError(
                "Another extension, such as an IP-Adapter, attends to the prompt in the UNet's place, so that regions cannot; "
                "turn it off, or turn RPG off."
            )
        self._found, self._modifier = objects.unet, _guided(steering)
        objects.unet = objects.unet.clone()
        objects.unet.add_conditioning_modifier(self._modifier)
        objects.unet.add_controlnet_conditioning_modifier(_of_base_prompt(steering))

    def end(self) -> None:
        objects = self.p.sd_model.forge_objects
        if self._is_told(objects.unet):
            objects.unet = self._found
        self._found = self._modifier = None

    def _is_told(self, patcher: Any) -> bool:
        return self._modifier is not None and self._modifier in patcher.model_options.get("conditioning_modifiers", [])


class ForgeLora(RegionLora):
    """The networks of one generation's regions, with Forge's extension. It gives their patches to clones of its patchers, which
    merge them when the model is next loaded."""

    def __init__(self, p: Any) -> None:
        super().__init__()
        self._p = p

    @contextmanager
    def encoding(self, tags: Tags) -> Iterator[None]:
        try:
            with super().encoding(tags):
                yield
        finally:  # takes the region's patches out again, and lets the host move the model when it needs the memory
            _memory().load_model_gpu(self._p.sd_model.forge_objects.clip.patcher)

    def _in_use(self) -> list[Used]:
        names = {net.network_on_disk.filename: net.mentioned_name for net in extension().loaded_networks}
        targets = ast.literal_eval(self._p.sd_model.current_lora_hash)  # nothing else says the strengths
        return [Used(names[file], text, unet, None) for file, unet, text, *_ in targets if file in names]

    def _read(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                with self._using([Used(name, 1.0, 1.0, None)]):
                    self._kept[name] = extension().loaded_networks[0]
            except Exception as error:  # a missing file, too; the host logs it and goes on
                errors.display(error, f"loading network {name}")
                self._p.comment(f"Networks not found: {name}")

    @contextmanager
    def _using(self, networks: Sequence[Used]) -> Iterator[None]:
        model, loaded = self._p.sd_model, list(extension().loaded_networks)
        before = model.forge_objects, model.forge_objects_after_applying_lora, model.current_lora_hash
        model.forge_objects, model.current_lora_hash = model.forge_objects.shallow_copy(), ""
        try:
            use(networks)
            yield
        finally:
            model.forge_objects, model.forge_objects_after_applying_lora, model.current_lora_hash = before
            extension().loaded_networks[:] = loaded

    def _parts(self, unet: nn.Module, name: str, rank: int | None) -> Iterator[Part]:
        with self._using([Used(name, 1.0, 1.0, None)]):
            patcher = self._p.sd_model.forge_objects.unet
        groups = patcher.lora_patches.values() if hasattr(patcher, "lora_patches") else [patcher.patches]  # reForge
        for key, patches in (item for group in groups for item in group.items()):
            path, _, parameter = key.removeprefix("diffusion_model.").rpartition(".")
            layer = unet.get_submodule(path)
            for _strength, patch, *_ in patches:
                yield layer, _low_rank(patch, layer.weight) if parameter == "weight" else OTHER_KINDS["biased"]


def _hold(patcher: Any, x: Tensor) -> None:
    """Where memory is short, the text encoder has pushed out the UNet to read a region, and the sampler does not look again."""
    models = [patcher, *(model for control in patcher.list_controlnets() for model in control.get_models())]
    loaded = [found.model.model for found in _memory().current_loaded_models if found.model is not None]
    if any(all(model.model is not one for one in loaded) for model in models):
        sd_samplers_kdiffusion.sampling_prepare(patcher, x)


def _memory() -> Any:
    """The host's management of what is on the device."""
    return next(sys.modules[name] for name in MEMORY if name in sys.modules)


def _low_rank(patch: Any, weight: Tensor) -> LowRank | str:
    """A patch of a layer's weights, or the name of its kind."""
    kind, values = (patch.name, patch.weights) if hasattr(patch, "weights") else patch  # reForge, Forge
    if kind != "lora":
        return OTHER_KINDS.get(kind, kind)
    up, down, alpha, mid, decomposed, *_ = values
    if decomposed is not None:
        return OTHER_KINDS["decomposed"]
    down, up = low_rank(down, up, 1.0 if alpha is None else alpha / len(down), mid)
    if down[0].numel() == weight[0].numel():  # the layer may be a convolution of single pixels where the file has none
        down, up = down.reshape(len(down), *weight.shape[1:]), up.reshape(*up.shape[:2], *(1 for _ in weight.shape[2:]))
    return LowRank(down, up)


def _guided(steering: Steering) -> Modifier:
    """The guidance scale while regions are denoised by themselves; a ControlNet of reForge attends to the base prompt only."""

    def modifier(*values: Any) -> tuple[Any, ...]:
        model, x, sigma, negative, positive, scale, *rest = values
        if hasattr(model, "predictor"):
            noise = model.predictor
        else:  # reForge: it does not ask what is set for its ControlNets
            noise = model.model_sampling
            for cond in (*positive, *(negative or ())):
                if "control" in cond:
                    tokens = cond["model_conds"]["c_crossattn"]
                    cond["model_conds"]["crossattn_controlnet"] = type(tokens)(steering.base_of(tokens.cond))
        timestep = float(noise.timestep(sigma).flatten()[0])
        return model, x, sigma, negative, positive, steering.guidance_scale_at(timestep, scale), *rest

    return modifier


def _of_base_prompt(steering: Steering) -> Modifier:
    """A ControlNet attends to the base prompt only."""

    def modifier(_control: Any, x: Tensor, time: Tensor, cond: dict[str, Any], count: int) -> tuple[Any, ...]:
        return x, time, {**cond, "c_crossattn": steering.base_of(cond["c_crossattn"])}, count

    return modifier
