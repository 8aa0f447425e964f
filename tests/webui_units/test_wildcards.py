"""Texts travel through the host's scripts at the end of every prompt."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from rpg.errors import GenerationError
from rpg.webui.wildcards import SYNTAX, resolve


class Processing:
    """The host's: makes all prompts, lets scripts change them, and goes on with them."""

    def __init__(self, script: Callable[[Processing], None], *, hires: bool = False) -> None:
        self.prompt, self.script, self.hires = "a __thing__ # the first", script, hires
        self.prompt_for_display = None
        self.extra_generation_params: dict[str, Any] = {}

    def setup_prompts(self) -> None:
        self.all_prompts = [self.prompt] * 2
        self.all_hr_prompts = [self.prompt] * 2 if self.hires else None

    def init(self, prompts: list[str], seeds: list[int]) -> None:
        self.used = prompts

    def run(self) -> None:
        self.setup_prompts()
        self.script(self)
        self.init(self.all_prompts, [1, 2])


def wildcards(p: Processing) -> None:
    """Another word in every picture and place."""
    counter = iter(range(100))
    for name in ("all_prompts", "all_hr_prompts"):
        if getattr(p, name):
            setattr(p, name, [re.sub("__thing__", lambda _: f"thing{next(counter)}", text) for text in getattr(p, name)])


def dynamic(p: Processing) -> None:
    """One that joins lines, shows and stores what it was given, and asks for more pictures than there were."""
    text = " ".join(p.all_prompts[0].split())
    p.prompt = p.prompt_for_display = p.extra_generation_params["Template"] = p.all_prompts[0]
    p.all_prompts = [text.replace("__thing__", thing) for thing in ("cat", "dog", "fox")]


def test_each_picture_gets_its_own() -> None:
    p, found = Processing(wildcards, hires=True), []
    resolve(p, ["a red __thing__", "a __thing__, blue", ""], found)
    p.run()
    assert p.used == p.all_prompts == ["a thing0 # the first", "a thing3 # the first"]
    assert found == [["a red thing1", "a thing2, blue", ""], ["a red thing4", "a thing5, blue", ""]]
    assert p.all_hr_prompts == ["a thing6 # the first", "a thing9 # the first"]


def test_nothing_of_it_stays_where_users_look() -> None:
    p, found = Processing(dynamic), []
    resolve(p, ["a red __thing__", "b"], found)
    p.run()
    assert p.used == ["a cat # the first", "a dog # the first", "a fox # the first"]
    assert found == [["a red cat", "b"], ["a red dog", "b"], ["a red fox", "b"]]
    assert p.prompt == p.prompt_for_display == p.extra_generation_params["Template"] == "a __thing__ # the first"
    assert not {"setup_prompts", "init"} & set(vars(p))


def test_a_script_that_writes_prompts_of_its_own_leaves_the_texts_as_they_are() -> None:
    p, found = Processing(lambda p: setattr(p, "all_prompts", ["x", "y"])), []
    resolve(p, ["a __thing__"], found)
    p.run()
    assert (p.used, found) == (["x", "y"], [])


def test_texts_that_cannot_be_told_apart_are_refused() -> None:
    p = Processing(lambda p: setattr(p, "all_prompts", [text.replace("RPGTEXT1", "") for text in p.all_prompts]))
    resolve(p, ["a __thing__", "b"], [])
    with pytest.raises(GenerationError, match="cannot be told apart"):
        p.run()


@pytest.mark.parametrize("text", ["__thing__", "a {red|blue} cat", "{2$$a|b}", "${x}"])
def test_what_scripts_look_for(text: str) -> None:
    assert SYNTAX.search(text)
    assert not SYNTAX.search("(a cat:1.2), [a|b], snake_case <lora:x_y:1>")
