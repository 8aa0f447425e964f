"""Plans and pictures as people have them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rpg.cli.files import read_plan, read_remake
from rpg.errors import PlanError
from rpg.plan import Plan
from tests.test_infotext import PLAN, WEBUI

TEXT = json.dumps(PLAN.to_dict(), ensure_ascii=False, indent=2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_plans_in_every_encoding_of_json(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(TEXT.replace("\n", "\r\n").encode(encoding))
    assert read_plan(path) == PLAN


def test_pictures_of_the_webui(tmp_path: Path) -> None:
    picture, info = Image.new("RGB", (8, 8)), PngInfo()
    info.add_text("parameters", WEBUI)
    picture.save(tmp_path / "picture.png", pnginfo=info)
    exif = Image.Exif()
    exif[0x8769] = {0x9286: b"UNICODE\0" + WEBUI.encode("utf-16-be")}  # as piexif writes it
    for name in ("picture.jpg", "picture.webp"):
        picture.save(tmp_path / name, exif=exif)
    (tmp_path / "picture.txt").write_text(WEBUI)  # the webui's option "save text information"
    for path in tmp_path.iterdir():
        plan = read_plan(path)
        assert [region.prompt for region in plan.regions] == ["a, cat"], path
        infotext, same = read_remake(path)
        assert same == plan
        assert (infotext.seed, infotext.size, infotext.negative_prompt) == (7, (256, 128), "blurry,\nugly")


def test_a_picture_without_a_plan(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("parameters", WEBUI.split(", RPG plan")[0])
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png", pnginfo=info)
    for read in (read_plan, read_remake):
        with pytest.raises(PlanError, match=r"picture\.png carries no plan: it was made without RPG\."):
            read(tmp_path / "picture.png")


def test_a_plan_that_speaks_of_plans(tmp_path: Path) -> None:
    plan = Plan.from_dict({"regions": ["RPG plan: a map"]})
    (tmp_path / "plan.json").write_text(plan.to_json())
    assert read_plan(tmp_path / "plan.json") == plan
