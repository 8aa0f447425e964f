"""LoRA named in prompts by the webui's tags, such as ``<lora:name:0.8>``, loaded for one generation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from diffusers.utils import is_peft_available
from diffusers.utils.peft_utils import set_adapter_layers, set_weights_and_activate_adapters
from safetensors import SafetensorError, safe_open
from torch import nn

from rpg.errors import GenerationError
from rpg.networks import LORA, Named, Strengths, strengths
from rpg.steering.branches import LowRank, added_up

_NOTHING = Strengths(0, 0, None)


class Adapters:
    """The networks of one generation, as peft's adapters of a pipeline's parts. Those of the whole picture act, those of regions
    wait.

    Args:
        whole: of the whole picture, by name.
        regions: of each region, where they differ; none where no region has any.
    """

    def __init__(self, pipeline: Any, whole: Mapping[str, Strengths], regions: list[dict[str, Strengths]]) -> None:
        self._pipeline = pipeline
        self._whole = whole
        self._regions = regions
        self._encoders = [
            part for name in ("text_encoder", "text_encoder_2") if (part := getattr(pipeline, name, None)) is not None
        ]

    def act(self) -> None:
        """Let those of the whole picture act."""
        _activate(self._pipeline.unet, {name: one.unet for name, one in self._whole.items()})
        self._encode_with(self._whole)

    def of(self, region: int) -> bool:
        """Whether a region, from 0, has networks of its own."""
        return bool(self._regions) and bool(self._regions[region])

    @contextmanager
    def encoding(self, region: int) -> Iterator[None]:
        """Meanwhile text is encoded with the networks of a region."""
        self._encode_with({**self._whole, **self._regions[region]})
        try:
            yield
        finally:
            self._encode_with(self._whole)

    def _encode_with(self, acting: Mapping[str, Strengths]) -> None:
        for encoder in self._encoders:
            _activate(encoder, {name: one.text for name, one in acting.items()})

    def branches(self, scale: float) -> dict[int, dict[nn.Module, list[LowRank]]]:
        """What regions add to the UNet's layers, beside what the whole picture has.

        Args:
            scale: of all networks.
        """
        return {
            region: _branches(
                self._pipeline.unet,
                {name: scale * (one.unet - self._whole.get(name, _NOTHING).unet) for name, one in own.items()},
            )
            for region, own in enumerate(self._regions)
        }


@contextmanager
def loaded(pipeline: Any, named: Named, folder: str | Path | None) -> Iterator[Adapters]:
    """Have networks act on a pipeline, and take them off again.

    Args:
        folder: in it or below it lie their files.

    Raises:
        GenerationError: when one cannot be loaded.
    """
    everything = [named.whole, *named.regions]
    if not any(everything):
        yield Adapters(pipeline, {}, [])
        return
    wanted = [[(_file(*key, tag, folder), _strengths(tag)) for key, tag in tags.items()] for tags in everything]
    if not is_peft_available():
        raise GenerationError("LoRA need the package peft; install it with: pip install 'sd-webui-rpg[standalone]'")
    if pipeline.get_list_adapters():
        raise GenerationError("The pipeline has LoRA of its own; name all by tags, or load all with load_lora_weights.")
    names = {path: f"rpg_{number}" for number, path in enumerate(dict.fromkeys(path for path, _ in chain(*wanted)))}
    try:
        for path, name in names.items():
            _load(pipeline, path, name)
        whole, *regions = [{names[path]: one for path, one in files} for files in wanted]
        adapters = Adapters(pipeline, whole, regions)
        adapters.act()
        yield adapters
    finally:
        pipeline.unload_lora_weights()


def _activate(model: nn.Module, weights: Mapping[str, float]) -> None:
    """Of a model's adapters, let those act that it has, with these weights."""
    known = {name for module in model.modules() for name in getattr(module, "lora_A", ())}
    acting = {name: weight for name, weight in weights.items() if name in known}
    set_adapter_layers(model, enabled=bool(acting))
    if acting:
        set_weights_and_activate_adapters(model, list(acting), list(acting.values()))


def _branches(unet: nn.Module, weights: Mapping[str, float]) -> dict[nn.Module, list[LowRank]]:
    found: dict[nn.Module, list[LowRank]] = {}
    for layer in unet.modules() if weights else ():
        parts = []
        for name in weights:
            if name not in getattr(layer, "lora_A", ()):
                continue
            down, up = layer.lora_A[name], layer.lora_B[name]
            strength = weights[name] * layer.lora_alpha[name] / layer.r[name]
            if strength:
                parts.append(LowRank(down.weight, up.weight * strength))
        if parts:
            found[layer] = added_up(parts)
    return found


def _load(pipeline: Any, path: Path, name: str) -> None:
    # Names in the original code count blocks through; where they begin depends on the UNet.
    options = {"local_files_only": True} | ({} if hasattr(pipeline, "text_encoder_2") else {"unet_config": pipeline.unet.config})
    try:
        pipeline.load_lora_weights(path.parent, weight_name=path.name, adapter_name=name, **options)
        fits = name in chain.from_iterable(pipeline.get_list_adapters().values())
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise GenerationError(
            f"The LoRA {path} cannot be loaded: {(str(error) or type(error).__name__).splitlines()[0]}"
        ) from error
    if not fits:
        raise GenerationError(f"The LoRA {path} holds nothing for this model.")


def _file(kind: str, name: str, tag: str, folder: str | Path | None) -> Path:
    """The file that a tag names by its name without extension, or by the name that its training gave it."""
    if kind not in LORA:
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


def _strengths(tag: str) -> Strengths:
    found = strengths(tag)
    if found.rank is not None:
        raise GenerationError(f"{tag} asks for a part of a LoRA's rank, which works in the webui only; leave it out.")
    return found
