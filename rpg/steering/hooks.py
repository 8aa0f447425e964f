"""Attach regional attention to a UNet's cross-attention layers, and always take it off again.

Works on every layer that is named ``attn2`` and has ``to_q``, ``to_k``, ``to_v`` and ``to_out``: ldm's and
sgm's ``CrossAttention`` and diffusers' ``Attention``, whatever attention backend runs inside.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from rpg.errors import GenerationError
from rpg.steering.attention import QueryBatch, regional_attention
from rpg.steering.calls import Call, LatentWindow
from rpg.steering.memory import Known, Memory
from rpg.steering.steering import Steering

PROJECTIONS = ("to_q", "to_k", "to_v", "to_out")


@contextmanager
def attach(unet: nn.Module, steering: Steering) -> Iterator[None]:
    """Steer ``unet`` by ``steering`` while the context lasts.

    What stood in a layer's place before, perhaps another extension's patch, is called for the attention itself
    and put back at the end. A patch that somebody lays over ours meanwhile stays; ours then lets it through.

    Raises:
        GenerationError: when the model has no cross-attention layers to hook.
    """
    layers = cross_attentions(unet)
    if not layers:
        raise GenerationError(
            f"{type(unet).__name__} has no cross-attention layers that regions could steer; use a Stable Diffusion 1.x, 2.x or "
            "SDXL checkpoint without a compiled UNet, or turn RPG off."
        )
    hooks = [_UNetHook(unet, steering), *(_LayerHook(layer, steering) for layer in layers)]
    steering.memory.measure(unet)
    try:
        for hook in hooks:
            hook.attach()
        yield
    finally:
        for hook in hooks:
            hook.detach()
        steering.forget()


def cross_attentions(unet: nn.Module) -> list[nn.Module]:
    """The layers in which the picture attends to the prompt."""
    return [
        module
        for name, module in unet.named_modules()
        if name.rpartition(".")[2] == "attn2" and all(hasattr(module, projection) for projection in PROJECTIONS)
    ]


def is_replaced(unet: nn.Module) -> bool:
    """Whether something else, such as ControlNet or torch.compile, stands in the place of the UNet's own forward."""
    return _patch(unet) is not None or hasattr(unet, "_orig_mod")


class _Hook:
    """A module's forward, replaced by another."""

    def __init__(self, module: nn.Module, steering: Steering) -> None:
        self.module = module
        self.steering = steering
        self.active = False
        self.found = module.__dict__.get("forward")
        self.patch = _patch(module)

    def attach(self) -> None:
        self.module.__dict__["forward"] = self.forward
        self.active = True

    def detach(self) -> None:
        self.active = False
        if self.module.__dict__.get("forward") == self.forward:
            if self.found is None:
                del self.module.__dict__["forward"]
            else:
                self.module.__dict__["forward"] = self.found

    def original(self) -> Callable[..., Any]:
        return self.patch or _own_forward(self.module)

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


class _LayerHook(_Hook):
    """Regional attention in the place of a layer's own."""

    def __init__(self, layer: nn.Module, steering: Steering) -> None:
        super().__init__(layer, steering)
        self.kept = _Kept(layer.to_k, steering.memory), _Kept(layer.to_v, steering.memory)
        self.twin = _projected(layer, *self.kept)

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        original = self.original()
        if not self.active or self.steering.inside:
            result: Tensor = original(*args, **kwargs)
            return result
        call = Call(args, kwargs, place=1)
        masks = [*call.args, call.kwargs.get("mask"), call.kwargs.get("attention_mask")]
        if any(isinstance(mask, Tensor) for mask in masks):
            raise GenerationError(
                "Cross-attention got an attention mask; regions cannot be combined with it. Turn one of them off."
            )
        value = call.kwargs.get("value")
        if value is not None and value is not call.context:
            raise GenerationError(
                "Another extension gives cross-attention values of its own; regions cannot be combined with that. Turn one of "
                "them off."
            )
        x = call.x
        row_by_row = self.patch is not None or bool(call.beside)
        known, routing = self.steering.route(x.shape[1], call.context, row_by_row=row_by_row)
        if self.patch is not None:
            # Opaque: it projects for itself, and may count on its rows. Projections act token by token and keep weighted means.
            return regional_attention(x, routing, partial(self._attend, call, original))
        core = _own_forward(self.twin)

        def attend(queries: Tensor, batch: QueryBatch) -> Tensor:
            for kept in self.kept:
                kept.now = known, batch
            return self._attend(call, core, queries, batch)

        out = regional_attention(self.module.to_q(x), routing, attend)
        for kept in self.kept:
            kept.now = None
        for module in self.module.to_out:
            out = module(out)
        return out

    def _attend(self, call: Call, forward: Callable[..., Any], queries: Tensor, batch: QueryBatch) -> Tensor:
        with self.steering.carrying(batch.carried):
            result: Tensor = call.to(forward, queries, batch.context)
        return result


class _UNetHook(_Hook):
    """Gives the UNet the base prompt only, and calls it for every region by itself while :attr:`Steering.apart` says so."""

    def attach(self) -> None:
        # Before whatever stands in forward's place, which then sees the base prompt, too.
        self.handle = self.module.register_forward_pre_hook(self.before, with_kwargs=True)
        super().attach()

    def detach(self) -> None:
        self.handle.remove()
        super().detach()

    def before(self, _unet: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if self.steering.inside:
            return args, kwargs
        call = Call(args, kwargs, place=2)
        return call.made_of(call.x, self.steering.begin(call))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        stand_in = self.steering.stand_in
        if not (self.active and self.steering.apart) or self.steering.inside or (self.patch is not None and stand_in is None):
            return self.original()(*args, **kwargs)
        call = Call(args, kwargs, place=2)
        answers: list[Any] = []

        def ask(part: Tensor, context: Tensor, windows: Sequence[LatentWindow], regions: Sequence[int | None]) -> Tensor:
            # A call of the module, not of its forward: other extensions note the size of what comes in.
            with self.steering.carrying([region for region in regions for _ in call.x]):
                answers.append(call.to(self.module, part, context, windows))
            return answers[-1] if isinstance(answers[-1], Tensor) else answers[-1][0]

        def denoise(part: Tensor, context: Tensor, windows: Sequence[LatentWindow], regions: Sequence[int | None]) -> Tensor:
            if self.patch is None or stand_in is None:
                return ask(part, context, windows, regions)
            parts = zip(windows, regions, part.chunk(len(windows)), context.chunk(len(windows)))  # each has a cut of its own
            results = []
            for window, region, one, tokens in parts:
                with stand_in.cut(window, (call.x.shape[-2], call.x.shape[-1])):
                    results.append(ask(one, stand_in.context(tokens, call.context), [window], [region]))
            return torch.cat(results)

        controlled = self.patch is not None or call.is_controlled
        result, answer = self.steering.denoise_apart(denoise, call.x, controlled=controlled), answers[-1]
        if isinstance(answer, Tensor):
            return result
        return (result,) if isinstance(answer, tuple) else type(answer)(result)


def _projected(layer: nn.Module, keys: nn.Module, values: nn.Module) -> nn.Module:
    """A twin of ``layer`` that takes projected queries and gives back attention before the output projection.

    Its forward is the layer's own, so heads, hypernetworks and the attention backend stay what they are.
    """
    twin = copy.copy(layer)
    twin.__dict__["_modules"] = {
        **layer._modules,
        "to_q": nn.Identity(),
        "to_k": keys,
        "to_v": values,
        "to_out": nn.Sequential(nn.Identity(), nn.Identity()),
    }
    return twin


class _Kept(nn.Module):
    """Stands in for ``to_k`` or ``to_v``: projects a context once and remembers the result while it is in use."""

    def __init__(self, projection: nn.Module, memory: Memory) -> None:
        super().__init__()
        self.projection = projection
        self.memory = memory
        self.now: tuple[Known, QueryBatch] | None = None
        """What the layer attends to; told by its hook, as a host's forward may change the context before it comes here."""

    def forward(self, context: Tensor, *args: Any) -> Tensor:
        if self.now is None:
            return self.projection(context, *args)
        known, batch = self.now
        result = known.projected.get((self, batch))
        if result is None:
            result = self.projection(context, *args)
            if not result.requires_grad:
                self.memory.keep(known, self, batch, result)
        return result


def _patch(module: nn.Module) -> Callable[..., Any] | None:
    """What another extension put over the class's own forward; some leave that one there when they are done."""
    found = module.__dict__.get("forward")
    return None if found == _own_forward(module) else found


def _own_forward(module: nn.Module) -> Callable[..., Tensor]:
    """The forward of the module's class, as it is now: hosts swap attention backends by setting it."""
    return type(module).forward.__get__(module)
