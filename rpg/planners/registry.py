"""The planners a user can choose from, their keys, and the addresses that keys may go to."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import ipaddress
import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from rpg.errors import PlannerError
from rpg.planners import packages
from rpg.planners.request import PlanRequest

ALLOWED_URLS = "RPG_PLANNER_URLS"
"""Environment variable of the administrator: the only base URLs that a request may name, separated by commas."""


@dataclass(frozen=True)
class Provider:
    """A planner and what it needs."""

    name: str
    label: str
    module: str
    """The module of this package that talks to it."""
    package: str = ""
    """The package that must be installed."""
    models: tuple[str, ...] = ()
    """Suggestions, the default first."""
    key_env: tuple[str, ...] = ()
    needs_key: bool = False
    base_url: str = ""
    needs_base_url: bool = False
    sees_pictures: bool = True
    schema: bool = True
    """Whether to ask for output that follows the JSON schema."""


@dataclass(frozen=True)
class ProviderInfo:
    """A provider as the panel and the API show it. JSON primitives only."""

    name: str
    label: str
    default_model: str
    models: tuple[str, ...]
    needs_key: bool
    key_env: str
    """The environment variable that can hold the key."""
    has_server_key: bool
    """Whether the environment holds a key."""
    base_url: str
    needs_base_url: bool
    sees_pictures: bool
    available: bool
    why_not: str
    """What to do to make it available; empty when it is."""


_PROVIDERS = (
    Provider("rules", "Offline rules", module="rules", sees_pictures=False),
    Provider(
        "openai",
        "OpenAI",
        module="openai_chat",
        package="openai",
        models=("gpt-4o", "gpt-4.1", "o3", "o4-mini", "gpt-5"),
        key_env=("OPENAI_API_KEY",),
        needs_key=True,
        base_url="https://api.openai.com/v1",
    ),
    Provider(
        "deepseek",
        "DeepSeek",
        module="openai_chat",
        package="openai",
        models=("deepseek-reasoner", "deepseek-chat"),
        key_env=("DEEPSEEK_API_KEY",),
        needs_key=True,
        base_url="https://api.deepseek.com",
        sees_pictures=False,
        schema=False,
    ),
    Provider(
        "gemini",
        "Google Gemini",
        module="gemini",
        package="openai",
        models=("gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.0-flash"),
        key_env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        needs_key=True,
        base_url="https://generativelanguage.googleapis.com",
    ),
    Provider(
        "compatible",
        "OpenAI-compatible server (Ollama, LM Studio, vLLM, llama.cpp)",
        module="openai_chat",
        package="openai",
        models=("qwen2.5vl", "llava", "llama3.1", "gemma3"),
        needs_base_url=True,
    ),
    Provider(
        "transformers",
        "Local model (transformers)",
        module="local",
        package="transformers",
        models=("Llama-2-13b-chat-hf",),
        sees_pictures=False,
        schema=False,
    ),
)
PROVIDERS = {provider.name: provider for provider in _PROVIDERS}


def find_provider(name: str) -> Provider:
    """
    Raises:
        PlannerError: when there is no such provider.
    """
    if name not in PROVIDERS:
        raise PlannerError(f"provider is {name!r:.60}; it must be one of {', '.join(PROVIDERS)}.")
    return PROVIDERS[name]


def providers() -> list[ProviderInfo]:
    """All planners, and for those that cannot be used what to do about it."""
    infos = []
    for provider in PROVIDERS.values():
        why_not = missing_package(provider)
        infos.append(
            ProviderInfo(
                name=provider.name,
                label=provider.label,
                default_model=provider.models[0] if provider.models else "",
                models=provider.models,
                needs_key=provider.needs_key,
                key_env=provider.key_env[0] if provider.key_env else "",
                has_server_key=bool(_environment_key(provider)),
                base_url=provider.base_url,
                needs_base_url=provider.needs_base_url,
                sees_pictures=provider.sees_pictures,
                available=not why_not,
                why_not=why_not,
            )
        )
    return infos


def missing_package(provider: Provider) -> str:
    """What to install before the provider can be used; empty when nothing is missing."""
    if provider.name == "gemini" and packages.gemini_is_installed():
        return ""
    need = "openai>=1.55.3,<3" if provider.package == "openai" else provider.package
    if provider.package and not importlib.util.find_spec(provider.package):
        return f"The package {provider.package} is not installed; run: pip install '{need}'."
    if provider.package == "openai" and (version := importlib.metadata.version("openai")).startswith("0."):
        return f"The package openai {version} is too old; run: pip install '{need}'."
    return ""


def address(provider: Provider, request: PlanRequest) -> str:
    """Where the request goes, without a trailing slash.

    Raises:
        PlannerError: when the address is missing, no address, or not allowed by the administrator.
    """
    url = request.base_url.strip().rstrip("/")
    if not url or url == provider.base_url:
        if provider.needs_base_url:
            raise PlannerError("base_url is empty; give the server's address, such as http://127.0.0.1:11434/v1 for Ollama.")
        return provider.base_url
    origin = _origin(url)
    allowed = [_origin(item.strip()) for item in os.environ.get(ALLOWED_URLS, "").split(",") if item.strip()]
    if allowed and not any(origin[0] == other[0] and (origin[1] + "/").startswith(other[1] + "/") for other in allowed):
        raise PlannerError("base_url is not among the addresses that the administrator of this server allows.", 403)
    return url


def key_for(provider: Provider, request: PlanRequest, url: str) -> str:
    """The key that may be sent to ``url``: the request's own, or the environment's if it is the provider's own address.

    Raises:
        PlannerError: when the provider needs a key and there is none.
    """
    if key := request.api_key.strip():
        if not re.fullmatch(r"[!-~]{1,1000}", key):
            raise PlannerError("api_key holds characters that no key has; paste it again.")
        return key
    own = url == provider.base_url
    key = _environment_key(provider) if own else ""
    if own and provider.needs_key and not key:
        raise PlannerError(
            f"{provider.label} needs a key; fill in api_key or set the environment variable {provider.key_env[0]}."
        )
    return key


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _environment_key(provider: Provider) -> str:
    return next((value for name in provider.key_env if (value := os.environ.get(name, "").strip())), "")


def _origin(url: str) -> tuple[tuple[str, str, int | None], str]:
    """Scheme, host and port of an address, and its path."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or "\\" in url:
        raise PlannerError("base_url must be an address such as http://127.0.0.1:11434/v1 or https://host/v1.")
    if parts.username is not None or parts.password is not None:
        raise PlannerError("base_url must not hold a name or password; send the key as api_key.")
    return (parts.scheme, parts.hostname, port), os.path.normpath(parts.path or "/").rstrip("/")
