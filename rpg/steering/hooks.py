"""Attach regional attention to a UNet's cross-attention layers, and always take it off again.

Works on every layer that is named ``attn2`` and has ``to_q``, ``to_k``, ``to_v`` and ``to_out``: ldm's and
sgm's ``CrossAttention`` and diffusers' ``Attention``, whatever attention backend runs inside.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from rpg.errors import GenerationError
from rpg.steering.attention import Call
from rpg.steering.steering import Steering, context_name

PROJECTIONS = ("to_q", "to_k", "to_v", "to_out")
MAX_KEPT = 0.035
"""Most memory that kept keys and values may take, in shares of the UNet's weights. What does not fit is computed anew."""


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
    steering.limit = int(MAX_KEPT * sum(parameter.nbytes for parameter in unet.parameters()))
    handle = unet.register_forward_pre_hook(steering.before_unet, with_kwargs=True)
    try:
        for hook in hooks:
            hook.attach()
        yield
    finally:
        handle.remove()
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


class _Hook:
    """A module's forward, replaced by another."""

    def __init__(self, module: nn.Module, steering: Steering) -> None:
        self.module = module
        self.steering = steering
        self.active = False
        self.patch: Callable[..., Any] | None = module.__dict__.get("forward")
        """What another extension put over the class's own forward."""

    def attach(self) -> None:
        self.module.__dict__["forward"] = self.forward
        self.active = True

    def detach(self) -> None:
        self.active = False
        if self.module.__dict__.get("forward") == self.forward:
            if self.patch is None:
                del self.module.__dict__["forward"]
            else:
                self.module.__dict__["forward"] = self.patch

    def original(self) -> Callable[..., Any]:
        return self.patch or _own_forward(self.module)

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


class _LayerHook(_Hook):
    """Regional attention in the place of a layer's own."""

    def __init__(self, layer: nn.Module, steering: Steering) -> None:
        super().__init__(layer, steering)
        self.twin = _projected(layer, steering)

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        original = self.original()
        if not self.active or self.steering.inside:
            result: Tensor = original(x, *args, **kwargs)
            return result
        context, call = _context_of(args, kwargs)
        if self.patch is not None:
            # Opaque: it projects for itself, and may count on its rows. Projections act token by token and keep weighted means.
            return self.steering.attention(x, context, lambda part, now: call(original, part, now.context), row_by_row=True)
        core = _own_forward(self.twin)

        def attend(queries: Tensor, now: Call) -> Tensor:
            self.steering.call = now
            return call(core, queries, now.context)

        out = self.steering.attention(self.module.to_q(x), context, attend)
        for module in self.module.to_out:
            out = module(out)
        return out


class _UNetHook(_Hook):
    """Calls the UNet for every region by itself while :attr:`Steering.apart` says so."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        if not (self.active and self.steering.apart) or self.steering.inside or self.patch is not None:
            return self.original()(*args, **kwargs)
        latent = args[0] if args else kwargs.pop("sample")
        name = context_name(kwargs)
        others = args[1:] if name in kwargs else (*args[1:2], *args[3:])
        kwargs.pop(name, None)
        answers: list[Any] = []

        def denoise(part: Tensor, context: Tensor) -> Tensor:
            # A call of the module, not of its forward: other extensions note the size of what comes in.
            more, named = _repeated((others, kwargs), len(latent), len(part) // len(latent))
            answers.append(self.module(part, *more, **{**named, name: context}))
            return answers[-1] if isinstance(answers[-1], Tensor) else answers[-1][0]

        result, answer = self.steering.denoise_apart(denoise, latent), answers[-1]
        if isinstance(answer, Tensor):
            return result
        return (result,) if isinstance(answer, tuple) else type(answer)(result)


def _repeated(value: Any, rows: int, times: int) -> Any:
    """``value`` with the rows of its tensors, such as pooled embeddings and times, repeated as a whole."""
    if isinstance(value, Tensor):
        return torch.cat([value] * times) if times > 1 and value.dim() and len(value) == rows else value
    if isinstance(value, dict):
        return {name: _repeated(one, rows, times) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_repeated(one, rows, times) for one in value)
    return value


def _projected(layer: nn.Module, steering: Steering) -> nn.Module:
    """A twin of ``layer`` that takes projected queries and gives back attention before the output projection.

    Its forward is the layer's own, so heads, hypernetworks and the attention backend stay what they are.
    """
    twin = copy.copy(layer)
    twin.__dict__["_modules"] = {
        **layer._modules,
        "to_q": nn.Identity(),
        "to_k": _Kept(layer.to_k, steering),
        "to_v": _Kept(layer.to_v, steering),
        "to_out": nn.Sequential(nn.Identity(), nn.Identity()),
    }
    return twin


class _Kept(nn.Module):
    """Stands in for ``to_k`` or ``to_v``: projects a context once and remembers the result while it is in use."""

    def __init__(self, projection: nn.Module, steering: Steering) -> None:
        super().__init__()
        self.projection = projection
        self.steering = steering

    def forward(self, context: Tensor, *args: Any) -> Tensor:
        kept = self.steering.call.projected
        if self in kept:
            return kept[self]
        result = self.projection(context, *args)
        if not result.requires_grad and self.steering.keep(result):
            kept[self] = result
        return result


def _own_forward(module: nn.Module) -> Callable[..., Tensor]:
    """The forward of the module's class, as it is now: hosts swap attention backends by setting it."""
    return type(module).forward.__get__(module)


def _context_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, Callable[..., Tensor]]:
    """The context among a layer's arguments, and ``call(forward, x, context)`` with the others unchanged."""
    name = context_name(kwargs)
    context = kwargs.get(name, args[0] if args else None)
    if not isinstance(context, Tensor):
        raise GenerationError(f"Cross-attention got {type(context).__name__} as its context; regions need the prompt's tensor.")
    if any(kwargs.get(mask) is not None for mask in ("mask", "attention_mask")) or any(
        isinstance(arg, Tensor) for arg in args[1:]
    ):
        raise GenerationError("Cross-attention got an attention mask; regions cannot be combined with it. Turn one of them off.")

    def call(forward: Callable[..., Tensor], x: Tensor, segment: Tensor) -> Tensor:
        if name in kwargs:
            return forward(x, *args, **{**kwargs, name: segment})
        return forward(x, segment, *args[1:], **kwargs)

    return context, call
