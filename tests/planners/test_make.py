"""From a request to a plan: asking, repair, cache, offline planner, keys out of sight, the original's function."""

import base64
import io
import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from rpg.errors import LLMError, PlannerError, ReplyError
from rpg.llm import Event, OpenAI, Picture, Question, Transformers
from rpg.llm.provider import Channel
from rpg.llm.repair import MOST_SENT_BACK
from rpg.plan import Plan
from rpg.planners import GPT4, PlanRequest, Subject, cache, local_llm, make_plan, plan_or_request, stream_plan
from tests.llm.asked import PNG, joined, statuses
from tests.llm.servers import PLAN, Behaviour, Server, error, page, serve, status, streamed

KEY = "sk-needle-in-the-haystack"


def request(url: str, **values: Any) -> PlanRequest:
    return PlanRequest.from_dict(
        {"caption": "a cat and a dog", "provider": "compatible", "model": "m", "base_url": url, **values}
    )


def plan_with(*script: Behaviour, **values: Any) -> tuple[Plan, list[Event], Server]:
    events: list[Event] = []
    with serve(*script) as server:
        plan = make_plan(request(server.url, **values), events.append)
    return plan, events, server


def failure(*script: Behaviour, **values: Any) -> tuple[ReplyError, Server]:
    with serve(*script) as server, pytest.raises(ReplyError) as caught:
        make_plan(request(server.url, **values))
    return caught.value, server


def test_the_models_words_are_shown_and_become_the_plan() -> None:
    plan, events, server = plan_with(streamed(reasoning="The cat sits left."))
    assert [region.prompt for region in plan.regions] == ["a grey cat", "a brown dog"]
    assert (plan.split_ratio, plan.base_ratio, plan.caption) == ("1,2", 0.0, "a cat and a dog")
    assert plan.planned_by == "compatible m, template default 1"
    assert joined(events, "reasoning") == "The cat sits left."
    assert joined(events, "text") == PLAN
    assert statuses(events) == ["Asking OpenAI-compatible server (m)."]
    body = server.received[0].body
    assert "a cat and a dog" in body["messages"][0]["content"]
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["notes", "rows", "base_prompt", "base_ratio"]


def test_the_answer_is_bounded() -> None:
    _, _, server = plan_with(streamed())
    body = server.received[0].body
    regions = body["response_format"]["json_schema"]["schema"]["properties"]["rows"]["items"]["properties"]["regions"]
    assert regions["maxItems"] == 16
    assert regions["items"]["properties"]["prompt"]["maxLength"] == 600
    assert body["max_tokens"] == 8192
    assert len(body["messages"][0]["content"]) / 4 + 800 < 2048, "instructions and answer fit a small window"


def test_thoughts_become_the_notes_when_the_answer_has_none() -> None:
    answer = "Final split ratio: 1,1\nRegional Prompt: a cat BREAK a dog"
    plan, _, _ = plan_with(streamed(answer, reasoning="Because of the cat."))
    assert plan.notes == "Because of the cat."


def test_notes_that_are_copied_from_the_form_are_left_out() -> None:
    copied = "The entities with their attributes, and why the picture is divided this way"
    plan, _, _ = plan_with(streamed(PLAN.replace("A cat and a dog.", copied)))
    assert plan.notes == ""


def test_the_reference_picture_goes_with_the_request() -> None:
    _, _, server = plan_with(streamed(), image=base64.b64encode(PNG).decode())
    text, picture = server.received[0].body["messages"][0]["content"]
    assert "a cat and a dog" in text["text"]
    assert picture["image_url"]["url"] == Picture(PNG).url


def test_the_size_is_told_where_it_is_known() -> None:
    with serve(streamed()) as server:
        for size in ({}, {"width": 1024, "height": 512}, {"width": 512, "height": 1024}):
            make_plan(request(server.url, **size))
        texts = [received.body["messages"][0]["content"] for received in server.received]
    assert ["pixels" in text.rpartition("Caption:")[2] for text in texts] == [False, True, True]
    assert "1024 pixels wide and 512 high" in texts[1]


def test_settings_of_the_user_are_laid_over_the_plan() -> None:
    wanted = plan_or_request({"planner": {"provider": "rules"}, "latent_ratio": 0.3}, Subject("a cat and a dog"))
    assert isinstance(wanted, PlanRequest)
    plan = make_plan(wanted)
    assert plan == replace(make_plan(PlanRequest(Subject("a cat and a dog"))), latent_ratio=0.3)
    with serve(streamed()) as server:
        for ratio in (0.3, 0.5):
            assert make_plan(replace(request(server.url), settings={"latent_ratio": ratio})).latent_ratio == ratio
        assert len(server.received) == 1, "they are no part of what is asked"


def test_an_empty_answer_is_asked_for_again_then_told() -> None:
    caught, server = failure(streamed(""))
    assert (str(caught), caught.raw) == ("The answer is empty.", "")
    assert server.received[1].body["messages"][1] == {"role": "assistant", "content": "(nothing)"}


def test_a_wrong_answer_goes_back_once_with_the_exact_error() -> None:
    wrong = "Final split ratio: 1,1,1\nRegional Prompt: a BREAK b"
    plan, events, server = plan_with(streamed(wrong), streamed())
    assert plan.split_ratio == "1,2"
    _, answer, repair = server.received[1].body["messages"]
    assert answer == {"role": "assistant", "content": wrong}
    assert "split_ratio '1,1,1' makes 3 regions, but there are 2 region prompts" in repair["content"]
    assert any("Asking once more" in text for text in statuses(events))


def test_of_a_long_wrong_answer_only_the_end_goes_back() -> None:
    _, _, server = plan_with(streamed("word " * 3 + "".join(map(str, range(9000))) + " the end."), streamed())
    answer = server.received[1].body["messages"][1]["content"]
    assert len(answer) == MOST_SENT_BACK
    assert answer.endswith(" the end.")


def test_a_wrong_answer_twice_is_shown() -> None:
    caught, server = failure(streamed("first"), streamed("second"))
    assert "holds no plan" in str(caught)
    assert caught.raw == "second"
    assert len(server.received) == 2


def test_what_cut_the_answer_short_is_told() -> None:
    caught, server = failure(streamed(PLAN[:80], finish="length"))
    assert str(caught).startswith("The model stopped at its length limit; raise the limit of the server")
    assert len(server.received) == 1, "a longer chat leaves even less room"
    caught, _ = failure(streamed(PLAN[:80], finish=None))
    assert str(caught).startswith("The connection may have broken off before the end. The JSON is cut off")


def test_a_folder_of_a_local_model_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(self: Transformers, question: Question, line: Channel) -> str:
        line.emit("text", PLAN)
        return ""

    monkeypatch.setattr(Transformers, "ask", ask)
    events: list[Event] = []
    plan = make_plan(request("", provider="transformers", model="/models/tiny-llama"), events.append)
    assert plan.planned_by == "transformers tiny-llama, template default 1"
    assert statuses(events) == ["Asking Local model (tiny-llama)."]
    expected = {"Final split ratio": "1,2", "Regional Prompt": "a grey cat BREAK a brown dog"}
    assert local_llm("a cat and a dog", model_path="/models/tiny-llama") == expected
    assert local_llm("a cat and a dog", "13b", "/models/tiny-llama") == expected


def test_the_same_request_is_paid_once() -> None:
    with serve(streamed()) as server:
        events: list[Event] = []
        first = make_plan(request(server.url))
        assert make_plan(request(server.url, timeout=9.0), events.append) == first
        assert len(server.received) == 1
        assert [event.kind for event in events] == ["status"]
        for other in ({"model": "n"}, {"api_key": KEY}, {"api_key": KEY + "2"}, {"base_url": server.url + "/v1"}):
            make_plan(request(server.url, **other))
        assert len(server.received) == 5
        make_plan(request(server.url), reuse=False)
        cache._plans.clear()
        make_plan(request(server.url))
        assert len(server.received) == 7


def test_the_cache_is_bounded_keeps_the_latest_and_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "SIZE", 2)
    with serve(streamed()) as server:
        for model in ("a", "b", "a", "c", "a"):
            make_plan(request(server.url, model=model, api_key=KEY))
        assert [received.body["model"] for received in server.received] == ["a", "b", "c"]
    assert len(cache._plans) == 2
    assert KEY not in repr(cache._plans)


def test_a_failed_request_is_not_remembered() -> None:
    with serve(streamed("no"), streamed("no"), streamed()) as server:
        with pytest.raises(ReplyError):
            make_plan(request(server.url))
        assert make_plan(request(server.url)).split_ratio == "1,2"


def test_offline() -> None:
    plan = make_plan(PlanRequest(Subject("a red circle on the left and a blue square on the right")))
    assert plan.split_ratio == "1,1"
    assert ["red" in region.prompt for region in plan.regions] == [True, False]


def test_offline_sees_no_pictures() -> None:
    with pytest.raises(PlannerError, match="Offline rules cannot see pictures"):
        make_plan(PlanRequest(Subject("a cat", image=Picture(PNG))))


def test_the_generator_returns_the_plan() -> None:
    plans: list[Plan] = []

    def follow() -> Iterator[Event]:
        plans.append((yield from stream_plan(request(server.url))))

    with serve(streamed()) as server:
        kinds = [event.kind for event in follow()]
    assert kinds[0] == "status"
    assert set(kinds[1:-1]) == {"text"}
    assert kinds[-1] == "cost"
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
def test_the_key_is_found_nowhere(
    script: list[Behaviour], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = io.StringIO()
    with serve(*script) as server:
        asked = request(server.url, api_key=KEY)
        try:
            plan = make_plan(asked, lambda event: print(event, file=shown))
        except LLMError as caught:
            print(caught, vars(caught), repr(caught), file=shown)
            traceback.print_exception(caught, file=shown)
        else:
            print(plan.to_json(), file=shown)
        assert server.received[0].headers["authorization"] == f"Bearer {KEY}"
    output = capfd.readouterr()
    assert KEY not in shown.getvalue() + caplog.text + output.out + output.err + repr(asked) + repr(cache._plans)


def test_the_originals_function(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(streamed()) as server:
        monkeypatch.setattr(OpenAI, "base_url", server.url + "/v1")
        expected = {"Final split ratio": "1,2", "Regional Prompt": "a grey cat BREAK a brown dog"}
        assert GPT4("a cat and a dog", key=KEY) == expected
        assert GPT4("a cat and a dog", KEY) == expected
        assert len(server.received) == 2
        assert server.received[0].body["model"] == "gpt-4o"
