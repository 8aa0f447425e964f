"""What the hooked layers of a UNet need to know during one job, and what they keep from step to step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from rpg.areas.layout import Layout
from rpg.errors import GenerationError
from rpg.steering.attention import Attend, Call, Routing, regional_attention, route, token_grid
from rpg.steering.conditioning import Joined, Segment, Table, distinct
from rpg.steering.latents import Denoise, denoise_apart

MAX_IDLE = 8
"""After how many calls of the UNet without it a context is forgotten; hosts may split a step's rows over several calls."""


class Steering:
    """What the hooked layers need to know during one job.

    Args:
        layout: where the regions lie.
        base_ratios: the share of the base prompt in each region.
        merge: compute conditionings that are equal once; otherwise each for itself, with the same result.

    Attributes:
        tables: segment tables of the contexts in use, by the context's number of tokens.
        error: raised by the next call of the UNet. Hosts swallow what their callbacks raise; a UNet's error
            stops the job and reaches the user.
        apart: denoise each region by itself in the next calls of the UNet (:mod:`rpg.steering.latents`), instead of by attention.
        inside: a call of the UNet for one region alone is under way.
    """

    def __init__(self, layout: Layout, base_ratios: Sequence[float], *, merge: bool = True) -> None:
        self.layout = layout
        self.base_ratios = tuple(base_ratios)
        self.merge = merge
        self.tables: dict[int, Table] = {}
        self.error: BaseException | None = None
        self.apart = False
        self.inside = False
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
        if self.inside:
            return args, kwargs
        latent = args[0] if args else kwargs["sample"]
        self.latent = tuple(latent.shape[-2:])
        self._current = None
        for known in self._contexts:
            known.idle += 1
        self._contexts = [known for known in self._contexts if known.idle <= MAX_IDLE]
        name = context_name(kwargs)
        context = kwargs[name] if name in kwargs else args[2]
        self._joined = Joined(context, self.table(context))
        self._base = context[:, slice(*self._joined.table[0])].contiguous()
        return (args, {**kwargs, name: self._base}) if name in kwargs else ((*args[:2], self._base, *args[3:]), kwargs)

    def denoise_apart(self, denoise: Denoise, latent: Tensor) -> Tensor:
        """See :func:`rpg.steering.latents.denoise_apart`; in the call of the UNet that :meth:`before_unet` saw."""
        self.inside = True
        try:
            return denoise_apart(denoise, latent, self._joined, self.layout.rects(*self.latent), self.base_ratios)
        finally:
            self.inside = False

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
        if self.apart:
            raise GenerationError(
                "Another extension, such as ControlNet, has taken the UNet's place, so that regions cannot be denoised by "
                "themselves; set latent_ratio to 0, or turn the other extension off."
            )
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


def context_name(kwargs: dict[str, Any]) -> str:
    """What diffusers, or else the original code, calls the context."""
    return "encoder_hidden_states" if "encoder_hidden_states" in kwargs else "context"
