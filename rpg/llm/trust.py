"""Where no question may go, whoever asks, and what only the administrator may name where others than the owner can ask."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from rpg.errors import LLMError

ALLOWED_URLS = "RPG_PLANNER_URLS"
"""Environment variable of the administrator: the only base URLs that a request may name, separated by commas."""
MODEL_FOLDER = "RPG_LLM_FOLDER"
"""Environment variable: where local models lie."""

_METADATA = {ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")}
"""Where clouds that do not use link-local addresses hand a machine its secrets."""

_others = False


def serve_others() -> None:
    """From now on requests may come from other machines: they may name only what the administrator lists."""
    global _others  # noqa: PLW0603
    _others = True


def require_list() -> None:
    """
    Raises:
        LLMError: when others can ask and no base URLs are listed.
    """
    if _others and not os.environ.get(ALLOWED_URLS, "").strip():
        raise LLMError(
            "Other machines can reach this server, so requests may name no base_url of their own; "
            f"list those that are allowed in the environment variable {ALLOWED_URLS}, separated by commas.",
            403,
        )


def model_folder(model: str) -> str:
    """The folder of a local model, given by path or by its name in :data:`MODEL_FOLDER`.

    Raises:
        LLMError: when others can ask and it does not lie there.
    """
    root = os.environ.get(MODEL_FOLDER, "")
    folder = str(Path(root) / model) if root and not Path(model).is_dir() else model
    if _others and not (root and Path(folder).resolve().is_relative_to(Path(root).resolve())):
        raise LLMError(
            "Other machines can reach this server, so local models must lie in the folder that the environment variable "
            f"{MODEL_FOLDER} names; give the model's name there.",
            403,
        )
    return folder


def check_target(url: str) -> None:
    """
    Raises:
        LLMError: when the address is, or its name leads to, one where a machine finds its own secrets.
    """
    host = urlsplit(url).hostname
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP) if host else []
    except OSError:  # it cannot be reached either
        return
    for *_, place in found:
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if address.is_link_local or address in _METADATA:
            raise LLMError(f"base_url leads to {address}, which no planner may ask; check the address.", 403)


def check_redirect(url: str, target: str) -> None:
    """
    Raises:
        LLMError: when a server at ``url`` sends on to another one.
    """
    here, there = urlsplit(url), urlsplit(target)
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        said = f"{there.scheme}://{there.netloc}"
        raise LLMError(f"{here.scheme}://{here.netloc} sends on to {said:.100}; if that is right, give it as base_url.", 502)
