"""The embedded model's training: true captions, a loop that can be interrupted, a file that loads."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel
from PIL import Image
from safetensors.torch import load_file
from torch import distributed, multiprocessing, nn

from rpg import shapes
from rpg.inputs import Control, Inputs
from rpg.pipelines.inputs import prepare
from rpg.pipelines.loading import load
from rpg.shapes.training import __main__ as command
from rpg.shapes.training import autoencoder, control, denoiser, hints, loop, models, styles, text_encoder
from rpg.shapes.training.scenes import COLOURS, NUMBERS, SHAPES, ColouredShape, Scene, caption, random_scene
from rpg.shapes.training.scenes import draw as draw_plain
from rpg.shapes.training.single_file import control_state_dict, state_dict

SIZES = [(96, 96), (128, 128), (384, 128), (128, 224), (512, 512)]
KIND = re.compile(rf"\b(an?|{'|'.join(NUMBERS.values())}) ({'|'.join(COLOURS)}) ({'|'.join(SHAPES)})s?\b")
COUNTS = {"a": 1, "an": 1} | {word: number for number, word in NUMBERS.items()}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Training sets vanishing numbers to 0 for the whole process; Hypothesis, in other tests, counts on them."""
    yield
    torch.set_flush_denormal(False)


def scenes(number: int) -> list[Scene]:
    rng = Random(3)
    return [random_scene(rng, *rng.choice(SIZES)) for _ in range(number)]


def test_objects_lie_inside_and_apart() -> None:
    for scene in scenes(300):
        for index, thing in enumerate(scene.things):
            left, top, right, bottom = thing.box
            assert min(left, top, scene.width - right, scene.height - bottom) >= 0, scene
            for other in scene.things[:index]:
                assert max(abs(thing.x - other.x), abs(thing.y - other.y)) > (thing.size + other.size) / 2, scene


def test_a_phase_chooses_its_shapes() -> None:
    rng = Random(8)
    shapes_drawn = Counter(
        thing.shape for _ in range(300) for thing in random_scene(rng, 128, 128, shapes=("star", "star", "heart")).things
    )
    assert set(shapes_drawn) == {"star", "heart"}
    assert 1.5 < shapes_drawn["star"] / shapes_drawn["heart"] < 2.7


def test_a_whole_caption_names_every_object_and_a_partial_one_some() -> None:
    rng = Random(4)
    for scene in scenes(300):
        kinds = Counter(thing.kind for thing in scene.things)
        for partial in (0.0, 1.0):
            text = caption(rng, scene, partial)
            named = Counter[tuple[str, str]]()
            for number, colour, shape in KIND.findall(text):
                named[colour, shape] += COUNTS[number]
            if partial and len(scene.things) > 1:
                assert Counter() < named < kinds, text
            else:
                assert named == kinds, text
            assert scene.background in text.partition(" background")[0] or "background" not in text


def test_places_in_captions_are_true() -> None:
    rng = Random(5)
    seen = Counter[str]()
    axes = {"to the left of": (0, 1), "to the right of": (0, -1), "above": (1, 1), "below": (1, -1)}
    for scene in scenes(2000):
        text = caption(rng, scene, 0)
        for words, (axis, direction) in axes.items():
            if f" {words} " in text:
                first, second = ((colour, shape) for _, colour, shape in KIND.findall(text))
                where = {thing.kind: (thing.x, thing.y)[axis] for thing in scene.things}
                assert len(where) < 2 or direction * (where[second] - where[first]) > 0, text
                seen[words] += 1
        if len(scene.things) == 1 and (match := re.search(r"(on the left|on the right)", text)):
            assert (scene.things[0].x < scene.width / 2) == (match[0] == "on the left"), text
            seen[match[0]] += 1
    assert set(seen) == {*axes, "on the left", "on the right"}


def tiny_loss(network: nn.Module, _: int, rng: Random) -> torch.Tensor:
    inputs = torch.randn(8, 4) + rng.random()
    loss: torch.Tensor = (network(inputs) - inputs.sum(dim=1, keepdim=True)).square().mean()
    return loss


def train_tiny(folder: Path) -> nn.Module:
    torch.manual_seed(0)
    return loop.train("tiny", nn.Linear(4, 1), tiny_loss, folder=folder, seed=1, steps=10, rate=0.1)


def train_tiny_together(rank: int, folder: Path) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    train_tiny(folder)
    distributed.destroy_process_group()


def test_two_processes_train_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    (tmp_path / "alone").mkdir()
    alone = train_tiny(tmp_path / "alone")
    multiprocessing.spawn(train_tiny_together, (tmp_path,), 2)
    saved = torch.load(tmp_path / "tiny.pt", weights_only=True)["average"]
    for name, value in alone.state_dict().items():
        torch.testing.assert_close(saved[f"module.{name}"], value)


def test_every_token_is_to_tell_what_was_last_named() -> None:
    tokenizer = models.tokenizer()
    text = "two cyan triangles on the left, a red heart on the right on a pink background"
    rows = text_encoder.last_named(tokenizer, text)
    tokens = tokenizer(text, padding="max_length", max_length=text_encoder.LENGTH).input_ids
    words = {tokenizer.decode([token]): row for token, row in zip(tokens, rows, strict=True)}

    def names(row: list[int]) -> list[str | None]:
        return [None if index < 0 else slot[index] for slot, index in zip(text_encoder.SLOTS, row, strict=True)]

    assert names(words["angles"]) == ["two", "cyan", "triangle", None, None]
    assert names(words["heart"]) == ["a", "red", "heart", "left", None]
    assert names(words["background"]) == ["a", "red", "heart", "right", "pink"]
    assert rows[tokens.index(tokenizer.eos_token_id)] == [-1] * len(text_encoder.SLOTS)


def test_training_that_was_interrupted_ends_as_if_it_had_not_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", 3)
    monkeypatch.setattr(loop, "LOG_EVERY", 2)

    def run(folder: Path, stop_at: int | None) -> nn.Module:
        folder.mkdir(exist_ok=True)
        torch.manual_seed(0)

        def loss(network: nn.Module, step: int, rng: Random) -> torch.Tensor:
            if step == stop_at:
                raise KeyboardInterrupt
            return tiny_loss(network, step, rng)

        return loop.train("tiny", nn.Linear(4, 1), loss, folder=folder, seed=1, steps=10, rate=0.1)

    whole = run(tmp_path / "whole", None)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", 7)
    parts = run(tmp_path / "parts", None)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), parts.parameters(), strict=True))
    logs = [[line.split(",")[0] for line in (tmp_path / name / "tiny.csv").read_text().split()] for name in ("whole", "parts")]
    assert logs[0] == logs[1] == ["step", "2", "4", "6", "8", "10"]


def test_the_bundled_file_is_what_its_networks_are_written_as() -> None:
    pipe = load().pipeline
    written, bundled = state_dict(pipe.vae, pipe.unet, pipe.text_encoder), load_file(shapes.CHECKPOINT)
    assert {name.rpartition(".")[2] for name in bundled.keys() - written.keys()} <= {"betas", "alphas_cumprod", "position_ids"}
    assert all(torch.equal(value, bundled[name]) for name, value in written.items())


def test_the_bundled_control_is_what_its_network_is_written_as() -> None:
    net = ControlNetModel.from_single_file(str(shapes.CONTROL), config=str(shapes.CONTROL_CONFIG), local_files_only=True)
    written, bundled = control_state_dict(net), load_file(shapes.CONTROL)
    assert written.keys() == bundled.keys()
    assert all(torch.equal(value, bundled[name]) for name, value in written.items())
    assert shapes.CONTROL.stat().st_size < 8e6
    again = ControlNetModel.from_config(net.config)  # a folder in diffusers' format
    again.load_state_dict(net.state_dict())


def test_hints_show_where_things_are() -> None:
    scene = Scene(96, 64, "pink", (ColouredShape("red", "square", 20, 32, 24), ColouredShape("cyan", "circle", 70, 32, 30)))
    filled = np.asarray(hints.silhouettes(scene, [80, 200], 10))
    assert [filled[32, x] for x in (20, 70, 48)] == [80, 200, 10]
    assert (filled > 45).sum() == pytest.approx(24 * 24 + 3.14 * 15 * 15, rel=0.04)
    for outlines in (hints.canny(scene), hints.lines(scene, 1)):
        pixels = np.asarray(outlines)
        assert set(np.unique(pixels)) == {0, 255}
        assert pixels[32, 6:10].any()
        assert pixels[32, 53:57].any()
        assert not pixels[32, 12:28].any()
        assert 120 < (pixels > 0).sum() < 260


def test_training_control_sees_both_kinds_of_hints() -> None:
    rng = Random(2)
    scene = random_scene(rng, 96, 96)
    drawn = [np.asarray(control.random_hint(rng, scene)) for _ in range(200)]
    outlines = [(pixels > 127).mean() < 0.15 and pixels.max() == 255 and pixels.min() == 0 for pixels in drawn]
    assert 60 < sum(outlines) < 150
    assert len({int(pixels.max()) for pixels in drawn}) > 20, "depth has many levels"


def test_the_command_trains_and_writes_a_model_that_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoencoder, "STEPS", 2)
    monkeypatch.setattr(autoencoder, "DECODER_STEPS", 2)
    monkeypatch.setattr(loop, "LOG_EVERY", 1)
    monkeypatch.setattr(text_encoder, "STEPS", 2)
    short = [
        replace(course, phases=tuple(replace(phase, steps=1, sizes=denoiser.FIRST) for phase in course.phases))
        for course in denoiser.COURSES
    ]
    monkeypatch.setattr(denoiser, "COURSES", short)
    monkeypatch.setattr(control, "STEPS", 2)
    monkeypatch.setattr(control, "SCENES", 4)
    monkeypatch.setattr(denoiser, "TOKENS", 100)
    monkeypatch.setattr(styles, "STEPS", 1)
    monkeypatch.setattr(styles, "FINE", denoiser.FIRST)
    monkeypatch.setattr(sys, "argv", ["training", "--folder", str(tmp_path), "--device", "cpu", "--processes", "1"])
    before = shapes.CHECKPOINT.read_bytes()
    assert command.main() == 0
    assert (tmp_path / "losses.png").exists()
    assert shapes.CHECKPOINT.read_bytes() == before
    monkeypatch.setattr(shapes, "CHECKPOINT", tmp_path / "shapes.safetensors")
    monkeypatch.setattr(shapes, "CONFIG", tmp_path / "diffusers")
    monkeypatch.setattr(shapes, "CONTROL", tmp_path / "control.safetensors")
    monkeypatch.setattr(shapes, "CONTROL_CONFIG", tmp_path / "diffusers" / "controlnet")
    loaded = load()
    hint = Image.new("RGB", (64, 64), "white")
    controlled, options = prepare(loaded.pipeline, Inputs((Control(None, hint),)))
    assert controlled("1", prompt="a red circle", seed=0, num_inference_steps=2, **options).images[0].size == (64, 64)
    assert loaded.pipeline.vae.config.scaling_factor != 1
    assert loaded.pipeline("1,1", prompt="a red circle BREAK a blue square", seed=0, num_inference_steps=2).images[0].size
    size = (tmp_path / "shapes.safetensors").stat().st_size
    assert size < 18e6
    for style in styles.STYLES:
        made, bundled = (load_file(folder / f"{style}.safetensors") for folder in (tmp_path / "lora", shapes.LORA))
        assert {name: value.shape for name, value in made.items()} == {name: value.shape for name, value in bundled.items()}


def test_styles_are_drawn() -> None:
    """Both leave the background to be seen inside an object that is in its place otherwise."""
    for scene in scenes(20):
        plain, *others = (np.asarray(draw(scene), int) for draw in (draw_plain, *styles.STYLES.values()))
        for other in others:
            changed = (plain != other).any(-1)
            assert changed.any()
            inside = np.zeros_like(changed)
            for thing in scene.things:
                left, top, right, bottom = (round(edge) for edge in thing.box)
                inside[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1] = True
                assert changed[max(top, 0) : bottom, max(left, 0) : right].mean() > 0.05
            assert not (changed & ~inside).any()


def test_the_bundled_lora_change_what_they_are_trained_for() -> None:
    """Less than a megabyte together; each says by its layers' names in the original code what it changes."""
    files = sorted(shapes.LORA.glob("*.safetensors"))
    assert [path.stem for path in files] == sorted(styles.STYLES)
    assert sum(path.stat().st_size for path in files) < 1e6
    names = {f"lora_unet_{key.rpartition('.')[0].replace('.', '_')}" for key in _original()}
    for path in files:
        layers = {key.partition(".")[0] for key in load_file(path)}
        assert layers <= names
        assert len(layers) > 80


def _original() -> list[str]:
    prefix = "model.diffusion_model."
    return [key.removeprefix(prefix) for key in load_file(shapes.CHECKPOINT) if key.startswith(prefix)]
