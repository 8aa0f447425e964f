"""Planning inside the real webui, by its routes and on Generate; keys leave no trace."""

from __future__ import annotations

import json
import re

from rpg import shapes
from rpg.plan import Plan
from tests.llm.servers import error, serve, streamed
from tests.webui.host import SERVER_KEY, Webui

REQUEST_KEY = "sk-of-the-request-5f1b9c77"
CAPTION = "a red circle on the left and a blue square on the right"


def available(webui: Webui, name: str) -> bool:
    planners = webui.get("/rpg/v1/planners")["planners"]
    return next(planner["available"] for planner in planners if planner["name"] == name)


def test_the_route_plans_what_generate_draws(webui: Webui) -> None:
    plan = webui.post("/rpg/v1/plan", caption=CAPTION)["plan"]
    assert Plan.from_dict(plan).split_ratio == "1,1"
    by_plan = webui.generate(rpg=plan, prompt=CAPTION)
    on_generate = webui.generate(rpg={"planner": {"provider": "rules"}}, prompt=CAPTION)
    assert (by_plan.image == on_generate.image).all()
    stored = re.search(r"RPG plan: (\"(?:[^\"\\]|\\.)*\")", on_generate.infotexts[0])
    assert stored
    settled = Plan.from_dict(plan).for_model(shapes.LATENT_RATIO)
    assert Plan.from_json(json.loads(stored[1])) == settled


def test_a_planner_that_fails_stops_the_job_with_its_sentence(webui: Webui) -> None:
    answer = webui.request(rpg={"planner": {"provider": "compatible"}})
    assert answer.status_code >= 400
    assert "base_url is empty" in answer.json()["detail"] or "not installed" in answer.json()["detail"]
    answer = webui.session.post(webui.url + "/rpg/v1/plan", json={"caption": CAPTION, "provider": "nobody"}, timeout=60)
    assert answer.status_code == 422
    assert "provider is 'nobody'" in answer.json()["detail"]


def test_one_prompt_is_planned_once(webui: Webui) -> None:
    with serve(streamed()) as server:
        rpg = {"planner": {"provider": "compatible", "base_url": server.url, "model": "m"}}
        if not available(webui, "compatible"):
            assert "not installed" in webui.request(rpg=rpg).json()["detail"]
            return
        prompt = "a cat and a dog"
        first, second = webui.generate(rpg=rpg, prompt=prompt, n_iter=2), webui.generate(rpg=rpg, prompt=prompt)
        assert len(server.received) == 1
        assert "a grey cat" in first.infotexts[0]
        assert (first.images[-1] != second.image).any()


def test_keys_leave_no_trace(webui: Webui) -> None:
    seen = []
    with serve(streamed(), error(401, f"Incorrect API key provided: {REQUEST_KEY}")) as server:
        for provider in ("compatible", "openai", "openai"):
            request = {"provider": provider, "base_url": server.url, "model": "m", "api_key": REQUEST_KEY}
            seen.append(webui.session.post(webui.url + "/rpg/v1/plan", json={"caption": CAPTION, **request}, timeout=60).text)
            seen.append(webui.request(rpg={"planner": request}, prompt="a cat").text)
        without = {"caption": "a dog", "provider": "openai", "base_url": server.url, "model": "m"}
        seen.append(webui.session.post(webui.url + "/rpg/v1/plan", json=without, timeout=60).text)
    if available(webui, "openai"):
        assert REQUEST_KEY in server.received[0].headers["authorization"]
    assert not any(SERVER_KEY in str(received.headers) for received in server.received), "the server's key went elsewhere"
    webui.options(samples_save=False)  # writes config.json
    for path in ("/", "/config", "/rpg/v1/planners", "/sdapi/v1/options", "/internal/sysinfo"):
        seen.append(webui.session.get(webui.url + path, timeout=60).text)
    written = [
        path for path in webui.folder.rglob("*") if path.is_file() and path.suffix in ("", ".json", ".txt", ".log", ".csv")
    ]
    assert webui.log in written
    seen += [path.read_text(errors="replace") for path in written]
    for key in (SERVER_KEY, REQUEST_KEY):
        assert not [text[:200] for text in seen if key in text]
