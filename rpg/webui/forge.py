"""Forge and its descendants behind the host's seam: what its backend does otherwise than AUTOMATIC1111's.

Regions steer the layers as they do there. Forge's patches of cross-attention would not do: they get no tokens of the layer's own
projections, and a layer that one of them replaces is asked for nothing. What is set on its patcher is set on a clone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from rpg.errors import GenerationError
from rpg.steering.steering import Steering
from rpg.webui.a1111 import A1111

Modifier = Callable[..., tuple[Any, ...]]


def is_forge(p: Any) -> bool:
    """Whether the webui that runs a generation has Forge's backend; its version says nothing."""
    return hasattr(p.sd_model, "forge_objects")


class Forge(A1111):
    """See :class:`rpg.webui.host.Host`."""

    def __init__(self, p: Any) -> None:
        super().__init__(p)
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

    def begin(self, steering: Steering) -> None:
        objects = self.p.sd_model.forge_objects
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

    def has_regional_networks(self) -> bool:
        return False  # its patcher merges them

    def end(self) -> None:
        objects = self.p.sd_model.forge_objects
        if self._is_told(objects.unet):
            objects.unet = self._found
        self._found = self._modifier = None

    def _is_told(self, patcher: Any) -> bool:
        return self._modifier is not None and self._modifier in patcher.model_options.get("conditioning_modifiers", [])


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
