"""The openai package against servers on loopback."""

import base64

import pytest

from rpg.errors import PlannerError
from rpg.planners import PlanEvent, PlanningStopped, PlanRequest, ReplyError, make_plan, stream_plan
from tests.planners.servers import PLAN, Server, error, page, serve, silence, status, streamed, whole

KEY = "sk-test-1234567890"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")


def request(server: Server, **values: object) -> PlanRequest:
    given = {"provider": "compatible", "model": "m", "base_url": server.url + "/v1", "timeout": 5.0, **values}
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


def statuses(events: list[PlanEvent]) -> list[str]:
    return [event.text for event in events if event.kind == "status"]


def test_a_stream_is_shown_while_it_arrives_and_becomes_the_plan():
    plan, events, server = plan_with(streamed(reasoning="The cat sits left."), api_key=KEY)
    assert [region.prompt for region in plan.regions] == ["a grey cat", "a brown dog"]
    assert (plan.split_ratio, plan.base_ratio, plan.caption) == ("1,2", 0.0, "a cat and a dog")
    assert plan.planned_by == "compatible m, template default 1"
    assert "".join(event.text for event in events if event.kind == "reasoning") == "The cat sits left."
    texts = [event.text for event in events if event.kind == "text"]
    assert "".join(texts) == PLAN
    assert len(texts) > 10
    [received] = server.received
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.body["stream"] is True
    assert "a cat and a dog" in received.body["messages"][0]["content"]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_become_the_notes_when_the_answer_has_none(name: str):
    answer = "Final split ratio: 1,1\nRegional Prompt: a BREAK b"
    plan, _, _ = plan_with(streamed(answer, reasoning="Because of the cat.", name=name))
    assert plan.notes == "Because of the cat."


def test_think_tags_in_the_text_are_shown_as_thoughts():
    _, events, _ = plan_with(streamed(f"<think>Left or right?</think>{PLAN}"))
    assert "".join(event.text for event in events if event.kind == "reasoning") == "Left or right?"
    assert "".join(event.text for event in events if event.kind == "text") == PLAN


def test_the_schema_is_sent():
    _, _, server = plan_with(streamed())
    response_format = server.received[0].body["response_format"]
    assert response_format["type"] == "json_schema"
    schema = response_format["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["required"] == ["notes", "rows", "base_prompt", "base_ratio"]


@pytest.mark.parametrize("code", [400, 422])
def test_a_server_without_schemas_is_asked_for_plain_text_and_remembered(code: int):
    refusal = error(code, "'response_format' of type json_schema is not supported with this model")
    with serve(refusal, streamed()) as server:
        events: list[PlanEvent] = []
        make_plan(request(server), events.append)
        make_plan(request(server), reuse=False)
    assert any("does not take response_format" in text for text in statuses(events))
    assert ["response_format" in received.body for received in server.received] == [True, False, False]


def test_a_server_without_streams_is_asked_for_the_whole():
    refusal = error(400, "Your organization must be verified to stream this model.", "unsupported_value")
    plan, _, server = plan_with(refusal, whole())
    assert plan.split_ratio == "1,2"
    assert [received.body.get("stream") for received in server.received] == [True, None]


def test_a_server_that_ignores_the_wish_to_stream():
    plan, events, _ = plan_with(whole(reasoning_content="Hm."))
    assert plan.split_ratio == "1,2"
    assert PlanEvent("reasoning", "Hm.") in events


def test_the_picture_goes_with_the_request():
    _, _, server = plan_with(streamed(), image=base64.b64encode(PNG).decode())
    text, picture = server.received[0].body["messages"][0]["content"]
    assert "a cat and a dog" in text["text"]
    assert picture["image_url"]["url"] == "data:image/png;base64," + base64.b64encode(PNG).decode()


def test_401_names_the_field_and_keeps_the_key():
    caught = failure(error(401, f"Incorrect API key provided: {KEY}."), api_key=KEY)
    assert str(caught) == "OpenAI-compatible server refused the key (401); check the API key."
    assert caught.status_code == 502


def test_403_says_what_the_server_said():
    caught = failure(error(403, f"Project of {KEY} has no access to m"), api_key=KEY)
    assert "(403) (Project of *** has no access to m)" in str(caught)


def test_404_names_the_model_and_the_address():
    caught = failure(error(404, 'model "m" not found, try pulling it first'))
    assert "has no model 'm' at http://127.0.0.1" in str(caught)
    assert "try pulling it first" in str(caught)
    assert "check model and base_url" in str(caught)


def test_404_page_of_a_proxy_is_not_quoted():
    assert "<" not in str(failure(status(404, "<html>nothing here</html>", content_type="text/html")))


@pytest.mark.parametrize("after", ["0.3", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_429_waits_as_long_as_the_server_asks_and_says_so(after: str):
    plan, events, server = plan_with(error(429, "Rate limit reached", retry_after=after), streamed())
    assert plan.split_ratio == "1,2"
    assert len(server.received) == 2
    if after == "0.3":
        assert any("(429) and asks to wait 0 s" in text and "Attempt 2 of 3 in 1 s." in text for text in statuses(events))


def test_429_with_a_long_wait_is_not_waited_for():
    with serve(error(429, "Rate limit reached", retry_after="3600")) as server:
        with pytest.raises(PlannerError, match="asks to wait 3600 s"):
            make_plan(request(server))
        assert len(server.received) == 1


def test_a_used_up_quota_is_not_asked_again():
    with serve(error(429, "You exceeded your current quota", "insufficient_quota")) as server:
        with pytest.raises(PlannerError, match=r"quota .* is used up .* billing"):
            make_plan(request(server))
        assert len(server.received) == 1


def test_500_is_asked_three_times():
    with serve(error(500, "The server had an error")) as server:
        with pytest.raises(PlannerError, match=r"problem of its own \(500\).*The server had an error.*another provider"):
            make_plan(request(server))
        assert len(server.received) == 3


def test_500_then_an_answer():
    plan, events, _ = plan_with(error(503, "overloaded"), streamed())
    assert plan.split_ratio == "1,2"
    assert any("Attempt 2 of 3" in text for text in statuses(events))


def test_silence():
    assert "said nothing for 0.3 s" in str(failure(silence, timeout=0.3))


def test_a_stall_in_the_middle_of_the_answer():
    assert "said nothing for 0.3 s" in str(failure(streamed(then=silence), timeout=0.3))


def test_a_cut_stream_is_asked_again():
    plan, events, server = plan_with(streamed('{"notes', then=lambda handler: handler.cut()), streamed())
    assert plan.split_ratio == "1,2"
    assert len(server.received) == 2
    assert any("broke off in the middle" in text for text in statuses(events))


def test_a_stream_that_ends_without_its_end_mark():
    caught = failure(streamed(PLAN[:80], finish=None))
    assert isinstance(caught, ReplyError)
    assert str(caught).startswith("The connection may have broken off before the end. The JSON is cut off")


def test_an_error_inside_the_stream():
    def broken(handler):
        handler.send('data: {"error": {"message": "CUDA out of memory"}}\n\n')
        handler.end()

    assert "broke off in the middle of the answer (CUDA out of memory)" in str(failure(streamed("{", then=broken)))


def test_nonsense_inside_the_stream():
    def broken(handler):
        handler.send("data: hello\n\n")
        handler.end()

    assert "something that is no JSON" in str(failure(streamed("{", then=broken)))


@pytest.mark.parametrize("refusals", [[], [error(400, "stream is not supported")]])
def test_a_web_page_instead_of_json(refusals: list):
    caught = failure(*refusals, page)
    assert "answered with a web page instead of a model's answer; check base_url" in str(caught)


def test_json_of_another_kind():
    assert "no choices" in str(failure(status(200, {"detail": "hello"})))


def test_an_error_with_status_200():
    assert "(model is loading)" in str(failure(status(200, {"error": {"message": "model is loading"}})))


def test_an_empty_answer_is_asked_for_again_then_told():
    with serve(streamed("")) as server:
        with pytest.raises(ReplyError, match=r"The answer is empty\.") as caught:
            make_plan(request(server))
        assert caught.value.raw == ""
        assert server.received[1].body["messages"][1] == {"role": "assistant", "content": "(nothing)"}


def test_a_wrong_answer_goes_back_once_with_the_exact_error():
    wrong = "Final split ratio: 1,1,1\nRegional Prompt: a BREAK b"
    plan, events, server = plan_with(streamed(wrong), streamed())
    assert plan.split_ratio == "1,2"
    _, answer, repair = server.received[1].body["messages"]
    assert answer == {"role": "assistant", "content": wrong}
    assert "split_ratio '1,1,1' makes 3 regions, but there are 2 region prompts" in repair["content"]
    assert any("Asking once more" in text for text in statuses(events))


def test_a_wrong_answer_twice_is_shown():
    with serve(streamed("first"), streamed("second")) as server:
        with pytest.raises(ReplyError, match="holds no plan") as caught:
            make_plan(request(server))
        assert caught.value.raw == "second"
        assert len(server.received) == 2


def test_an_answer_that_stopped_at_the_length_limit():
    caught = failure(streamed(PLAN[:80], finish="length"))
    assert str(caught).startswith("The model stopped at its length limit. The JSON is cut off after")


@pytest.mark.parametrize("behaviour", [streamed("", finish="content_filter"), whole("", finish="content_filter")])
def test_a_content_filter(behaviour):
    assert "refused the caption (content filter)" in str(failure(behaviour))


def test_a_refusal():
    assert "refused the caption (I cannot help with that)" in str(failure(whole("", refusal="I cannot help with that")))


def test_an_endless_answer_is_left(monkeypatch):
    monkeypatch.setattr("rpg.planners.asking.MAX_REPLY", 1000)

    def endless(handler):
        while not handler.state.closing.is_set():
            handler.event(delta={"content": "bla bla "}, finish_reason=None)

    caught = failure(streamed("", then=endless))
    assert "wrote more than 1000 characters" in str(caught)
    assert caught.raw.startswith("bla bla")


def test_nobody_listens():
    with serve(streamed()) as server:
        url = server.url
    with pytest.raises(PlannerError, match=rf"cannot be reached at {url}/v1 .*; check that the server runs"):
        make_plan(PlanRequest("a cat", provider="compatible", base_url=url + "/v1"))


@pytest.mark.parametrize("behaviour", [silence, streamed("{", then=silence), error(429, "later", retry_after="60")])
def test_stopping_does_not_wait_for_the_server(behaviour):
    with serve(behaviour) as server:
        asked: list[bool] = []

        def cancelled() -> bool:
            asked.append(bool(server.received))
            return len(asked) > 10 and asked[-5]

        with pytest.raises(PlanningStopped, match="stopped"):
            make_plan(request(server, timeout=60.0), cancelled=cancelled)
        assert not server.closing.is_set()


def test_a_generator_that_is_closed_closes_the_connection():
    left = []

    def behave(handler):
        try:
            while True:
                handler.event(delta={"content": "x"}, finish_reason=None)
                handler.state.closing.wait(0.01)
        except OSError:
            left.append(True)
            raise

    with serve(streamed("", then=behave)) as server:
        events = stream_plan(request(server))
        while next(events).kind != "text":
            pass
        events.close()
        for _ in range(500):
            if left:
                break
            server.closing.wait(0.01)
    assert left == [True]


def test_headers_of_the_environment_do_not_go_to_other_servers(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment-secret")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-secret")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-secret")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: gateway-secret\nAuthorization: Bearer custom-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/never")
    for provider in ("compatible", "openai", "deepseek"):
        _, _, server = plan_with(streamed(), provider=provider)
        assert server.received[0].headers["authorization"] == "Bearer none"
        assert "secret" not in str(server.received[0].headers)
    _, _, server = plan_with(streamed(), api_key=KEY)
    assert server.received[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_dead_proxy_does_not_hide_the_loopback(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    plan, _, _ = plan_with(streamed())
    assert plan.split_ratio == "1,2"
