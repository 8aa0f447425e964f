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


def tags(prompts: Iterable[str]) -> list[str]:
    """The extra networks that ``prompts`` name, each once, as tags such as ``<lora:name:1>``.

    Raises:
        GenerationError: when one network is named with different arguments.
    """
    found: dict[tuple[str, str], str] = {}
    for prompt in prompts:
        for match in TAG.finditer(prompt):
            name = (match[1], match[2].split(":")[0])
            if found.setdefault(name, match[0]) != match[0]:
                raise GenerationError(
                    f"The prompts name both {found[name]} and {match[0]}; an extra network applies to the whole picture, "
                    "so name it once or with the same values."
                )
    return list(found.values())
