"""The state of one job that is steered by regions: hosts tell it where the job is, the hooks ask it what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rpg.areas.areas import Areas
from rpg.areas.patches import Shares, shares
from rpg.errors import GenerationError
from rpg.steering.attention import Routing, route, token_grid
from rpg.steering.branches import Branches, LowRank
from rpg.steering.calls import Call
from rpg.steering.conditioning import Joined, Segment, Table
from rpg.steering.latents import GUIDANCE_APART, Denoise, StandIn, base_ratios_at, denoise_apart, share_done
from rpg.steering.memory import Known, Memory


class _Call(NamedTuple):
    """The call of the UNet under way."""

    latent: tuple[int, int]
    """Height and width."""
    joined: Joined
    base: Tensor
    """The base prompt's segment, which is all that the UNet gets."""
    apart: bool
    base_ratios: tuple[float, ...]
    """In each region's attention."""


class Steering:
    """One job.

    Args:
        areas: where the regions lie.
        base_ratios: the share of the base prompt in each region.
        latent_ratio: up to which share of the noise regions are denoised by themselves (:mod:`rpg.steering.latents`), not by
            attention.
        has_base: whether there is a base prompt, which holds the objects after latent steps.
        merge: see :class:`rpg.steering.memory.Memory`.

    Attributes:
        inside: a call of the UNet for one region alone is under way.
        hires: whether this is the hires pass; it starts from a picture that has its objects already.
        from_noise: whether the generation starts from noise alone, not from a picture.
        stand_in: what has taken the UNet's place, where it can be cut to regions that are denoised by themselves.
        branches: networks that single regions have for themselves.
    """

    def __init__(
        self,
        areas: Areas,
        base_ratios: Sequence[float],
        latent_ratio: float = 0.0,
        *,
        has_base: bool = True,
        merge: bool = True,
    ) -> None:
        self.areas = areas
        self.base_ratios = tuple(base_ratios)
        self.latent_ratio = latent_ratio
        self.has_base = has_base
        self.memory = Memory(merge)
        self.inside = False
        self._separated = False
        """Whether regions have been denoised by themselves; not where a picture to start from has its objects already."""
        self.hires = False
        self.from_noise = True
        self.stand_in: StandIn | None = None
        self.branches: Branches | None = None
        self._tables: dict[int, Table] = {}
        self._error: BaseException | None = None
        self._call: _Call | None = None
        self._recalled: tuple[Tensor, Known] | None = None

    def prepare(self, *joined: Joined) -> None:
        """The contexts that the UNet will be called with, each of another number of tokens."""
        self._tables = {context.shape[1]: table for context, table in joined}

    def forget(self) -> None:
        """Drop what is kept from step to step: when the UNet's weights change, and at the end."""
        self.memory.forget()
        self._call = self._recalled = None

    @contextmanager
    def networks(self, unet: nn.Module, networks: Mapping[int, Mapping[nn.Module, Sequence[LowRank]]]) -> Iterator[None]:
        """Give regions, from 0, networks of their own while the context lasts: the branches of each layer of ``unet``."""
        if not any(networks.values()):
            yield
            return
        self.branches = Branches(networks, self._covered, lambda tokens: token_grid(self._under_way().latent, tokens))
        self.memory.forget()
        try:
            with self.branches.attach(unet):
                yield
        finally:
            self.branches = None
            self.forget()

    def carrying(self, regions: Sequence[int | None]) -> AbstractContextManager[None]:
        """Meanwhile every row that a layer gets is one region's, or the base prompt's."""
        return nullcontext() if self.branches is None else self.branches.carrying(regions)

    def _covered(self, height: int, width: int) -> Shares:
        return shares(self.areas, (0.0,) * len(self.base_ratios), height, width)

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
        """Whether regions are denoised by themselves in the call of the UNet under way, or were in the last one."""
        return self._call is not None and self._call.apart

    def guidance_scale(self, scale: float) -> float:
        """The guidance scale for the answer of the last call of the UNet, where the user's is ``scale``."""
        return 1 + (scale - 1) * GUIDANCE_APART if self.apart else scale

    def guidance_scale_at(self, timestep: float, scale: float) -> float:
        """The one for the answer of a call that is yet to come."""
        return 1 + (scale - 1) * GUIDANCE_APART if self._is_apart(timestep) else scale

    def _is_apart(self, timestep: float) -> bool:
        return not self.hires and share_done(timestep) < self.latent_ratio

    def base_of(self, context: Tensor) -> Tensor:
        """The base prompt's tokens of a context that the UNet is called with."""
        table = self._tables.get(context.shape[1])
        return context if table is None else context[:, slice(*table[0])].contiguous()

    def begin(self, call: Call) -> Tensor:
        """A call of the UNet begins; gives the context that it gets.

        That is the base prompt's segment only: whatever else attends to the prompt, such as a ControlNet, does so as without
        regions. The hooked layers attend to the joined context.
        """
        self.check()
        context = call.context
        if not self._tables:
            raise GenerationError(
                "The UNet was called before the webui told extensions of the step, so that regions have no prompts yet; a webui "
                "without that callback, such as SD.Next, cannot be steered. Turn RPG off."
            )
        if context.shape[1] not in self._tables:
            raise GenerationError(
                f"Cross-attention got a context of {context.shape[1]} tokens, but the regions were prepared for "
                f"{' or '.join(map(str, self._tables))}; another extension changes the prompt conditioning. "
                "Turn it off, or turn RPG off."
            )
        self.memory.age()
        joined = Joined(context, self._tables[context.shape[1]])
        base = context[:, slice(*joined.table[0])].contiguous()
        apart, base_ratios = False, self.base_ratios
        if self.latent_ratio and not self.hires:
            done, apart = share_done(call.timestep), self._is_apart(call.timestep)
            self._separated |= apart
            base_ratios = base_ratios_at(done, base_ratios) if self.has_base and self._separated else base_ratios
        if self._call is not None and self._call.base_ratios != base_ratios:
            self.memory.forget()  # others attend now: the room is theirs
        self._call, self._recalled = _Call(tuple(call.x.shape[-2:]), joined, base, apart, base_ratios), None
        return base

    def denoise_apart(self, denoise: Denoise, latent: Tensor, *, controlled: bool) -> Tensor:
        """See :func:`rpg.steering.latents.denoise_apart`.

        Args:
            controlled: something else, such as a ControlNet, says what stands where.
        """
        call = self._under_way()
        parts = self._covered(*call.latent)
        self.inside = True
        try:
            return denoise_apart(denoise, latent, call.joined, parts, plain_rest=self.from_noise and not controlled)
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
                "Another extension has taken the UNet's place, so that regions cannot be denoised by themselves; set "
                "latent_ratio to 0, or turn the other extension off."
            )
        if self._recalled is None or self._recalled[0] is not context:
            joined = call.joined if context is call.base else _with_base(call.joined, context)
            self._recalled = context, self.memory.recall(joined)
        known = self._recalled[1]
        grid = token_grid(call.latent, tokens)
        key = grid, call.base_ratios, row_by_row
        if key not in known.routings:
            numbers = None if row_by_row else known.numbers
            own, carriers = shares(self.areas, call.base_ratios, *grid), self.branches.regions if self.branches else frozenset()
            covered = self._covered(*grid) if carriers else None
            known.routings[key] = route(known.context, known.table, numbers, own, covered=covered, carriers=carriers)
        return known, known.routings[key]

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
