"""Packages that providers need, and a folder of the extension for those that the host's pins keep out of its environment."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
import sysconfig
from pathlib import Path

OPENAI = "openai>=1.55.3,<3"
FOLDER = Path(__file__).parents[2] / "packages" / f"gemini-{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
"""Where ``install.py`` puts Gemini's package. Wheels fit one Python on one platform only."""


def missing(package: str) -> str:
    """What to install before ``package`` can be imported; empty when it is there."""
    need = OPENAI if package == "openai" else package
    if not importlib.util.find_spec(package):
        return f"The package {package} is not installed; run: pip install '{need}'."
    if package == "openai" and (version := importlib.metadata.version("openai")).startswith("0."):
        return f"The package openai {version} is too old; run: pip install '{need}'."
    return ""


def gemini_is_installed() -> bool:
    """Whether Gemini's package is in the environment or in the extension's folder."""
    try:
        return FOLDER.is_dir() or importlib.util.find_spec("google.ai.generativelanguage") is not None
    except ImportError:  # no package "google" at all
        return False


def use_folder() -> None:
    """Let imports find the folder, behind everything else: the host's own versions win."""
    if FOLDER.is_dir() and str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
        importlib.invalidate_caches()
