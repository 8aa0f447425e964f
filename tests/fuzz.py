"""One decorator for property tests: hundreds of examples in a plain run, 100,000 with ``RPG_FUZZ=1``."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings


def fuzz(test: Callable[..., Any], examples: int = 500) -> Callable[..., Any]:
    count = 100_000 if os.environ.get("RPG_FUZZ") else examples
    return pytest.mark.fuzz(settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))(test))
