from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rpg import shapes
from rpg.cli import main
from rpg.cli.files import read_plan, read_remake
from rpg.infotext import PNG_KEY
from rpg.llm import trust
from rpg.plan import Plan, Region
from rpg.planners.rules import plan as rules
from tests.benchmarks.composition.judge import read
from tests.test_infotext import WEBUI

CAPTION = "a red circle on the left and a blue square on the right"
QUICK = ["--steps", "1", "--width", "64", "--height", "64"]


def test_a_caption_becomes_a_picture_with_its_plan_beside_it(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["generate", CAPTION, "--seed", "8"]) == 0
    seed, picture, plan = (line.split(": ")[1].strip() for line in capsys.readouterr().out.splitlines())
    assert seed == "8"
    image = Image.open(picture)
    found = sorted(read(image), key=lambda item: item.centre)
    assert [item.kind for item in found] == [("red", "circle"), ("blue", "square")]
    written = Plan.from_json(Path(plan).read_text("utf-8"))
    assert [region.prompt for region in written.regions] == ["a red circle", "a blue square"]
    assert (written.split_ratio, written.base_ratio, written.caption) == ("1,1", 0, CAPTION)
    assert written.latent_ratio == shapes.LATENT_RATIO
    assert read_plan(Path(picture)) == written


def test_a_picture_makes_itself_again(tmp_path: Path) -> None:
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    assert main(["generate", "两只猫", "--regions", "a cat BREAK 猫", "--seed", "3", *QUICK, "--output", str(first)]) == 0
    assert main(["generate", "--remake", str(first), "--output", str(second)]) == 0
    assert Image.open(first).tobytes() == Image.open(second).tobytes()
    assert Image.open(first).info == Image.open(second).info
    assert read_plan(second) == Plan((Region("a cat"), Region("猫")), "1,1", caption="两只猫", latent_ratio=shapes.LATENT_RATIO)


def test_a_picture_says_how_it_was_made(tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    options = ["--negative-prompt", "a dog", "--seed", "3", "--guidance", "2.5", "--batch-size", "2", *QUICK]
    assert main(["generate", "two cats", "--regions", "a cat", "a big cat", *options, "--output", str(out)]) == 0
    model_hash = hashlib.sha256(shapes.CHECKPOINT.read_bytes()).hexdigest()[:10]
    for number, seed in ((1, 3), (2, 4)):
        prompts, settings = Image.open(tmp_path / f"out-{number}.png").info[PNG_KEY].split("\nSteps: ")
        assert prompts == "two cats\nNegative prompt: a dog"
        assert settings.startswith(
            f"1, Sampler: Euler a, CFG scale: 2.5, Seed: {seed}, Size: 64x64, Model hash: {model_hash}, Model: shapes, RNG: CPU, "
        )


def test_remaking_says_what_is_different(tmp_path: Path, capsys) -> None:
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    info = PngInfo()
    info.add_text(PNG_KEY, WEBUI)
    Image.new("RGB", (256, 128)).save(first, pnginfo=info)
    assert main(["generate", "--remake", str(first), "--seed", "9", "--height", "64", "--output", str(second)]) == 0
    errors = capsys.readouterr().err
    assert "The picture was made with the sampler DPM++ 2M; this one is made with Euler a." in errors
    assert "The picture was made with the model a, b; this one is made with shapes." in errors
    made, _ = read_remake(second)
    former, _ = read_remake(first)
    expected = replace(former, seed=9, size=(256, 64), sampler="Euler a", denoising_strength=None)
    assert replace(made, model_hash=expected.model_hash, model=expected.model) == expected


def test_options_overrule_the_plan(tmp_path: Path) -> None:
    source, out = tmp_path / "plan.json", tmp_path / "new folder" / "out.png"
    source.write_text(json.dumps({"regions": ["a cat", "a dog"], "base_ratio": 0.9, "base_prompt": "pets"}))
    options = ["--split-ratio", "1;3", "--base-ratio", "0.1", "--batch-size", "2"]
    assert main(["generate", "--plan", str(source), *options, *QUICK, "--output", str(out)]) == 0
    expected = Plan((Region("a cat"), Region("a dog")), "1;3", "pets", 0.1, latent_ratio=shapes.LATENT_RATIO)
    assert read_plan(out.with_suffix(".json")) == expected
    assert sorted(path.name for path in out.parent.iterdir()) == ["out-1.png", "out-2.png", "out.json"]
    assert read_plan(out.parent / "out-2.png") == expected


def test_a_common_prompt_is_as_if_written_in_every_region(tmp_path: Path, capsys) -> None:
    def made(name: str, *options: str) -> Image.Image:
        assert main(["generate", *options, *QUICK, "--seed", "1", "--output", str(tmp_path / name)]) == 0
        return Image.open(tmp_path / name)

    regions = ["a red circle", "a blue square"]
    common = made("common.png", CAPTION, "--common-prompt", "gray,")
    assert read_plan(tmp_path / "common.png").common_prompt == "gray,"
    written = made("written.png", CAPTION, "--regions", *(f"gray, {prompt}" for prompt in regions), "--base-ratio", "0")
    assert common.tobytes() == written.tobytes()
    again = made("again.png", "--remake", str(tmp_path / "common.png"))
    without = made("without.png", "--remake", str(tmp_path / "common.png"), "--common-prompt", "")
    assert again.tobytes() == common.tobytes() != without.tobytes()
    assert made("plain.png", CAPTION).tobytes() == without.tobytes()
    capsys.readouterr()
    assert main(["plan", CAPTION, "--common-prompt", "gray"]) == 0
    assert "Common prompt: gray\n" in capsys.readouterr().out


def test_captions_are_planned_by_the_chosen_planner(tmp_path: Path, capsys) -> None:
    assert main(["plan", CAPTION, "--json"]) == 0
    assert Plan.from_json(capsys.readouterr().out) == rules(CAPTION)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "There is nothing to draw"),
        (["  "], "There is nothing to draw"),
        (["a cat", "--split-ratio", "1,,1"], "split_ratio '1,,1' has an empty cell"),
        (["--regions", "a", "b", "--split-ratio", "1"], "makes 1 region, but there are 2 region prompts"),
        (["--regions", "a", "--plan", "x.json"], "--plan and --regions were both given"),
        (["--remake", "plain.png"], "plain.png carries no plan"),
        (["--remake", "broken.json"], "broken.json carries no plan"),
        (["--plan", "missing.json"], "missing.json: No such file or directory"),
        (["--plan", "plain.png"], "plain.png carries no plan"),
        (["--plan", "broken.json"], "not valid JSON"),
        (["--plan", "binary.json"], "neither a plan in JSON nor a picture"),
        (["a cat", "--output", "cat.jpg"], "--output is 'cat.jpg'"),
        (["a cat", "--model", "nowhere"], "There is no model 'nowhere'"),
        (["a cat", "--model", "broken.json"], "broken.json is no .safetensors file"),
        (["a cat", "--model", "empty.safetensors"], "The model 'empty.safetensors' cannot be loaded"),
        (["a cat", "--model", "folder"], "The model 'folder' cannot be loaded"),
        (["a cat", "--lora-folder", "nowhere"], "--lora-folder is 'nowhere'"),
        (["--regions", "a cat <lora:hat:1>"], "<lora:hat:1> names a LoRA that is not in"),
        (["a cat", "--width", "100"], "width is 100; it must be a multiple of 8"),
        (["a cat", "--planner", "openai"], "OPENAI_API_KEY"),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(arguments: list[str], sentence: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    Image.new("RGB", (8, 8)).save("plain.png")
    Path("broken.json").write_text('{"regions": [')
    Path("binary.json").write_bytes(b"\x80\xfe\x00\x80" * 10)
    Path("empty.safetensors").write_bytes(b"")
    Path("folder").mkdir()
    assert main(["generate", *arguments]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("Loading")]
    assert len(errors) == 1
    assert errors[0].startswith("error: ")
    assert sentence in errors[0]
    assert not Path("outputs").exists()


@pytest.mark.parametrize("arguments", [["--seed", "-1"], ["--steps", "0"], ["--width", "wide"], ["--batch-size", "0"]])
def test_numbers_are_checked_before_anything_is_loaded(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["generate", "a cat", *arguments])
    assert caught.value.code == 2
    assert arguments[0] in capsys.readouterr().err


@pytest.mark.parametrize(("host", "others"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True), ("::", True)])
def test_a_page_for_other_machines_trusts_their_requests_less(host: str, others: bool, monkeypatch) -> None:
    monkeypatch.setattr(trust, "_others", False)
    assert main(["ui", "--host", host, "--model", "nowhere"]) == 2
    assert trust._others is others


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rpg", "generate", CAPTION, "--steps", "900"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    # A shell that runs the tests in the background has them ignore Ctrl-C, and so would the command.
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        seen = b""
        while b"Generating:   1%" not in seen:  # in the middle of the steps
            piece = process.stderr.read1()
            assert piece, seen.decode()
            seen += piece
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read().decode()
    assert process.returncode == 130
    assert rest.endswith("Cancelled.\n")
    assert "Traceback" not in rest
    assert not list(tmp_path.iterdir())
