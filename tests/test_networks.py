"""Extra networks named in prompts."""

import pytest

from rpg.errors import GenerationError
from rpg.networks import tags, without_networks


def test_tags_are_no_words() -> None:
    assert without_networks("a cat <lora:x:0.8>, <hypernet:y>red") == "a cat , red"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<lora:x:0.8>", "<lora:x:0.80>"),
        ("<lora:x:1>", "<lora:x:1.0>"),
        ("<lora:x>", "<lora:x:1>"),
        ("<lora:x:.5:1>", "<lora:x:0.5:1.0>"),
        ("<lora:x:te=0.5>", "<lora:x:te=0.50>"),
    ],
)
def test_one_value_however_it_is_written(one: str, other: str) -> None:
    assert tags([f"a {one}", f"b {other} {one}"]) == {("lora", "x"): one}


@pytest.mark.parametrize("other", ["<lora:x:0.9>", "<lora:x:0.8:1>", "<lora:x>", "<lora:x:te=0.8>"])
def test_two_values_are_refused(other: str) -> None:
    with pytest.raises(GenerationError, match="name it once or with the same values"):
        tags(["a <lora:x:0.8>", f"b {other}"])


def test_kinds_and_names_are_apart() -> None:
    assert len(tags(["<lora:x:1> <lora:y:0.5>", "<hypernet:x:0.5>"])) == 3
