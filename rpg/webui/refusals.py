"""Refusals by the API: one line on the console. The host prints a traceback of every exception but FastAPI's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from fastapi import HTTPException

from rpg.errors import RPGError


def refusal(error: RPGError) -> HTTPException:
    """Tell the console, and give the error as FastAPI's kind under its own name: the host answers with the same fields."""
    print(f"RPG refused a request: {error}")
    kind = type(type(error).__name__, (HTTPException,), {"__str__": lambda self: self.detail})
    told: HTTPException = kind(error.status_code, error.detail)
    vars(told).update(vars(error))
    return told


def refusing(route: Callable[..., Any]) -> Callable[..., Any]:
    """The function of a route, with errors as refusals."""

    @wraps(route)
    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            return route(*args, **kwargs)
        except RPGError as error:
            raise refusal(error) from None

    return answer
