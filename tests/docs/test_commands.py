"""Every command and every piece of code in README and docs/ runs, or says in a comment why it does not."""

import base64
import contextlib
import io
import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import Body, FastAPI
from PIL import Image

from rpg.cli import _parser, main
from rpg.plan import Plan
from rpg.planners import PlanRequest, Subject, make_plan
from rpg.presets import Presets
from rpg.webui import edit_routes
from rpg.webui.arguments import parse_arguments
from rpg.webui.routes import HOST_ROUTE, add_routes
from tests.docs.blocks import PAGES, Block, blocks
from tests.editing.painters import Draughtsman
from tests.sentences import CHECKOUT

TARGETS = set(re.findall(r"^([\w-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
RUN = [
    page
    for page in PAGES
    if page.name != "README.zh-CN.md"  # its blocks are those of the English one
    and any(block.language in ("bash", "python") and not block.why for block in blocks(page))
]


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An address at which the routes answer as in the webui; a picture is a red one, but its plan is read."""
    app = FastAPI()

    def draw(body: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
        wanted = parse_arguments(*body["alwayson_scripts"]["RPG"]["args"], subject=Subject(body["prompt"]))
        plan = make_plan(wanted) if isinstance(wanted, PlanRequest) else wanted
        assert isinstance(plan, Plan)
        picture = io.BytesIO()
        Image.new("RGB", (body["width"], body["height"]), "red").save(picture, "PNG")
        return {"images": [base64.b64encode(picture.getvalue()).decode()]}

    app.add_api_route(HOST_ROUTE, draw, methods=["POST"])
    host = edit_routes.EditingHost(lambda picture, *_: Draughtsman(size=picture.size), nullcontext, lambda: False)
    add_routes(app, Presets(tmp_path_factory.mktemp("presets")), host)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_blocks_name_their_language(page: Path) -> None:
    assert {block.language for block in blocks(page)} <= {"bash", "python", "json"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_commands_that_are_not_run_exist(page: Path) -> None:
    for target in re.findall(r"`make ([\w-]+)", page.read_text("utf-8")):
        assert target in TARGETS
    for block in blocks(page):
        if block.language == "python":
            compile(block.text, page.name, "exec")
        for words in block.commands if block.language == "bash" else ():
            if words[0] == "make":
                assert words[1] in TARGETS
            if words[:3] == ["python", "-m", "rpg"]:
                _parser().parse_args(words[3:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_json_can_be_read(page: Path) -> None:
    for block in blocks(page):
        if block.language == "json":
            lines = block.text.splitlines() if block.text.startswith('{"') else [block.text]
            for line in lines:
                json.loads(line)


@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_the_rest_runs(page: Path, webui: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the page's order, in one folder: what an earlier command made is there for a later one."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(CHECKOUT / "docs/hints", "docs/hints")  # a part of the checkout, where users are
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    for block in blocks(page):
        if block.why:
            continue
        here = Block(block.page, block.language, block.text.replace("http://127.0.0.1:7860", webui), "")
        if block.language == "python":
            exec(compile(here.text, page.name, "exec"), {"__name__": "page"})
        for words in here.commands if block.language == "bash" else ():
            run(words)


def run(words: list[str]) -> None:
    """As a shell does, but ``python`` in this process: starting another takes seconds."""
    if words[:3] == ["python", "-m", "rpg"]:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            assert main(words[3:]) == 0, said.getvalue()
        return
    words, target = (words[:-2], words[-1]) if words[-2:-1] == [">"] else (words, "")
    done = subprocess.run(
        [sys.executable, *words[1:]] if words[0] == "python" else words, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, f"{shlex.join(words)}: {done.stderr.decode()}"
    if target:
        Path(target).write_bytes(done.stdout)
