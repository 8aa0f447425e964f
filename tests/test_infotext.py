"""Infotexts as the webui writes them, and ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpg.errors import PlanError
from rpg.infotext import LABELS, Infotext
from rpg.plan import Plan, Region

PLAN = Plan(
    (Region('a "red" cat, big: (very:1.2)', "blue\ngreen"), Region("蓝色\n方块")),
    "1;2",
    base_ratio=0.25,
    caption="two, one above",
)
WEBUI = (
    "a cat and a dog\nin a meadow, (sunny:1.2)\n"
    "Negative prompt: blurry,\nugly\n"
    "Steps: 6, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 4.5, Seed: 7, Size: 256x128, Model hash: 0123456789, "
    'Model: "a, b", Denoising strength: 0.4, RNG: CPU, '
    'RPG plan: "{\\"version\\": 1, \\"regions\\": [{\\"prompt\\": \\"a, cat\\"}], '
    '\\"split_ratio\\": \\"1\\"}", Version: v1.10.1'
)
"""Written by webui v1.10.1."""


def test_written_by_the_webui() -> None:
    assert Infotext.parse(WEBUI) == Infotext(
        "a cat and a dog\nin a meadow, (sunny:1.2)",
        "blurry,\nugly",
        steps=6,
        sampler="DPM++ 2M",
        guidance_scale=4.5,
        seed=7,
        size=(256, 128),
        model_hash="0123456789",
        model="a, b",
        denoising_strength=0.4,
        rng="CPU",
        plan=Plan((Region("a, cat"),), "1", "a cat and a dog\nin a meadow, (sunny:1.2)", latent_ratio=0),
    )


def test_the_picture_s_prompt_is_the_base_prompt_of_a_plan_that_says_no_other() -> None:
    def base_prompt(plan: Plan, prompt: str) -> str:
        read = Infotext.parse(str(Infotext(prompt, steps=1, seed=1, size=(8, 8), plan=plan))).plan
        assert read is not None
        return read.base_prompt

    regions = (Region("a cat"), Region("a dog"))
    assert base_prompt(Plan(regions, "1,1"), "pets") == "pets"
    assert base_prompt(Plan(regions, "1,1", caption="pets"), "pets") == ""
    assert base_prompt(Plan(regions, "1,1", caption="pets"), "pets, sepia") == "pets, sepia"
    assert base_prompt(Plan(regions, "1,1", "animals"), "pets") == "animals"
    assert base_prompt(Plan(regions, "1,1"), Plan(regions, "1,1").main_prompt) == ""


FULL = Infotext(
    "pets",
    "blurry",
    20,
    "Euler a",
    7.0,
    5,
    (512, 768),
    "0123456789",
    "v1, pruned",
    0.75,
    "CPU",
    PLAN,
    "Add a cat. 3 of 4 checks passed.",
    "object-1 yes: There is a cat.; count-1 no: There are two dogs.",
    '[{"kind": "add", "box": [0, 0, 0.5, 1], "prompt": "a cat"}]',
)


def test_every_field_is_read_as_it_was_written() -> None:
    assert all(getattr(FULL, name) is not None for name in LABELS)
    read = Infotext.parse(str(FULL))
    assert read.plan is not None
    assert read.plan.base_prompt == "pets"
    assert [getattr(read, name) for name in LABELS if name != "plan"] == [
        getattr(FULL, name) for name in LABELS if name != "plan"
    ]
    assert (read.prompt, read.negative_prompt) == ("pets", "blurry")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r")), st.text(max_size=50))
def test_a_plan_survives_whatever_its_texts_hold(prompt: str, negative: str) -> None:
    plan = Plan((Region(f"a {prompt}", negative),), "1", "a base prompt")
    assert Infotext.parse(str(Infotext("", steps=1, sampler="Euler a", seed=1, plan=plan))).plan == plan


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a cat\nSteps: many, Sampler: Euler, Seed: 1", "The infotext's Steps is 'many'"),
        ("a cat\nSteps: 1, Sampler: Euler, Size: large", "The infotext's Size is 'large'"),
        ('a cat\nSteps: 1, Sampler: Euler, RPG plan: "{\\"version\\": 9, \\"regions\\": []}"', "version is 9"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence):
        Infotext.parse(text)


def test_a_text_without_settings_is_a_prompt() -> None:
    assert Infotext.parse("a cat,\nsitting: still") == Infotext("a cat,\nsitting: still")
