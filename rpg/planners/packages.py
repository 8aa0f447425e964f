"""Packages that the host's pins keep out of its environment, in a folder of the extension (see ``install.py``)."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import sysconfig
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "packages" / f"gemini-{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
"""Wheels fit one Python on one platform only."""


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
