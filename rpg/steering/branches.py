"""LoRA of single regions: low-rank branches beside a UNet's layers.

A LoRA adds ``up @ down`` to a layer's weights, which changes its answer by ``up(down(x))``. Merged, it does so everywhere; as a
branch it is added where its region lies, times the region's share of each token or pixel, and computed nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rpg.areas.patches import Patch, Shares
from rpg.errors import GenerationError

EMBEDDINGS = ("time_embed", "label_emb", "add_embedding", "class_embedding")
"""How the names of layers begin that see the step or the picture's size and feed all others."""


class LowRank(NamedTuple):
    """What a LoRA adds to one layer."""

    down: Tensor
    """[rank, channels in], of a convolution also height and width"""
    up: Tensor
    """[channels out, rank], of a convolution also 1 and 1; the strength is in it"""


def added_up(parts: Sequence[LowRank]) -> list[LowRank]:
    """As few branches as do the same: those of one kernel are one of higher rank."""
    kernels: dict[torch.Size, list[LowRank]] = {}
    for part in parts:
        kernels.setdefault(part.down.shape[2:], []).append(part)
    return [LowRank(torch.cat([one.down for one in same]), torch.cat([one.up for one in same], 1)) for same in kernels.values()]


class Branches:
    """The networks of all regions of a job.

    Args:
        networks: by region, from 0; each gives a layer's branches.
        share_out: the regions' shares of a grid, (height, width), as if nothing of the base prompt were mixed in.
        grid_of: the grid of a number of tokens.

    Attributes:
        regions: those that have any.
        carried: whose networks act on each row of what the layers get, where a row is one region's alone; None where it is the
            whole picture.
    """

    def __init__(
        self,
        networks: Mapping[int, Mapping[nn.Module, Sequence[LowRank]]],
        share_out: Callable[[int, int], Shares],
        grid_of: Callable[[int], tuple[int, int]],
    ) -> None:
        self.networks = {region: dict(network) for region, network in networks.items() if network}
        self.regions = frozenset(self.networks)
        self.carried: Sequence[int | None] | None = None
        self._share_out = share_out
        self._grid_of = grid_of
        self._placed: dict[tuple[int, int], list[tuple[Patch, Tensor | None]]] = {}
        self._everywhere: dict[nn.Module, list[tuple[int, Tensor]]] = {}
        """By the layer that sees them with the picture: what regions change in a vector that is added to every pixel."""

    @contextmanager
    def attach(self, unet: nn.Module) -> Iterator[None]:
        """Add the branches while the context lasts.

        Raises:
            GenerationError: when a network changes a layer that no region can have for itself.
        """
        handles = []
        layers = {layer: name for name, layer in unet.named_modules()}
        try:
            for layer in {layer: None for network in self.networks.values() for layer in network}:
                hook = self._add
                if layers[layer].startswith(EMBEDDINGS):
                    region = next(region for region, network in self.networks.items() if layer in network)
                    raise GenerationError(
                        f"Region {region + 1} names a LoRA that changes {layers[layer]}, which has no place in the picture; name "
                        "it in the base prompt."
                    )
                if (norm := _next_norm(unet, layers[layer])) is not None:
                    handles.append(norm.register_forward_pre_hook(self._add_everywhere))
                    hook = partial(self._keep, norm)
                handles.append(layer.register_forward_hook(hook))
            yield
        finally:
            for handle in handles:
                handle.remove()
            self._everywhere.clear()

    @contextmanager
    def carrying(self, regions: Sequence[int | None]) -> Iterator[None]:
        """Meanwhile every row is one region's."""
        before, self.carried = self.carried, regions
        try:
            yield
        finally:
            self.carried = before

    def _add(self, layer: nn.Module, args: tuple[Tensor, ...], answer: Tensor) -> None:
        """The branches of one layer, added to its answer."""
        x = args[0]
        if self.carried is not None:
            for region, rows in _runs(self.carried):
                for branch in self._of(region, layer, x):
                    answer[rows] += _through(layer, branch, x[rows]).to(answer.dtype)
            return
        if isinstance(layer, nn.Conv2d) or x.dim() == 4:
            picture, result = x, answer
        else:
            height, width = self._grid_of(x.shape[1])
            picture, result = (value.unflatten(1, (height, width)).movedim(3, 1) for value in (x, answer))
        grid = result.shape[-2], result.shape[-1]
        for patch, weights in self._patches(*grid, answer):
            for branch in self._of(patch.region, layer, x):
                rows, columns = patch.window
                if picture is x:
                    part = _window(layer, branch, x, patch)
                else:
                    part = _through(layer, branch, picture[..., rows, columns].movedim(1, 3)).movedim(3, 1)
                result[..., rows, columns] += (part if weights is None else part * weights).to(answer.dtype)

    def _keep(self, norm: nn.Module, layer: nn.Module, args: tuple[Tensor, ...], answer: Tensor) -> None:
        """The branches of a layer that gives one vector for the whole picture."""
        if self.carried is not None:
            self._add(layer, args, answer)
            return
        self._everywhere[norm] = [
            (region, _through(layer, branch, args[0])) for region in self.networks for branch in self._of(region, layer, args[0])
        ]

    def _add_everywhere(self, norm: nn.Module, args: tuple[Tensor, ...]) -> None:
        x = args[0]
        vectors = self._everywhere.pop(norm, [])
        for patch, weights in self._patches(x.shape[-2], x.shape[-1], x) if vectors else []:
            for region, vector in vectors:
                if region == patch.region:
                    part = vector[:, :, None, None].to(x.dtype)
                    rows, columns = patch.window
                    x[..., rows, columns] += part if weights is None else part * weights

    def _of(self, region: int | None, layer: nn.Module, x: Tensor) -> list[LowRank]:
        """A region's branches of a layer, on the device and in the precision of ``x``."""
        network = self.networks.get(region) if region is not None else None
        branches = network.get(layer, []) if network is not None else []
        if branches and (branches[0].down.dtype, branches[0].down.device) != (x.dtype, x.device):
            assert network is not None
            branches = network[layer] = [LowRank(down.to(x), up.to(x)) for down, up in branches]
        return list(branches)

    def _patches(self, height: int, width: int, like: Tensor) -> list[tuple[Patch, Tensor | None]]:
        """Where the regions that have networks lie, and their weights where they are not all 1."""
        if (height, width) not in self._placed:
            patches = [patch for patch in self._share_out(height, width).patches if patch.region in self.regions]
            self._placed[height, width] = [
                (patch, None if (patch.weights == 1).all() else torch.tensor(patch.weights, dtype=torch.float32).to(like))
                for patch in patches
            ]
        return self._placed[height, width]


def _runs(regions: Sequence[int | None]) -> Iterator[tuple[int | None, slice]]:
    start = 0
    for region, run in groupby(regions):
        stop = start + len(list(run))
        yield region, slice(start, stop)
        start = stop


def _through(layer: nn.Module, branch: LowRank, x: Tensor) -> Tensor:
    down, up = branch
    if down.dim() == 2:
        return nn.functional.linear(nn.functional.linear(x, down), up)
    stride, padding = _steps(layer, down)
    return nn.functional.conv2d(nn.functional.conv2d(x, down, None, stride, padding), up)


def _steps(layer: nn.Module, down: Tensor) -> tuple[tuple[int, int], tuple[int, int]]:
    """Stride and padding of a branch; one of a single pixel is not padded."""
    layer = getattr(layer, "base_layer", layer)  # peft's wrapper has none of its own
    assert isinstance(layer, nn.Conv2d)
    padding = (0, 0) if down.shape[2:] == (1, 1) else layer.padding
    assert not isinstance(padding, str)
    return (layer.stride[0], layer.stride[1]), (padding[0], padding[1])


def _window(layer: nn.Module, branch: LowRank, x: Tensor, patch: Patch) -> Tensor:
    """A convolution's branch in a window of its answer alone: what it sees there is cut out of ``x``."""
    down, up = branch
    stride, padding = _steps(layer, down)
    places: list[slice] = []
    missing: list[int] = []
    for side, part in enumerate(patch.window):
        start = part.start * stride[side] - padding[side]
        stop = (part.stop - 1) * stride[side] - padding[side] + down.shape[2 + side]
        size = x.shape[2 + side]
        places.append(slice(max(start, 0), min(stop, size)))
        missing = [max(-start, 0), max(stop - size, 0), *missing]  # the last side comes first
    seen = x[..., places[0], places[1]]
    if any(missing):
        seen = nn.functional.pad(seen, missing)
    return nn.functional.conv2d(nn.functional.conv2d(seen, down, None, stride), up)


def _next_norm(unet: nn.Module, name: str) -> nn.Module | None:
    """The layer that sees the picture after a residual block has added to it what the layer of that name makes of the step."""
    for ending, norm in ((".emb_layers.1", ".out_layers.0"), (".time_emb_proj", ".norm2")):  # ldm's and diffusers' names
        if name.endswith(ending):
            return unet.get_submodule(name.removesuffix(ending) + norm)
    return None
