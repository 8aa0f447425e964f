import pytest

from rpg.llm import PROVIDERS, asking, chat_options


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No memory of earlier tests, no keys in the environment, short waits."""
    chat_options._refused.clear()
    monkeypatch.setattr(asking, "FIRST_WAIT", 0.05)
    for provider in PROVIDERS.values():
        for name in provider.key_env:
            monkeypatch.delenv(name, raising=False)
