from tests.llm.conftest import fresh

__all__ = ["fresh"]
