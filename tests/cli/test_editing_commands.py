"""Checking, editing and refining on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rpg.cli import main
from rpg.cli.files import read_remake
from rpg.infotext import PNG_KEY, Infotext
from rpg.planners.rules import plan
from rpg.shapes.sight import objects
from rpg.shapes.training.scenes import ColouredShape, Scene, draw
from tests.llm.servers import serve, streamed

CAPTION = "a red circle on the left and a blue star on the right"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A red circle and a green star, with a plan that says blue."""
    path, info = tmp_path / "drawn.png", PngInfo()
    info.add_text(PNG_KEY, str(Infotext(CAPTION, steps=20, sampler="Euler a", seed=1, size=(192, 96), plan=plan(CAPTION))))
    things = ColouredShape("red", "circle", 48, 48, 44), ColouredShape("green", "star", 144, 48, 48)
    draw(Scene(192, 96, "white", things)).save(path, pnginfo=info)
    return path


def test_a_picture_is_checked_against_the_plan_that_it_carries(picture: Path, capsys) -> None:
    assert main(["check", str(picture)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "5 of 8 checks passed."
    assert any(line.startswith("NO   attribute-2  There is a blue star.") for line in lines)
    assert main(["check", str(picture), "--caption", "a green star", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    failed = {check["id"] for check in told["checks"] if not check["pass"]}
    assert failed == {"absent-1"}
    assert all(0 <= side <= 1 for check in told["checks"] if "box" in check for side in check["box"].values())


def test_a_model_can_be_the_critic(picture: Path, capsys, monkeypatch) -> None:
    entity = {"name": "a red circle", "noun": "circle", "details": "", "regions": [1]}
    check = {"kind": "object", "statement": "There is a circle.", "entity": 1, "other": 0, "side": "", "count": 1}
    answer = {"id": "object-1", "evidence": "a circle", "pass": True, "box": []}
    lists = streamed(json.dumps({"entities": [entity], "checks": [check]}))
    monkeypatch.setenv("A_KEY", "sk-needle-in-the-haystack")
    with serve(lists, streamed(json.dumps({"answers": [answer]}))) as server:
        options = ["--critic", "compatible", "--critic-model", "m", "--base-url", server.url, "--key-variable", "A_KEY"]
        assert main(["check", str(picture), *options]) == 0
    said = capsys.readouterr()
    assert said.out == "yes  object-1     There is a circle. a circle\n1 of 1 checks passed.\n"
    assert "needle" not in said.out + said.err
    assert all(item.headers["authorization"].endswith("needle-in-the-haystack") for item in server.received)


def test_a_picture_is_edited_beside_itself(picture: Path, capsys) -> None:
    before = picture.read_bytes()
    assert main(["edit", str(picture), "make the star blue, remove the circle", "--seed", "1"]) == 0
    said = capsys.readouterr()
    edited = picture.with_name("drawn-edited.png")
    assert said.out == f"seed:    1\npicture: {edited}\n"
    assert "Make it blue: a blue star." in said.err
    assert [(seen.colour, seen.shape) for seen in objects(Image.open(edited))] == [("blue", "star")]
    assert picture.read_bytes() == before


def test_pictures_are_refined_and_say_so(tmp_path: Path, capsys) -> None:
    out = tmp_path / "out.png"
    quick = ["--steps", "2", "--width", "64", "--height", "64", "--seed", "3", "--output", str(out)]
    assert main(["generate", CAPTION, "--refine", "1", *quick]) == 0
    said, rounds = (told := capsys.readouterr()).err, out.with_name("out-rounds.png")
    assert (f"rounds:  {rounds}" in told.out) == rounds.exists() == ("1 rounds are done." in said)
    assert "checks:  " in said
    assert "1 rounds are done." in said or "All checks passed." in said
    made, _ = read_remake(out)
    assert made.refined is not None
    assert made.refined.endswith("checks passed.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["check", "plain.png"], "plain.png carries no plan"),
        (["check", "plain.png", "--caption", "a cat"], "sees coloured shapes only, not 'a cat'"),
        (["check", "text.png", "--caption", "a star"], "text.png is no picture"),
        (["check", "nowhere.png", "--caption", "a star"], "nowhere.png: No such file"),
        (["check", "plain.png", "--caption", "a star", "--critic", "openai"], "OPENAI_API_KEY"),
        (["edit", "plain.png", "dance"], "'dance' is no instruction that the rules know"),
        (["edit", "plain.png", "remove the star"], "'the star' is not found in the picture"),
        (["edit", "plain.png", "remove the star", "--output", "x.jpg"], "--output is 'x.jpg'"),
        (["generate", "a cat and a dog", "--refine", "1"], "sees coloured shapes only, not 'a cat'"),
        (["generate", CAPTION, "--refine", "99"], "rounds is 99"),
    ],
)
def test_errors_are_one_line(arguments: list[str], sentence: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    Image.new("RGB", (96, 96), "white").save("plain.png")
    Path("text.png").write_text("no picture")
    assert main(arguments) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("Loading")]
    assert len(errors) == 1
    assert sentence in errors[0]
