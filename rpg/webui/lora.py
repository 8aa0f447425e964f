"""LoRA that single regions name, with the webui's own Lora extension: its files, its loader, its reading of them.

What that extension has merged into the UNet stays as it is. While a region's prompt is encoded, it is told to use the region's
networks as well; it merges them into the text encoder then, and takes them out at the next text.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from rpg.errors import GenerationError
from rpg.networks import Strengths, Tags, strengths
from rpg.steering.branches import LowRank, added_up

KINDS = {
    "NetworkModuleHada": "LoHa",
    "NetworkModuleLokr": "LoKr",
    "NetworkModuleIa3": "IA3",
    "NetworkModuleGLora": "GLoRA",
    "NetworkModuleOFT": "OFT",
    "NetworkModuleFull": "full weights",
    "NetworkModuleNorm": "normalisation",
    "decomposed": "DoRA",
    "biased": "LoRA with a bias",
}
"""That have no branch of low rank; most by the extension's names of their classes."""
UNET = "diffusion_model"
"""How its names of the UNet's layers begin."""


class _Used(NamedTuple):
    """A network as the extension is told to use it."""

    name: str
    text: float
    unet: float
    rank: int | None


class RegionLora:
    """The networks of one generation's regions."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}
        """By the name in the tag: read once, while the extension forgets what is out of use."""

    @staticmethod
    def is_there() -> bool:
        return hasattr(_extension(), "load_networks")

    def load(self, regions: Sequence[Tags]) -> dict[str, str]:
        """Read what regions name, and have the extension say what it does not find.

        Returns:
            The hash of each network's file, for the infotext.
        """
        before = self._in_use()
        wanted = {name: _Used(name, 0.0, 0.0, None) for tags in regions for name in _named(tags)}
        present = {used.name for used in before}
        self._use([*before, *(used for name, used in wanted.items() if name not in present)])
        self._use(before)
        files = {name: self._kept[name].network_on_disk for name in wanted if name in self._kept}
        return {name: file.shorthash for name, file in files.items() if file.shorthash}

    @contextmanager
    def encoding(self, tags: Tags) -> Iterator[None]:
        """Meanwhile text is encoded with a region's networks, too."""
        before = self._in_use()
        own = {name: _Used(name, found.text, 0.0, found.rank) for name, found in _named(tags).items() if name in self._kept}
        try:
            self._use([*(used for used in before if used.name not in own), *own.values()])
            yield
        finally:
            self._use(before)

    def branches(self, unet: nn.Module, regions: Sequence[Tags]) -> dict[int, dict[nn.Module, list[LowRank]]]:
        """What regions add to the UNet's layers, beside what the extension has merged.

        Raises:
            GenerationError: when a network has no branch of low rank.
        """
        layers = {getattr(layer, "network_layer_name", None): layer for layer in unet.modules()}
        merged = {used.name: used for used in self._in_use()}
        result = {}
        for region, tags in enumerate(regions):
            parts: dict[nn.Module, list[LowRank]] = {}
            for name, found in _named(tags).items():
                for unet_strength, rank in _changes(found, merged.get(name)) if name in self._kept else ():
                    for key, module in self._kept[name].modules.items():
                        if key.startswith(UNET) and key in layers:
                            branch = self._branch(region, name, module, layers[key], rank)
                            if branch is not None:
                                parts.setdefault(layers[key], []).append(LowRank(branch.down, branch.up * unet_strength))
            result[region] = {layer: added_up(branches) for layer, branches in parts.items()}
        return result

    def _branch(self, region: int, name: str, module: Any, layer: nn.Module, rank: int | None) -> LowRank | None:
        kind = KINDS.get(type(module).__name__)
        if type(module).__name__ != "NetworkModuleLora":
            kind = kind or type(module).__name__
        elif module.dora_scale is not None:
            kind = KINDS["decomposed"]
        elif module.bias is not None:
            kind = KINDS["biased"]
        if kind is not None:
            file = self._kept[name].network_on_disk.filename
            raise GenerationError(
                f"Region {region + 1} names {name}, of which the file {file} is of the kind {kind}; that can act on the whole "
                "picture alone, so name it in the base prompt."
            )
        down, up = module.down_model.weight.float(), module.up_model.weight.float() * module.calc_scale()
        if module.mid_model is not None:
            down = torch.tensordot(module.mid_model.weight.float(), down.flatten(1), ([1], [0])).movedim(-1, 1)
        elif rank is not None:
            down, up = down[:rank], up[:, :rank]
        weight: Tensor = layer.weight
        if down.dim() == 4 and (down.shape[1], weight.shape[1]) == (4, 9):  # an inpainting model sees more
            down = nn.functional.pad(down, (0, 0, 0, 0, 0, 5))
        if (len(up), *down.shape[1:]) != tuple(weight.shape):  # of another kind of model: noted as the extension does
            errors = _extension().extra_network_lora.errors
            errors[name] = errors.get(name, 0) + 1
            return None
        return LowRank(down, up)

    def _in_use(self) -> list[_Used]:
        return [
            _Used(net.mentioned_name or net.name, net.te_multiplier, net.unet_multiplier, net.dyn_dim)
            for net in _extension().loaded_networks
        ]

    def _use(self, networks: Sequence[_Used]) -> None:
        extension = _extension()
        extension.networks_in_memory.update(self._kept)
        names, text, unet, ranks = ([used[place] for used in networks] for place in range(4))
        extension.load_networks(names, text, unet, ranks)
        self._kept.update({net.mentioned_name: net for net in extension.loaded_networks})


def _extension() -> Any:
    return sys.modules.get("networks")


def _named(tags: Tags) -> Mapping[str, Strengths]:
    return {name: strengths(tag) for (_, name), tag in tags.items()}


def _changes(wanted: Strengths, merged: _Used | None) -> list[tuple[float, int | None]]:
    """Strength and rank of what makes of a merged network the one that is wanted."""
    if merged is None or merged.rank == wanted.rank:
        changes = [(wanted.unet - (merged.unet if merged else 0), wanted.rank)]
    else:
        changes = [(wanted.unet, wanted.rank), (-merged.unet, merged.rank)]
    return [(strength, rank) for strength, rank in changes if strength]
