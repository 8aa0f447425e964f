"""The arguments of a UNet and of its cross-attention layers, by position or by name, in the original code or in diffusers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from rpg.errors import GenerationError


class Call:
    """A call of a UNet or of a layer.

    Args:
        place: of the context, where it comes by position; the picture, or a layer's tokens, come first.

    Attributes:
        x: the picture [rows, channels, height, width], or a layer's tokens [rows, tokens, channels].
        context: [rows, tokens, channels].
        args, kwargs: all others.
    """

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, place: int) -> None:
        self.kwargs = dict(kwargs)
        self.x, *self.args = args or (self.kwargs.pop("sample"),)
        self.place = place - 1
        self.name = next((name for name in ("encoder_hidden_states", "context") if name in kwargs), "")
        by_position = self.args.pop(self.place) if not self.name and len(self.args) > self.place else None
        self.context = self.kwargs.pop(self.name, by_position)
        if not isinstance(self.context, Tensor):
            kind = type(self.context).__name__
            raise GenerationError(f"Cross-attention got {kind} as its context; regions need the prompt's tensor.")

    @property
    def timestep(self) -> float:
        """Of a call of a UNet; the same for all rows."""
        time = self.args[0] if self.args else self.kwargs["timestep" if "timestep" in self.kwargs else "timesteps"]
        return float(torch.as_tensor(time).flatten()[0])

    def made_of(self, x: Tensor, context: Tensor, times: int = 1) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with others in the place of these two, and the rows of all the others repeated."""
        args, kwargs = _repeated((self.args, self.kwargs), len(self.x), times)
        if self.name:
            return (x, *args), {**kwargs, self.name: context}
        return (x, *args[: self.place], context, *args[self.place :]), kwargs

    def to(self, forward: Callable[..., Any], x: Tensor, context: Tensor, times: int = 1) -> Any:
        """The answer of ``forward`` to them."""
        args, kwargs = self.made_of(x, context, times)
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
