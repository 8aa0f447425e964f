"""LoRA and other extra networks named in prompts: what acts on the whole picture, and what in one region."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rpg.errors import GenerationError

_TAG = re.compile(r"<(\w+):([^>]+)>")
"""The webui's own pattern. Where no ``>`` follows, it takes quadratic time, so that nobody looks behind the last one."""
LORA = ("lora", "lyco")
"""The webui's two names of the kind that a region can have for itself."""

Tags = Mapping[tuple[str, str], str]
"""Kind and name -> the tag, such as ``<lora:name:1>``."""


class Named(NamedTuple):
    """What the prompts of one picture name."""

    whole: dict[tuple[str, str], str]
    """By the base prompt, or otherwise for the whole picture."""
    regions: tuple[dict[tuple[str, str], str], ...]
    """By each region, where it says something else: that holds in the region instead."""


def without_networks(prompt: str) -> str:
    """``prompt`` as the text encoder shall read it."""
    end = _end(prompt)
    return _TAG.sub("", prompt[:end]) + prompt[end:]


def _end(prompt: str) -> int:
    """Behind the last tag, if there is any."""
    return prompt.rfind(">") + 1


def with_networks_of(one: str, other: str) -> str:
    """The ``other`` prompt, with the networks that only ``one`` names."""
    there = tags([other])
    return other + "".join(tag for key, tag in tags([one]).items() if key not in there)


def named(base: str, regions: Sequence[str], covers: bool) -> Named:
    """Share out the networks that prompts name.

    A LoRA in a region's prompt acts there alone. What all regions name alike acts on the whole picture where they cover it, and
    so does every network that is no LoRA.

    Args:
        base: the prompt that stands for the whole picture.
        covers: whether the regions leave nothing of it.

    Raises:
        GenerationError: when one prompt names a network with different values, or several do so with one for the whole picture.
    """
    own = [tags([prompt]) for prompt in regions]
    others = [tag for found in own for (kind, _), tag in found.items() if kind not in LORA]
    whole = tags([base, *others])
    alike = [key for key, tag in own[0].items() if all(_same(found.get(key), tag) for found in own)] if covers and own else []
    for key in alike:
        whole.setdefault(key, own[0][key])
    differing = ({key: tag for key, tag in found.items() if not _same(whole.get(key), tag)} for found in own)
    return Named(whole, tuple(differing))


def everywhere(base: str, regions: Sequence[str], _covers: bool) -> Named:
    """The same where no region can have a network for itself: all act on the whole picture."""
    return Named(tags([base, *regions]), tuple({} for _ in regions))


def tags(prompts: Iterable[str]) -> dict[tuple[str, str], str]:
    """The extra networks that ``prompts`` name: kind and name -> the tag, such as ``<lora:name:1>``.

    Raises:
        GenerationError: when one network is named with different arguments.
    """
    found: dict[tuple[str, str], str] = {}
    for prompt in prompts:
        for match in _TAG.finditer(prompt, 0, _end(prompt)):
            first = found.setdefault((match[1], match[2].split(":")[0]), match[0])
            if not _same(first, match[0]):
                raise GenerationError(
                    f"The prompts name both {first} and {match[0]} for the same place; name a network there once, or with the "
                    "same values."
                )
    return found


class Strengths(NamedTuple):
    """How strongly a LoRA acts."""

    text: float
    """In the text encoders."""
    unet: float
    rank: int | None
    """So much of its rank is used; None: all."""


def strengths(tag: str) -> Strengths:
    """What a LoRA's tag says: ``<lora:name:0.8>`` for both parts, ``<lora:name:0.8:0.5>`` or with ``te=`` and ``unet=`` for each.

    Raises:
        GenerationError: when it says something else.
    """
    places = ["te", "unet", "dyn"]
    said: dict[str, str] = {}
    for part in tag[1:-1].split(":")[2:]:
        name, _, value = part.rpartition("=")
        said[name or (places.pop(0) if places else part)] = value
    try:
        text = float(said.pop("te", 1.0))
        unet, rank = float(said.pop("unet", text)), said.pop("dyn", None)
        if said:
            raise ValueError
        return Strengths(text, unet, None if rank is None else int(rank))
    except ValueError:
        raise GenerationError(f"{tag} has other values than one or two numbers; write such as <lora:name:0.8>.") from None


def _same(one: str | None, other: str) -> bool:
    return one is not None and _arguments(one) == _arguments(other)


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
