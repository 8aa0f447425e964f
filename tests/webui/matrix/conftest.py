"""One webui at a time for the matrix, with every model family; and the table at the end."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.webui.host import Webui, build_checkpoints, write_image
from tests.webui.matrix.extras import write_extras

FAMILIES = ("sd1-deep", "sd1-inpainting", "instruct-pix2pix", "sd2-v", "sdxl", "sdxl-refiner")
COLUMNS = ("run", "passed", "refused", "not in the host", "failed")


class Hosts:
    """Starts a webui for the flags and extensions that a test file names, and stops the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.models = folder / "models"
        self.models.mkdir()
        self.key: object = None
        self.webui: Webui | None = None

    def get(self, flags: tuple[str, ...], extensions: tuple[Path, ...]) -> Webui:
        key = (flags, extensions)
        if self.webui is None or key != self.key:
            self.stop()
            self.key = key
            data = self.folder / f"webui{time.monotonic_ns()}"
            write_extras(data)
            self.webui = Webui(data, [*flags, "--ckpt-dir", str(self.models)], extensions)
            if not list(self.models.glob("*.safetensors")):
                building = build_checkpoints(self.models, FAMILIES)
                assert building.wait(180) == 0, (self.models / "build.txt").read_text()
            self.webui.wait()
            self.webui.post("/sdapi/v1/refresh-checkpoints")
        return self.webui

    def stop(self) -> None:
        if self.webui is not None:
            self.webui.stop()
        self.webui = None


@pytest.fixture(scope="session")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    hosts = Hosts(tmp_path_factory.mktemp("matrix"))
    yield hosts
    hosts.stop()


@pytest.fixture(scope="module")
def webui(hosts: Hosts, request: pytest.FixtureRequest) -> Webui:
    """Started with the test file's ``FLAGS`` and ``EXTENSIONS``."""
    return hosts.get(getattr(request.module, "FLAGS", ()), getattr(request.module, "EXTENSIONS", ()))


@pytest.fixture(scope="module")
def start_picture(webui: Webui) -> str:
    """For img2img."""
    return write_image(webui.generate(prompt="a green star and a red circle").image)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table: combinations by test file; and why the host cannot do some."""
    table: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COLUMNS, 0))
    reasons: Counter[str] = Counter()
    for outcome, reports in terminalreporter.stats.items():
        for report in reports:
            if getattr(report, "when", "") != "call" and outcome not in ("skipped", "error"):
                continue
            row = table[Path(report.nodeid.split("::")[0]).stem.removeprefix("test_")]
            row["run"] += 1
            refused = ("refused", True) in report.user_properties
            column = {"passed": "refused" if refused else "passed", "skipped": "not in the host"}.get(outcome, "failed")
            row[column] += 1
            if outcome == "skipped":
                reasons[str(report.longrepr[2]).removeprefix("Skipped: ")] += 1
    if not table:
        return
    table["total"] = {column: sum(row[column] for row in table.values()) for column in COLUMNS}
    terminalreporter.write_line("")
    terminalreporter.write_line(f"{'':16}" + "".join(f"{column:>16}" for column in COLUMNS))
    for area, row in table.items():
        terminalreporter.write_line(f"{area:16}" + "".join(f"{row[column]:16}" for column in COLUMNS))
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} x {reason}")
