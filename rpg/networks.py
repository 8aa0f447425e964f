"""LoRA and other extra networks named in region prompts. As in the host, they apply to the whole picture."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rpg.errors import GenerationError

TAG = re.compile(r"<(\w+):([^>]+)>")
"""The webui's own pattern."""


def without_networks(prompt: str) -> str:
    """``prompt`` as the text encoder shall read it."""
    return TAG.sub("", prompt)


def tags(prompts: Iterable[str]) -> dict[tuple[str, str], str]:
    """The extra networks that ``prompts`` name: kind and name -> the tag, such as ``<lora:name:1>``.

    Raises:
        GenerationError: when one network is named with different arguments.
    """
    found: dict[tuple[str, str], str] = {}
    for prompt in prompts:
        for match in TAG.finditer(prompt):
            first = found.setdefault((match[1], match[2].split(":")[0]), match[0])
            if _arguments(first) != _arguments(match[0]):
                raise GenerationError(
                    f"The prompts name both {first} and {match[0]}; an extra network applies to the whole picture, "
                    "so name it once or with the same values."
                )
    return found


def _arguments(tag: str) -> list[tuple[str, str | float]]:
    """What follows the name in a tag, by its name if it has one; how a number is written is no difference, and none at all
    means 1."""
    arguments: list[tuple[str, str | float]] = []
    for text in tag[1:-1].split(":")[2:]:
        name, _, value = text.rpartition("=")
        try:
            arguments.append((name, float(value)))
        except ValueError:
            arguments.append((name, value))
    return arguments or [("", 1.0)]
