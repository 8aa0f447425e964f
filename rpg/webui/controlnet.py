"""sd-webui-controlnet beside regions: what it adds to the picture, cut to a region that is denoised by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from rpg.errors import GenerationError
from rpg.steering.calls import LatentWindow

MARK = 1024
"""All numbers of the token that it puts in front of a base prompt, negated for a negative one, to tell them apart; it takes that
off again inside the UNet, but only there."""
CONTROLNETS = ("ControlNet", "ControlLoRA", "InstantID", "ControlNetUnion")
"""Of its kinds of models: they see the latent, and a hint as large as the picture."""
ADAPTER = "T2I_Adapter"
"""Sees the hint only, once."""
WITHOUT_PLACES = ("T2I_StyleAdapter", "ReVision", "IPAdapter")
"""Say nothing about places."""


class ControlNet:
    """Its units in one generation; a :class:`rpg.steering.latents.StandIn`.

    Args:
        units: its ``ControlParams``.
        inpaints: the UNet is one for inpainting, which a unit may feed with a masked picture.
    """

    def __init__(self, units: list[Any], *, inpaints: bool) -> None:
        self.units = units
        self.inpaints = inpaints

    @staticmethod
    def of(unet: nn.Module, scripts: list[Any], *, inpaints: bool) -> ControlNet | None:
        """The one that has taken the UNet's place, if it is that and nothing else.

        Args:
            scripts: of the generation.
        """
        name = getattr(unet.__dict__.get("forward"), "__qualname__", "")
        if not name.startswith("UnetHook.hook."):
            return None
        networks = [getattr(script, "latest_network", None) for script in scripts]
        hook = next((network for network in networks if getattr(network, "model", None) is unet), None)
        return None if hook is None else ControlNet(list(hook.control_params), inpaints=inpaints)

    def uncut(self) -> list[str]:
        """The names of the units that work on the whole picture only."""
        return [_name(unit) for unit in self.units if not self._can_be_cut(unit)]

    def check(self) -> None:
        """Raises:
        GenerationError: when a unit cannot be cut.
        """
        for name in self.uncut():
            raise GenerationError(
                f"ControlNet's {name} works on the whole picture, so that regions cannot be denoised by themselves; set "
                "latent_ratio to 0, or turn that unit off."
            )

    def _can_be_cut(self, unit: Any) -> bool:
        kind = unit.control_model_type.name
        module = unit.preprocessor["name"]
        if kind in WITHOUT_PLACES:
            return unit.effective_region_mask is None
        if "colorfix" in module or "inpaint_only" in module or (self.inpaints and unit.hint_cond.shape[1] == 4):
            return False
        return kind in CONTROLNETS or kind == ADAPTER

    @contextmanager
    def cut(self, window: LatentWindow, latent: tuple[int, int]) -> Iterator[None]:
        """See :class:`rpg.steering.latents.StandIn`."""

        def hint(_model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
            return args, {**kwargs, "hint": cut(kwargs["hint"], window, latent)}

        def answer(_model: nn.Module, _args: tuple[Any, ...], levels: list[Tensor]) -> list[Tensor]:
            return [cut(level, window, latent) for level in levels]

        with ExitStack() as stack:
            kinds = {unit.control_model: unit.control_model_type.name for unit in self.units}  # units may share a model
            for model, kind in kinds.items():
                if kind in CONTROLNETS:
                    stack.callback(model.register_forward_pre_hook(hint, with_kwargs=True).remove)
                if kind == ADAPTER:
                    stack.callback(model.register_forward_hook(answer).remove)
            for unit in self.units:
                if unit.effective_region_mask is not None:
                    stack.callback(setattr, unit, "effective_region_mask", unit.effective_region_mask)
                    unit.effective_region_mask = cut(unit.effective_region_mask, window, latent)
            yield

    def context(self, tokens: Tensor, base: Tensor) -> Tensor:
        """See :class:`rpg.steering.latents.StandIn`: the mark is the base prompt's."""
        if is_marked(base) and not is_marked(tokens):
            return torch.cat([base[:, :1], tokens], dim=1)
        return tokens


def cut(whole: Tensor, window: LatentWindow, latent: tuple[int, int]) -> Tensor:
    """The part of ``whole`` [..., height, width], of any size, that a window of the latent has."""
    height, width = whole.shape[-2:]
    rows, columns = _scaled(window[0], latent[0], height), _scaled(window[1], latent[1], width)
    return whole[..., rows, columns]


def _scaled(part: slice, size: int, to: int) -> slice:
    start, stop, _ = part.indices(size)
    first = min(round(start * to / size), to - 1)
    return slice(first, max(round(stop * to / size), first + 1))


def _name(unit: Any) -> str:
    return str(unit.preprocessor["name"]) if unit.preprocessor["name"] != "none" else str(unit.control_model_type.value)


def is_marked(tokens: Tensor) -> bool:
    return bool((tokens[:, :1].abs() == MARK).all())


def unmarked(tokens: Tensor) -> Tensor:
    return tokens[:, 1:] if is_marked(tokens) else tokens
