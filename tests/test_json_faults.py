"""Texts as people have them: each fault gets a sentence that says what stands in which line."""

import pytest

from rpg.errors import PlanError
from rpg.plan import Plan
from rpg.values import load_json

FAULTS = {
    '{"regions": [\n"a",\n"b",\n]}': "there is a comma too much before the closing bracket in line 4",
    '{"regions": ["a"],\r\n}': "there is a comma too much before the closing bracket in line 2",
    "{'regions': ['a']}": "there are single quotation marks in line 1; JSON has double ones only",
    "{\n\"regions\": ['a']}": "there are single quotation marks in line 2; JSON has double ones only",
    '// my plan\n{"regions": ["a"]}': "there is a comment in line 1, '// my plan'; JSON has none, remove it",
    '{"regions": ["a", // left\n"b"]}': "there is a comment in line 1, '// left'; JSON has none, remove it",
    '{"regions": ["a" # left\n]}': "there is a comment in line 1, '# left'; JSON has none, remove it",
    '{"regions": ["a"] /* all */}': "there is a comment in line 1, '/* all */}'; JSON has none, remove it",
    '{“regions”: ["a"]}': 'there is the quotation mark “ in line 1; JSON has the straight " only',
    '{\nregions: ["a"]}': "'regions' in line 2 has no quotation marks",
    '{"regions": [a cat]}': "'a' in line 1 has no quotation marks",
    '{"enabled": True}': "there is True in line 1; JSON writes true",
    '{"base_prompt": None}': "there is None in line 1; JSON writes null",
    '{"regions": ["a \\(b\\)"]}': "a text in line 1 holds a single backslash; write two",
    '{"regions": ["a\nb"]}': "a text in line 1 holds a tab or goes on in the next line; write \\t or \\n there",
    '{"regions": ["a "big" dog"]}': (
        'a text in line 1 ends before \'big" dog"]}\'; a quotation mark inside a text is written \\"'
    ),
    '{"regions": ["a"\n"b"]}': "a comma or a closing bracket is missing before '\"b\"]}' in line 2",
    '{"regions" ["a"]}': "a colon is missing before '[\"a\"]}' in line 1",
    '{"regions": ["a"}': "the bracket } in line 1 does not belong to the one that is open",
    '{"regions": ["a"]}}': "'}' in line 1 stands after the end; remove it",
    '{"regions": ["a",\n\n': "it ends in line 1 before all brackets are closed",
    '{"regions": ["a': "the text that begins in line 1 has no closing quotation mark",
    '{"base_ratio": .5}': "'.5}' in line 1 stands where a value belongs",
    '{"base_ratio": 0,5}': "'5}' in line 1 stands where a name belongs",
    " \n": "it is empty",
    '{"base_ratio": ' + "1" * 5000 + "}": "it holds a number with too many digits",
    "[" * 200_000: "it is nested too deeply",
}


@pytest.mark.parametrize(("text", "sentence"), FAULTS.items(), ids=[text[:30] for text in FAULTS])
def test_what_stands_where(text: str, sentence: str) -> None:
    with pytest.raises(PlanError) as caught:
        load_json(text, 1_000_000)
    assert str(caught.value) == f"The plan is not valid JSON: {sentence}."


def test_lines_may_end_as_on_windows() -> None:
    assert Plan.from_json('{\r\n  "regions": [\r\n    "a cat"\r\n  ]\r\n}\r\n').regions[0].prompt == "a cat"
