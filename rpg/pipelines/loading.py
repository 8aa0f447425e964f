"""A ready pipeline and its defaults: the embedded model, a checkpoint file, or a diffusers model."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from diffusers import EulerAncestralDiscreteScheduler
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors import SafetensorError, safe_open

from rpg import shapes
from rpg.errors import GenerationError
from rpg.pipelines.classes import RegionalDiffusionPipeline, RegionalDiffusionXLPipeline
from rpg.plan import suited_latent_ratio

SAMPLER = "Euler a"
"""The webui's name of the one that is used here; it draws more of what is asked for than DPM++ 2M in 20 steps
(docs/composition.md)."""

_XL_KEY = "conditioner.embedders.1.model.ln_final.weight"


@dataclass(frozen=True)
class Loaded:
    """A pipeline and what suits its model, which lies at ``path``."""

    pipeline: Any
    path: Path
    width: int
    height: int
    steps: int = 20
    guidance_scale: float = 7.0
    sampler: str = SAMPLER

    @property
    def name(self) -> str:
        """The model's, as the webui calls it."""
        return self.path.stem if self.path.is_file() else self.path.name

    @cached_property
    def model_hash(self) -> str | None:
        """By which the webui finds a checkpoint: ten digits of its SHA-256. A folder has none."""
        if not self.path.is_file():
            return None
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()[:10]


def load(model: str | None = None) -> Loaded:
    """Load a model onto the best device here, with :data:`SAMPLER`.

    Args:
        model: a ``.safetensors`` checkpoint, a folder in diffusers' format, or ``None`` for the embedded model.

    Raises:
        GenerationError: when there is no such model, or none that regions can steer.
    """
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    options = {"torch_dtype": torch.float16 if device == "cuda" else torch.float32}
    if model is None:
        pipeline = _from_file(shapes.CHECKPOINT, config=str(shapes.CONFIG), **options)
    else:
        path = Path(model)
        if not path.exists():
            raise GenerationError(f"There is no model {model!r}; name a .safetensors file or a folder in diffusers' format.")
        try:
            pipeline = _from_file(path, **options) if path.is_file() else _from_folder(path, **options)
        except LocalEntryNotFoundError as error:
            raise GenerationError(
                f"The model {model!r} cannot be loaded: a checkpoint file needs a small configuration of its kind, which is "
                "fetched once from the Hugging Face Hub, and that cannot be reached. Connect once, or use a folder in diffusers' "
                "format."
            ) from error
        except (OSError, ValueError, SafetensorError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise GenerationError(f"The model {model!r} cannot be loaded: {reason}") from error
    pipeline.scheduler = EulerAncestralDiscreteScheduler.from_config(pipeline.scheduler.config, timestep_spacing="linspace")
    pipeline.to(device)
    if model is None:
        pipeline.lora_folder = shapes.LORA
        return Loaded(pipeline, shapes.CHECKPOINT, width=224, height=128, guidance_scale=shapes.GUIDANCE_SCALE)
    size = pipeline.unet.config.sample_size * pipeline.vae_scale_factor
    return Loaded(pipeline, path, width=size, height=size)


def _from_file(path: Path, **options: Any) -> Any:
    if path.suffix != ".safetensors":
        raise GenerationError(f"{path.name} is no .safetensors file; others can run code when loaded, so convert it first.")
    with safe_open(path, framework="pt") as file:
        is_xl, metadata = _XL_KEY in file.keys(), file.metadata()  # noqa: SIM118 - a file handle, not a dict
    options["local_files_only"] = True  # what was fetched before comes first; what is missing is fetched all the same
    if is_xl:
        pipeline = RegionalDiffusionXLPipeline.from_single_file(str(path), **options)
    else:
        no_checker = {"safety_checker": None, "requires_safety_checker": False}
        pipeline = RegionalDiffusionPipeline.from_single_file(str(path), **no_checker, **options)
    pipeline.latent_ratio = suited_latent_ratio(metadata)
    return pipeline


def _from_folder(path: Path, **options: Any) -> Any:
    name = RegionalDiffusionPipeline.load_config(path, local_files_only=True)["_class_name"]
    for kind in (RegionalDiffusionPipeline, RegionalDiffusionXLPipeline):
        if name in (cls.__name__ for cls in kind.__mro__):
            return kind.from_pretrained(path, local_files_only=True, **options)
    raise GenerationError(f"{path.name} is a {name}; regions can steer StableDiffusionPipeline and StableDiffusionXLPipeline.")
