"""Checklists by rules and by a model."""

from __future__ import annotations

import pytest

from rpg.areas.layout import Box
from rpg.editing.checklist import MAX_CHECKS, Check, Checklist
from rpg.editing.model_critic import read_checklist
from rpg.editing.reading import checklist_of, checklist_of_phrases
from rpg.errors import EditingError
from rpg.plan import Plan
from tests.benchmarks.composition.cases import cases
from tests.editing.checklists import checklist_of_caption

LEFT, RIGHT = Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1)


def statements(checklist: Checklist) -> list[str]:
    return checklist.text.splitlines()


def test_what_a_caption_names() -> None:
    checklist = checklist_of_caption("a red circle to the left of two blue stars on a white background")
    assert statements(checklist) == [
        "object-1: There is a circle.",
        "object-2: There is a star.",
        "count-1: There is exactly one circle.",
        "count-2: There are exactly two stars.",
        "attribute-1: There is a red circle.",
        "attribute-2: There are two blue stars.",
        "attribute-3: This is true of the whole picture: on a white background.",
        "absent-1: Besides a red circle, two blue stars the picture shows no other subject.",
    ]
    assert checklist == checklist_of_caption("a red circle to the left of two blue stars on a white background")


def test_a_plans_regions_say_where_things_are() -> None:
    checklist = checklist_of(Plan.from_dict({"regions": ["a tall man", "a cat, sleeping"]}))
    assert [(entity.name, entity.noun, entity.boxes) for entity in checklist.entities] == [
        ("a tall man", "man", (LEFT,)),
        ("a cat", "cat", (RIGHT,)),
    ]
    assert "A tall man is to the left of a cat." in checklist.text
    assert "This is true of a cat: sleeping." in checklist.text


@pytest.mark.parametrize(("caption", "placed"), [("a cat and a dog", False), ("a cat on the left and a dog on the right", True)])
def test_places_count_where_the_caption_names_them(caption: str, placed: bool) -> None:
    checklist = checklist_of(Plan.from_dict({"regions": ["a cat", "a dog"], "caption": caption}))
    assert ("A cat is to the left of a dog." in checklist.text) == placed


def test_regions_of_rows_stand_above_each_other() -> None:
    plan = Plan.from_dict({"regions": ["a star", "a circle", "a heart"], "split_ratio": "1;1,1,1"})
    relations = [check.statement for check in checklist_of(plan).checks if check.kind == "relation"]
    assert relations == ["A circle is to the left of a heart.", "A star is above a circle.", "A star is above a heart."]


def test_a_region_that_spans_cells_is_one_thing() -> None:
    plan = Plan.from_dict({"regions": ["a tower", "a cat", "a tower", "a dog"], "split_ratio": "1,1,1;1,1,1"})
    checklist = checklist_of(plan)
    assert checklist.entities[0].boxes == (LEFT,)
    assert "exactly one tower" in checklist.text


def test_what_must_not_be_there() -> None:
    assert "absent-1: There is no hat." in checklist_of_caption("a man without a hat in a garden").text
    assert "no other subject" not in checklist_of_caption("a man in a garden").text, "a garden has a lot in it"


def test_names_the_rules_do_not_know_and_other_languages() -> None:
    assert "There is hatsune miku." in checklist_of_caption("hatsune miku").text
    assert "There is a red apple." in checklist_of_caption("一个红苹果和一只猫").text


def test_every_prompt_of_the_benchmark_has_its_objects() -> None:
    for case in cases():
        checklist = checklist_of(case.plan(0))
        kinds = [(*entity.name.split()[1:],) for entity in checklist.entities for _ in range(entity.count)]
        assert sorted(kinds) == sorted(case.kinds), case.caption
        relations = [check for check in checklist.checks if check.kind == "relation"]
        assert bool(relations) == bool(case.relations), case.caption
        assert len(set(checklist.ids)) == len(checklist.checks)


def test_a_long_list_is_cut_where_it_gets_too_long() -> None:
    plan = Plan.from_dict({"regions": [f"a cat of {number} kilos" for number in range(64)]})
    assert len(checklist_of(plan).checks) == MAX_CHECKS


def test_phrases() -> None:
    checklist = checklist_of_phrases(["the left star", "the lamp"])
    assert statements(checklist) == ["attribute-1: There is the left star.", "attribute-2: There is the lamp."]
    assert checklist.entities[0].boxes[0].right < 0.5


def test_bad_checks_are_refused() -> None:
    with pytest.raises(EditingError, match="nothing to check"):
        Checklist("", (), ())
    with pytest.raises(EditingError, match="kind is 'colour'"):
        Check("a", "colour", "It is red.")  # type: ignore[arg-type]
    with pytest.raises(EditingError, match="two entities and a side"):
        Check("a", "relation", "It is left.", entity=0)
    with pytest.raises(EditingError, match="about entity 0; there are 0"):
        Checklist("", (), (Check("a", "attribute", "It is red.", entity=0),))


PLAN = Plan.from_dict({"regions": ["a cat", "a dog"], "caption": "a cat and a dog"})
CAT = {"name": "a grey cat", "noun": "cat", "details": "asleep", "regions": [1]}
THERE = {"kind": "object", "statement": "There is a cat.", "entity": 1, "other": 0, "side": "", "count": 1}


def test_a_models_checklist() -> None:
    dog = {"name": "a dog", "noun": "dog", "details": "", "regions": [2]}
    left = {"kind": "relation", "statement": "The cat is left.", "entity": 1, "other": 2, "side": "left", "count": 1}
    checklist = read_checklist({"entities": [CAT, dog], "checks": [THERE, left]}, PLAN)
    assert checklist.ids == ("object-1", "relation-1")
    assert [entity.boxes for entity in checklist.entities] == [(LEFT,), (RIGHT,)]
    assert (checklist["relation-1"].entity, checklist["relation-1"].other) == (0, 1)


@pytest.mark.parametrize(
    ("entity", "check", "sentence"),
    [
        ({"regions": [3]}, {}, "A region is 3; it must be a whole number from 1 to 2"),
        ({"regions": [1] * 10_000}, {}, "regions is"),
        ({"name": 5}, {}, "name is 5; it must be a text"),
        ({"name": "x" * 10_000}, {}, "name has 10000 characters"),
        ({}, {"kind": "mood"}, "kind is 'mood'"),
        ({}, {"kind": []}, "kind is"),
        ({}, {"entity": 2}, "entity is 2"),
        ({}, {"entity": 0.5}, "entity is 0.5"),
        ({}, {"count": 1e9}, "count is 1000000000.0"),
        ({}, {"statement": ""}, "statement is ''"),
        ({}, {"kind": "relation", "side": "left"}, "two entities and a side"),
    ],
)
def test_a_models_checklist_is_read_strictly(entity: dict[str, object], check: dict[str, object], sentence: str) -> None:
    with pytest.raises(EditingError, match=sentence):
        read_checklist({"entities": [{**CAT, **entity}], "checks": [{**THERE, **check}]}, PLAN)


@pytest.mark.parametrize(
    "data", [None, [], {}, {"entities": {}}, {"entities": [1]}, {"entities": [CAT] * 33}, {"entities": [], "checks": []}]
)
def test_what_is_no_checklist(data: object) -> None:
    with pytest.raises(EditingError):
        read_checklist(data, PLAN)


def test_regions_with_areas_of_their_own() -> None:
    boxes = {"a cat": [0.5, 0.1, 0.9, 0.5], "a dog": [0.1, 0.1, 0.4, 0.5]}
    plan = Plan.from_dict({"regions": [{"prompt": name, "area": {"box": box}} for name, box in boxes.items()]})
    checklist = checklist_of(plan)
    assert [entity.boxes[0].left for entity in checklist.entities] == [0.5, 0.1]
    assert "A cat is to the left of a dog." not in checklist.text
