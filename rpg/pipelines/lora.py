"""LoRA named in prompts by the webui's tags, such as ``<lora:name:0.8>``, loaded for one generation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from diffusers.utils import is_peft_available
from safetensors import SafetensorError, safe_open

from rpg.errors import GenerationError

KINDS = ("lora", "lyco")
"""The webui's two names of one kind."""


@contextmanager
def loaded(pipeline: Any, tags: Mapping[tuple[str, str], str], folder: str | Path | None) -> Iterator[None]:
    """Have the networks that ``tags`` name act on a pipeline, and take them off again.

    Args:
        tags: by kind and name (:func:`rpg.networks.tags`).
        folder: in it or below it lie their files.

    Raises:
        GenerationError: when one cannot be loaded.
    """
    if not tags:
        yield
        return
    wanted = [(_file(kind, name, tag, folder), *_weights(tag)) for (kind, name), tag in tags.items()]
    if not is_peft_available():
        raise GenerationError("LoRA need the package peft; install it with: pip install 'sd-webui-rpg[standalone]'")
    if pipeline.get_list_adapters():
        raise GenerationError("The pipeline has LoRA of its own; name all by tags, or load all with load_lora_weights.")
    names = [f"rpg_{number}" for number in range(len(wanted))]
    encoders = [part for part in ("text_encoder", "text_encoder_2") if getattr(pipeline, part, None) is not None]
    try:
        for name, (path, _, _) in zip(names, wanted):
            _load(pipeline, path, name)
        pipeline.set_adapters(names, [{**dict.fromkeys(encoders, text), "unet": unet} for _, text, unet in wanted])
        yield
    finally:
        pipeline.unload_lora_weights()


def _load(pipeline: Any, path: Path, name: str) -> None:
    try:
        pipeline.load_lora_weights(path.parent, weight_name=path.name, adapter_name=name, local_files_only=True)
        fits = name in chain.from_iterable(pipeline.get_list_adapters().values())
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise GenerationError(
            f"The LoRA {path} cannot be loaded: {(str(error) or type(error).__name__).splitlines()[0]}"
        ) from error
    if not fits:
        raise GenerationError(f"The LoRA {path} holds nothing for this model.")


def _file(kind: str, name: str, tag: str, folder: str | Path | None) -> Path:
    """The file that a tag names by its name without extension, or by the name that its training gave it."""
    if kind not in KINDS:
        raise GenerationError(f"{tag} names a network of the kind {kind}, which works in the webui only; remove it.")
    if folder is None:
        raise GenerationError(
            f"{tag} names a LoRA, and there is no folder to look in; give one by --lora-folder, or as the pipeline's lora_folder."
        )
    files = sorted(Path(folder).rglob("*.safetensors"))
    for path in files:
        if path.stem == name:
            return path
    for path in files:
        if _alias(path) == name:
            return path
    raise GenerationError(f"{tag} names a LoRA that is not in {folder}; there is no {name}.safetensors in it or below it.")


def _alias(path: Path) -> str | None:
    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("ss_output_name")
    except SafetensorError:
        return None


def _weights(tag: str) -> tuple[float, float]:
    """For the text encoders and the UNet: ``<lora:name:0.8>`` for both, ``<lora:name:0.8:0.5>`` for each."""
    try:
        text, *others = [float(part) for part in tag[1:-1].split(":")[2:]] or [1.0]
        (unet,) = others or [text]
    except ValueError:
        raise GenerationError(f"{tag} has other values than one or two numbers; write such as <lora:name:0.8>.") from None
    return text, unet
