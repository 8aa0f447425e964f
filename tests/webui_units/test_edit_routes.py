"""Checking and editing by their routes, on an app that stands in for the host's, with a painter that draws."""

from __future__ import annotations

import base64
import io
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from PIL import Image, ImageChops
from starlette.testclient import TestClient

from rpg.editing.pictures import png
from rpg.infotext import Infotext
from rpg.planners.rules import plan
from rpg.presets import Presets
from rpg.shapes.training.scenes import ColouredShape, Scene, draw
from rpg.webui.edit_routes import EditingHost
from rpg.webui.routes import HOST_ROUTE, add_routes
from tests.editing.painters import Draughtsman
from tests.llm.servers import Behaviour, Server, error, page, serve, silence, streamed

CAPTION = "a red circle on the left and a blue star on the right"
THINGS = ColouredShape("red", "circle", 48, 48, 44), ColouredShape("green", "star", 144, 48, 48)
PICTURE = draw(Scene(192, 96, "white", THINGS))
INFOTEXT = str(Infotext(CAPTION, steps=20, sampler="Euler a", seed=1, size=(192, 96), plan=plan(CAPTION)))
MADE = base64.b64encode(png(PICTURE, INFOTEXT)).decode()
SMALL = base64.b64encode(png(Image.new("L", (8, 8), 255))).decode()
BY_HAND = {"kind": "replace", "box": [0.5, 0, 1, 1], "prompt": "a cyan heart"}
BARE = base64.b64encode(png(PICTURE)).decode()


class Doubled:
    """A webui that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.painter = Draughtsman(size=(192, 96))
        self.stopped = False

    def painter_for(self, picture: Image.Image, infotext: str, others: Any) -> Draughtsman:
        self.asked.append((infotext, dict(others)))
        return self.painter

    def stopping(self) -> bool:
        return self.stopped


@pytest.fixture
def host() -> Doubled:
    return Doubled()


@pytest.fixture
def client(tmp_path: Path, host: Doubled, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def allowed(request: Request) -> None:
        if request.headers.get("authorization") != "Basic right":
            raise HTTPException(401)

    app = FastAPI()
    app.add_api_route(HOST_ROUTE, lambda: None, methods=["POST"], dependencies=[Depends(allowed)])
    add_routes(app, Presets(tmp_path), EditingHost(host.painter_for, nullcontext, host.stopping))
    return TestClient(app, headers={"authorization": "Basic right"})


def opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


def test_a_picture_is_checked_against_its_plan_or_a_caption(client: TestClient) -> None:
    told = client.post("/rpg/v1/check", json={"image": MADE}).json()
    failed = {check["statement"] for check in told["checks"] if not check["pass"]}
    assert "There is a blue star." in failed
    assert "There is a red circle." not in failed
    for asked in ({"caption": "a green star and a red circle"}, {"plan": {"regions": ["a red circle", "a green star"]}}):
        told = client.post("/rpg/v1/check", json={"image": MADE, **asked}).json()
        assert told["passed"] == len(told["checks"])


def test_an_edit_comes_back_with_mask_operations_and_infotext(client: TestClient, host: Doubled) -> None:
    asked = {"image": MADE, "instruction": "make the star blue", "seed": 5, "steps": 7, "scheduler": "Karras"}
    answer = client.post("/rpg/v1/edit", json=asked).json()
    made, mask = opened(answer["image"]), opened(answer["mask"])
    kept = Image.composite(Image.new("RGB", made.size), ImageChops.difference(made, PICTURE), mask.point(lambda x: 255 * (x > 0)))
    assert kept.getbbox() is None
    assert ImageChops.difference(made, PICTURE).getbbox() is not None
    (operation,) = answer["operations"]
    assert (operation["kind"], operation["colour"], answer["seed"]) == ("recolour", "blue", 5)
    assert all(0 <= side <= 1 for side in operation["box"])
    assert made.info["parameters"] == answer["infotext"]
    assert Infotext.parse(answer["infotext"]).plan == Infotext.parse(INFOTEXT).plan
    assert json.loads(Infotext.parse(answer["infotext"]).operations or "") == answer["operations"]
    assert host.asked == [(INFOTEXT, {"steps": 7, "scheduler": "Karras"})]
    assert [(strength, seed) for _, strength, seed in host.painter.repainted] == [(0.45, 5)]


def test_operations_and_a_mask_by_hand(client: TestClient) -> None:
    mask = Image.new("L", PICTURE.size)
    mask.paste(255, (100, 10, 190, 90))
    asked = {"image": BARE, "operations": [BY_HAND], "mask": base64.b64encode(png(mask)).decode()}
    answer = client.post("/rpg/v1/edit", json=asked).json()
    assert ImageChops.difference(opened(answer["mask"]), mask).getbbox() is None
    assert answer["operations"] == [BY_HAND]


@pytest.mark.parametrize(
    ("route", "fields", "sentence"),
    [
        ("check", {"image": BARE}, "carries no infotext; give a caption"),
        ("check", {"image": "!"}, "image is not base64"),
        ("check", {"image": base64.b64encode(b"\x89PNG rubbish").decode()}, "image is no picture."),
        ("check", {"image": base64.b64encode(png(PICTURE)[:300]).decode()}, "image is a broken picture"),
        ("check", {"caption": "a star"}, "image is missing"),
        ("check", {"image": MADE, "instruction": "x"}, "Unknown field 'instruction'"),
        ("check", {"image": MADE, "caption": 3}, "caption is 3"),
        ("check", {"image": MADE, "plan": {"regions": []}}, "regions is empty"),
        ("check", {"image": MADE, "provider": "openai"}, "OPENAI_API_KEY"),
        ("edit", {"image": MADE}, "Give an instruction"),
        ("edit", {"image": MADE, "instruction": "remove it", "operations": [1]}, "and not both"),
        ("edit", {"image": MADE, "instruction": "remove the heart"}, "'the heart' is not found"),
        ("edit", {"image": MADE, "instruction": "remove the star", "cut_out": "sam"}, "The mask 'sam' needs the folder"),
        ("edit", {"image": MADE, "instruction": "remove the star", "seed": -1}, "seed is -1"),
        ("edit", {"image": MADE, "instruction": "remove the star", "cfg_scale": "7"}, "cfg_scale is '7'"),
        ("edit", {"image": MADE, "instruction": "remove the star", "mask": MADE}, "A mask goes with one operation"),
        ("edit", {"image": MADE, "operations": [BY_HAND], "mask": SMALL}, "mask has 8 x 8 pixels; the picture has 192 x 96."),
        ("edit", {"image": MADE, "operations": [{"kind": "add"}]}, "box is missing"),
        ("edit", {"image": MADE, "operations": [{"kind": "add", "box": [0, 0, 1]}]}, "it must be [left, top, right, bottom]"),
        ("edit", {"image": MADE, "operations": [{"kind": "add", "box": "[0]"}]}, "it must be [left, top, right, bottom]"),
        ("edit", {"image": MADE, "operations": [{"kind": "hide", "box": [0, 0, 1, 1]}]}, "kind is 'hide'"),
        ("edit", {"image": MADE, "operations": [{}] * 10_000}, "a list of 1 to 16 operations"),
    ],
)
def test_what_is_wrong_gets_a_sentence(
    client: TestClient, host: Doubled, route: str, fields: dict[str, Any], sentence: str
) -> None:
    answer = client.post(f"/rpg/v1/{route}", json=fields)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert not host.painter.repainted


def test_too_large_a_picture_is_not_read(client: TestClient) -> None:
    wide = base64.b64encode(png(Image.new("1", (9000, 1)))).decode()
    assert client.post("/rpg/v1/check", json={"image": wide}).json()["detail"].startswith("image has 9000 x 1 pixels")


def test_they_stand_under_the_hosts_authentication(client: TestClient) -> None:
    for route in ("check", "edit"):
        assert client.post(f"/rpg/v1/{route}", json={"image": MADE}, headers={"authorization": "wrong"}).status_code == 401


OPERATION = {"kind": "recolour", "box": [600, 100, 950, 900], "prompt": "a blue star", "colour": "blue", "target": []}


def edited(client: TestClient, *script: Behaviour, **fields: Any) -> tuple[Any, Server]:
    with serve(*script) as server:
        who = {"provider": "compatible", "model": "m", "base_url": server.url, "api_key": "sk-needle-in-the-haystack"}
        return client.post("/rpg/v1/edit", json={"image": MADE, "instruction": "more blue", **who, **fields}), server


def said(*operations: object) -> Behaviour:
    return streamed(json.dumps({"operations": operations, "caption": "a circle and a star"}))


def test_a_model_reads_any_instruction(client: TestClient) -> None:
    answer, server = edited(client, said({**OPERATION, "prompt": "a blue star <script>"}))
    assert answer.status_code == 200, answer.text
    assert answer.json()["operations"][0]["prompt"] == "a blue star <script>"
    assert len(server.received) == 1
    assert server.received[0].headers["authorization"] == "Bearer sk-needle-in-the-haystack"
    assert "needle" not in answer.text


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        (said({**OPERATION, "box": [0, 0, 1e9, 1e9]}), "from 0 to 1000"),
        (said(*[{**OPERATION, "prompt": str(number)} for number in range(100)]), "has 100 entries; at most 16"),
        (said({**OPERATION, "kind": "rm -rf"}), "kind is 'rm -rf'"),
        (streamed("I cannot do that."), ""),
        (page, ""),
        (error(401, "wrong key sk-needle-in-the-haystack"), ""),
        (silence, "said nothing for 0.3 s"),
    ],
)
def test_whatever_a_model_answers_is_bounded(client: TestClient, host: Doubled, behaviour: Behaviour, sentence: str) -> None:
    answer, _ = edited(client, behaviour, timeout=0.3)
    assert answer.status_code >= 400
    assert sentence in answer.json()["detail"]
    assert "needle" not in answer.text
    assert not host.painter.repainted


def test_the_users_stop_leaves_the_model(client: TestClient, host: Doubled) -> None:
    host.stopped = True
    answer, _ = edited(client, silence, timeout=30)
    assert "stopped" in answer.json()["detail"]


def test_others_may_name_no_address(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rpg.llm.trust._others", True)
    answer, server = edited(client, said(OPERATION))
    assert answer.status_code == 403
    assert not server.received
    asked = {"image": MADE, "instruction": "remove the star", "cut_out": "sam", "sam": "/etc"}
    assert client.post("/rpg/v1/edit", json=asked).status_code == 403
