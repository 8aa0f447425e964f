"""What a model's plan says is checked against its caption and its instructions."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rpg.errors import LLMError, PlannerError, ReplyError
from rpg.llm import Event
from rpg.plan import Plan
from rpg.planners import PlanRequest, Subject, make_plan
from rpg.planners.checks import faults, merged
from rpg.planners.instructions import load_template
from rpg.planners.reply import read_reply
from tests.llm.servers import error, serve, streamed
from tests.planners.replies import records

INSTRUCTIONS = load_template().text
TWO = "a cat and a dog"


def plan(caption: str, *prompts: str, base: str = "") -> Plan:
    return Plan.from_dict({"caption": caption, "regions": list(prompts), "base_prompt": base, "base_ratio": 0})


@pytest.mark.parametrize(
    ("caption", "prompts", "said"),
    [
        ("a cup, a book and a lamp", ["a cup"] * 3, "Regions 1 and 2 and 3 have the same prompt"),
        ("a cup, a book and a lamp", ["a cup", "a book", "a cup"], "Regions 1 and 3 have the same prompt"),
        (TWO, [TWO, "a dog"], "region 1 shows all that the caption names"),
        (TWO, ["a cat", "a brown dog and a grey cat"], "region 2 shows all that the caption names"),
        (TWO, ["a fluffy cat beside a dog, soft light"], "region 1 shows all"),
        ("a cup, a book and a lamp", ["a cup", "a book", "a lamp", "a cup of tea, an old book, a lamp"], "region 4 shows all"),
        ("一只猫和一只狗", ["一只猫和一只狗"], "region 1 shows all"),
        ("three cats", ["a cat", "a cat", "a cat in a green corduroy jacket"], "'green corduroy' from the example"),
        ("three cats", ["a cat", "a cat", "a cat in a green jacket"], "'green jacket' from the example"),
        ("three cats", ["a cat", "a cat", "what this region shows"], "region 3 is text of the instructions"),
        (TWO, ["a cat", "一只棕色的狗"], "region 2 is not in English"),
        (TWO, ["a cat", "коричневая собака"], "region 2 is not in English"),
        (TWO, ["a cat", "a sunny meadow"], "No region shows 'a dog'"),
        ("a red cube and a blue ball", ["a red cube", "a shiny ball"], "No region has 'blue'"),
        ("three cats", ["a cat", "a cat"], "names 3 of 'cat', the regions show 2"),
        ("a big cube and a small cube", ["a metal cube"], "names 2 of 'cube', the regions show 1"),
    ],
)
def test_what_is_wrong_is_named(caption: str, prompts: list[str], said: str) -> None:
    assert any(said in found for found in faults(plan(caption, *prompts), INSTRUCTIONS)), faults(
        plan(caption, *prompts), INSTRUCTIONS
    )


@pytest.mark.parametrize(
    ("caption", "prompts"),
    [
        (TWO, ["a fluffy tabby with a bell, the cat looks up", "a brown dog"]),
        ("two girls in a cafe", ["a young woman with a mug", "a woman in a red scarf"]),  # people by other words
        ("three cats", ["three sleeping cats"]),
        ("a gray horse and a blonde girl", ["a grey horse", "a girl with blond hair"]),
        ("a cat", ["a cat"]),
        ("a bronze clock, two identical vases", ["a bronze clock", "a vase", "a vase"]),
        ('a cat beside a sign that says "你好"', ["a cat", 'a sign that says "你好世界，你好"']),
        ("eine Katze und ein Hund", ["a cat", "a dog"]),  # not read, so not checked
    ],
)
def test_what_may_be_right_passes(caption: str, prompts: list[str]) -> None:
    assert faults(plan(caption, *prompts), INSTRUCTIONS) == []


def test_other_instructions_may_ask_for_another_language() -> None:
    chinese = plan("一只猫和一只狗", "一只猫", "一只狗")
    assert faults(chinese, "Plan a picture.") == []
    assert len(faults(chinese, INSTRUCTIONS)) == 2


def test_what_models_really_write_passes() -> None:
    """Of a hundred plans that are right, those that are not in English are refused, and no other."""
    right = [read_reply(record.reply, record.caption, "test") for record in records() if not record.error]
    found = [(made.caption, wrong) for made in right if (wrong := faults(made, INSTRUCTIONS))]
    assert len(right) > 100
    assert [caption for caption, wrong in found if not any("English" in text for text in wrong)] == [
        "a cup and a spoon"
    ]  # in French


def answer(*prompts: str) -> str:
    regions = [{"width": 1, "prompt": prompt} for prompt in prompts]
    return json.dumps({"notes": "Two.", "rows": [{"height": 1, "regions": regions}], "base_prompt": "", "base_ratio": 0})


def asked(url: str) -> PlanRequest:
    return PlanRequest.from_dict({"caption": TWO, "provider": "compatible", "model": "m", "base_url": url})


def test_a_failed_check_goes_back_once_with_its_reason() -> None:
    with serve(streamed(answer(TWO, TWO)), streamed(answer("a grey cat", "a brown dog"))) as server:
        made = make_plan(asked(server.url))
    assert [region.prompt for region in made.regions] == ["a grey cat", "a brown dog"]
    messages = [message["content"] for message in server.received[1].body["messages"]]
    assert sum(map(len, messages)) / 4 + 300 < 2048, "the repair and its answer fit a small window"
    repair = messages[2]
    assert "Regions 1 and 2 have the same prompt" in repair
    assert "The prompt of region 1 shows all that the caption names" in repair
    rows = [{"height": 1.0, "regions": [{"width": 1.0, "prompt": "a cat"}, {"width": 1.0, "prompt": "a dog"}]}]
    assert f"Divide it like this, and enrich each prompt, in English: {json.dumps({'rows': rows})} Answer again" in repair


def test_one_that_fails_again_is_refused_with_the_model_s_words() -> None:
    wrong = answer("a cat", "a sunny meadow")
    with serve(streamed(wrong)) as server, pytest.raises(ReplyError, match="No region shows 'a dog'") as caught:
        make_plan(asked(server.url))
    assert caught.value.raw == wrong
    assert len(server.received) == 2


def test_several_that_share_a_region_go_back_once_and_then_are_a_warning() -> None:
    with serve(streamed(answer("two dogs", "a cat"))) as server:
        made = make_plan(replace(asked(server.url), subject=Subject("two dogs and a cat")))
        assert len(server.received) == 2
    assert [region.prompt for region in made.regions] == ["two dogs", "a cat"]
    assert made.notes.startswith("Warning: The caption names 2 of 'dog', the regions show 1.")
    assert not merged(plan("twenty birds", "twenty birds"))


@pytest.mark.parametrize("wrong", ["No.", answer("a cat", "a sunny meadow")])
def test_the_offline_rules_take_its_place_where_that_is_wanted(wrong: str) -> None:
    events: list[Event] = []
    with serve(streamed(wrong)) as server:
        wanted = asked(server.url)
        made = make_plan(replace(wanted, planner=replace(wanted.planner, fallback="rules")), events.append)
        assert len(server.received) == 2
    assert [region.prompt for region in made.regions] == ["a cat", "a dog"]
    assert made.planned_by == "rules 2"
    assert made.notes.startswith("The model's answer could not be used, so the offline rules planned. (")
    assert any("The offline rules plan in its place." in event.text for event in events)


def test_a_server_that_cannot_be_asked_stays_an_error() -> None:
    with serve(error(401, "no such key")) as server:
        wanted = asked(server.url)
        with pytest.raises(LLMError):
            make_plan(replace(wanted, planner=replace(wanted.planner, fallback="rules")))


def test_the_fallback_is_a_field_of_the_request() -> None:
    assert PlanRequest.from_dict({"caption": TWO, "provider": "openai", "fallback": "rules"}).planner.fallback == "rules"
    with pytest.raises(PlannerError, match="fallback is 'openai'; it must be rules, or empty"):
        PlanRequest.from_dict({"caption": TWO, "fallback": "openai"})
