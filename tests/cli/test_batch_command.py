"""``python -m rpg batch`` with the embedded model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from rpg import shapes
from rpg.cli import main
from rpg.cli.files import read_remake
from tests.llm.servers import Handler, error, serve, streamed

QUICK = ["--steps", "2", "--width", "64", "--height", "64"]
CAPTIONS = [
    f"a {one} circle on the left and a {other} square on the right"
    for one in ("red", "blue", "green")
    for other in ("red", "gray")
]


def batch(file: Path, folder: Path, *options: str) -> int:
    return main(["batch", str(file), "--output", str(folder), *QUICK, *options])


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.txt"
    path.write_text("\n".join(CAPTIONS))
    return path


def test_every_picture_says_how_it_was_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "prompts.jsonl").write_text(
        '{"plan": {"regions": ["a cat", "a dog"]}, "seed": 9, "width": 128, "negative_prompt": "a fox"}\n' + CAPTIONS[0]
    )
    assert batch(tmp_path / "prompts.jsonl", tmp_path / "out", "--seed", "5", "--negative-prompt", "gray", "--guidance", "3") == 0
    assert capsys.readouterr().out == f"pictures: 2 of 2 in {tmp_path / 'out'}\n"
    told = [read_remake(path) for path in sorted((tmp_path / "out").glob("*.png"))]
    assert [(made.seed, made.size, made.negative_prompt) for made, _ in told] == [(9, (128, 64), "a fox"), (6, (64, 64), "gray")]
    assert [len(plan.regions) for _, plan in told] == [2, 2]
    assert {plan.latent_ratio for _, plan in told} == {shapes.LATENT_RATIO}
    assert (told[0][0].steps, told[0][0].guidance_scale, told[0][0].sampler) == (2, 3, "Euler a")
    assert (
        main(["generate", "--remake", str(next((tmp_path / "out").glob("00002*"))), "--output", str(tmp_path / "one.png")]) == 0
    )
    assert Image.open(tmp_path / "one.png").tobytes() == Image.open(next((tmp_path / "out").glob("00002*"))).tobytes()


def test_killed_and_started_again_it_makes_the_rest(prompts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    command = [sys.executable, "-m", "rpg", "batch", prompts, "--output", killed, *QUICK]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while len(pictures(killed)) < 2:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    before = {path: path.stat().st_mtime_ns for path in killed.glob("*.png")}
    assert 2 <= len(before) < len(CAPTIONS)
    assert batch(prompts, killed) == batch(prompts, whole) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(pictures(whole)) == len(CAPTIONS)
    assert pictures(killed) == pictures(whole)
    assert {path.name for path in killed.iterdir()} == {*pictures(whole), ".lock", "plans"}
    assert "Another" not in capsys.readouterr().err


def test_another_model_or_other_settings_are_other_pictures(prompts: Path, tmp_path: Path) -> None:
    prompts.write_text(CAPTIONS[0])
    batch(prompts, tmp_path / "out")
    batch(prompts, tmp_path / "out", "--guidance", "2")
    batch(prompts, tmp_path / "out", "--guidance", "2")
    assert len(pictures(tmp_path / "out")) == 2
    assert len(list((tmp_path / "out" / "plans").iterdir())) == 1


def test_a_server_that_limits_the_rate_of_requests(tmp_path: Path) -> None:
    lock = threading.Lock()
    count = running = most = 0

    def limited(handler: Handler) -> None:
        nonlocal count, running, most
        with lock:
            count, running = count + 1, running + 1
            most = max(most, running)
            refused = count % 3 == 0
        time.sleep(0.05)  # so that calls meet
        with lock:
            running -= 1
        (error(429, "Rate limit reached", retry_after="0.05") if refused else streamed())(handler)

    (tmp_path / "prompts.txt").write_text("\n".join(f"a cat and a dog, take {number}" for number in range(6)))
    with serve(limited) as server:
        options = ["--planner", "compatible", "--base-url", server.url, "--planner-calls", "3"]
        assert batch(tmp_path / "prompts.txt", tmp_path / "out", *options) == 0
    assert len(pictures(tmp_path / "out")) == 6
    assert 6 + 2 <= count <= 9
    assert 1 < most <= 3


def test_lines_that_fail_are_told_at_the_end(prompts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prompts.write_text(f"<lora:a:1>\n{CAPTIONS[0]}")
    assert batch(prompts, tmp_path / "out") == 2
    output = capsys.readouterr()
    assert output.out.startswith("pictures: 1 of 2")
    assert "1 of 2 lines failed" in output.err.splitlines()[-1]
    failure = json.loads((tmp_path / "out" / "failures.jsonl").read_text())
    assert (failure["line"], failure["caption"]) == (1, "<lora:a:1>")
    assert f"Line 1: {failure['error']}" in output.err


@pytest.mark.parametrize(
    ("line", "options", "sentence"),
    [
        ('{"caption": "a cat", "sede": 1}', [], "Line 2: Unknown field 'sede'"),
        ("a cat", ["--width", "100"], "--width is 100; it must be a multiple of 8"),
        ("a cat", ["--model", "nowhere"], "There is no model 'nowhere'"),
        ("a cat", ["--key-variable", "NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE is empty"),
    ],
)
def test_mistakes_are_told_before_anything_is_made(
    line: str, options: list[str], sentence: str, prompts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts.write_text(f"a dog\n{line}")
    assert batch(prompts, prompts.with_name("out"), *options) == 2
    assert sentence in capsys.readouterr().err
    assert not prompts.with_name("out").exists()
