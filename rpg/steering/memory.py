"""What follows from the contexts in use, kept from step to step: who attends to what, and keys and values."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from rpg.steering.attention import QueryBatch, Routing
from rpg.steering.conditioning import Joined, Table, distinct

MAX_IDLE = 8
"""After how many calls of the UNet without it a context is forgotten; hosts may split a step's rows over several calls."""
MAX_KEPT = 0.035
"""Most memory that kept keys and values may take, in shares of the UNet's weights. What does not fit is computed anew."""


@dataclass(eq=False)
class Known:
    """A joined context in use, and everything that follows from it."""

    context: Tensor
    table: Table
    numbers: list[list[int]]
    """Of the conditionings of each row: see :func:`rpg.steering.conditioning.distinct`."""
    routings: dict[object, Routing] = field(default_factory=dict)
    projected: dict[tuple[nn.Module, QueryBatch], Tensor] = field(default_factory=dict)
    """Keys and values, by projection and what is projected."""
    size: int = 0
    """Their bytes."""
    idle: int = 0
    """Calls of the UNet since it was in use."""

    def equals(self, joined: Joined) -> bool:
        context, own = joined.context, self.context
        return (joined.table, context.dtype, context.device) == (self.table, own.dtype, own.device) and torch.equal(context, own)


class Memory:
    """The contexts in use.

    Args:
        merge: compute conditionings that are equal once; otherwise each for itself, with the same result.
    """

    def __init__(self, merge: bool) -> None:
        self._merge = merge
        self._limit = 0
        self._known: list[Known] = []

    def measure(self, unet: nn.Module) -> None:
        """Take as much room as suits ``unet``."""
        self._limit = int(MAX_KEPT * sum(parameter.nbytes for parameter in unet.parameters()))

    def forget(self) -> None:
        self._known.clear()

    def age(self) -> None:
        """One more call of the UNet; what has been out of use for long is dropped."""
        for known in self._known:
            known.idle += 1
        self._known = [known for known in self._known if known.idle <= MAX_IDLE]

    def recall(self, joined: Joined) -> Known:
        """What is known of a context. Found by its values: comparing them waits for the device."""
        # The longest unused first, as hosts that split rows take turns.
        known = next((known for known in self._known if known.equals(joined)), None)
        if known is None:
            known = Known(joined.context.clone(), joined.table, distinct(joined.context, joined.table, self._merge))
        else:
            self._known.remove(known)
        self._known.append(known)
        known.idle = 0
        return known

    @property
    def kept(self) -> int:
        """Bytes of the keys and values that are kept."""
        return sum(known.size for known in self._known)

    def keep(self, known: Known, projection: nn.Module, batch: QueryBatch, result: Tensor) -> None:
        """Keep a key or value, if there is room."""
        if self.kept + result.nbytes <= self._limit:
            known.projected[projection, batch] = result
            known.size += result.nbytes
