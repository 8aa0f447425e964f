"""Cache, offline planner, keys out of sight, command line, the original's function."""

import dataclasses
import io
import json
import logging
import traceback
from collections.abc import Iterator

import pytest

from rpg.cli import main
from rpg.errors import PlannerError
from rpg.plan import Plan
from rpg.planners import GPT4, PROVIDERS, PlanEvent, PlanRequest, cache, forget_plans, make_plan, stream_plan
from tests.planners.servers import PLAN, error, page, serve, status, streamed

KEY = "sk-needle-in-the-haystack"


def request(url: str, **values: object) -> PlanRequest:
    return PlanRequest("a cat and a dog", **{"provider": "compatible", "model": "m", "base_url": url, **values})


def test_the_same_request_is_paid_once():
    with serve(streamed()) as server:
        events: list[PlanEvent] = []
        first = make_plan(request(server.url))
        assert make_plan(request(server.url, timeout=9.0), events.append) is first
        assert len(server.received) == 1
        assert [event.kind for event in events] == ["status"]
        for other in ({"model": "n"}, {"api_key": KEY}, {"api_key": KEY + "2"}, {"base_url": server.url + "/v1"}):
            make_plan(request(server.url, **other))
        assert len(server.received) == 5
        make_plan(request(server.url), reuse=False)
        forget_plans()
        make_plan(request(server.url))
        assert len(server.received) == 7


def test_the_cache_is_bounded_keeps_the_latest_and_holds_no_key(monkeypatch):
    monkeypatch.setattr(cache, "SIZE", 2)
    with serve(streamed()) as server:
        for model in ("a", "b", "a", "c", "a"):
            make_plan(request(server.url, model=model, api_key=KEY))
        assert [received.body["model"] for received in server.received] == ["a", "b", "c"]
    assert len(cache._plans) == 2
    assert KEY not in repr(cache._plans)


def test_a_failed_request_is_not_remembered():
    with serve(streamed("no"), streamed("no"), streamed()) as server:
        with pytest.raises(PlannerError):
            make_plan(request(server.url))
        assert make_plan(request(server.url)).split_ratio == "1,2"


def test_offline():
    plan = make_plan(PlanRequest("a red circle on the left and a blue square on the right"))
    assert plan.split_ratio == "1,1"
    assert ["red" in region.prompt for region in plan.regions] == [True, False]


def test_offline_sees_no_pictures():
    with pytest.raises(PlannerError, match="Offline rules cannot see pictures"):
        make_plan(PlanRequest("a cat", image="iVBORw0KGgo="))


def test_the_generator_returns_the_plan():
    plans: list[Plan] = []

    def follow() -> Iterator[PlanEvent]:
        plans.append((yield from stream_plan(request(server.url))))

    with serve(streamed()) as server:
        kinds = [event.kind for event in follow()]
    assert kinds[0] == "status"
    assert set(kinds[1:]) == {"text"}
    assert [plan.split_ratio for plan in plans] == ["1,2"]


@pytest.mark.parametrize(
    "script",
    [
        [error(401, f"Incorrect API key provided: {KEY}")],
        [error(400, f"Header Authorization: Bearer {KEY} is odd")],
        [error(500, f"crashed with {KEY}")],
        [status(200, {"error": {"message": KEY}})],
        [page],
        [streamed(f"Your key is {KEY}.")],
        [streamed(PLAN.replace("grey", KEY), reasoning=f"The key is {KEY}?")],
        [streamed(PLAN[:70] + KEY)],
    ],
)
def test_the_key_is_found_nowhere(script, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    shown = io.StringIO()
    with serve(*script) as server:
        asked = request(server.url, api_key=KEY)
        try:
            plan = make_plan(asked, lambda event: print(event, file=shown))
        except PlannerError as caught:
            print(caught, vars(caught), repr(caught), file=shown)
            traceback.print_exception(caught, file=shown)
        else:
            print(plan.to_json(), file=shown)
        assert server.received[0].headers["authorization"] == f"Bearer {KEY}"
    output = capfd.readouterr()
    assert KEY not in shown.getvalue() + caplog.text + output.out + output.err + repr(asked) + repr(cache._plans)


def test_the_originals_function(monkeypatch):
    with serve(streamed()) as server:
        monkeypatch.setitem(PROVIDERS, "openai", dataclasses.replace(PROVIDERS["openai"], base_url=server.url + "/v1"))
        expected = {"Final split ratio": "1,2", "Regional Prompt": "a grey cat BREAK a brown dog"}
        assert GPT4("a cat and a dog", key=KEY) == expected
        assert GPT4("a cat and a dog", KEY) == expected
        assert len(server.received) == 2
        assert server.received[0].body["model"] == "gpt-4o"


def test_command_line(capsys, monkeypatch):
    monkeypatch.setenv("MY_KEY", KEY)
    with serve(streamed(reasoning="Hm. ")) as server:
        arguments = ["plan", "a cat and a dog", "--planner", "compatible", "--model", "m", "--base-url", server.url]
        assert main([*arguments, "--key-variable", "MY_KEY", "--json"]) == 0
        assert server.received[0].headers["authorization"] == f"Bearer {KEY}"
        output = capsys.readouterr()
        assert json.loads(output.out)["split_ratio"] == "1,2"
        assert output.err.startswith("Asking OpenAI-compatible server (m).\nHm. " + PLAN)
        assert main(arguments) == 0
    assert capsys.readouterr().out == "Split ratio: 1,2\nRegion 1: a grey cat\nRegion 2: a brown dog\nBase ratio: 0\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--planner", "compatible"], "base_url is empty"),
        (["--planner", "openai", "--key-variable", "NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE is empty; put the key into it"),
        (["--planner", "openai", "--image", "missing.png"], "The picture missing.png cannot be read"),
        (["--planner", "openai"], "OPENAI_API_KEY"),
        (["--timeout", "-1"], "timeout is -1.0"),
    ],
)
def test_command_line_errors(arguments: list[str], sentence: str, capsys):
    assert main(["plan", "a cat", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert sentence in output.err
    assert output.err.count("\n") == 1
