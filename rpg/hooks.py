"""Attach regional attention to a UNet's cross-attention layers, and always take it off again.

Works on every layer that is named ``attn2`` and has ``to_q``, ``to_k``, ``to_v`` and ``to_out``: ldm's and
sgm's ``CrossAttention`` and diffusers' ``Attention``, whatever attention backend runs inside.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from rpg.attention import Attend, Call, Routing, regional_attention, route, token_grid
from rpg.conditioning import Joined, Segment, Table, distinct
from rpg.errors import GenerationError
from rpg.layout import Layout

PROJECTIONS = ("to_q", "to_k", "to_v", "to_out")


MAX_KEPT = 0.035
"""Most memory that kept keys and values may take, in shares of the UNet's weights. What does not fit is computed anew."""
MAX_IDLE = 8
"""After how many calls of the UNet without it a context is forgotten; hosts may split a step's rows over several calls."""


class Regional:
    """What the hooked layers need to know during one job.

    Args:
        layout: where the regions lie.
        base_ratios: the share of the base prompt in each region.
        merge: compute conditionings that are equal once; otherwise each for itself, with the same result.

    Attributes:
        tables: segment tables of the contexts in use, by the context's number of tokens.
        error: raised by the next call of the UNet. Hosts swallow what their callbacks raise; a UNet's error
            stops the job and reaches the user.
    """

    def __init__(self, layout: Layout, base_ratios: Sequence[float], *, merge: bool = True) -> None:
        self.layout = layout
        self.base_ratios = tuple(base_ratios)
        self.merge = merge
        self.tables: dict[int, Table] = {}
        self.error: BaseException | None = None
        self.latent = (0, 0)
        self.call = Call(torch.empty(0))
        self.limit = 0
        self._contexts: list[_Context] = []
        self._current: _Context | None = None
        self._joined = Joined(torch.empty(0), ())
        self._base = torch.empty(0)

    def forget(self) -> None:
        """Drop the keys and values kept from step to step: when the UNet's weights change, and at the end."""
        self._contexts.clear()
        self._current = None
        self.call = Call(torch.empty(0))

    def before_unet(
        self, _unet: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Give the UNet the base prompt's segment only, and keep the joined context for the hooked layers: whatever else
        attends to the prompt, such as a ControlNet, does so as without regions."""
        if self.error is not None:
            raise self.error
        latent = args[0] if args else kwargs["sample"]
        self.latent = tuple(latent.shape[-2:])
        self._current = None
        for known in self._contexts:
            known.idle += 1
        self._contexts = [known for known in self._contexts if known.idle <= MAX_IDLE]
        name = _context_name(kwargs)
        context = kwargs[name] if name in kwargs else args[2]
        self._joined = Joined(context, self.table(context))
        self._base = context[:, slice(*self._joined.table[0])]
        return (args, {**kwargs, name: self._base}) if name in kwargs else ((*args[:2], self._base, *args[3:]), kwargs)

    def table(self, context: Tensor) -> Table:
        try:
            return self.tables[context.shape[1]]
        except KeyError:
            raise GenerationError(
                f"Cross-attention got a context of {context.shape[1]} tokens, but the regions were prepared for "
                f"{' or '.join(map(str, self.tables)) or 'none'}; another extension changes the prompt conditioning. "
                "Turn it off, or turn RPG off."
            ) from None

    def attention(self, x: Tensor, context: Tensor, attend: Attend, *, row_by_row: bool = False) -> Tensor:
        """Regional attention of ``x`` [rows, tokens, channels].

        Args:
            context: what the layer was given: the base prompt's segment, or what another extension made of it.
            row_by_row: give ``attend`` batches of one item for each row, as its caller would.
        """
        known = self._recognised(context)
        grid = token_grid(self.latent, x.shape[1])
        routing = known.routings.get((grid, row_by_row))
        if routing is None:
            numbers = None if row_by_row else known.numbers
            routing = route(known.values, known.table, numbers, grid, self.layout.rects(*grid), self.base_ratios)
            known.routings[grid, row_by_row] = routing
        return regional_attention(x, routing, attend)

    @property
    def kept(self) -> int:
        """Bytes of the keys and values that are kept."""
        return sum(known.size for known in self._contexts)

    def keep(self, result: Tensor) -> bool:
        """Whether there is room to keep a key or value of the current context; if so, it counts."""
        if self._current is None or self.kept + result.nbytes > self.limit:
            return False
        self._current.size += result.nbytes
        return True

    def _recognised(self, base: Tensor) -> _Context:
        """What is known of the joined context with ``base`` as its first segment. Found by its values, but only once in
        a call of the UNet: comparing them waits for the device."""
        if self._current is not None and self._current.seen is base:
            return self._current
        context, table = self._joined if base is self._base else _with_base(self._joined, base)
        # The longest unused first, as hosts that split rows take turns.
        known = next((known for known in self._contexts if known.table == table and known.equals(context)), None)
        if known is None:
            known = _Context(context.clone(), table, distinct(context, table, self.merge))
        else:
            self._contexts.remove(known)
        self._contexts.append(known)
        known.seen, known.idle = base, 0
        self._current = known
        return known


def _with_base(joined: Joined, base: Tensor) -> Joined:
    """``joined`` with another first segment."""
    context, table = joined
    if base.shape[::2] != context.shape[::2]:
        raise GenerationError(
            f"Cross-attention got a context of shape {tuple(base.shape)}, the UNet one of {tuple(context.shape)}; another "
            "extension changes the batch or the text encoder. Turn it off, or turn RPG off."
        )
    shift = base.shape[1] - table[0].stop
    moved = [Segment(start + shift, stop + shift) for start, stop in table[1:]]
    return Joined(torch.cat([base, context[:, table[0].stop :].to(base)], dim=1), (Segment(0, base.shape[1]), *moved))


@dataclass(eq=False)
class _Context:
    """A joined context in use, and everything that follows from it."""

    values: Tensor
    table: Table
    numbers: list[list[int]]
    routings: dict[tuple[tuple[int, int], bool], Routing] = field(default_factory=dict)
    seen: Tensor | None = None
    """The tensor that brought it in this call of the UNet."""
    idle: int = 0
    """Calls of the UNet since it was in use."""
    size: int = 0
    """Bytes of its keys and values."""

    def equals(self, context: Tensor) -> bool:
        return (context.dtype, context.device) == (self.values.dtype, self.values.device) and torch.equal(context, self.values)


@contextmanager
def attach(unet: nn.Module, regional: Regional) -> Iterator[None]:
    """Steer ``unet`` by ``regional`` while the context lasts.

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
    hooks = [_Hook(layer, regional) for layer in layers]
    regional.limit = int(MAX_KEPT * sum(parameter.nbytes for parameter in unet.parameters()))
    handle = unet.register_forward_pre_hook(regional.before_unet, with_kwargs=True)
    try:
        for hook in hooks:
            hook.attach()
        yield
    finally:
        handle.remove()
        for hook in hooks:
            hook.detach()
        regional.forget()


def cross_attentions(unet: nn.Module) -> list[nn.Module]:
    """The layers in which the picture attends to the prompt."""
    return [
        module
        for name, module in unet.named_modules()
        if name.rpartition(".")[2] == "attn2" and all(hasattr(module, projection) for projection in PROJECTIONS)
    ]


class _Hook:
    """One layer's forward, replaced by the regional one."""

    def __init__(self, layer: nn.Module, regional: Regional) -> None:
        self.layer = layer
        self.regional = regional
        self.active = False
        self.patch: Callable[..., Tensor] | None = layer.__dict__.get("forward")
        """What another extension put over the class's own forward."""
        self.twin = _projected(layer, regional)

    def attach(self) -> None:
        self.layer.__dict__["forward"] = self.forward
        self.active = True

    def detach(self) -> None:
        self.active = False
        if self.layer.__dict__.get("forward") == self.forward:
            if self.patch is None:
                del self.layer.__dict__["forward"]
            else:
                self.layer.__dict__["forward"] = self.patch

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        original = self.patch or _own_forward(self.layer)
        if not self.active:
            return original(x, *args, **kwargs)
        context, call = _context_of(args, kwargs)
        if self.patch is not None:
            # Opaque: it projects for itself, and may count on its rows. Projections act token by token and keep weighted means.
            return self.regional.attention(x, context, lambda part, now: call(original, part, now.context), row_by_row=True)
        core = _own_forward(self.twin)

        def attend(queries: Tensor, now: Call) -> Tensor:
            self.regional.call = now
            return call(core, queries, now.context)

        out = self.regional.attention(self.layer.to_q(x), context, attend)
        for module in self.layer.to_out:
            out = module(out)
        return out


def _projected(layer: nn.Module, regional: Regional) -> nn.Module:
    """A twin of ``layer`` that takes projected queries and gives back attention before the output projection.

    Its forward is the layer's own, so heads, hypernetworks and the attention backend stay what they are.
    """
    twin = copy.copy(layer)
    twin.__dict__["_modules"] = {
        **layer._modules,
        "to_q": nn.Identity(),
        "to_k": _Kept(layer.to_k, regional),
        "to_v": _Kept(layer.to_v, regional),
        "to_out": nn.Sequential(nn.Identity(), nn.Identity()),
    }
    return twin


class _Kept(nn.Module):
    """Stands in for ``to_k`` or ``to_v``: projects a context once and remembers the result while it is in use."""

    def __init__(self, projection: nn.Module, regional: Regional) -> None:
        super().__init__()
        self.projection = projection
        self.regional = regional

    def forward(self, context: Tensor, *args: Any) -> Tensor:
        kept = self.regional.call.projected
        if self in kept:
            return kept[self]
        result = self.projection(context, *args)
        if not result.requires_grad and self.regional.keep(result):
            kept[self] = result
        return result


def _own_forward(module: nn.Module) -> Callable[..., Tensor]:
    """The forward of the module's class, as it is now: hosts swap attention backends by setting it."""
    return type(module).forward.__get__(module)


def _context_name(kwargs: dict[str, Any]) -> str:
    return "encoder_hidden_states" if "encoder_hidden_states" in kwargs else "context"


def _context_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, Callable[..., Tensor]]:
    """The context among a layer's arguments, and ``call(forward, x, context)`` with the others unchanged."""
    name = _context_name(kwargs)
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
