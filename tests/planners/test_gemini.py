"""Google's client, and OpenAI's at Gemini's compatible address, against servers on loopback."""

import base64
import sys

import pytest

from rpg.errors import PlannerError
from rpg.planners import PlanEvent, PlanningStopped, PlanRequest, ReplyError, make_plan
from tests.planners.servers import PLAN, Server, generated, google_error, page, serve, silence, streamed
from tests.planners.test_openai_chat import PNG

KEY = "AIzaTest1234567890"
pytestmark = pytest.mark.filterwarnings("ignore")


def request(server: Server, **values: object) -> PlanRequest:
    given = {"provider": "gemini", "base_url": server.url, "api_key": KEY, "timeout": 5.0, **values}
    return PlanRequest("a cat and a dog", **given)


def plan_with(*script, **values):
    events: list[PlanEvent] = []
    with serve(*script) as server:
        plan = make_plan(request(server, **values), events.append)
    return plan, events, server


def failure(*script, **values) -> PlannerError:
    with serve(*script) as server, pytest.raises(PlannerError) as caught:
        make_plan(request(server, **values))
    return caught.value


def test_the_stream_becomes_the_plan():
    plan, events, server = plan_with(generated())
    assert [region.prompt for region in plan.regions] == ["a grey cat", "a brown dog"]
    assert plan.planned_by == "gemini gemini-2.5-flash, template default 1"
    assert [event.text for event in events if event.kind == "text"] == [PLAN[: len(PLAN) // 2], PLAN[len(PLAN) // 2 :]]
    [received] = server.received
    assert received.path.startswith("/v1beta/models/gemini-2.5-flash:streamGenerateContent")
    assert received.headers["x-goog-api-key"] == KEY
    assert KEY not in received.path
    assert "a cat and a dog" in received.body["contents"][0]["parts"][0]["text"]


def test_the_schema_is_sent():
    _, _, server = plan_with(generated())
    config = server.received[0].body["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    row = config["responseSchema"]["properties"]["rows"]["items"]
    assert row["required"] == ["height", "regions"]


def test_the_picture_goes_with_the_request():
    _, _, server = plan_with(generated(), image=base64.b64encode(PNG).decode())
    picture = server.received[0].body["contents"][0]["parts"][1]["inlineData"]
    assert picture == {"mimeType": "image/png", "data": base64.b64encode(PNG).decode()}


def test_a_wrong_answer_goes_back_once():
    plan, _, server = plan_with(generated("no plan"), generated())
    assert plan.split_ratio == "1,2"
    assert [content["role"] for content in server.received[1].body["contents"]] == ["user", "model", "user"]


@pytest.mark.parametrize(
    "behaviour",
    [
        google_error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
        google_error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
    ],
)
def test_a_wrong_key(behaviour):
    assert "Google Gemini refused the key" in str(failure(behaviour))
    assert "GEMINI_API_KEY" in str(failure(behaviour))


def test_403():
    assert "does not allow this key" in str(failure(google_error(403, "PERMISSION_DENIED", "User location is not supported")))


def test_404():
    caught = failure(google_error(404, "NOT_FOUND", "models/x is not found for API version v1beta"), model="x")
    assert "has no model 'x'" in str(caught)
    assert "is not found for API version" in str(caught)


def test_other_refusals_are_quoted():
    assert "refused the request (400) (Unsupported picture)" in str(
        failure(google_error(400, "INVALID_ARGUMENT", "Unsupported picture"))
    )


@pytest.mark.parametrize(
    "busy",
    [
        google_error(429, "RESOURCE_EXHAUSTED", "Quota", retry_after="0.2"),
        google_error(
            429, "RESOURCE_EXHAUSTED", "Quota", [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.2s"}]
        ),
        google_error(503, "UNAVAILABLE", "The model is overloaded."),
    ],
)
def test_a_busy_server_is_asked_again_visibly(busy):
    plan, events, server = plan_with(busy, generated())
    assert plan.split_ratio == "1,2"
    assert len(server.received) == 2
    assert any("Attempt 2 of 3" in event.text for event in events)


def test_the_wait_that_google_names_is_obeyed():
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3600s"}]
    with serve(google_error(429, "RESOURCE_EXHAUSTED", "Quota", details)) as server:
        with pytest.raises(PlannerError, match="asks to wait 3600 s"):
            make_plan(request(server))
        assert len(server.received) == 1


def test_500_is_asked_three_times():
    with serve(google_error(500, "INTERNAL", "An internal error has occurred")) as server:
        with pytest.raises(PlannerError, match=r"problem of its own \(500\)"):
            make_plan(request(server))
        assert len(server.received) == 3


@pytest.mark.parametrize("behaviour", [silence, generated(then=silence)])
def test_silence(behaviour):
    assert "said nothing for 0.3 s" in str(failure(behaviour, timeout=0.3))


def test_a_cut_stream_is_asked_again():
    plan, events, _ = plan_with(generated(then=lambda handler: handler.cut()), generated())
    assert plan.split_ratio == "1,2"
    assert any("broke off in the middle" in event.text for event in events)


def test_a_stream_that_ends_too_early_is_asked_again():
    plan, _, server = plan_with(generated(then=lambda handler: handler.end()), generated())
    assert plan.split_ratio == "1,2"
    assert len(server.received) == 2


def test_a_web_page():
    assert "instead of a model's answer; check base_url" in str(failure(page))


def test_an_empty_answer():
    with serve(generated("")) as server, pytest.raises(ReplyError, match=r"The answer is empty\."):
        make_plan(request(server))


def test_the_length_limit():
    assert str(failure(generated(PLAN[:80], finish="MAX_TOKENS"))).startswith("The model stopped at its length limit.")


def test_refusals():
    assert "refused the caption (SAFETY)" in str(failure(generated("", finish="SAFETY")))
    assert "refused the caption (SAFETY)" in str(failure(generated("", promptFeedback={"blockReason": "SAFETY"})))


def test_nobody_listens():
    with serve(generated()) as server:
        url = server.url
    with pytest.raises(PlannerError, match=f"cannot be reached at {url}"):
        make_plan(PlanRequest("a cat", provider="gemini", base_url=url, api_key=KEY))


@pytest.mark.parametrize("behaviour", [silence, generated(then=silence)])
def test_stopping_does_not_wait_for_the_server(behaviour):
    with serve(behaviour) as server:
        asked: list[bool] = []

        def cancelled() -> bool:
            asked.append(bool(server.received))
            return len(asked) > 10 and asked[-5]

        with pytest.raises(PlanningStopped):
            make_plan(request(server, timeout=60.0), cancelled=cancelled)


def test_a_key_of_the_environment_stays_here(monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "AIzaSecretOfTheServer")
    monkeypatch.setenv("GOOGLE_API_KEY", "AIzaSecretOfTheServer")
    _, _, server = plan_with(generated(), api_key="")
    assert "Secret" not in str(server.received)


def test_without_googles_package_openais_does_the_same(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.ai", None)
    plan, _, server = plan_with(streamed())
    assert plan.split_ratio == "1,2"
    [received] = server.received
    assert received.path == "/v1beta/openai/chat/completions"
    assert received.headers["authorization"] == f"Bearer {KEY}"
