"""A language model behind a server that speaks OpenAI's protocol, such as llama.cpp's, plans ten prompts.

Where ``RPG_TEST_LLM`` names the server's address. How many plans are right is the model's affair and is printed (``pytest -s``);
that each answer becomes a plan or a sentence, and that no words of the instructions become part of a picture, is ours.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import pairwise
from time import monotonic

import pytest

from rpg.areas.layout import Layout
from rpg.errors import LLMError
from rpg.llm import Event
from rpg.plan import Plan
from rpg.planners import Planner, PlanRequest, Subject, make_plan, rules
from rpg.planners.instructions import load_template
from rpg.planners.rules.content import HAN, content_words

URL = os.environ.get("RPG_TEST_LLM", "")
TIMEOUT = 600.0
CASES: list[tuple[str, list[int], list[str]]] = [
    ("a red circle on the left and a blue square on the right, on a white background", [2], ["red circle", "blue square"]),
    ("a yellow star above a purple triangle", [1, 1], ["yellow star", "purple triangle"]),
    ("a photo of a spoon right of a camel", [2], ["camel", "spoon"]),
    ("two dogs and a cat on a sofa", [3], ["dog", "dog", "cat"]),
    (
        "A wizard in a blue robe with a long white beard and a knight in silver armor stand in front of a castle, oil painting",
        [2],
        ["wizard blue white beard", "knight silver"],
    ),
    (
        "From left to right, a blonde ponytail Europe girl in white shirt, a brown curly hair African girl in blue shirt printed "
        "with a bird, an Asian young man with black short hair in suit are walking in the campus happily.",
        [3],
        ["blonde ponytail girl white", "brown curly girl blue bird", "asian man black suit"],
    ),
    ("a (grey wolf:1.2) on the left, a (red fox:1.1) on the right", [2], ["grey wolf", "red fox"]),
    (
        "a red apple in the top left corner, a green pear in the top right corner, a banana in the bottom left corner "
        "and an orange in the bottom right corner",
        [2, 2],
        ["red apple", "green pear", "banana", "orange"],
    ),
    ("左边是一只黑猫，右边是一只白狗", [2], ["black cat", "white dog"]),
    ("一个穿红裙子的女孩和一个穿蓝色西装的男孩站在海边", [2], ["girl|女孩 red|红", "boy|男孩 blue|蓝 suit|西装"]),
]
"""Captions; how many regions stand in each row; words that the region has and no other one but its like."""


def is_right(plan: Plan, rows: list[int], wanted: list[str]) -> bool:
    words = [set(text.split()) for text in wanted]
    strange = [set.union(*words) - own for own in words]
    return [len(row.widths) for row in Layout.parse(plan.split_ratio).rows] == rows and all(
        all(map(says(region.prompt), own)) and not any(map(says(region.prompt), other))
        for region, own, other in zip(plan.regions, words, strange, strict=True)
    )


def says(prompt: str) -> Callable[[str], bool]:
    """Whether a prompt has one of the words in ``girl|女孩``."""
    text = prompt.lower().replace("gray", "grey")
    return lambda words: any(word in text if HAN.match(word) else re.search(rf"\b{word}\b", text) for word in words.split("|"))


def copied(plan: Plan) -> list[str]:
    """Pairs of content words in regions that only the instructions have, example included."""
    own = set(content_words(plan.caption))
    told = set(pairwise(content_words(load_template().text)))
    pairs = [pair for region in plan.regions for pair in pairwise(content_words(region.prompt))]
    return [" ".join(pair) for pair in pairs if pair in told and not own & set(pair)]


@pytest.mark.skipif(not URL, reason="RPG_TEST_LLM names no server")
def test_ten_prompts_become_plans_or_sentences() -> None:
    right = planned = 0
    for caption, rows, wanted in CASES:
        events: list[Event] = []
        start = monotonic()
        request = PlanRequest(Subject(caption, 1024, 1024), Planner("compatible", base_url=URL, timeout=TIMEOUT))
        try:
            plan = make_plan(request, events.append, reuse=False)
        except LLMError as error:
            said = str(error)
            assert re.match(r"[A-Z].*[.)]$", said), said
        else:
            assert not copied(plan), plan
            planned += 1
            right += (good := is_right(plan, rows, wanted))
            said = f"{'right' if good else 'wrong'}: {plan.split_ratio} {[region.prompt for region in plan.regions]}"
        cost = "; ".join(event.text for event in events if event.kind == "cost")
        print(f"\n{caption}\n  {monotonic() - start:.0f} s ({cost})\n  {said}")
    print(f"\n{planned} plans and {len(CASES) - planned} sentences; {right} plans are right.")


def test_the_offline_rules_plan_them_rightly() -> None:
    """What the fallback gives in the place of the sentences."""
    plans = [(rules.plan(caption, 1024, 1024), rows, wanted) for caption, rows, wanted in CASES]
    assert [plan.caption for plan, *case in plans if not is_right(plan, *case)] == []
