"""Checkpoint files, with and without a connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from rpg import shapes
from rpg.errors import GenerationError
from rpg.pipelines.loading import load

FETCH = "diffusers.loaders.single_file.snapshot_download"


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "model.safetensors"
    path.write_bytes(shapes.CHECKPOINT.read_bytes())
    return str(path)


def test_a_configuration_that_was_fetched_before_needs_no_connection(model: str, monkeypatch) -> None:
    def fetched(*_: Any, local_files_only: bool, **__: Any) -> str:
        assert local_files_only
        return str(shapes.CONFIG)

    monkeypatch.setattr(FETCH, fetched)
    assert load(model).name == "model"


def test_one_that_is_missing_is_fetched_or_named(model: str, monkeypatch) -> None:
    asked: list[bool] = []

    def unreachable(*_: Any, local_files_only: bool, **__: Any) -> str:
        asked.append(local_files_only)
        raise LocalEntryNotFoundError("no snapshot")

    monkeypatch.setattr(FETCH, unreachable)
    with pytest.raises(GenerationError, match="fetched once from the Hugging Face Hub, and that cannot be reached"):
        load(model)
    assert asked == [True, False]
