"""Texts as the other programs write them, and the same regions as a plan."""

from typing import Any

import pytest

from rpg.errors import PlanError
from rpg.foreign import forge_couple, omost, plan_from_text, regional_prompter
from rpg.foreign.pasted import Pasted
from rpg.plan import Plan

STEPS = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, Model: x"
RP = 'RP Active: True, RP Divide mode: Matrix, RP Matrix submode: Columns, RP Calc Mode: Attention, RP Ratios: "1,1"'


def rp(prompt: str, *fields: str) -> Plan:
    return plan_from_text(f"{prompt}\nNegative prompt: bad\n{STEPS}, {', '.join(fields)}")


def prompts(plan: Plan) -> list[str]:
    return [region.prompt for region in plan.regions]


def test_regional_prompters_infotext() -> None:
    plan = rp("a cat BREAK\na dog", RP, "RP Base Ratios: 0.2, RP Use Base: False, RP Use Common: False, RP Flip: False")
    assert (plan.split_ratio, prompts(plan), plan.base_prompt, plan.base_ratio) == ("1,1", ["a cat", "a dog"], "", 0)


def test_its_common_and_base_parts() -> None:
    text = "best quality BREAK two pets, BREAK a cat BREAK a dog"
    plan = rp(text, RP, 'RP Base Ratios: "0.2,0.3", RP Use Base: True, RP Use Common: True')
    assert (plan.common_prompt, prompts(plan)) == ("best quality", ["a cat", "a dog"])
    assert (plan.base_prompt, plan.base_ratios) == ("best quality, two pets", (0.2, 0.3))  # as it does
    keyed = plan_from_text("fantasy ADDCOMM\npark ADDBASE\nsky ADDROW\ntree ADDCOL\nhouse\nRatio: 1,1;2,1,3\nBase ratio: 0.2")
    assert (keyed.split_ratio, keyed.base_prompt, keyed.base_ratio) == ("1;2,1,3", "fantasy, park", 0.2)
    assert (keyed.common_prompt, prompts(keyed)) == ("fantasy", ["sky", "tree", "house"])
    assert prompts(keyed.written_out()) == ["fantasy, sky", "fantasy, tree", "fantasy, house"]
    empty = plan_from_text("fantasy ADDCOMM\nsky ADDROW\nADDROW\nhouse\nRatio: 1,1,1")
    assert prompts(empty.written_out()) == ["fantasy, sky", "fantasy", "fantasy, house"]
    assert plan_from_text("fantasy ADDCOMM sky BREAK sea").base_prompt == ""


@pytest.mark.parametrize(
    ("prompt", "lines", "ratio", "count"),
    [
        ("a BREAK b BREAK c", "Divide Ratio : 1,2,1", "1,2,1", 3),
        ("a BREAK b BREAK c", "", "1,1,1", 3),
        ("a BREAK b BREAK c", "Ratio: 1,1,1\nDivide mode: Vertical", "1;1;1", 3),
        ("a BREAK b BREAK c BREAK d BREAK e", "ratios=1,2,1,1;2,4,6", "1,2,1,1;2,4,6", 5),
        ("a ADDCOL b ADDCOL c ADDROW d ADDCOL e", "Ratio: 1,2,1,1;2,4,6", "1,2,1,1;2,4,6", 5),
        ("a ADDCOL b ADDROW c", "", "1,1,1;1", 3),
        ("a ADDROW b ADDROW c", "Ratio: 1,2,3", "1;2;3", 3),
        ("a ADDCOL b", "Ratio: 1,2", "1,2", 2),
        ("a ADDCOL b ADDCOL c", "Main splitting: Rows\nRatio: 1,2,3", "1,2,3", 3),
        ("a BREAK b", "Ratio: 1;2", "1;2", 2),
        ("a BREAK b", "Ratio: 1;2\nFlip: True", "1,2", 2),
    ],
)
def test_its_ratios(prompt: str, lines: str, ratio: str, count: int) -> None:
    plan = plan_from_text(f"{prompt}\n{lines}")
    assert plan.split_ratio == ratio
    assert prompts(plan) == list("abcde"[:count])


def test_its_columns_of_rows_become_boxes() -> None:
    plan = plan_from_text("a ADDROW b ADDCOL c\nMain splitting: Rows\nRatio: 1;1;3,1").to_dict()
    boxes = [region["area"]["box"] for region in plan["regions"]]
    assert boxes == [[0, 0, 0.5, 0.25], [0, 0.25, 0.5, 1], [0.5, 0, 1, 1]]


def test_a_break_inside_a_cell_stays_and_and_is_a_break() -> None:
    assert prompts(plan_from_text("a BREAK b ADDCOL c")) == ["a BREAK b", "c"]
    assert prompts(rp("a AND b", RP)) == ["a", "b"]
    with pytest.raises(PlanError, match="makes 2 regions, but the prompt has 1"):
        rp("a AND b", RP, "RP Options: \"disable convert 'AND' to 'BREAK'\"")


def test_negative_prompts_with_break() -> None:
    plan = plan_from_text(f"a BREAK b\nNegative prompt: bad BREAK blurry BREAK dark\n{STEPS}, {RP}")
    assert [region.negative_prompt for region in plan.regions] == ["bad, blurry", "bad, dark"]
    with pytest.raises(PlanError, match="negative prompt has 4 parts"):
        plan_from_text(f"a BREAK b\nNegative prompt: 1 BREAK 2 BREAK 3 BREAK 4\n{STEPS}, {RP}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a BREAK b BREAK c\nRatio: 1,1", "makes 2 regions, but the prompt has 3"),
        ("a ADDCOL b ADDROW c\nRatio: 1,1;1,1,1", "divides otherwise"),
        ("a BREAK b\nRatio: 1,x", "holds 'x'"),
        ("a BREAK b\nRatio: 1,-1", "holds '-1'"),
        ("a BREAK b\nBase ratio: q\nbase ADDBASE", "Base ratio|base ratio"),
        (f"a\n{STEPS}, RP Active: True, RP Divide mode: Mask", "drawn masks"),
        (f"a\n{STEPS}, RP Active: True, RP Divide mode: Prompt", "words of the prompt"),
        (f"a\n{STEPS}, RP Active: True, RP Divide mode: Matrix, RP Matrix submode: Random", "by chance"),
        ("a BREAK ", "prompt is empty"),
        ("a cat and a dog", "No regions were found"),
        ("", "No regions were found"),
        ("{", "not valid JSON"),
    ],
)
def test_what_is_missing_is_said(text: str, sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence):
        plan_from_text(text)


def test_our_own_plans_are_taken_too() -> None:
    plan = Plan.from_dict({"regions": ["a, b: c", "d"], "split_ratio": "1;2"})
    assert plan_from_text(plan.to_json()) == plan
    quoted = plan.to_json().replace("\\", "\\\\").replace('"', '\\"')
    assert plan_from_text(f'a prompt\n{STEPS}, RPG plan: "{quoted}"') == plan


def fc(prompt: str, **fields: Any) -> Plan:
    return plan_from_text(
        f"{prompt}\n{STEPS}, forge_couple: True, " + ", ".join(f"forge_couple_{k}: {v}" for k, v in fields.items())
    )


def test_forge_couples_tiles() -> None:
    plan = fc("a cat\n\na dog", separator='"\\n"', mode="Basic", direction="Vertical", background="None")
    assert (plan.split_ratio, prompts(plan), plan.base_ratio) == ("1;1", ["a cat", "a dog"], 0)
    plan = fc("two pets\na cat\na dog", mode="Basic", direction="Horizontal", background="First Line", background_weight=0.5)
    assert (plan.split_ratio, prompts(plan), plan.base_prompt) == ("1,1", ["a cat", "a dog"], "two pets")
    assert plan.base_ratio == pytest.approx(1 / 3)
    plan = fc("a cat /// a dog /// two pets", separator="///", mode="Basic", background="Last Line", background_weight=1)
    assert (prompts(plan), plan.base_prompt, plan.base_ratio) == (["a cat", "a dog"], "two pets", 0.5)


def test_forge_couples_mapping() -> None:
    mapping = "[[0.0, 1.0, 0.0, 1.0, 0.5], [0.0, 0.5, 0.0, 1.0, 1.0], [0.5, 1.0, 0.25, 1.0, 1.0]]"
    for plan in (
        fc("two pets\na cat\na dog", mode="Advanced", mapping=f'"{mapping}"'),
        plan_from_text(f"two pets\na cat\na dog\n{mapping}"),
        plan_from_text('two pets\na cat\na dog\n[["0:1", "0:1", 0.5], ["0:0.5", "0:1", "1"], ["0.5:1.0", "0.25:1", 1]]'),
    ):
        assert [region["area"]["box"] for region in plan.to_dict()["regions"]] == [[0, 0, 0.5, 1], [0.5, 0.25, 1, 1]]
        assert (prompts(plan), plan.base_prompt, plan.base_ratio) == (["a cat", "a dog"], "two pets", pytest.approx(1 / 3))


@pytest.mark.parametrize(
    ("prompt", "fields", "sentence"),
    [
        ("a", {"mode": "Mask"}, "drawn masks"),
        ("a\nb", {"mode": "Advanced", "mapping": '"[[0,1,0,1,1]]"'}, "1 rows, but the prompt has 2 lines"),
        ("a", {"mode": "Advanced", "mapping": '"[[0,1,0,1]]"'}, "needs x from and to"),
        ("a", {"mode": "Advanced", "mapping": "\"[[0,1,0,'x',1]]\""}, "must be a list of rows"),
        ("a", {"mode": "Advanced", "mapping": '"[[0,1,0,\\"x\\",1]]"'}, "not a number"),
        ("a", {"mode": "Advanced", "mapping": '"[[0,1,0,1,1]]"'}, "covers the whole picture"),
        ("a", {"mode": "Advanced"}, "must be a list of rows"),
        ("a", {"mode": "Basic", "background": "First Line"}, "no other"),
        ("", {"mode": "Basic"}, "there is none"),
    ],
)
def test_what_forge_couple_lacks_is_said(prompt: str, fields: dict[str, str], sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence):
        fc(prompt, **fields)


CANVAS = """Here is the canvas.
```python
# Initialize the canvas
canvas = Canvas()

# Set a global description for the canvas
canvas.set_global_description(
    description='A battle in the sky.',
    detailed_descriptions=['Smoke rises.', 'Sparks fly'],
    tags='battle, sky',
    HTML_web_color_name='darkgray',
)

canvas.add_local_description(
    location='in the center', offset='slightly to the left', area='a large square area', distance_to_viewer=1.0,
    description='A knight.', detailed_descriptions=['His armour shines.'], tags='knight', atmosphere='tense',
    style='oil painting', quality_meta='8k', HTML_web_color_name='silver',
)
canvas.add_local_description(
    location='on the top', offset='no offset', area='a large horizontal aera', distance_to_viewer=5.0,
    description='A dragon', detailed_descriptions=[], tags='', atmosphere='', style='', quality_meta='',
    HTML_web_color_name='red',
)
```
"""


def test_omosts_canvas() -> None:
    plan = plan_from_text(CANVAS)
    assert prompts(plan) == ["A dragon.", "A knight. His armour shines. knight. tense. oil painting. 8k."], (
        "the nearer lies on top"
    )
    assert plan.base_prompt == "A battle in the sky. Smoke rises. Sparks fly. battle, sky."
    boxes = [region["area"]["box"] for region in plan.to_dict()["regions"]]
    assert boxes == [pytest.approx([0, 0, 1, 0.5]), pytest.approx([0, 1 / 9, 7 / 9, 8 / 9], abs=1e-4)]


def test_omosts_rectangles() -> None:
    plan = plan_from_text(
        '[{"rect": [0, 90, 0, 90], "prefixes": ["A park."], "suffixes": []},'
        ' {"rect": [45, 90, 0, 30], "prefixes": ["A park.", "A dog."], "suffixes": ["It runs."]}]'
    )
    assert (plan.base_prompt, prompts(plan)) == ("A park.", ["A park. A dog. It runs."])
    assert plan.to_dict()["regions"][0]["area"]["box"] == pytest.approx([0, 0.5, 1 / 3, 1], abs=1e-4)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("'in the center'", "'nowhere at all, really'"), "location is 'nowhere at all, really'"),
        (("description='A knight.'", "description=knight"), "not a plain value"),
        (("canvas = Canvas()", "canvas = Canvas("), "not whole Python"),
        (("add_local_description", "draw"), "no local descriptions"),
    ],
)
def test_what_omost_lacks_is_said(change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence):
        plan_from_text(CANVAS.replace(*change))


def test_code_is_never_run(tmp_path: Any) -> None:
    made = tmp_path / "made"
    with pytest.raises(PlanError):
        plan_from_text(CANVAS.replace("'A knight.'", f"open({str(made)!r}, 'w').write('x')"))
    assert not made.exists()


def test_each_program_knows_its_own_texts_only() -> None:
    for program, text in (
        (omost, "a BREAK b"),
        (forge_couple, "a BREAK b"),
        (forge_couple, "a (cat) [dog:0.5]"),
        (regional_prompter, "a\nb"),
    ):
        assert program.read(Pasted.read(text)) is None
