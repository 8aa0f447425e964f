"""The openai package against servers on loopback."""

import json
import re
import socket
from typing import Any

import pytest

from rpg.errors import BusyError, LLMError, Stopped
from rpg.llm import CUT, PROVIDERS, Answer, Event, Message, Picture, Question, ask, asking
from rpg.llm.openai_chat import ChatCompletions, Compatible
from tests.llm.asked import PNG, asked, joined, question, statuses
from tests.llm.servers import PLAN, Behaviour, Handler, Server, error, page, serve, silence, status, streamed, whole

KEY = "sk-test-1234567890"


def at(server: Server, key: str = "") -> ChatCompletions:
    return Compatible("m", server.url + "/v1", key)


def answered(*script: Behaviour, key: str = "", asking_for: Question | None = None) -> tuple[Answer, list[Event], Server]:
    events: list[Event] = []
    with serve(*script) as server:
        answer = asked(at(server, key), asking_for or question(), events=events)
    return answer, events, server


def failure(*script: Behaviour, key: str = "", timeout: float = 5.0) -> LLMError:
    with serve(*script) as server, pytest.raises(LLMError) as caught:
        asked(at(server, key), question(timeout=timeout))
    return caught.value


def test_a_stream_is_shown_while_it_arrives() -> None:
    answer, events, server = answered(streamed(reasoning="The cat sits left."), key=KEY)
    assert answer == Answer(PLAN, "The cat sits left.", "")
    assert joined(events, "reasoning") == "The cat sits left."
    assert joined(events, "text") == PLAN
    assert len([event for event in events if event.kind == "text"]) > 10
    [received] = server.received
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.body["stream"] is True
    assert received.body["messages"] == [{"role": "user", "content": "a cat and a dog"}]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_have_a_field_of_their_own(name: str) -> None:
    answer, _, _ = answered(streamed("Yes.", reasoning="Because of the cat.", name=name))
    assert answer == Answer("Yes.", "Because of the cat.", "")


def test_think_tags_in_the_text_are_shown_as_thoughts() -> None:
    answer, events, _ = answered(streamed(f"<think>Left or right?</think>{PLAN}"))
    assert joined(events, "reasoning") == answer.reasoning == "Left or right?"
    assert joined(events, "text") == answer.text == PLAN


def test_the_schema_and_the_longest_answer_are_sent() -> None:
    wanted = Question([Message("user", "hello")], schema={"type": "object", "properties": {}}, max_tokens=40)
    _, _, server = answered(streamed(), asking_for=wanted)
    schema = {"name": "answer", "strict": True, "schema": wanted.schema}
    assert server.received[0].body["response_format"] == {"type": "json_schema", "json_schema": schema}
    assert server.received[0].body["max_tokens"] == 40
    _, _, server = answered(streamed(), asking_for=Question([Message("user", "hello")]))
    assert "response_format" not in server.received[0].body
    assert server.received[0].body["max_tokens"] == Compatible.max_tokens


def test_openai_takes_no_bounds_in_a_schema_and_calls_the_longest_answer_otherwise() -> None:
    text = {"type": "string", "maxLength": 9}
    schema = {"type": "object", "properties": {"rows": {"type": "array", "items": text, "maxItems": 3}}, "required": ["rows"]}
    with serve(streamed()) as server:
        for name in ("openai", "compatible"):
            asked(PROVIDERS[name]("o3", server.url, KEY), Question([Message("user", "hello")], schema=schema, max_tokens=40))
    openai, compatible = (received.body for received in server.received)
    bare = {"rows": {"type": "array", "items": {"type": "string"}}}
    assert openai["response_format"]["json_schema"]["schema"] == {**schema, "properties": bare}
    assert compatible["response_format"]["json_schema"]["schema"] == schema
    assert (openai["max_completion_tokens"], compatible["max_tokens"]) == (40, 40)
    assert not {"max_tokens", "temperature"} & set(openai), "the o-series refuses both"


def test_a_server_that_takes_no_limit_so_large_is_asked_without() -> None:
    refusal = error(400, "max_tokens is too large: 8192. This model's maximum context length is 4096 tokens")
    answer, _, server = answered(refusal, streamed())
    assert answer.text == PLAN
    assert ["max_tokens" in received.body for received in server.received] == [True, False]


@pytest.mark.parametrize("field", ["content", "reasoning"])
def test_an_answer_in_a_loop_is_left(field: str) -> None:
    def loop(handler: Handler) -> None:
        while not handler.state.closing.is_set():
            handler.event(delta={field: "a red cat, a blue cat, "}, finish_reason=None)

    caught = failure(streamed('{"rows": ["', then=loop))
    assert str(caught) == "OpenAI-compatible server says the same over and over; try another model."
    assert len(vars(caught)["raw"]) < 3 * asking.LOOP


def test_a_plan_of_equal_regions_is_no_loop() -> None:
    regions = '{"width": 1, "prompt": "a white square"}, ' * 64
    assert answered(streamed(regions))[0].text == regions


def test_a_provider_without_schemas_gets_none() -> None:
    with serve(streamed()) as server:
        asked(PROVIDERS["deepseek"]("m", server.url, KEY), question())
        assert "response_format" not in server.received[0].body


@pytest.mark.parametrize("code", [400, 422])
def test_a_server_without_schemas_is_asked_for_plain_text_and_remembered(code: int) -> None:
    refusal = error(code, "'response_format' of type json_schema is not supported with this model")
    with serve(refusal, streamed()) as server:
        events: list[Event] = []
        asked(at(server), question(), events=events)
        asked(at(server), question())
    assert any("does not take response_format" in text for text in statuses(events))
    assert ["response_format" in received.body for received in server.received] == [True, False, False]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (500, "failed to load model vocabulary required for format"),  # Ollama
        (404, "No endpoints found that can handle the requested parameters."),  # OpenRouter
        (400, "failed to parse grammar"),  # llama.cpp
        (400, "This model does not support structured outputs"),
        (501, "guided decoding is not built in"),
    ],
)
def test_a_server_may_refuse_the_schema_in_other_words(code: int, words: str) -> None:
    answer, _, server = answered(error(code, words), streamed())
    assert answer.text == PLAN
    assert ["response_format" in received.body for received in server.received] == [True, False]


def test_what_was_not_the_schemas_fault_is_not_remembered() -> None:
    refusal = error(400, "Invalid schema or invalid picture")
    with serve(refusal, refusal, streamed()) as server:
        with pytest.raises(LLMError, match="invalid picture"):
            asked(at(server), question())
        asked(at(server), question())
        assert ["response_format" in received.body for received in server.received] == [True, False, True]


@pytest.mark.parametrize(
    "parts",
    [
        [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "A "}, {"text": "cat."}],
        [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}, {"type": "text", "text": "A cat."}],
        [{"type": "reasoning.text", "text": "Hm."}, "A cat.", {"type": "image_url", "image_url": {}}, None, 7],
    ],
)
def test_an_answer_in_parts(parts: list[Any]) -> None:
    def pieces(handler: Handler) -> None:
        for part in parts:
            handler.event(delta={"content": [part]}, finish_reason=None)
        handler.event(delta={"content": None}, finish_reason="stop")
        handler.end()

    for behaviour in (whole(content=parts), streamed("", then=pieces)):
        answer, events, _ = answered(behaviour)
        assert answer == Answer("A cat.", "Hm.", "")
        assert joined(events, "text") == "A cat."
    with serve(error(400, "stream is not supported"), whole(content=parts)) as server:
        assert asked(at(server), question()) == Answer("A cat.", "Hm.", "")


def test_an_answer_that_the_server_took_for_thoughts() -> None:
    for behaviour in (whole("", reasoning=PLAN), streamed("", reasoning=PLAN, name="reasoning")):
        assert answered(behaviour)[0] == Answer(PLAN, "", "")
    cut, _, _ = answered(streamed("", reasoning=PLAN, finish="length"))
    assert cut.text == ""
    assert cut.reasoning == PLAN


def test_a_server_without_streams_is_asked_for_the_whole() -> None:
    refusal = error(400, "Your organization must be verified to stream this model.", "unsupported_value")
    answer, _, server = answered(refusal, whole())
    assert answer.text == PLAN
    assert [received.body.get("stream") for received in server.received] == [True, None]


def test_a_server_that_ignores_the_wish_to_stream() -> None:
    answer, _, _ = answered(whole(reasoning_content="Hm."))
    assert answer == Answer(PLAN, "Hm.", "")


def test_pictures_go_with_the_question() -> None:
    _, _, server = answered(streamed(), asking_for=question("Look:", Picture(PNG), Picture(PNG)))
    text, *pictures = server.received[0].body["messages"][0]["content"]
    assert text == {"type": "text", "text": "Look:"}
    assert pictures == [{"type": "image_url", "image_url": {"url": Picture(PNG).url}}] * 2


def test_who_looks_at_a_picture_asks_with_messages_and_a_schema_of_its_own() -> None:
    """Nothing of a plan is needed: a critic of pictures asks like this."""
    verdict = {"found": ["cat"], "missing": ["dog"]}
    names = {"type": "array", "items": {"type": "string"}}
    schema = {"type": "object", "properties": {"found": names, "missing": names}, "required": ["found", "missing"]}
    chat = [
        Message("user", "Which of these does the picture show: cat, dog?", [Picture(PNG)]),
        Message("assistant", "A cat."),
        Message("user", "Answer in JSON."),
    ]
    answer, events, server = answered(
        streamed(json.dumps(verdict)), asking_for=Question(chat, schema=schema, max_tokens=200, timeout=5), key=KEY
    )
    assert json.loads(answer.text) == verdict
    assert joined(events, "text") == answer.text
    body = server.received[0].body
    assert body["response_format"]["json_schema"]["schema"] == schema
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][0]["content"][1]["image_url"]["url"] == Picture(PNG).url


def test_what_it_cost_is_told() -> None:
    def pieces(handler: Handler) -> None:
        handler.event(delta={"content": "A cat."}, finish_reason="stop")
        handler.send('data: {"id": "c", "choices": [], "usage": {"prompt_tokens": 1234, "completion_tokens": 21}}\n\n')
        handler.end()

    _, events, server = answered(streamed("", then=pieces))
    assert server.received[0].body["stream_options"] == {"include_usage": True}
    assert re.fullmatch(r"1234 tokens in, 21 out, 0\.\d s", joined(events, "cost"))
    _, events, _ = answered(streamed())
    assert re.fullmatch(r"0\.\d s", joined(events, "cost"))
    used = {"usage": {"prompt_tokens": 7, "completion_tokens": 3}, "choices": [{"message": {"content": "A cat."}}]}
    assert joined(answered(status(200, used))[1], "cost").startswith("7 tokens in, 3 out, ")


def test_a_server_that_does_not_count_is_asked_without() -> None:
    answer, _, server = answered(error(400, "Unknown parameter: stream_options"), streamed())
    assert answer.text == PLAN
    assert [("stream_options" in received.body, received.body["stream"]) for received in server.received] == [
        (True, True),
        (False, True),
    ]
    _, _, server = answered(error(400, "streaming is not supported"), whole())
    assert not {"stream", "stream_options"} & set(server.received[1].body)


def test_who_cannot_see_is_shown_nothing() -> None:
    with serve(streamed()) as server:
        with pytest.raises(LLMError, match="DeepSeek cannot see pictures; remove the image or choose another provider"):
            asked(PROVIDERS["deepseek"]("m", server.url, KEY), question("Look:", Picture(PNG)))
        assert not server.received


def test_azure_gets_its_version_and_its_header() -> None:
    with serve(streamed()) as server:
        url = f"{server.url}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
        assert asked(Compatible.at("gpt-4o", url, KEY), question()).text == PLAN
        [received] = server.received
    assert received.path == "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    assert received.headers["api-key"] == KEY
    assert "authorization" not in received.headers


def test_openrouter_keeps_the_line_alive_with_comments() -> None:
    def pieces(handler: Handler) -> None:
        handler.send(": OPENROUTER PROCESSING\n\n")
        handler.event(delta={"content": "", "reasoning": "Hm.", "reasoning_details": [{"text": "Hm."}]}, finish_reason=None)
        handler.event(delta={"content": "A cat.", "reasoning": None}, finish_reason="stop")
        handler.send('data: {"id": "c", "choices": [], "usage": {"prompt_tokens": 1}}\n\ndata: [DONE]\n\n')
        handler.end()

    assert answered(streamed("", then=pieces))[0] == Answer("A cat.", "Hm.", "")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"),  # llama.cpp
        (404, "No endpoints found that support image input"),  # OpenRouter
        (400, "m does not support vision"),
    ],
)
def test_a_model_that_cannot_see(code: int, words: str) -> None:
    with serve(error(code, words)) as server:
        with pytest.raises(LLMError, match=r"did not take the picture .*; remove the image or use a model that sees") as caught:
            asked(at(server), question("Look:", Picture(PNG)))
        assert words in str(caught.value)
        assert len(server.received) == 1


def test_a_server_that_is_loading_is_waited_for_up_to_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    loading = error(503, "Loading model")
    answer, events, _ = answered(*[loading] * (asking.ATTEMPTS + 2), streamed())
    assert answer.text == PLAN
    assert "is still loading m (503). Asking again in 1 s; 0 s so far." in statuses(events)[0]
    caught = failure(loading, timeout=0.2)
    assert "is still loading m (503)." in str(caught)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (404, "This model is only supported in v1/responses and not in v1/chat/completions."),
        (404, "This is not a chat model and thus not supported in the v1/chat/completions endpoint."),
    ],
)
def test_a_model_that_answers_no_chats(code: int, words: str) -> None:
    assert "m does not answer chats (404)" in str(failure(error(code, words)))


def test_402_is_a_used_up_quota() -> None:
    assert "quota of this OpenAI-compatible server key is used up (402)" in str(failure(error(402, "Insufficient credits")))


def test_https_to_a_plain_server_and_the_other_way_round() -> None:
    with serve(streamed()) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(LLMError, match=rf"{url}/v1 speaks http; write http:// in base_url"):
            asked(Compatible("m", url + "/v1", ""), question())
    refusal = status(400, "The plain HTTP request was sent to HTTPS port", content_type="text/plain")
    assert "speaks https; write https:// in base_url" in str(failure(refusal))


def test_a_server_that_takes_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rpg.llm.openai_chat.CONNECT_TIMEOUT", 0.3)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        with pytest.raises(LLMError, match=r"cannot be reached at .* \(no connection within 0.3 s\)"):
            asked(Compatible("m", f"http://127.0.0.1:{address[1]}/v1", ""), question())
        for each in waiting:
            each.close()


def test_401_names_the_field_and_keeps_the_key() -> None:
    caught = failure(error(401, f"Incorrect API key provided: {KEY}."), key=KEY)
    assert str(caught) == "OpenAI-compatible server refused the key (401); check the API key."
    assert caught.status_code == 502


def test_403_says_what_the_server_said() -> None:
    caught = failure(error(403, f"Project of {KEY} has no access to m"), key=KEY)
    assert "(403) (Project of *** has no access to m)" in str(caught)


def test_404_names_the_model_and_the_address() -> None:
    caught = failure(error(404, 'model "m" not found, try pulling it first'))
    assert "has no model 'm' at http://127.0.0.1" in str(caught)
    assert "try pulling it first" in str(caught)
    assert "check model and base_url" in str(caught)


def test_404_at_an_address_without_a_path() -> None:
    """ollama 2474: the address that Ollama prints when it starts knows no chat completions."""
    with serve(status(404, "404 page not found", content_type="text/plain")) as server:
        with pytest.raises(LLMError, match=r"check model and base_url \(it often ends in /v1\)\."):
            asked(Compatible("m", server.url, ""), question())
        with pytest.raises(LLMError, match=r"check model and base_url\."):
            asked(Compatible("m", server.url + "/v1", ""), question())


def test_404_names_the_models_that_are_there() -> None:
    with serve(error(404, "model 'm' not found")) as server:
        server.models = ["qwen2.5vl:7b", "llama3.1"]
        with pytest.raises(LLMError) as caught:
            asked(at(server), question())
    assert str(caught.value) == "OpenAI-compatible server has no model 'm'; it has llama3.1, qwen2.5vl:7b."


def test_the_models_of_a_server() -> None:
    with serve(streamed()) as server:
        with pytest.raises(LLMError, match="404"):
            at(server).list_models()
        server.models = ["b", "a"]
        assert at(server).list_models() == ["a", "b"]
    with pytest.raises(LLMError, match="cannot be reached"):
        at(server).list_models()
    with pytest.raises(LLMError, match="no planner may ask"):
        Compatible("m", "http://169.254.169.254/v1", "").list_models()


def test_404_page_of_a_proxy_is_not_quoted() -> None:
    assert "<" not in str(failure(status(404, "<html>nothing here</html>", content_type="text/html")))


@pytest.mark.parametrize("after", ["0.3", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_429_waits_as_long_as_the_server_asks_and_says_so(after: str) -> None:
    answer, events, server = answered(error(429, "Rate limit reached", retry_after=after), streamed())
    assert answer.text == PLAN
    assert len(server.received) == 2
    if after == "0.3":
        assert any("(429) and asks to wait 0 s" in text and "Attempt 2 of 3 in 1 s." in text for text in statuses(events))


def test_429_with_a_long_wait_is_not_waited_for() -> None:
    with serve(error(429, "Rate limit reached", retry_after="3600")) as server:
        with pytest.raises(BusyError, match="asks to wait 3600 s"):
            asked(at(server), question())
        assert len(server.received) == 1


def test_a_used_up_quota_is_not_asked_again() -> None:
    with serve(error(429, "You exceeded your current quota", "insufficient_quota")) as server:
        with pytest.raises(LLMError, match=r"quota .* is used up .* billing"):
            asked(at(server), question())
        assert len(server.received) == 1


def test_500_is_asked_three_times() -> None:
    with serve(error(500, "The server had an error")) as server:
        with pytest.raises(LLMError, match=r"problem of its own \(500\).*The server had an error.*another provider"):
            asked(at(server), question())
        assert len(server.received) == 3


def test_500_then_an_answer() -> None:
    answer, events, _ = answered(error(503, "overloaded"), streamed())
    assert answer.text == PLAN
    assert any("Attempt 2 of 3" in text for text in statuses(events))


def test_silence() -> None:
    assert "said nothing for 0.3 s" in str(failure(silence, timeout=0.3))


def test_a_stall_in_the_middle_of_the_answer() -> None:
    assert "said nothing for 0.3 s" in str(failure(streamed(then=silence), timeout=0.3))


def test_a_cut_stream_is_asked_again() -> None:
    answer, events, server = answered(streamed('{"notes', then=Handler.cut), streamed())
    assert answer.text == PLAN
    assert len(server.received) == 2
    assert any("broke off in the middle" in text for text in statuses(events))


def test_a_stream_that_ends_without_its_end_mark_is_remarked() -> None:
    answer, _, _ = answered(streamed(PLAN[:80], finish=None))
    assert answer == Answer(PLAN[:80], "", "The connection may have broken off before the end.")


def test_an_error_inside_the_stream() -> None:
    def broken(handler: Handler) -> None:
        handler.send('data: {"error": {"message": "CUDA out of memory"}}\n\n')
        handler.end()

    assert "broke off in the middle of the answer (CUDA out of memory)" in str(failure(streamed("{", then=broken)))


def test_nonsense_inside_the_stream() -> None:
    def broken(handler: Handler) -> None:
        handler.send("data: hello\n\n")
        handler.end()

    assert "something that is no JSON" in str(failure(streamed("{", then=broken)))


@pytest.mark.parametrize("refusals", [[], [error(400, "stream is not supported")]])
def test_a_web_page_instead_of_json(refusals: list[Behaviour]) -> None:
    caught = failure(*refusals, page)
    assert "answered with a web page instead of a model's answer; check base_url" in str(caught)


def test_json_of_another_kind() -> None:
    assert "no choices" in str(failure(status(200, {"detail": "hello"})))


def test_an_error_with_status_200() -> None:
    assert "(model is loading)" in str(failure(status(200, {"error": {"message": "model is loading"}})))


def test_an_answer_that_stopped_at_the_length_limit_is_remarked() -> None:
    answer, _, _ = answered(streamed(PLAN[:80], finish="length"))
    assert answer == Answer(PLAN[:80], "", CUT)


@pytest.mark.parametrize("behaviour", [streamed("", finish="content_filter"), whole("", finish="content_filter")])
def test_a_content_filter(behaviour: Behaviour) -> None:
    assert "refused to answer (content filter)" in str(failure(behaviour))


def test_a_refusal() -> None:
    assert "refused to answer (I cannot help with that)" in str(failure(whole("", refusal="I cannot help with that")))


def test_an_endless_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rpg.llm.asking.MAX_ANSWER", 1000)

    def endless(handler: Handler) -> None:
        while not handler.state.closing.is_set():
            handler.event(delta={"content": "bla bla "}, finish_reason=None)

    caught = failure(streamed("", then=endless))
    assert "wrote more than 1000 characters" in str(caught)
    assert vars(caught)["raw"].startswith("bla bla")


def test_nobody_listens() -> None:
    with serve(streamed()) as server:
        pass
    with pytest.raises(LLMError, match=rf"cannot be reached at {server.url}/v1 .*; check that the server runs"):
        asked(at(server), question())


@pytest.mark.parametrize("behaviour", [silence, streamed("{", then=silence), error(429, "later", retry_after="60")])
def test_stopping_does_not_wait_for_the_server(behaviour: Behaviour) -> None:
    with serve(behaviour) as server:
        seen: list[bool] = []

        def cancelled() -> bool:
            seen.append(bool(server.received))
            return len(seen) > 10 and seen[-5]

        with pytest.raises(Stopped, match="stopped"):
            asked(at(server), question(timeout=60.0), cancelled)
        assert not server.closing.is_set()


def test_a_generator_that_is_closed_closes_the_connection() -> None:
    left = []

    def behave(handler: Handler) -> None:
        try:
            while True:
                handler.event(delta={"content": "x"}, finish_reason=None)
                handler.state.closing.wait(0.01)
        except OSError:
            left.append(True)
            raise

    with serve(streamed("", then=behave)) as server:
        events = ask(at(server), question(), lambda: False)
        while next(events).kind != "text":
            pass
        events.close()
        for _ in range(500):
            if left:
                break
            server.closing.wait(0.01)
    assert left == [True]


def test_headers_of_the_environment_do_not_go_to_other_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets: dict[str, Any] = {
        "OPENAI_API_KEY": "sk-environment-secret",
        "OPENAI_ADMIN_KEY": "sk-admin-secret",
        "OPENAI_ORG_ID": "org-secret",
        "OPENAI_PROJECT_ID": "project-secret",
        "OPENAI_CUSTOM_HEADERS": "X-Gateway: gateway-secret\nAuthorization: Bearer custom-secret",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/never",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    for name in ("compatible", "openai", "deepseek"):
        with serve(streamed()) as server:
            asked(PROVIDERS[name].at("m", server.url), question())
        assert server.received[0].headers["authorization"] == "Bearer none"
        assert "secret" not in str(server.received[0].headers)
    _, _, server = answered(streamed(), key=KEY)
    assert server.received[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_dead_proxy_does_not_hide_the_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    answer, _, _ = answered(streamed())
    assert answer.text == PLAN
