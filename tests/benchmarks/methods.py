"""Ways to steer a step by regions: ours, and two others in their simplest form to compare with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from rpg.areas.areas import Areas
from rpg.areas.layout import Layout
from rpg.areas.patches import Patch, shares
from rpg.steering.attention import token_grid
from rpg.steering.conditioning import Joined, Table
from rpg.steering.hooks import attach, cross_attentions
from rpg.steering.steering import Steering

Forward = Callable[..., Tensor]


@contextmanager
def ours(
    unet: nn.Module, layout: Layout, base_ratio: float, table: Table, _latent: tuple[int, int], *, apart: bool = False
) -> Iterator[None]:
    steering = Steering(Areas.of(layout), [base_ratio] * layout.count, latent_ratio=float(apart))
    steering.prepare(Joined(torch.empty(1, table[-1].stop, 0), table))
    with attach(unet, steering):
        yield


@contextmanager
def published(unet: nn.Module, layout: Layout, base_ratio: float, table: Table, latent: tuple[int, int]) -> Iterator[None]:
    """Full attention for every region, then crop: the algorithm of RPG's published code."""

    def forward(layer: Any, x: Tensor, context: Tensor) -> Tensor:
        grid = token_grid(latent, x.shape[1])

        def full(segment: int) -> Tensor:
            start, stop = table[segment]
            return plain_forward(layer, x, encoder_hidden_states=context[:, start:stop]).unflatten(1, grid)

        out = full(0) if base_ratio else torch.zeros_like(x).unflatten(1, grid)
        for patch in patches(layout, grid):
            part = (slice(None), *patch.window)
            out[part] = torch.lerp(full(patch.region + 1)[part], out[part], base_ratio)
        return out.flatten(1, 2)

    with replaced(unet, forward):
        yield


@contextmanager
def masked(unet: nn.Module, layout: Layout, base_ratio: float, table: Table, latent: tuple[int, int]) -> Iterator[None]:
    """One attention over all regions' tokens, with a mask that shows each query its own region's."""
    masks: dict[tuple[int, int], Tensor] = {}
    first = table[0].stop

    def mask(grid: tuple[int, int], device: torch.device) -> Tensor:
        if grid not in masks:
            shown = torch.zeros(*grid, table[-1].stop - first, dtype=torch.bool)
            for patch in patches(layout, grid):
                start, stop = table[patch.region + 1]
                shown[(*patch.window, slice(start - first, stop - first))] = True
            masks[grid] = shown.flatten(0, 1).to(device)
        return masks[grid]

    def forward(layer: Any, x: Tensor, context: Tensor) -> Tensor:
        def heads(tensor: Tensor) -> Tensor:
            return tensor.unflatten(2, (layer.heads, -1)).transpose(1, 2)

        def attend(segments: Tensor, shown: Tensor | None) -> Tensor:
            k, v = heads(layer.to_k(segments)), heads(layer.to_v(segments))
            out = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=shown)
            return out.transpose(1, 2).flatten(2)

        q = heads(layer.to_q(x))
        out = attend(context[:, first:], mask(token_grid(latent, x.shape[1]), x.device))
        if base_ratio:
            out = torch.lerp(out, attend(context[:, :first], None), base_ratio)
        return layer.to_out[0](out)

    with replaced(unet, forward):
        yield


def patches(layout: Layout, grid: tuple[int, int]) -> list[Patch]:
    return shares(Areas.of(layout), (0.0,) * layout.count, *grid).patches


def plain_forward(layer: Any, *args: Any, **kwargs: Any) -> Tensor:
    return type(layer).forward(layer, *args, **kwargs)


@contextmanager
def replaced(unet: nn.Module, forward: Forward) -> Iterator[None]:
    layers = cross_attentions(unet)
    for layer in layers:
        layer.forward = lambda x, encoder_hidden_states, layer=layer, **_: forward(layer, x, encoder_hidden_states)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


METHODS = {"ours": ours, "latents": partial(ours, apart=True), "published": published, "masked": masked}
