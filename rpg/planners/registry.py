"""The planners a user can choose from: fixed rules, and every provider of language models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rpg.llm import PROVIDERS, Provider


@dataclass(frozen=True)
class PlannerInfo:
    """A planner as the panel and the API show it. JSON primitives only."""

    name: str
    label: str
    default_model: str = ""
    models: tuple[str, ...] = ()
    needs_key: bool = False
    key_env: str = ""
    """The environment variable that can hold the key."""
    has_server_key: bool = False
    """Whether the environment holds a key."""
    base_url: str = ""
    needs_base_url: bool = False
    sees_pictures: bool = False
    available: bool = True
    why_not: str = ""
    """What to do to make it available; empty when it is."""


RULES = PlannerInfo("rules", "Offline rules")
PLANNERS = (RULES.name, *PROVIDERS)


def known_planners() -> list[PlannerInfo]:
    """All planners, and for those that cannot be used what to do about it."""
    return [RULES, *map(_info, PROVIDERS.values())]


def models_at(name: str, base_url: str, api_key: str) -> Sequence[str]:
    """The models that a planner can ask, from its server where that has a list.

    Raises:
        LLMError: when the server cannot be asked.
    """
    return () if name == RULES.name else PROVIDERS[name].at("", base_url, api_key).list_models()


def _info(provider: type[Provider]) -> PlannerInfo:
    why_not = provider.why_not()
    return PlannerInfo(
        name=provider.name,
        label=provider.label,
        default_model=provider.models[0],
        models=provider.models,
        needs_key=provider.needs_key,
        key_env=provider.key_env[0] if provider.key_env else "",
        has_server_key=bool(provider.environment_key()),
        base_url=provider.base_url,
        needs_base_url=provider.needs_base_url,
        sees_pictures=provider.sees_pictures,
        available=not why_not,
        why_not=why_not,
    )
