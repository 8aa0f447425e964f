"""Extra networks named in prompts."""

import pytest

from rpg.errors import GenerationError
from rpg.networks import named, tags, without_networks
from rpg.plan import shows_nothing


def test_tags_are_no_words() -> None:
    assert without_networks("a cat <lora:x:0.8>, <hypernet:y>red") == "a cat , red"


def test_what_only_begins_as_a_tag_is_read_at_once() -> None:
    """By the webui's pattern alone it would take a quarter of a minute."""
    text = "<lora:" * 20_000
    for _ in range(100):
        assert without_networks(f"<lora:x:1>{text}") == text
        assert list(tags([f"<lora:x:1>{text}"])) == [("lora", "x")]
        assert not shows_nothing(text)


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
    with pytest.raises(GenerationError, match="name a network there once, or with the same values"):
        tags(["a <lora:x:0.8>", f"b {other}"])


def test_kinds_and_names_are_apart() -> None:
    assert len(tags(["<lora:x:1> <lora:y:0.5>", "<hypernet:x:0.5>"])) == 3


HAT, SHOE = "<lora:hat:1>", "<lyco:shoe:0.5>"


@pytest.mark.parametrize(
    ("base", "regions", "covers", "whole", "own"),
    [
        (f"pets{HAT}", ("a cat", "a dog"), True, {HAT}, [set(), set()]),
        ("pets", (f"a cat{HAT}", f"a dog{SHOE}"), True, set(), [{HAT}, {SHOE}]),
        (f"pets{HAT}", (f"a cat{HAT}", "a dog"), True, {HAT}, [set(), set()]),
        (f"pets{HAT}", ("a cat<lora:hat:0.5>", "a dog"), True, {HAT}, [{"<lora:hat:0.5>"}, set()]),
        ("pets", (f"a cat{HAT}", "a dog<lora:hat>"), True, {HAT}, [set(), set()]),
        ("pets", (f"a cat{HAT}", f"a dog{HAT}"), False, set(), [{HAT}, {HAT}]),
        ("pets", (f"a cat{HAT}", "a dog<lora:hat:0.5>"), True, set(), [{HAT}, {"<lora:hat:0.5>"}]),
        ("<lora:hat:0>", (f"a cat{HAT}", f"a dog{HAT}"), True, {"<lora:hat:0>"}, [{HAT}, {HAT}]),
        ("pets", ("a cat<hypernet:x:1>", "a dog"), True, {"<hypernet:x:1>"}, [set(), set()]),
    ],
)
def test_what_acts_where(base: str, regions: tuple[str, ...], covers: bool, whole: set[str], own: list[set[str]]) -> None:
    found = named(base, regions, covers)
    assert set(found.whole.values()) == whole
    assert [set(tags.values()) for tags in found.regions] == own


def test_other_kinds_act_on_the_whole_picture_with_one_value() -> None:
    with pytest.raises(GenerationError, match="<hypernet:x:1> and <hypernet:x:0.5> for the same place"):
        named("pets", ["a cat<hypernet:x:1>", "a dog<hypernet:x:0.5>"], True)
