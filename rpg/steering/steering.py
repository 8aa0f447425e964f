"""The state of one job that is steered by regions: hosts tell it where the job is, the hooks ask it what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from rpg.areas.areas import Areas
from rpg.areas.patches import shares
from rpg.errors import GenerationError
from rpg.steering.attention import Routing, route, token_grid
from rpg.steering.conditioning import Joined, Segment, Table
from rpg.steering.latents import Denoise, denoise_apart
from rpg.steering.memory import Known, Memory


class _Call(NamedTuple):
    """The call of the UNet under way."""

    latent: tuple[int, int]
    """Height and width."""
    joined: Joined
    base: Tensor
    """The base prompt's segment, which is all that the UNet gets."""


class Steering:
    """One job.

    Args:
        areas: where the regions lie.
        base_ratios: the share of the base prompt in each region.
        latent_ratio: share of the job, from its begin, in which regions are denoised by themselves.
        merge: see :class:`rpg.steering.memory.Memory`.

    Attributes:
        inside: a call of the UNet for one region alone is under way.
    """

    def __init__(self, areas: Areas, base_ratios: Sequence[float], latent_ratio: float = 0.0, *, merge: bool = True) -> None:
        self.areas = areas
        self.base_ratios = tuple(base_ratios)
        self.latent_ratio = latent_ratio
        self.memory = Memory(merge)
        self.inside = False
        self._done, self._hires = 0.0, False
        self._tables: dict[int, Table] = {}
        self._error: BaseException | None = None
        self._call: _Call | None = None
        self._recalled: tuple[Tensor, Known] | None = None

    def prepare(self, *joined: Joined) -> None:
        """The contexts that the UNet will be called with, each of another number of tokens."""
        self._tables = {context.shape[1]: table for context, table in joined}

    def progress(self, done: float, *, hires: bool = False) -> None:
        """Where the job is: the share of the pass's steps that are done, and whether it is the hires pass."""
        self._done, self._hires = done, hires

    def forget(self) -> None:
        """Drop what is kept from step to step: when the UNet's weights change, and at the end."""
        self.memory.forget()
        self._call = self._recalled = None

    def fail(self, error: BaseException) -> None:
        """Let the next call of the UNet raise ``error``. Hosts swallow what their callbacks raise; a UNet's error stops the
        job and reaches the user."""
        self._error = error

    def check(self) -> None:
        """Raise what has failed."""
        if self._error is not None:
            raise self._error

    @property
    def apart(self) -> bool:
        """Whether regions are denoised by themselves now. The hires pass starts from a picture that has its objects already."""
        return self._done < self.latent_ratio and not self._hires

    def begin(self, latent: tuple[int, int], context: Tensor) -> Tensor:
        """A call of the UNet begins; gives the context that it gets.

        That is the base prompt's segment only: whatever else attends to the prompt, such as a ControlNet, does so as without
        regions. The hooked layers attend to the joined context.
        """
        self.check()
        if context.shape[1] not in self._tables:
            raise GenerationError(
                f"Cross-attention got a context of {context.shape[1]} tokens, but the regions were prepared for "
                f"{' or '.join(map(str, self._tables)) or 'none'}; another extension changes the prompt conditioning. "
                "Turn it off, or turn RPG off."
            )
        self.memory.age()
        joined = Joined(context, self._tables[context.shape[1]])
        base = context[:, slice(*joined.table[0])].contiguous()
        self._call, self._recalled = _Call(latent, joined, base), None
        return base

    def denoise_apart(self, denoise: Denoise, latent: Tensor) -> Tensor:
        """See :func:`rpg.steering.latents.denoise_apart`."""
        call = self._under_way()
        self.inside = True
        try:
            return denoise_apart(denoise, latent, call.joined, shares(self.areas, self.base_ratios, *call.latent))
        finally:
            self.inside = False

    def route(self, tokens: int, context: Tensor, *, row_by_row: bool) -> tuple[Known, Routing]:
        """What the ``tokens`` of a layer attend to, and what is known of it.

        Args:
            context: what the layer was given: the base prompt's segment, or what another extension made of it.
            row_by_row: see :func:`rpg.steering.attention.route`.
        """
        call = self._under_way()
        if self.apart:
            raise GenerationError(
                "Another extension, such as ControlNet, has taken the UNet's place, so that regions cannot be denoised by "
                "themselves; set latent_ratio to 0, or turn the other extension off."
            )
        if self._recalled is None or self._recalled[0] is not context:
            joined = call.joined if context is call.base else _with_base(call.joined, context)
            self._recalled = context, self.memory.recall(joined)
        known = self._recalled[1]
        grid = token_grid(call.latent, tokens)
        if (grid, row_by_row) not in known.routings:
            numbers = None if row_by_row else known.numbers
            shared = shares(self.areas, self.base_ratios, *grid)
            known.routings[grid, row_by_row] = route(known.context, known.table, numbers, shared)
        return known, known.routings[grid, row_by_row]

    def _under_way(self) -> _Call:
        if self._call is None:
            raise GenerationError("A cross-attention layer was called outside its UNet, which regions cannot steer.")
        return self._call


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
