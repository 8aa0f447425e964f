"""The addresses that requests may go to, and the keys that go with them."""

from __future__ import annotations

import ipaddress
import os
import re
from urllib.parse import urlsplit

from rpg.errors import LLMError
from rpg.llm import trust
from rpg.values import shown

CONNECT_TIMEOUT = 10.0
"""Seconds to reach a server."""

_PASTED = re.compile(r"/(?:chat/completions|completions|responses|models)/*\Z")
"""What people paste too much: the path of one call."""


def allowed(base_url: str, own: str) -> str:
    """Where a request goes: to ``base_url`` without a trailing slash or the path of a call, or to the provider's ``own`` address.

    Raises:
        LLMError: when the address is missing, no address, or not allowed by the administrator.
    """
    address, mark, version = base_url.strip().partition("?api-version=")  # Azure's
    url = _PASTED.sub("", address).rstrip("/")
    if not url or url == own:
        return own
    origin = _origin(url)
    trust.require_list()
    others = [_origin(item.strip()) for item in os.environ.get(trust.ALLOWED_URLS, "").split(",") if item.strip()]
    if others and not any(origin[0] == other[0] and (origin[1] + "/").startswith(other[1] + "/") for other in others):
        raise LLMError("base_url is not among the addresses that the administrator of this server allows.", 403)
    if not re.fullmatch(r"[\w.-]{0,40}", version):
        raise LLMError(f"base_url ends in {shown(mark + version)}; a version looks like ?api-version=2024-10-21.")
    return url + mark + version


def checked_key(api_key: str) -> str:
    """
    Raises:
        LLMError: when the key can be none; it is not repeated.
    """
    if not re.fullmatch(r"[!-~]{0,1000}", api_key.strip()):
        raise LLMError("api_key holds characters that no key has; paste it again.")
    return api_key.strip()


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _origin(url: str) -> tuple[tuple[str, str, int | None], str]:
    """Scheme, host and port of an address, and its path."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or "\\" in url:
        raise LLMError("base_url must be an address such as http://127.0.0.1:11434/v1 or https://host/v1.")
    if parts.username is not None or parts.password is not None:
        raise LLMError("base_url must not hold a name or password; send the key as api_key.")
    return (parts.scheme, parts.hostname, port), os.path.normpath(parts.path or "/").rstrip("/")
