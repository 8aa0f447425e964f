import pytest

from rpg.planners import cache
from tests.llm.conftest import fresh

__all__ = ["fresh"]


@pytest.fixture(autouse=True)
def forgetful() -> None:
    """No plans of earlier tests."""
    cache._plans.clear()
