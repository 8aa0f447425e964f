"""The arguments of a UNet and of its cross-attention layers, by position or by name, in the original code or in diffusers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from rpg.errors import GenerationError

LatentWindow = tuple[slice, slice]
"""Rows and columns of a latent."""
RESIDUALS = (
    *("down_block_additional_residuals", "mid_block_additional_residual", "down_intrablock_additional_residuals"),  # diffusers
    "control",  # Forge
)
"""Arguments of a UNet that a ControlNet or an adapter made: tensors as large as the levels of the whole picture."""


class Call:
    """A call of a UNet or of a layer.

    Args:
        place: of the context, where it comes by position; the picture, or a layer's tokens, come first.

    Attributes:
        x: the picture [rows, channels, height, width], or a layer's tokens [rows, tokens, channels].
        context: [rows, tokens, channels].
        beside: what a layer attends to beside it, such as an IP-Adapter's pictures in diffusers, with as many rows; or nothing.
        args, kwargs: all others.
    """

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, place: int) -> None:
        self.kwargs = dict(kwargs)
        self.x, *self.args = args or (self.kwargs.pop("sample"),)
        self.place = place - 1
        self.name = next((name for name in ("encoder_hidden_states", "context") if name in kwargs), "")
        by_position = self.args.pop(self.place) if not self.name and len(self.args) > self.place else None
        self.context = self.kwargs.pop(self.name, by_position)
        self.beside: tuple[Any, ...] = ()
        if isinstance(self.context, tuple) and self.context:
            self.context, *beside = self.context
            self.beside = tuple(beside)
        if not isinstance(self.context, Tensor):
            kind = type(self.context).__name__
            raise GenerationError(f"Cross-attention got {kind} as its context; regions need the prompt's tensor.")

    @property
    def timestep(self) -> float:
        """Of a call of a UNet; the same for all rows."""
        time = self.args[0] if self.args else self.kwargs["timestep" if "timestep" in self.kwargs else "timesteps"]
        return float(torch.as_tensor(time).flatten()[0])

    @property
    def is_controlled(self) -> bool:
        """Whether a ControlNet or an adapter adds to a call of a UNet."""
        return any(self.kwargs.get(name) is not None for name in RESIDUALS)

    def made_of(
        self, x: Tensor, context: Tensor, windows: Sequence[LatentWindow] | None = None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with others in the place of these two.

        Args:
            windows: what parts of the picture ``x`` holds, one after the other: the rows of all other arguments are
                repeated, and those as large as the picture are cut.
        """
        args, kwargs = self.args, self.kwargs
        if windows is not None:
            args, kwargs = _repeated((args, kwargs), len(self.x), len(windows))
            size = self.x.shape[-2], self.x.shape[-1]
            kwargs = {**kwargs, **{name: _cut(self.kwargs[name], windows, size) for name in RESIDUALS if name in kwargs}}
            if "transformer_options" in kwargs:
                rows = _rows_of(self.kwargs["transformer_options"], len(self.x), len(windows))
                kwargs["transformer_options"] = {**kwargs["transformer_options"], **rows}
        whole = (context, *self.beside) if self.beside else context
        if self.name:
            return (x, *args), {**kwargs, self.name: whole}
        return (x, *args[: self.place], whole, *args[self.place :]), kwargs

    def to(self, forward: Callable[..., Any], x: Tensor, context: Tensor, windows: Sequence[LatentWindow] | None = None) -> Any:
        """The answer of ``forward`` to them."""
        args, kwargs = self.made_of(x, context, windows)
        return forward(*args, **kwargs)


def _repeated(value: Any, rows: int, times: int) -> Any:
    """``value`` with the rows of its tensors, such as pooled embeddings and times, repeated as a whole."""
    if times == 1:
        return value
    if isinstance(value, Tensor):
        return torch.cat([value] * times) if value.dim() and len(value) == rows else value
    if isinstance(value, dict):
        return {name: _repeated(one, rows, times) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_repeated(one, rows, times) for one in value)
    return value


def _cut(value: Any, windows: Sequence[LatentWindow], latent: tuple[int, int]) -> Any:
    """The parts of the tensors in ``value`` [rows, channels, height, width], each of a level of the UNet, as windows of the
    latent have them at that level."""
    if isinstance(value, Tensor):
        if value.dim() != 4 or value.shape[-1] == value.shape[-2] == 1:  # of no place
            return torch.cat([value] * len(windows))
        sides = list(zip(latent, value.shape[-2:]))
        places = [[_at_level(part, *side) for part, side in zip(window, sides)] for window in windows]
        return torch.cat([value[..., rows, columns] for rows, columns in places])
    if isinstance(value, dict):
        return {name: _cut(one, windows, latent) for name, one in value.items()}
    return type(value)(_cut(one, windows, latent) for one in value) if isinstance(value, (list, tuple)) else value


def _at_level(part: slice, whole: int, size: int) -> slice:
    """Where a part of one side of the latent lies on a level of ``size``, and as long as the UNet makes it there: every level
    halves, rounding up."""
    factor = 2 ** round(math.log2(whole / size))
    start, stop, _ = part.indices(whole)
    length = -(-(stop - start) // factor)
    first = min(round(start / factor), size - length)
    return slice(first, first + length)


def _rows_of(options: dict[str, Any], rows: int, times: int) -> dict[str, Any]:
    """Forge's lists that say which rows are whose, for rows that are repeated as a whole."""
    chunks = {"cond_or_uncond": options["cond_or_uncond"] * times} if "cond_or_uncond" in options else {}
    indices = {
        name: [index + rows * number for number in range(times) for index in options[name]]
        for name in ("cond_indices", "uncond_indices")
        if name in options
    }
    return chunks | indices
