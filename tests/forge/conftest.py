"""Starts one Forge for all tests, when the first of them wants it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rpg import shapes
from tests.webui.conftest import pytest_runtest_makereport  # noqa: F401
from tests.webui.host import EXTRAS, FLAGS, SETTINGS, Kind, Webui
from tests.webui.matrix.extras import write_extras

ROOT = Path(os.environ.get("FORGE") or Path.home() / "stable-diffusion-webui-forge")
HIRES = {"hr_additional_modules": [], "hr_cfg": SETTINGS["cfg_scale"]}
FORGE = Kind(
    ROOT,
    (*FLAGS, "--always-cpu", "--gradio-allowed-path", str(ROOT)),
    (Path(__file__).parent / "support", *EXTRAS),
    HIRES,
)


def pytest_configure() -> None:
    if not (ROOT / "launch.py").exists():
        pytest.exit(f"test-forge skipped: no Forge in {ROOT} (set FORGE to its folder)", returncode=0)


@pytest.fixture(scope="session")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webui]:
    webui = Webui(tmp_path_factory.mktemp("forge"), kind=FORGE)
    (webui.folder / "styles.csv").write_text('name,prompt,negative_prompt\nstarry,"{prompt}, a green star",gray\n')
    write_extras(webui.folder)
    shutil.copytree(shapes.LORA, webui.folder / "models" / "Lora", dirs_exist_ok=True)  # cards are made for the first page
    (webui.folder / "models" / "ControlNet").mkdir()
    shutil.copy(shapes.CHECKPOINT.with_name("control.safetensors"), webui.folder / "models" / "ControlNet")
    try:
        webui.wait(seconds=600)
        yield webui
    finally:
        webui.stop()
