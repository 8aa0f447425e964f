"""stable-diffusion-webui-distributed splits a batch over three webuis on loopback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from tests.llm.servers import serve, streamed
from tests.webui.host import WEBUI, Answer, Webui, write_image
from tests.webui.laws import distance
from tests.webui.matrix.test_extensions import FOLDER
from tests.webui.test_generation import RED_BLUE

EXTENSION = FOLDER / "stable-diffusion-webui-distributed"
COUNT = 12
KEY = "sk-of-the-request-77c0"
BLOB = write_image(np.tile((np.arange(32) < 12)[None, :, None] * 255, (16, 1, 3)))
PAINTED = {
    "base_ratio": 0.2,
    "regions": [{"prompt": "a blue square"}, {"prompt": "a red circle", "area": {"mask": BLOB, "feather": 0.1}}],
    "split_ratio": "1",
}


@dataclass
class Gate:
    """Stands before a worker, writes down what it is told, and changes what it says of plans."""

    port: int
    url: str = ""
    plan_version: int | None = None
    """0: none, as without the extension."""
    received: list[str] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    gate: Gate

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.forward("GET")

    def do_POST(self) -> None:
        self.forward("POST")

    def forward(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.gate.received.append(f"{method} {self.path} {body.decode()}")
        connection = HTTPConnection("127.0.0.1", self.gate.port, timeout=300)
        try:
            connection.request(method, self.path, body, {"content-type": "application/json"} if body else {})
            answer = connection.getresponse()
            data, status = answer.read(), answer.status
        except OSError:
            self.close_connection = True
            return
        finally:
            connection.close()
        if self.path == "/rpg/v1/planners" and self.gate.plan_version is not None:
            data, status = json.dumps({"plan_version": self.gate.plan_version}).encode(), 200 if self.gate.plan_version else 404
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def before(webui: Webui) -> Iterator[Gate]:
    gate = Gate(webui.port)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"gate": gate}))
    gate.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield gate
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class World:
    main: Webui
    one: Webui
    two: Webui
    gate: Gate
    """Of worker ``two``."""

    def labels(self, answer: Answer) -> list[str]:
        """Who made each picture."""
        found = [re.search(r"Worker Label: (\w+)", text) for text in answer.infotexts]
        return [label[1] if label else "main" for label in found]

    def generate(self, rpg: Any, kind: str = "txt2img", **settings: Any) -> Answer:
        answer = self.main.generate(kind, rpg, **{"batch_size": COUNT, **settings})
        self.said = self.main.log.read_text(errors="replace")
        return answer


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not EXTENSION.is_dir():
        pytest.skip(f"{EXTENSION.name} is not in {FOLDER} (set RPG_TEST_EXTENSIONS to its parent folder)")
    if subprocess.run([WEBUI / "venv/bin/python", "-c", "import rich"], capture_output=True, check=False).returncode:
        pytest.skip(f"{EXTENSION.name} needs the package rich in the webui's environment")
    webuis: list[Webui] = []
    try:
        webuis += [Webui(tmp_path_factory.mktemp(name)) for name in ("one", "two")]
        for webui in webuis:
            webui.wait()
        with before(webuis[1]) as gate:
            config = tmp_path_factory.mktemp("world") / "config.json"
            ports = {"one": webuis[0].port, "two": int(gate.url.rpartition(":")[2])}
            workers = [{name: {"avg_ipm": 10, "address": "127.0.0.1", "port": port}} for name, port in ports.items()]
            workers.insert(0, {"master": {"avg_ipm": 10, "master": True, "address": "localhost", "port": 1}})
            config.write_text(json.dumps({"workers": workers, "benchmark_payload": {}, "complement_production": False}))
            main = Webui(tmp_path_factory.mktemp("main"), ["--distributed-config", str(config)], [EXTENSION])
            webuis.append(main)
            main.wait()
            main.options(return_grid=False)  # else the other extension counts a grid that the API does not make
            yield World(main, webuis[0], webuis[1], gate)
    finally:
        for webui in webuis:
            webui.stop()


def alone(world: World, rpg: Any, kind: str = "txt2img", **settings: Any) -> list[np.ndarray]:
    """What a webui makes by itself, in batches of the size that each of three is given."""
    size = COUNT // 3
    batches = [
        world.one.generate(kind, rpg, **{"batch_size": size, "seed": 1 + first, **settings}) for first in range(0, COUNT, size)
    ]
    return [image for batch in batches for image in batch.images]


@pytest.mark.parametrize("rpg", [RED_BLUE, PAINTED], ids=["cells", "areas"])
def test_every_picture_is_the_one_of_a_single_webui(world: World, rpg: Any) -> None:
    split = world.generate(rpg)
    assert world.labels(split) == ["main"] * 4 + ["one"] * 4 + ["two"] * 4
    assert all("RPG plan: " in text for text in split.infotexts)
    single = alone(world, rpg)
    assert len({image.tobytes() for image in single}) == COUNT
    assert distance(split.images, single) == 0


def test_pictures_to_start_from(world: World) -> None:
    start = write_image(world.one.generate(prompt="a green star").image)
    mask = np.zeros((128, 256, 3))
    mask[:, 128:] = 255
    settings = {"init_images": [start], "mask": write_image(mask), "denoising_strength": 0.7, "inpainting_fill": 1}
    split = world.generate(RED_BLUE, "img2img", **settings)
    assert len(set(world.labels(split))) == 3
    assert distance(split.images, alone(world, RED_BLUE, "img2img", **settings)) <= 1


def test_plan_on_generate_plans_once_and_keeps_the_key(world: World) -> None:
    with serve(streamed()) as server:
        planner = {"provider": "compatible", "base_url": server.url, "model": "m", "api_key": KEY}
        world.gate.received.clear()
        split = world.generate({"planner": planner, "common_prompt": "crisp"}, prompt="a cat and a dog")
        assert len(server.received) == 1
    assert len(set(world.labels(split))) == 3
    assert all("a grey cat" in text and "crisp" in text for text in split.infotexts)
    told = next(text for text in world.gate.received if text.startswith("POST /sdapi/v1/txt2img"))
    plan, on, refine = json.loads(told.split(" ", 2)[2])["alwayson_scripts"]["RPG"]["args"]
    assert (json.loads(plan)["common_prompt"], on, refine) == ("crisp", True, "")
    everything = "".join(world.gate.received) + "".join(webui.log.read_text() for webui in (world.one, world.two))
    assert KEY not in everything
    assert server.url not in everything


def test_pictures_that_are_repaired(world: World) -> None:
    """By the machine that makes them, and once; one that a language model looks at stays here."""
    refine = {"provider": "shapes", "rounds": 1, "show_rounds": True}
    world.gate.received.clear()
    split = world.generate({**RED_BLUE, "refine": refine}, batch_size=3)
    assert world.labels(split) == ["main", "one", "two"]
    assert all("RPG checks: " in text for text in split.infotexts)
    told = next(text for text in world.gate.received if text.startswith("POST /sdapi/v1/txt2img"))
    assert json.loads(json.loads(told.split(" ", 2)[2])["alwayson_scripts"]["RPG"]["args"][2]) == {**refine, "show_rounds": False}
    single = [world.one.generate(rpg={**RED_BLUE, "refine": refine}, seed=seed).image for seed in (1, 2, 3)]
    assert distance(split.images, single) <= 1


def test_a_planner_that_fails_stops_all(world: World) -> None:
    world.gate.received.clear()
    answer = world.main.request(rpg={"planner": {"provider": "compatible"}}, batch_size=COUNT)
    assert (answer.status_code, "base_url is empty" in answer.text) == (422, True)
    assert not [text for text in world.gate.received if "txt2img" in text]


def test_what_cannot_be_shared_out_stays_here(world: World) -> None:
    split = world.generate({"regions": ["a {red|blue} circle", "a blue square"]}, batch_size=3)
    assert world.labels(split) == ["main"] * 3
    assert "RPG: wildcards in regions" in world.said


def test_without_regions_all_is_as_before(world: World) -> None:
    world.gate.plan_version = 0
    try:
        assert len(set(world.labels(world.generate(None)))) == 3
    finally:
        world.gate.plan_version = None


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (0, "RPG: the worker two has no RPG extension (404); install it there. It makes none of these pictures."),
        (1, "RPG: the worker two has an older RPG extension; update it there. It makes none of these pictures."),
    ],
)
def test_a_worker_whose_pictures_would_be_plain(world: World, version: int, sentence: str) -> None:
    world.gate.plan_version = version
    try:
        split = world.generate(RED_BLUE)
    finally:
        world.gate.plan_version = None
    assert sorted(world.labels(split)) == ["main"] * 6 + ["one"] * 6
    assert all("RPG plan: " in text for text in split.infotexts)
    assert sentence in world.said
    assert len(set(world.labels(world.generate(RED_BLUE)))) == 3  # it is asked again


def test_a_worker_that_is_killed_loses_no_picture(world: World) -> None:
    """Last: it is not started again."""
    whole = world.generate(RED_BLUE, steps=12)
    answers: list[Answer] = []
    job = threading.Thread(target=lambda: answers.append(world.generate(RED_BLUE, steps=12)))
    job.start()
    while not world.two.get("/sdapi/v1/progress?skip_current_image=true")["state"]["sampling_step"]:
        assert job.is_alive()
        time.sleep(0.01)
    os.killpg(world.two.process.pid, signal.SIGKILL)
    job.join(300)
    (made,) = answers
    assert sorted(world.labels(made)) == ["main"] * 8 + ["one"] * 4
    assert distance(made.images, whole.images) <= 1
    assert "RPG: two did not make 4 of the pictures; this machine made them." in world.said
    after = world.generate(RED_BLUE)
    assert sorted(world.labels(after)) == ["main"] * 6 + ["one"] * 6
    assert "RPG: the worker two cannot be reached, so it makes none of these pictures." in world.said
