"""Stand-ins for webuis on loopback: they answer as the API does, and go wrong in the ways that webuis do."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rpg.infotext import Infotext
from rpg.plan import VERSION, Plan


@dataclass
class StandIn:
    """
    Fields:
        extension: whether it has this one, and of which version of plans.
        seconds: that a picture takes.
        dies_at: the picture in the middle of which it dies.
        fault: status and sentence that it answers instead of a picture.
        busy: times that it answers 503 first.
    """

    model: str = "shapes"
    extension: int | None = VERSION
    api: bool = True
    seconds: float = 0.0
    dies_at: int = 0
    fault: tuple[int, str] | None = None
    busy: int = 0
    interrupted: int = 0
    plain: bool = False
    password: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    url: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)
    running: int = 0
    most: int = 0
    dead: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Handler(BaseHTTPRequestHandler):
    state: StandIn

    def log_message(self, format: str, *args: object) -> None:
        pass

    def handle_one_request(self) -> None:
        if self.state.dead:
            self.close_connection = True
            return
        super().handle_one_request()

    def do_GET(self) -> None:
        state = self.state
        if state.password and self.headers["authorization"] != f"Basic {base64.b64encode(state.password.encode()).decode()}":
            self.answer(401, {"detail": "Not authenticated"})
        elif not state.api:
            self.answer(404, {"detail": "Not Found"})
        elif self.path == "/rpg/v1/planners" and state.extension is not None:
            self.answer(200, {"planners": [], "templates": [], "plan_version": state.extension})
        elif self.path == "/sdapi/v1/script-info":
            self.answer(200, [{"name": "x/y/z plot"}])
        elif self.path == "/sdapi/v1/options":
            self.answer(200, {"sd_model_checkpoint": f"folder/{state.model}.safetensors [0123456789]", **state.options})
        elif self.path == "/sdapi/v1/sd-models":
            self.answer(200, [{"model_name": state.model}, {"model_name": "other"}])
        elif self.path.startswith("/sdapi/v1/progress"):
            self.answer(200, {"state": {"interrupted": len(state.received) <= state.interrupted, "skipped": False}})
        else:
            self.answer(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        state = self.state
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with state.lock:
            state.received.append(request)
            number = len(state.received)
            state.running += 1
            state.most = max(state.most, state.running)
        time.sleep(state.seconds)
        with state.lock:
            state.running -= 1
        if number == state.dies_at:
            state.dead = True
            self.close_connection = True
        elif number <= state.busy:
            self.answer(503, {"detail": "later"})
        elif state.fault:
            self.answer(state.fault[0], {"error": "Error", "detail": "", "errors": state.fault[1]})
        else:
            self.answer(200, picture(request, state))

    def answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def picture(request: dict[str, Any], state: StandIn) -> dict[str, Any]:
    """A picture that depends on all of its request, as the API answers it."""
    model = request.get("override_settings", {}).get("sd_model_checkpoint", state.model)
    plan = Plan.from_dict(request["alwayson_scripts"]["RPG"]["args"][0])
    made = Infotext(request["prompt"], request["negative_prompt"], seed=request["seed"], steps=request["steps"], model=model)
    made = Infotext(**{**vars(made), "size": (request["width"], request["height"]), "plan": None if state.plain else plan})
    info, file = PngInfo(), io.BytesIO()
    info.add_text("parameters", str(made))
    Image.new("RGB", (8, 8), (request["seed"] % 256, len(plan.regions), 0)).save(file, "PNG", pnginfo=info)
    return {"images": [base64.b64encode(file.getvalue()).decode()], "info": json.dumps({"infotexts": [str(made)]})}


@contextmanager
def serve(*states: StandIn) -> Iterator[list[str]]:
    """Their addresses."""
    servers = []
    for state in states:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"state": state}))
        state.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
    try:
        yield [state.url for state in states]
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
