"""The routes, on an app that stands in for the host's."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from starlette.testclient import TestClient

from rpg.errors import ReplyError
from rpg.plan import Plan
from rpg.presets import Presets
from rpg.webui.refusals import refusal
from rpg.webui.routes import HOST_ROUTE, add_routes
from tests.llm.servers import PLAN as TWO
from tests.llm.servers import serve, status

PLAN = {"regions": ["a cat", "a dog"]}
EDITING: Any = None
"""No test here edits."""


def allowed(request: Request) -> None:
    if request.headers.get("authorization") != "Basic right":
        raise HTTPException(401)


@pytest.fixture
def client(tmp_path: Path) -> Any:
    app = FastAPI()
    app.add_api_route(HOST_ROUTE, lambda: None, methods=["POST"], dependencies=[Depends(allowed)])

    add_routes(app, Presets(tmp_path), EDITING)
    return TestClient(app, headers={"authorization": "Basic right"})


def test_presets_are_kept_read_and_deleted(client: Any) -> None:
    assert "Triptych" in client.get("/rpg/v1/presets").json()["presets"]
    assert client.put("/rpg/v1/presets/two: pets", json=PLAN).json() == {"name": "two- pets"}
    assert client.get("/rpg/v1/presets").json()["presets"][0] == "two- pets"
    answer = client.get("/rpg/v1/presets/two: pets").json()
    assert answer["plan"] == Plan.from_dict(PLAN).to_dict()
    assert client.delete("/rpg/v1/presets/two: pets").status_code == 200
    assert client.get("/rpg/v1/presets/two: pets").status_code == 404
    refused = client.put("/rpg/v1/presets/x", json={"regions": []})
    assert (refused.status_code, refused.json()["detail"][:16]) == (422, "regions is empty")


def test_a_refused_request_is_one_line_on_the_console(client: Any, capsys: pytest.CaptureFixture[str]) -> None:
    answer = client.post("/rpg/v1/plan", json={"caption": ""})
    assert answer.status_code == 422
    assert capsys.readouterr().out == f"RPG refused a request: {answer.json()['detail']}\n"


def test_a_refusal_keeps_what_the_error_said() -> None:
    told = refusal(ReplyError("The answer is empty.", "raw", 502))
    assert type(told).__name__ == "ReplyError"
    assert str(told) == "The answer is empty."
    assert vars(told).items() >= {"status_code": 502, "detail": "The answer is empty.", "raw": "raw"}.items()


def test_a_plan_comes_with_what_it_cost(client: Any) -> None:
    said = {"usage": {"prompt_tokens": 700, "completion_tokens": 90}, "choices": [{"message": {"content": TWO}}]}
    with serve(status(200, said)) as server:
        asked = {"caption": "a cat and a dog", "provider": "compatible", "base_url": server.url, "model": "m"}
        answer = client.post("/rpg/v1/plan", json=asked).json()
    assert [region["prompt"] for region in answer["plan"]["regions"]] == ["a grey cat", "a brown dog"]
    assert answer["log"][-1].startswith("700 tokens in, 90 out, ")
    assert answer["log"][-1].endswith(" s")


def test_planners_name_their_default_model(client: Any) -> None:
    models = {planner["name"]: planner["default_model"] for planner in client.get("/rpg/v1/planners").json()["planners"]}
    assert models["rules"] == ""
    assert models["openai"] == "gpt-4o"


def test_they_stand_under_the_hosts_authentication(client: Any) -> None:
    for method, path in (("GET", ""), ("GET", "/x"), ("PUT", "/x"), ("DELETE", "/x")):
        answer = client.request(method, f"/rpg/v1/presets{path}", json=PLAN, headers={"authorization": "wrong"})
        assert answer.status_code == 401, (method, path)


def test_without_the_hosts_api_there_are_none(tmp_path: Path) -> None:
    app = FastAPI()
    add_routes(app, Presets(tmp_path), EDITING)
    assert TestClient(app).get("/rpg/v1/presets").status_code == 404
