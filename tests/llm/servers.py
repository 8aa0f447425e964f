"""Servers on loopback that speak the protocols of OpenAI and Gemini, well and badly."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PLAN = (
    '{"notes":"A cat and a dog.","rows":[{"height":1,"regions":[{"width":1,"prompt":"a grey cat"},'
    '{"width":2,"prompt":"a brown dog"}]}],"base_prompt":"","base_ratio":0}'
)
PAGE = "<!DOCTYPE html><html><body>Welcome to nginx!</body></html>"


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Server:
    """Answers each request with the next behaviour of the script; the last one stays."""

    url: str
    script: list[Callable[["Handler"], None]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    """Names that ``GET .../models`` lists; without any there is no such list."""
    closing: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.state.received.append(Received(self.path, {key.lower(): value for key, value in self.headers.items()}, body))
        behaviour = self.state.script.pop(0) if len(self.state.script) > 1 else self.state.script[0]
        try:
            behaviour(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has left

    def do_GET(self) -> None:
        if self.path.partition("?")[0].endswith("/models") and self.state.models:
            self.answer(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in self.state.models]})
        else:
            self.answer(404, {"error": {"message": f"no {self.path}"}})

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, status: int, body: str | dict[str, Any], content_type: str = "application/json", **headers: str) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in {"content-type": content_type, "content-length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def begin(self, content_type: str) -> None:
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def send(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def event(self, **choice: Any) -> None:
        """One server-sent event of a chat completion."""
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, **choice}]}
        self.send(f"data: {json.dumps(chunk)}\n\n")

    def end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def cut(self) -> None:
        """Close the connection in the middle of a chunk."""
        self.wfile.write(b"ffff\r\ndata: {")
        self.wfile.flush()
        self.close_connection = True

    def stall(self) -> None:
        self.state.closing.wait(60)
        self.close_connection = True


Behaviour = Callable[[Handler], None]


@contextmanager
def serve(*script: Behaviour) -> Iterator[Server]:
    """A server on a free port."""
    state = Server("", list(script))
    handler = type("BoundHandler", (Handler,), {"state": state})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    state.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.closing.set()
        http.shutdown()
        http.server_close()


def status(code: int, body: str | dict[str, Any], **headers: str) -> Behaviour:
    return lambda handler: handler.answer(code, body, **headers)


def error(code: int, message: str, name: str | None = None, **headers: str) -> Behaviour:
    """An error as OpenAI writes it."""
    return status(code, {"error": {"message": message, "type": "error", "param": None, "code": name}}, **headers)


def page(handler: Handler) -> None:
    handler.answer(200, PAGE, "text/html; charset=utf-8")


def silence(handler: Handler) -> None:
    handler.stall()


# OpenAI


def whole(text: str = PLAN, finish: str = "stop", **message: Any) -> Behaviour:
    """A chat completion in one piece."""
    message = {"role": "assistant", "content": text, **message}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return status(200, {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})


def streamed(
    text: str = PLAN,
    reasoning: str = "",
    finish: str | None = "stop",
    then: Behaviour | None = None,
    name: str = "reasoning_content",
) -> Behaviour:
    """A chat completion in pieces of seven characters; ``then`` takes the place of its end."""

    def behave(handler: Handler) -> None:
        handler.begin("text/event-stream; charset=utf-8")
        handler.event(delta={"role": "assistant", "content": ""}, finish_reason=None)
        for start in range(0, len(reasoning), 7):
            handler.event(delta={name: reasoning[start : start + 7]}, finish_reason=None)
        for start in range(0, len(text), 7):
            handler.event(delta={"content": text[start : start + 7]}, finish_reason=None)
        if then:
            then(handler)
            return
        if finish:
            handler.event(delta={}, finish_reason=finish)
        handler.send("data: [DONE]\n\n")
        handler.end()

    return behave


# Gemini


def generated(text: str = PLAN, finish: str = "STOP", then: Behaviour | None = None, **response: Any) -> Behaviour:
    """Generated content in two pieces, as Google's REST interface streams it."""

    def behave(handler: Handler) -> None:
        handler.begin("application/json; charset=UTF-8")
        half = len(text) // 2
        content = {"role": "model", "parts": [{"text": text[:half], "thoughtSignature": "unknown to this client"}]}
        handler.send("[" + json.dumps({"candidates": [{"content": content, "index": 0}], **response}))
        if then:
            then(handler)
            return
        content = {"role": "model", "parts": [{"text": text[half:]}]}
        handler.send(",\r\n" + json.dumps({"candidates": [{"content": content, "finishReason": finish, "index": 0}]}) + "]")
        handler.end()

    return behave


def google_error(code: int, name: str, message: str, details: list[dict[str, Any]] | None = None, **headers: str) -> Behaviour:
    return status(code, {"error": {"code": code, "message": message, "status": name, "details": details or []}}, **headers)
