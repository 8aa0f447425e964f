"""Starts one webui for all tests, when the first of them wants it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from rpg import shapes
from tests.webui.host import WEBUI, Webui, build_checkpoints

FAMILIES = ("sd2-v", "sdxl")


def pytest_configure() -> None:
    if not (WEBUI / "launch.py").exists():
        pytest.exit(f"test-webui skipped: no webui in {WEBUI} (set WEBUI to its folder)", returncode=0)


@pytest.fixture(scope="session")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webui]:
    webui = Webui(tmp_path_factory.mktemp("webui"))
    (webui.folder / "styles.csv").write_text('name,prompt,negative_prompt\nstarry,"{prompt}, a green star",gray\n')
    shutil.copytree(shapes.LORA, webui.folder / "models" / "Lora")  # cards are made for the first page
    try:
        building = build_checkpoints(webui.models, FAMILIES)
        webui.wait()
        assert building.wait(120) == 0, (webui.models / "build.txt").read_text()
        webui.post("/sdapi/v1/refresh-checkpoints")
        yield webui
    finally:
        webui.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    outcome = yield
    report: Any = outcome.get_result()  # type: ignore[attr-defined]
    webui = item.funcargs.get("webui") if isinstance(item, pytest.Function) else None
    if report.failed and webui:
        report.sections.append(("webui log", webui.log_tail()))
