"""``python -m rpg batch --ray`` on a real cluster of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from rpg.cli import main
from tests.sentences import CHECKOUT

CAPTIONS = [f"a {one} circle on the left and a {two} square on the right" for one in ("red", "blue") for two in ("red", "gray")]
COUNT = 4 * len(CAPTIONS)
SETTINGS = ["--steps", "4", "--width", "64", "--height", "64"]
ENVIRONMENT = {
    **os.environ,
    "RAY_AUTH_MODE": "disabled",
    "PYTHONPATH": str(CHECKOUT),
    "OMP_NUM_THREADS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "OPENAI_API_KEY": "sk-needle",
}


@dataclass
class Head:
    """A cluster's head with two processors."""

    address: str
    folder: str

    def processes(self) -> list[psutil.Process]:
        """With those that it has started, under whatever name."""
        own = [process for process in psutil.process_iter(["cmdline"]) if self.folder in " ".join(process.info["cmdline"] or [])]
        return [*own, *(child for process in own for child in process.children(recursive=True))]

    def kill(self) -> None:
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()


def needs_ray() -> None:
    os.environ["RAY_AUTH_MODE"] = "disabled"  # before it is imported
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'sd-webui-rpg[ray]'")


def start() -> Head:
    needs_ray()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    head = Head(f"127.0.0.1:{port}", tempfile.mkdtemp(prefix="rpg-", dir="/tmp"))  # short: it holds sockets
    options = ["--node-ip-address", "127.0.0.1", "--port", str(port), "--temp-dir", head.folder, "--num-cpus", "2"]
    quiet = ["--disable-usage-stats", "--include-dashboard=false", "--object-store-memory", "100000000"]
    ray = "from ray.scripts.scripts import main; main()"
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "OPENAI_API_KEY"}
    subprocess.run(
        [sys.executable, "-c", ray, "start", "--head", *options, *quiet],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=120,
    )
    return head


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    head = start()
    yield head
    head.kill()


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    (tmp_path / "prompts.txt").write_text("\n".join(CAPTIONS * 4))
    return tmp_path / "prompts.txt"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """As this process makes them."""
    folder = tmp_path_factory.mktemp("here")
    (folder / "prompts.txt").write_text("\n".join(CAPTIONS * 4))
    assert batch(folder / "prompts.txt", "out") == 0
    return pictures(folder / "out")


def batch(prompts: Path, out: str, *options: str) -> int:
    return main(["batch", str(prompts), "--output", str(prompts.parent / out), *SETTINGS, *options])


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


def wait_for_pictures(folder: Path, count: int) -> None:
    until = time.monotonic() + 120
    while len(pictures(folder)) < count:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_cluster_makes_the_pictures_of_this_machine(head: Head, prompts: Path, expected: dict[str, bytes]) -> None:
    """Also where a process finds no place."""
    assert len(expected) == COUNT
    assert batch(prompts, "out", "--ray", head.address, "--workers", "3") == 0
    assert pictures(prompts.parent / "out") == expected


def test_a_process_that_is_killed_loses_no_picture(
    head: Head, prompts: Path, expected: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    answers: list[int] = []
    job = threading.Thread(target=lambda: answers.append(batch(prompts, "out", "--ray", head.address, "--workers", "2")))
    job.start()
    wait_for_pictures(prompts.parent / "out", 2)
    next(process for process in head.processes() if process.name().startswith("ray::Process")).kill()
    job.join(200)
    assert answers == [0]
    assert pictures(prompts.parent / "out") == expected
    assert "broke off" in capsys.readouterr().err
    assert not (prompts.parent / "out" / "failures.jsonl").exists()


def test_the_head_is_killed_and_the_rest_is_made_without(prompts: Path, expected: dict[str, bytes]) -> None:
    head = start()
    folder = prompts.parent / "out"
    command = [sys.executable, "-m", "rpg", "batch", prompts, "--output", folder, *SETTINGS, "--ray", head.address]
    try:
        with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as process:
            wait_for_pictures(folder, 2)
            head.kill()
            _, told = process.communicate(timeout=120)
    finally:
        head.kill()
    assert process.returncode == 2
    assert f"error: The head of the Ray cluster ({head.address}) is gone. What is done is kept" in told
    assert not (folder / "failures.jsonl").exists()
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.png")}
    assert 2 <= len(before) < COUNT
    assert batch(prompts, "out") == 0
    assert pictures(folder) == expected
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_model_that_the_cluster_lacks(head: Head, prompts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert batch(prompts, "out", "--ray", head.address, "--model", "nowhere") == 2
    assert "error: Ray process 1: There is no model 'nowhere'" in capsys.readouterr().err
    assert not (prompts.parent / "out").exists()


def test_a_cluster_that_is_not_there(prompts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needs_ray()
    assert batch(prompts, "out", "--ray", "127.0.0.1:1") == 2
    assert "error: Ray cannot be used at 127.0.0.1:1 ([Errno 111] Connection refused)" in capsys.readouterr().err


def test_without_ray(prompts: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert batch(prompts, "out", "--ray") == 2
    assert "install the package with: pip install 'sd-webui-rpg[ray]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--ray", "--webui", "http://127.0.0.1:1"], "There are both --webui and --ray; keep one."),
        (["--workers", "2"], "--workers is for a Ray cluster; give --ray, too."),
    ],
)
def test_options_that_do_not_fit(options: list[str], sentence: str, prompts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert batch(prompts, "out", *options) == 2
    assert sentence in capsys.readouterr().err
