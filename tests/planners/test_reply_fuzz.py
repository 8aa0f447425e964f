"""Whatever a model writes becomes a valid plan or a planner's error, soon and in little memory."""

import random
import re
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpg.errors import ReplyError
from rpg.llm.thoughts import LiveThoughts, split_reasoning
from rpg.plan import Plan
from rpg.planners.reply import MAX_ANSWER, MAX_NOTES, read_reply
from tests.fuzz import fuzz
from tests.planners.replies import records

REPLIES = [record.reply for record in records()]
TOKENS = [
    *"{}[]\"'\\:,;.%*`#<>()\n\r\t |_-/0159，；％９：“𝟙½٣\u200b\u2028\x00\U0001f600",
    *["BREAK", " BREAK ", "\n\n", "```", "```json\n", "**", "<think>", "</think>", "//", "[[[[[[", "(((((("],
    *["Final split ratio: ", "Regional Prompt: ", "Base ratio: ", "Base prompt: ", "Region0: ", "Row1: ", "Caption: "],
    *['"rows": ', '"regions": ', '"split_ratio": ', '{"rows":[', "NaN", "1e999", "null", "\\ud800", "1,1", "0.5", "-1"],
]
REPEATED = [
    *[" ", "\n", "\n ", "{", "[", '"', '"a', '\\"', "“", "//", "/*", ",", "(", "`", "**", "<", "-", "0", "９", "1,", "1;", "1. "],
    *['{"rows":', '{"rows":[', '{"rows":[]}', "<think>", "</think>", "BREAK ", "a BREAK ", "Region 1: ", "Row 1 "],
    *["Final split ratio: ", "split ratio ", "Regional Prompt: ", "Base ratio: 0\n", "Caption: x\n"],
    "Final split ratio: 1,1\nRegional Prompt: a BREAK b\n",
]
FRAMES = ["{}", "Final split ratio: 1,1\nRegional Prompt: {}", '{{"rows": [{}', "Final split ratio: {} Regional Prompt: a"]


def mutated(reply: str, chance: random.Random) -> str:
    """The reply after a few accidents: pieces cut, doubled, moved, swapped for those of another reply, marks put in."""
    for _ in range(chance.randint(1, 6)):
        start, end = sorted(chance.choices(range(len(reply) + 1), k=2))
        end = min(end, start + chance.choice([1, 5, 40, 400]))
        piece, accident = reply[start:end], chance.randrange(6)
        if accident == 0:
            reply = reply[:start] + reply[end:]
        elif accident == 1:
            reply = reply[:start] + piece * chance.choice([2, 3, 50]) + reply[end:]
        elif accident == 2:
            other = chance.choice(REPLIES)
            reply = reply[:start] + other[chance.randint(0, len(other)) :] + reply[end:]
        elif accident == 3:
            reply = reply[:start]
        else:
            reply = reply[:start] + chance.choice(TOKENS) * chance.choice([1, 1, 1, 30]) + reply[end:]
    return reply[: 64 * 1024]


def check(reply: str) -> None:
    try:
        plan = read_reply(reply, "a caption", "test")
    except ReplyError as error:
        sentence, raw = str(error), error.raw
    else:
        assert Plan.from_json(plan.to_json()) == plan
        assert len(plan.regions) == plan.areas.layout.count
        assert len(plan.notes) <= MAX_NOTES
        plan.to_json().encode()
        return
    assert sentence
    assert raw == reply


@fuzz
@given(st.integers(0, 2**63))
def test_mutated_replies(seed: int):
    chance = random.Random(seed)
    check(mutated(chance.choice(REPLIES), chance))


@fuzz
@given(st.integers(0, 2**63))
def test_words_in_any_order(seed: int):
    chance = random.Random(seed)
    check("".join(chance.choices(TOKENS, k=chance.randint(0, 60))))


@given(st.text())
def test_arbitrary_text(reply: str):
    check(reply)


@pytest.mark.parametrize("piece", REPEATED)
@pytest.mark.parametrize("frame", FRAMES)
def test_long_repetitions_take_bounded_time(piece: str, frame: str):
    """A pattern that backtracks, or a scan inside a scan, would take minutes; every reply here takes a part of a second."""
    reply = frame.format(piece * (64 * 1024 // len(piece)))
    started = time.process_time()
    check(reply)
    assert time.process_time() - started < 30


def test_the_longest_reply_takes_little_memory():
    reply = ('{"rows":[{"regions":["a"]},' * MAX_ANSWER)[:MAX_ANSWER]
    tracemalloc.start()
    check(reply)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * MAX_ANSWER


def test_an_answer_that_is_too_long_is_refused():
    with pytest.raises(ReplyError, match="at most"):
        read_reply("x" * (MAX_ANSWER + 1), "a caption", "test")


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "a", "thi", "nk>", "</", "b c", "\n"])), st.integers(1, 7))
def test_live_thoughts_lose_nothing(pieces: list[str], size: int):
    text = "".join(pieces)
    live = LiveThoughts()
    shown = [part for start in range(0, len(text), size) for part in live.feed(text[start : start + size])]
    shown += live.feed("", last=True)
    assert "".join(part for _, part in shown) == re.sub("</?think>", "", text)


def test_live_thoughts_and_final_thoughts_agree():
    text = "<think>one two</think>three"
    live = LiveThoughts()
    shown = [part for letter in text for part in live.feed(letter)]
    assert "".join(part for thought, part in shown if thought) == "one two"
    assert split_reasoning(text) == ("one two", "three")
