"""A method of the host's generation, wrapped for one call."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def wrap_once(p: Any, name: str, wrapper: Callable[..., Any]) -> None:
    """Make the next call of ``p.name(...)``, and only that, ``wrapper(original, ...)``.

    What stood there before, perhaps another script's function, is put back first.
    """
    own = p.__dict__.get(name)
    original = getattr(p, name)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if own is None:
            p.__dict__.pop(name, None)
        else:
            setattr(p, name, own)
        return wrapper(original, *args, **kwargs)

    setattr(p, name, wrapped)
