"""``python -m rpg batch --webui`` with two real webuis on loopback."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rpg.cli import main
from tests.webui.host import Webui

CAPTIONS = [f"a {colour} circle on the left and a gray square on the right" for colour in ("red", "blue", "green", "white")]
COUNT = 2 * len(CAPTIONS)


class WithoutRPG(Webui):
    def write_settings(self, **settings: Any) -> None:
        super().write_settings(**settings, disabled_extensions=["sd-webui-rpg"])


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webui]:
    """Without the extension, at first."""
    second = WithoutRPG(tmp_path_factory.mktemp("second"))
    try:
        second.wait()
        yield second
    finally:
        second.stop()


def batch(folder: Path, out: str, *webuis: Webui, steps: int = 4) -> int:
    (folder / "prompts.txt").write_text("\n".join(CAPTIONS * 2))
    options = ["--steps", str(steps), "--width", "256", "--height", "128", "--sampler", "DPM++ 2M", "--guidance", "4"]
    urls = [webui.url for webui in webuis]
    return main(["batch", str(folder / "prompts.txt"), "--output", str(folder / out), *options, "--webui", *urls])


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


def test_two_webuis_make_the_pictures_of_one(
    webui: Webui, second: Webui, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    webui.options(sd_model_checkpoint="shapes")
    assert batch(tmp_path, "plain", webui, second) == 2
    assert f"{second.url} has no RPG extension, so its pictures would be plain" in capsys.readouterr().err
    assert not (tmp_path / "plain").exists()

    second.options(disabled_extensions=[])
    second.reload()
    assert batch(tmp_path, "one", webui) == 0
    assert batch(tmp_path, "two", webui, second) == 0
    one = pictures(tmp_path / "one")
    assert len(one) == COUNT
    assert len(set(one.values())) == COUNT
    assert pictures(tmp_path / "two") == one

    answers: list[int] = []
    job = threading.Thread(target=lambda: answers.append(batch(tmp_path, "killed", webui, second)))
    job.start()
    while not pictures(tmp_path / "killed"):
        assert job.is_alive()
        time.sleep(0.01)
    while not second.get("/sdapi/v1/progress?skip_current_image=true")["state"]["sampling_step"]:
        assert job.is_alive()
    os.killpg(second.process.pid, signal.SIGKILL)
    job.join(300)
    assert answers == [0]
    assert pictures(tmp_path / "killed") == one
