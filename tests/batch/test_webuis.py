"""``python -m rpg batch --webui`` with stand-ins; tests/webui has the real ones."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from rpg.batch import schedule
from rpg.cli import main
from rpg.cli.files import read_remake
from rpg.infotext import PLAN
from rpg.plan import Plan
from tests.batch.standins import StandIn, serve

COUNT = 24


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(schedule, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(schedule, "PATIENCE", 0.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prompts.txt").write_text("\n".join(f"{number} cats and a dog" for number in range(COUNT)))
    return tmp_path


def batch(folder: Path, urls: list[str], *options: str, out: str = "out") -> int:
    return main(["batch", str(folder / "prompts.txt"), "--output", str(folder / out), *options, "--webui", *urls])


def pictures(folder: Path, out: str = "out") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / out).glob("*.png")}


def test_what_is_asked_and_what_is_kept(folder: Path) -> None:
    (folder / "prompts.txt").write_text(
        '{"plan": {"regions": ["a cat", "a dog"]}, "caption": "pets", "seed": 4, "width": 256, "height": 128}'
    )
    webui = StandIn(password="me:p@ss")
    with serve(webui) as (url,):
        options = ["--steps", "5", "--guidance", "3", "--sampler", "DPM++ 2M", "--negative-prompt", "gray", "--model", "other"]
        assert batch(folder, [url.replace("//", "//me:p%40ss@")], *options) == 0
    assert webui.received == [
        {
            "prompt": "pets",
            "negative_prompt": "gray",
            "seed": 4,
            "width": 256,
            "height": 128,
            "steps": 5,
            "cfg_scale": 3,
            "sampler_name": "DPM++ 2M",
            "save_images": False,
            "override_settings": {"sd_model_checkpoint": "other"},
            "override_settings_restore_afterwards": False,
            "alwayson_scripts": {"RPG": {"args": [Plan.from_dict({"regions": ["a cat", "a dog"], "caption": "pets"}).to_dict()]}},
        }
    ]
    made, plan = read_remake(next((folder / "out").glob("*.png")))
    assert (made.prompt, made.seed, made.size, len(plan.regions)) == ("pets", 4, (256, 128), 2)


def test_two_webuis_make_the_pictures_of_one(folder: Path) -> None:
    one, two, slow = StandIn(), StandIn(), StandIn(seconds=0.05)
    with serve(one) as urls:
        assert batch(folder, urls, out="one") == 0
    with serve(two, slow) as urls:
        assert batch(folder, urls, out="two") == 0
    assert len(pictures(folder, "one")) == COUNT
    assert pictures(folder, "one") == pictures(folder, "two")
    assert len(one.received) == len(two.received) + len(slow.received) == COUNT
    assert 0 < len(slow.received) < len(two.received)
    assert (one.most, two.most, slow.most) == (1, 1, 1)


def test_a_webui_that_dies_loses_no_picture(folder: Path) -> None:
    dying, other = StandIn(dies_at=3), StandIn(seconds=0.01)
    with serve(dying, other) as urls:
        assert batch(folder, urls) == 0
    assert len(pictures(folder)) == COUNT
    assert len(other.received) == COUNT - 2


def test_the_last_webui_dies_and_the_rest_is_made_later(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(StandIn(dies_at=5)) as urls:
        assert batch(folder, urls) == 2
        error = capsys.readouterr().err
        assert f"{urls[0]} broke off" in error
        assert "the same command goes on from here" in error
    assert len(pictures(folder)) == 4
    with serve(again := StandIn()) as urls:
        assert batch(folder, urls) == 0
    assert len(pictures(folder)) == COUNT
    assert len(again.received) == COUNT - 4


def test_one_that_has_too_little_memory_leaves_it_to_others(folder: Path) -> None:
    small, large = StandIn(fault=(500, "CUDA out of memory.")), StandIn()
    with serve(small, large) as urls:
        assert batch(folder, urls) == 0
    assert (len(pictures(folder)), len(large.received)) == (COUNT, COUNT)
    assert len(small.received) <= schedule.MOST_ALIKE


def test_busy_and_interrupted_webuis_are_asked_again(folder: Path) -> None:
    with serve(busy := StandIn(busy=2)) as urls:
        assert batch(folder, urls, out="busy") == 0
    with serve(interrupted := StandIn(interrupted=2)) as urls:
        assert batch(folder, urls, out="interrupted") == 0
    assert len(busy.received) == len(interrupted.received) == COUNT + 2
    assert pictures(folder, "busy") == pictures(folder, "interrupted")


def test_what_a_webui_refuses_is_told_with_its_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "prompts.txt").write_text("a cat")
    with serve(StandIn(fault=(422, "Region 1 joins 3 prompts by AND."))) as urls:
        assert batch(folder, urls) == 2
    failure = json.loads((folder / "out" / "failures.jsonl").read_text())
    assert failure["error"] == f"{urls[0]} answered 422: Region 1 joins 3 prompts by AND."
    assert "1 of 1 lines failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("webui", "sentence"),
    [
        (StandIn(extension=None), "has no RPG extension, so its pictures would be plain; install it there."),
        (StandIn(extension=1), "has an older RPG extension"),
        (StandIn(api=False), "has no API; start that webui with --api."),
        (StandIn(password="me:no"), "wants a name and a password"),
        (StandIn(model="another"), "The model is shapes at"),
    ],
)
def test_a_webui_that_cannot_help_is_named(
    webui: StandIn, sentence: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = StandIn()
    with serve(good, webui) as urls:
        assert batch(folder, urls) == 2
    error = capsys.readouterr().err
    assert webui.url in error
    assert sentence in error
    assert not good.received + webui.received
    assert not (folder / "out").exists()


def test_a_picture_without_the_plan_is_not_kept(folder: Path) -> None:
    with serve(StandIn(plain=True), good := StandIn()) as urls:
        assert batch(folder, urls) == 0
    assert len(good.received) == COUNT
    assert all(f"{PLAN}: ".encode() in picture for picture in pictures(folder).values())


def test_other_settings_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(StandIn(options={"randn_source": "CPU"}), StandIn(options={"randn_source": "GPU"})) as urls:
        assert batch(folder, urls) == 0
    assert f"The randn_source is CPU at {urls[0]}, but GPU at {urls[1]}. Their pictures will differ." in capsys.readouterr().err


def test_one_that_is_away_is_told_and_waited_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{probe.getsockname()[1]}"
        assert batch(folder, [away]) == 2
        assert f"{away} cannot be reached" in capsys.readouterr().err
        with serve(StandIn()) as urls:
            assert batch(folder, [away, *urls]) == 0
    assert f"{away} cannot be reached" in capsys.readouterr().err
    assert len(pictures(folder)) == COUNT


@pytest.mark.parametrize("url", ["127.0.0.1:7860", "ftp://host", "http://", "http://host:port", "http://host?x=1"])
def test_an_address_that_is_none(url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert batch(folder, [url]) == 2
    assert "--webui takes addresses such as http://127.0.0.1:7860." in capsys.readouterr().err


def test_options_that_belong_to_webuis(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["batch", str(folder / "prompts.txt"), "--output", str(folder / "out"), "--sampler", "Euler"]) == 2
    assert "--sampler is for webuis" in capsys.readouterr().err


def test_passwords_are_told_nowhere(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(StandIn(password="me:needle", fault=(500, "no"))) as (url,):
        assert batch(folder, [url.replace("//", "//me:needle@")]) == 2
    output = capsys.readouterr()
    kept = b"".join(path.read_bytes() for path in (folder / "out").rglob("*") if path.is_file())
    assert "needle" not in output.out + output.err + kept.decode()
