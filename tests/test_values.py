"""Sentences about values from outside."""

from dataclasses import dataclass

import pytest

from rpg import values
from rpg.errors import PlannerError


@dataclass
class Settings:
    model: str
    timeout: float = 1.0


class Unprintable:
    def __repr__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("value", "quoted"),
    [("red", "'red'"), (5, "5"), (None, "None"), ("a" * 100, "'" + "a" * 56 + "..."), (Unprintable(), "a Unprintable")],
)
def test_shown(value: object, quoted: str) -> None:
    assert values.shown(value) == quoted
    assert len(values.shown(value)) <= values.MAX_SHOWN


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (5, "The planner is 5; it must be an object with named fields."),
        ({"model": "a", "modle": 1}, "Unknown field 'modle'; a planner has model, timeout."),
        ({"timeout": 1}, "model is missing; a planner needs it."),
    ],
)
def test_fields_are_refused_by_name(data: object, sentence: str) -> None:
    with pytest.raises(PlannerError) as caught:
        values.known_fields(Settings, data, noun="planner", required=("model",), error=PlannerError)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("value", [True, "1", None, -1, 3, float("nan")])
def test_a_number_outside_its_bounds(value: object) -> None:
    with pytest.raises(PlannerError, match="timeout is .*; it must be seconds"):
        values.number("timeout", value, 0, 2, meaning="seconds", error=PlannerError)


def test_json_names_what_it_reads() -> None:
    with pytest.raises(PlannerError, match="The preset's JSON gives 'a' twice"):
        values.load_json('{"a": 1, "a": 2}', 100, "preset", PlannerError)
