"""LoRA that single regions name, with the webui's own Lora extension: its files, its loader, its reading of them.

What that extension has merged into the UNet stays as it is. While a region's prompt is encoded, it is told to use the region's
networks as well; it merges them into the text encoder then, and takes them out at the next text. Forge has another extension of
that name, which leaves it to a patcher of its own.
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

Part = tuple[nn.Module, LowRank | str]
"""What a network's file has for a layer of the UNet; the name of its kind where that is none of low rank."""
OTHER_KINDS = {
    "NetworkModuleHada": "LoHa",
    "NetworkModuleLokr": "LoKr",
    "NetworkModuleIa3": "IA3",
    "NetworkModuleGLora": "GLoRA",
    "NetworkModuleOFT": "OFT",
    "NetworkModuleFull": "full weights",
    "NetworkModuleNorm": "normalisation",
    "decomposed": "DoRA",
    "biased": "LoRA with a bias",
    "loha": "LoHa",
    "lokr": "LoKr",
    "glora": "GLoRA",
    "oft": "OFT",
    "boft": "BOFT",
    "diff": "full weights",
    "set": "full weights",
}
"""That have no branch of low rank; most by the extension's names of their classes, or by those of Forge's patches."""
UNET = "diffusion_model"
"""How its names of the UNet's layers begin."""


class Used(NamedTuple):
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
        return hasattr(extension(), "load_networks")

    def load(self, regions: Sequence[Tags]) -> dict[str, str]:
        """Read what regions name, and have the extension say what it does not find.

        Returns:
            The hash of each network's file, for the infotext.
        """
        names = list(dict.fromkeys(name for tags in regions for name in _named(tags)))
        self._read(names)
        files = {name: self._kept[name].network_on_disk for name in names if name in self._kept}
        return {name: file.shorthash for name, file in files.items() if file.shorthash}

    @contextmanager
    def encoding(self, tags: Tags) -> Iterator[None]:
        """Meanwhile text is encoded with a region's networks, too."""
        own = {name: Used(name, found.text, 0.0, found.rank) for name, found in _named(tags).items() if name in self._kept}
        with self._using([*(used for used in self._in_use() if used.name not in own), *own.values()]):
            yield

    def branches(self, unet: nn.Module, regions: Sequence[Tags]) -> dict[int, dict[nn.Module, list[LowRank]]]:
        """What regions add to the UNet's layers, beside what the extension has merged.

        Raises:
            GenerationError: when a network has no branch of low rank.
        """
        merged = {used.name: used for used in self._in_use()}
        result = {}
        for region, tags in enumerate(regions):
            parts: dict[nn.Module, list[LowRank]] = {}
            for name, found in _named(tags).items():
                for unet_strength, rank in _changes(found, merged.get(name)) if name in self._kept else ():
                    for layer, part in self._parts(unet, name, rank):
                        branch = self._branch(region, name, layer, part)
                        if branch is not None:
                            parts.setdefault(layer, []).append(LowRank(branch.down, branch.up * unet_strength))
            result[region] = {layer: added_up(branches) for layer, branches in parts.items()}
        return result

    def _branch(self, region: int, name: str, layer: nn.Module, part: LowRank | str) -> LowRank | None:
        if isinstance(part, str):
            file = self._kept[name].network_on_disk.filename
            raise GenerationError(
                f"Region {region + 1} names {name}, of which the file {file} is of the kind {part}; that can act on the whole "
                "picture alone, so name it in the base prompt."
            )
        down, up = part
        weight: Tensor = layer.weight
        if down.dim() == 4 and (down.shape[1], weight.shape[1]) == (4, 9):  # an inpainting model sees more
            down = nn.functional.pad(down, (0, 0, 0, 0, 0, 5))
        # What is no number is packed, and says nothing of its shape.
        if weight.is_floating_point() and (len(up), *down.shape[1:]) != tuple(weight.shape):
            errors = extension().extra_network_lora.errors  # of another kind of model: noted as the extension does
            errors[name] = errors.get(name, 0) + 1
            return None
        return LowRank(down, up)

    # What Forge's does otherwise:

    def _in_use(self) -> list[Used]:
        """What is merged now."""
        return [
            Used(net.mentioned_name or net.name, net.te_multiplier, net.unet_multiplier, net.dyn_dim)
            for net in extension().loaded_networks
        ]

    def _read(self, names: Sequence[str]) -> None:
        """Keep the networks of these names."""
        before = self._in_use()
        present = {used.name for used in before}
        with self._using([*before, *(Used(name, 0.0, 0.0, None) for name in names if name not in present)]):
            pass

    @contextmanager
    def _using(self, networks: Sequence[Used]) -> Iterator[None]:
        """Meanwhile text is encoded with these networks alone; the UNet is not asked."""
        before = self._in_use()
        try:
            self._use(networks)
            yield
        finally:
            self._use(before)

    def _use(self, networks: Sequence[Used]) -> None:
        extension().networks_in_memory.update(self._kept)
        use(networks)
        self._kept.update({net.mentioned_name: net for net in extension().loaded_networks})

    def _parts(self, unet: nn.Module, name: str, rank: int | None) -> Iterator[Part]:
        """What a network that is kept changes in the UNet, with a strength of 1."""
        layers = {getattr(layer, "network_layer_name", None): layer for layer in unet.modules()}
        for key, module in self._kept[name].modules.items():
            if key.startswith(UNET) and key in layers:
                if kind := _kind(module):
                    yield layers[key], kind
                else:
                    mid = None if module.mid_model is None else module.mid_model.weight
                    down, up = module.down_model.weight, module.up_model.weight
                    yield layers[key], low_rank(down, up, module.calc_scale(), mid, rank)


def extension() -> Any:
    """The webui's module of that name, if it has the extension."""
    return sys.modules.get("networks")


def use(networks: Sequence[Used]) -> None:
    """Have the extension use these networks."""
    names, text, unet, ranks = ([used[place] for used in networks] for place in range(4))
    extension().load_networks(names, text, unet, ranks)


def low_rank(down: Tensor, up: Tensor, scale: float, mid: Tensor | None = None, rank: int | None = None) -> LowRank:
    """What a file has for a layer; in a convolution's, a third one may stand between two of single pixels."""
    down, up = down.float(), up.float() * scale
    if mid is not None:
        down = torch.tensordot(mid.float(), down.flatten(1), ([1], [0])).movedim(-1, 1)
    elif rank is not None:
        down, up = down[:rank], up[:, :rank]
    return LowRank(down, up)


def _kind(module: Any) -> str:
    """Empty where it is of low rank."""
    name = type(module).__name__
    if name != "NetworkModuleLora":
        return OTHER_KINDS.get(name, name)
    if module.dora_scale is not None:
        return OTHER_KINDS["decomposed"]
    return OTHER_KINDS["biased"] if module.bias is not None else ""


def _named(tags: Tags) -> Mapping[str, Strengths]:
    return {name: strengths(tag) for (_, name), tag in tags.items()}


def _changes(wanted: Strengths, merged: Used | None) -> list[tuple[float, int | None]]:
    """Strength and rank of what makes of a merged network the one that is wanted."""
    if merged is None or merged.rank == wanted.rank:
        changes = [(wanted.unet - (merged.unet if merged else 0), wanted.rank)]
    else:
        changes = [(wanted.unet, wanted.rank), (-merged.unet, merged.rank)]
    return [(strength, rank) for strength, rank in changes if strength]
