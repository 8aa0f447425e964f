"""Wildcards and dynamic prompts in regions: the scripts that resolve them know the main prompt only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rpg.errors import GenerationError
from rpg.webui.wrapping import wrap_once

SYNTAX = re.compile(r"__|[{}]|\$\$")
"""What such scripts look for."""
_MARK = re.compile(r"\s*\bRPGTEXT([0-9]+)\b\s*")
"""Words and numbers pass through every such script."""


def resolve(p: Any, texts: Sequence[str], resolved: list[list[str]]) -> None:
    """Send ``texts`` through the host's scripts at the end of every picture's prompt, between the host's making of these
    prompts and its use of them. Later ``resolved`` holds what became of them in each picture, or nothing if a script
    replaced whole prompts.

    Raises:
        GenerationError: later, when a script changed the prompts so that the texts cannot be told apart.
    """
    tail = "".join(f"\nRPGTEXT{number}\n{text}" for number, text in enumerate(texts))

    def send(original: Any) -> None:
        original()
        for name in ("all_prompts", "all_hr_prompts"):
            if getattr(p, name, None):
                setattr(p, name, [prompt + tail for prompt in getattr(p, name)])

    def receive(original: Any, prompts: list[str], *args: Any, **kwargs: Any) -> Any:
        parts = [_MARK.split(prompt) for prompt in p.all_prompts]
        if any(len(part) > 1 for part in parts):
            for part in parts:
                if part[1::2] != [str(number) for number in range(len(texts))]:
                    raise GenerationError(
                        "A script changed the prompts so that the regions' wildcards cannot be told apart; "
                        "turn it off, or write the regions without wildcards."
                    )
            resolved.extend(part[2::2] for part in parts)
        for place in (vars(p), p.extra_generation_params):  # some show or store what they were given
            for name, value in list(place.items()):
                if isinstance(value, str):
                    place[name] = _MARK.split(value)[0]
                elif isinstance(value, list):
                    place[name] = [_MARK.split(one)[0] if isinstance(one, str) else one for one in value]
        return original(p.all_prompts, *args, **kwargs)

    wrap_once(p, "setup_prompts", send)
    wrap_once(p, "init", receive)
