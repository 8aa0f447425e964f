"""What commands share: whole numbers, and a model that is loaded without a word."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from rpg.errors import GenerationError


def whole(least: int) -> Callable[[str], int]:
    """The type of options that are whole numbers from ``least``."""

    def whole_number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is below {least}")
        return value

    return whole_number


def add_model(parser: Any, more: str = "") -> None:
    told = f"a .safetensors checkpoint or a diffusers folder (default: the embedded model of shapes){more}"
    parser.add_argument("--model", help=told)
    parser.add_argument("--lora-folder", metavar="DIR", help="where the LoRA lie that prompts name, such as <lora:name:0.8>")


def load(options: argparse.Namespace) -> Any:
    """The model that the options name; see :func:`rpg.pipelines.loading.load`."""
    model = options.model
    if options.lora_folder is not None and not Path(options.lora_folder).is_dir():
        raise GenerationError(f"--lora-folder is {options.lora_folder!r}; there is no such folder.")
    print(f"Loading {model or 'the embedded model of shapes'}", file=sys.stderr)
    from rpg.pipelines import loading

    quiet = import_module("diffusers.utils.logging")
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()
    import_module("transformers.utils.logging").set_verbosity_error()
    if model is None:
        import_module("torch").set_num_threads(1)  # so small that threads wait for one another, minutes on a busy machine
    loaded = loading.load(model)
    loaded.pipeline.lora_folder = options.lora_folder or loaded.pipeline.lora_folder
    return loaded
