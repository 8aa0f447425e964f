"""Pictures that a picture starts from or follows, on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from rpg.cli import main
from rpg.cli.files import read_remake
from rpg.pipelines.loading import load
from tests.pipelines.test_tasks import control_net

REGIONS = ["a red circle on the left", "--regions", "a red circle", "a blue square", "--seed", "3", "--steps", "4"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ControlNet of the embedded model, and pictures: a photograph, its outlines, a mask and one of another shape."""
    path = tmp_path_factory.mktemp("inputs")
    control_net(load().pipeline.unet).save_pretrained(path / "net")
    photo = Image.new("RGB", (128, 64), "white")
    ImageDraw.Draw(photo).rectangle((20, 16, 52, 48), fill="red")
    photo.save(path / "photo.png")
    edges = Image.new("RGB", (256, 128))
    ImageDraw.Draw(edges).rectangle((40, 32, 104, 96), outline="white")
    edges.save(path / "edges.png")
    mask = Image.new("L", (128, 64))
    mask.paste(255, (64, 0, 128, 64))
    mask.save(path / "mask.png")
    Image.new("RGB", (64, 64)).save(path / "square.png")
    ImageOps.invert(edges).save(path / "bright.png")
    (path / "notes.txt").write_text("no picture")
    return path


def generate(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> np.ndarray:
    monkeypatch.chdir(folder)
    assert main(["generate", *REGIONS, *arguments, "--output", "out.png"]) == 0
    return np.asarray(Image.open("out.png")).astype(int)


def test_a_picture_follows_its_control_at_its_scale(folder: Path, monkeypatch) -> None:
    control = ["--control", "canny=edges.png", "--control-model", "net"]
    pictures = [generate(folder, monkeypatch, *control, "--control-scale", scale) for scale in ("0", "0.5", "1")]
    plain = generate(folder, monkeypatch, "--width", "240", "--height", "120")
    assert plain.shape == pictures[0].shape  # the embedded model's area in the control's shape
    assert np.abs(pictures[0] - plain).max() <= 1
    assert all(np.abs(pictures[a] - pictures[b]).max() > 8 for a, b in ((0, 1), (1, 2)))


def test_two_controls_with_a_picture_below_a_mask(folder: Path, monkeypatch) -> None:
    start = ["--image", "photo.png", "--mask", "mask.png", "--strength", "0.9", "--width", "128"]
    controls = [
        "--control",
        "canny=edges.png",
        "--control-model",
        "net",
        "--control",
        "tile=photo.png",
        "--control-model",
        "net",
    ]
    picture = generate(folder, monkeypatch, *start, *controls)
    assert picture.shape == (64, 128, 3)
    assert np.abs(picture - generate(folder, monkeypatch, *start)).max() > 8
    infotext, _ = read_remake(folder / "out.png")
    assert infotext.denoising_strength == 0.9
    assert infotext.size == (128, 64)


def test_what_lies_outside_the_mask_stays_and_little_strength_changes_little(folder: Path, monkeypatch) -> None:
    photo = np.asarray(Image.open(folder / "photo.png")).astype(int)

    def changed(*arguments: str) -> np.ndarray:
        """How much in the left and the right half; the mask is on the right."""
        picture = generate(folder, monkeypatch, "--image", "photo.png", "--width", "128", *arguments)
        return np.abs(picture - photo).reshape(64, 2, 64, 3).mean((0, 2, 3))

    whole, masked, little = (changed("--strength", *by) for by in (("1",), ("1", "--mask", "mask.png"), ("0.25",)))
    assert masked[0] < whole[0] / 2 < masked[1]
    assert all(little < whole / 2)


def test_outlines_of_a_photograph_are_shown_before(folder: Path, monkeypatch, capsys) -> None:
    control = ["--control", "canny=photo.png", "--control-model", "net", "--preprocess"]
    made = generate(folder, monkeypatch, *control)
    assert capsys.readouterr().out.startswith("control: out-canny.png\nseed:")
    hint = np.asarray(Image.open(folder / "out-canny.png"))
    assert hint.shape == (64, 128, 3)
    assert set(np.unique(hint)) == {0, 255}
    assert hint[30, 18:23].any()
    assert not hint[30, 28:44].any()
    again = generate(folder, monkeypatch, "--control", "canny=out-canny.png", "--control-model", "net")
    assert np.abs(made - again).max() == 0


def test_the_embedded_models_own_control_needs_no_name(folder: Path, monkeypatch, tmp_path: Path) -> None:
    """The picture has an edge where its control has an outline, wherever that is."""
    for left in (40, 136):
        edges = Image.new("RGB", (224, 128))
        ImageDraw.Draw(edges).rectangle((left, 40, left + 48, 88), outline="white")
        edges.save(folder / "own.png")
        arguments = ["--control", "canny=own.png", "--latent-ratio", "0", "--base-prompt", "a black square on a white background"]
        monkeypatch.chdir(folder)
        regions = ["--regions", "a black square on a white background", "--split-ratio", "1"]
        assert main(["generate", "a black square", *regions, "--seed", "3", *arguments, "--output", "own-out.png"]) == 0
        picture = np.asarray(Image.open("own-out.png").convert("L").resize((224, 128))) < 128
        wanted = np.zeros_like(picture)
        wanted[40:89, left : left + 49] = True
        assert (picture & wanted).sum() / (picture | wanted).sum() > 0.7


CONTROL = ["--control", "canny=edges.png", "--control-model", "net"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--control", "edges.png", "--control-model", "net"], "given as 'edges.png'; write its kind and its path"),
        (["--control", "edge=edges.png", "--control-model", "net"], "of the kind 'edge'; kinds are canny, depth, pose"),
        (["--control", "pose=edges.png"], "for which the embedded model has no ControlNet; it has one for canny and depth"),
        (["--control", "canny=edges.png", "--model", "x"], "--control was given 1 times and --control-model 0 times"),
        (["--control", "canny=photo.png"], "photo.png does not look like outlines"),
        (["--control", "depth=photo.png"], "photo.png is in colours; a hint of the kind depth is grey"),
        (["--control", "canny=bright.png"], "bright.png does not look like outlines"),
        ([*CONTROL, "--control-scale", "1", "--control-scale", "1"], "--control-scale 2 times"),
        (["--control", "canny=notes.txt", "--control-model", "net"], "notes.txt is no picture"),
        (["--control", "canny=none.png", "--control-model", "net"], "none.png: No such file or directory"),
        (["--control", "canny=edges.png", "--control-model", "nowhere"], "There is no ControlNet 'nowhere'"),
        (["--control", "pose=photo.png", "--control-model", "net", "--preprocess"], "pip install controlnet-aux"),
        ([*CONTROL, "--image", "square.png"], "edges.png is 256x128 and the picture to make 168x168: it would be stretched"),
        ([*CONTROL, "--width", "64", "--height", "64"], "edges.png is 256x128 and the picture to make 64x64"),
        ([*CONTROL, "--width", "100"], "width is 100; it must be a multiple of 8"),
        (["--mask", "mask.png"], "--mask was given without --image"),
        (["--strength", "0.5"], "--strength was given without --image"),
        (["--preprocess"], "--preprocess was given without --control"),
        (["--image", "photo.png", "--strength", "1.5"], "--strength is 1.5; it must be above 0 and at most 1"),
        (["--image", "photo.png", "--strength", "0.1"], "strength is 0.1, which is no step of 4"),
    ],
)
def test_refused_with_a_sentence(folder: Path, monkeypatch, capsys, arguments: list[str], sentence: str) -> None:
    monkeypatch.chdir(folder)
    assert main(["generate", *REGIONS, *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_a_control_for_another_kind_of_model_is_refused(folder: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    from tests.pipelines.models import regional

    control_net(regional("sd2").unet).save_pretrained(tmp_path / "other")
    monkeypatch.chdir(folder)
    assert main(["generate", *REGIONS, "--control", "canny=edges.png", "--control-model", str(tmp_path / "other")]) == 2
    assert "is made for another kind of model: it reads prompts of 32 channels" in capsys.readouterr().err
