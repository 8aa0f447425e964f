"""Google's client, and OpenAI's at Gemini's compatible address, against servers on loopback."""

import base64
import sys

import pytest

from rpg.errors import LLMError, Stopped
from rpg.llm import CUT, Answer, Event, Gemini, Message, Picture, Question
from tests.llm.asked import PNG, asked, joined, question
from tests.llm.servers import PLAN, Behaviour, Handler, Server, generated, google_error, page, serve, silence, streamed

KEY = "AIzaTest1234567890"
pytestmark = pytest.mark.filterwarnings("ignore")


def answered(*script: Behaviour, asking: Question | None = None) -> tuple[Answer, list[Event], Server]:
    events: list[Event] = []
    with serve(*script) as server:
        answer = asked(Gemini.at("", server.url, KEY), asking or question(), events=events)
    return answer, events, server


def failure(*script: Behaviour, model: str = "", timeout: float = 5.0) -> LLMError:
    with serve(*script) as server, pytest.raises(LLMError) as caught:
        asked(Gemini.at(model, server.url, KEY), question(timeout=timeout))
    return caught.value


def test_the_stream_becomes_the_answer() -> None:
    answer, events, server = answered(generated())
    assert answer == Answer(PLAN, "", "")
    assert [event.text for event in events if event.kind == "text"] == [PLAN[: len(PLAN) // 2], PLAN[len(PLAN) // 2 :]]
    [received] = server.received
    assert received.path.startswith("/v1beta/models/gemini-2.5-flash:streamGenerateContent")
    assert received.headers["x-goog-api-key"] == KEY
    assert KEY not in received.path
    assert received.body["contents"] == [{"role": "user", "parts": [{"text": "a cat and a dog"}]}]


def test_the_schema_and_the_longest_answer_are_sent() -> None:
    row = {"type": "object", "properties": {"height": {"type": "number"}}, "required": ["height"]}
    asking = Question([Message("user", "hello")], schema={"type": "array", "items": row}, max_tokens=40)
    _, _, server = answered(generated(), asking=asking)
    config = server.received[0].body["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    assert config["responseSchema"]["items"]["required"] == ["height"]
    assert config["maxOutputTokens"] == 40


def test_what_it_cost_is_told() -> None:
    _, events, _ = answered(generated(usageMetadata={"promptTokenCount": 1234, "candidatesTokenCount": 21}))
    assert joined(events, "cost").startswith("1234 tokens in, 21 out, ")


def test_the_picture_goes_with_the_question() -> None:
    _, _, server = answered(generated(), asking=question("Look:", Picture(PNG)))
    picture = server.received[0].body["contents"][0]["parts"][1]["inlineData"]
    assert picture == {"mimeType": "image/png", "data": base64.b64encode(PNG).decode()}


def test_the_chat_goes_on() -> None:
    chat = [Message("user", "a"), Message("assistant", "b"), Message("user", "c")]
    _, _, server = answered(generated(), asking=Question(chat))
    assert [content["role"] for content in server.received[0].body["contents"]] == ["user", "model", "user"]


@pytest.mark.parametrize(
    "behaviour",
    [
        google_error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
        google_error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
    ],
)
def test_a_wrong_key(behaviour: Behaviour) -> None:
    assert "Google Gemini refused the key" in str(failure(behaviour))
    assert "GEMINI_API_KEY" in str(failure(behaviour))


def test_403() -> None:
    assert "does not allow this key" in str(failure(google_error(403, "PERMISSION_DENIED", "User location is not supported")))


def test_404() -> None:
    caught = failure(google_error(404, "NOT_FOUND", "models/x is not found for API version v1beta"), model="x")
    assert "has no model 'x'" in str(caught)
    assert "is not found for API version" in str(caught)


def test_other_refusals_are_quoted() -> None:
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
def test_a_busy_server_is_asked_again_visibly(busy: Behaviour) -> None:
    answer, events, server = answered(busy, generated())
    assert answer.text == PLAN
    assert len(server.received) == 2
    assert any("Attempt 2 of 3" in event.text for event in events)


def test_the_wait_that_google_names_is_obeyed() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3600s"}]
    with serve(google_error(429, "RESOURCE_EXHAUSTED", "Quota", details)) as server:
        with pytest.raises(LLMError, match="asks to wait 3600 s"):
            asked(Gemini.at("", server.url, KEY), question())
        assert len(server.received) == 1


def test_500_is_asked_three_times() -> None:
    with serve(google_error(500, "INTERNAL", "An internal error has occurred")) as server:
        with pytest.raises(LLMError, match=r"problem of its own \(500\)"):
            asked(Gemini.at("", server.url, KEY), question())
        assert len(server.received) == 3


@pytest.mark.parametrize("behaviour", [silence, generated(then=silence)])
def test_silence(behaviour: Behaviour) -> None:
    assert "said nothing for 0.3 s" in str(failure(behaviour, timeout=0.3))


def test_a_cut_stream_is_asked_again() -> None:
    answer, events, _ = answered(generated(then=Handler.cut), generated())
    assert answer.text == PLAN
    assert any("broke off in the middle" in event.text for event in events)


def test_a_stream_that_ends_too_early_is_asked_again() -> None:
    answer, _, server = answered(generated(then=Handler.end), generated())
    assert answer.text == PLAN
    assert len(server.received) == 2


def test_a_web_page() -> None:
    assert "instead of a model's answer; check base_url" in str(failure(page))


def test_the_length_limit_is_remarked() -> None:
    answer, _, _ = answered(generated(PLAN[:80], finish="MAX_TOKENS"))
    assert answer == Answer(PLAN[:80], "", CUT)


def test_refusals() -> None:
    assert "refused to answer (SAFETY)" in str(failure(generated("", finish="SAFETY")))
    assert "refused to answer (SAFETY)" in str(failure(generated("", promptFeedback={"blockReason": "SAFETY"})))


def test_nobody_listens() -> None:
    with serve(generated()) as server:
        pass
    with pytest.raises(LLMError, match=f"cannot be reached at {server.url}"):
        asked(Gemini.at("", server.url, KEY), question())


@pytest.mark.parametrize("behaviour", [silence, generated(then=silence)])
def test_stopping_does_not_wait_for_the_server(behaviour: Behaviour) -> None:
    with serve(behaviour) as server:
        seen: list[bool] = []

        def cancelled() -> bool:
            seen.append(bool(server.received))
            return len(seen) > 10 and seen[-5]

        with pytest.raises(Stopped):
            asked(Gemini.at("", server.url, KEY), question(timeout=60.0), cancelled)


def test_a_key_of_the_environment_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "AIzaSecretOfTheServer")
    monkeypatch.setenv("GOOGLE_API_KEY", "AIzaSecretOfTheServer")
    with serve(generated()) as server:
        asked(Gemini.at("", server.url), question())
    assert "Secret" not in str(server.received)


def test_without_googles_package_openais_does_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.ai", None)
    answer, _, server = answered(streamed())
    assert answer.text == PLAN
    [received] = server.received
    assert received.path == "/v1beta/openai/chat/completions"
    assert received.headers["authorization"] == f"Bearer {KEY}"
