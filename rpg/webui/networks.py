"""LoRA and other extra networks named in region prompts. As in the host, they apply to the whole picture."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any

from modules import extra_networks, shared

from rpg.errors import GenerationError


def without_networks(prompt: str) -> str:
    """``prompt`` as the text encoder shall read it."""
    return extra_networks.parse_prompt(prompt)[0]


def tags(prompts: Iterable[str]) -> list[str]:
    """The extra networks that ``prompts`` name, each once, as tags such as ``<lora:name:1>``.

    Raises:
        GenerationError: when one network is named with different arguments.
    """
    found: dict[tuple[str, str], str] = {}
    for prompt in prompts:
        for match in re.finditer(extra_networks.re_extra_net, prompt):
            name = (match[1], match[2].split(":")[0])
            if found.setdefault(name, match[0]) != match[0]:
                raise GenerationError(
                    f"The prompts name both {found[name]} and {match[0]}; an extra network applies to the whole picture, "
                    "so name it once or with the same values."
                )
    return list(found.values())


def merged(data: dict[str, list[Any]] | None, wanted: Iterable[str]) -> dict[str, list[Any]]:
    """The host's parsed network data with the networks of the tags ``wanted`` added where they are missing."""
    result = {name: list(params) for name, params in (data or {}).items()}
    for name, params in extra_networks.parse_prompt("".join(wanted))[1].items():
        present = result.setdefault(name, [])
        present += [param for param in params if param not in present]
    return result


def applied() -> tuple[Any, ...]:
    """The networks and hypernetworks that are in the UNet now, and how strongly; extensions change that from step to step."""
    loaded = getattr(sys.modules.get("networks"), "loaded_networks", [])
    return (
        *((net.name, net.unet_multiplier, net.dyn_dim) for net in loaded),
        *(
            (hypernetwork.name, *(layer.multiplier for pair in hypernetwork.layers.values() for layer in pair))
            for hypernetwork in shared.loaded_hypernetworks
        ),
    )
