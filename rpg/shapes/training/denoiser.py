"""UNet and text encoder, trained together on captioned scenes to predict v (Salimans and Ho, 2022) under Stable
Diffusion's noise schedule.

Predicting the noise says next to nothing about the caption where noise is strong, which is where objects get their
places, colours and shapes; v weighs all steps alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn

from rpg.shapes.training import models
from rpg.shapes.training.autoencoder import latents_of, tensor
from rpg.shapes.training.loop import SHARDS, train
from rpg.shapes.training.scenes import SHAPES, Scene, caption, draw, random_scene

TOKENS = 3072
"""Latents in a batch, so that every step costs the same whatever its pictures' size."""
WITHOUT_CAPTION = 0.1
USES_OF_A_SCENE = 8
"""Times that a scene is used, always with another caption and noise: encoding it is half of what a use costs."""


@dataclass(frozen=True)
class Size:
    width: int
    height: int
    share: float
    """Of the steps."""
    most: int = 4
    """Objects."""

    @property
    def batch(self) -> int:
        return max(1, TOKENS // (self.width * self.height // 64))


FIRST = (Size(80, 80, 0.5, 1), Size(96, 96, 0.3, 2), Size(112, 80, 0.1, 2), Size(80, 112, 0.1, 2))
THEN = (
    Size(96, 96, 0.15, 2),
    Size(128, 128, 0.28),
    Size(192, 128, 0.08),
    Size(128, 192, 0.06),
    Size(224, 128, 0.12),
    Size(128, 224, 0.08),
    Size(256, 128, 0.04),
    Size(128, 256, 0.02),
    Size(320, 128, 0.04, 5),
    Size(128, 320, 0.02),
    Size(384, 128, 0.02, 6),
    Size(128, 384, 0.01, 5),
    Size(224, 224, 0.04),
    Size(320, 224, 0.02, 6),
    Size(384, 384, 0.01, 6),
    Size(512, 512, 0.01, 6),
)


FINE = (
    Size(96, 96, 0.06, 2),
    Size(112, 112, 0.12, 2),
    Size(96, 128, 0.07, 2),
    Size(128, 96, 0.05, 2),
    Size(112, 128, 0.05, 2),
    Size(128, 112, 0.04, 2),
    Size(128, 128, 0.13),
    Size(224, 112, 0.05, 2),
    Size(224, 128, 0.15, 3),
    Size(128, 224, 0.11, 3),
    Size(256, 128, 0.06, 3),
    Size(320, 128, 0.03, 5),
    Size(128, 320, 0.02, 4),
    Size(224, 224, 0.03),
    Size(320, 224, 0.02, 6),
    Size(384, 128, 0.01, 6),
)


@dataclass(frozen=True)
class Phase:
    """Some of a course's steps."""

    steps: int
    sizes: tuple[Size, ...]
    partial: float | None = None
    placed: float = 0.5
    """See :func:`rpg.shapes.training.scenes.caption`."""
    weakness: float = 0.65
    """Of the noise: below 1, there is more of the strong noise, in which objects get their number and places."""
    shapes: tuple[str, ...] = tuple(SHAPES)
    """To choose from, the harder ones more than once."""


HARDER = (*SHAPES, *SHAPES, "star", "star", "heart")


@dataclass(frozen=True)
class Course:
    """A learning rate's way from its peak to zero."""

    name: str
    rate: float
    phases: tuple[Phase, ...]

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    def phase(self, step: int) -> Phase:
        for phase in self.phases:
            if step < phase.steps:
                return phase
            step -= phase.steps
        raise IndexError(f"{self.name} has {self.steps} steps")


COURSES = (
    Course(
        "denoiser",
        1e-3,
        (
            # Words and colours are learnt from many small pictures.
            Phase(700, FIRST),
            # Then to draw, in pictures of every size.
            Phase(3500, THEN),
            # And to count and to arrange, from captions that leave nothing out.
            Phase(8000, FINE, partial=0.0, placed=0.7, weakness=0.55, shapes=HARDER),
        ),
    ),
    # And last, to draw what it arranges, with a learning rate that rises once more.
    Course("denoiser, outlines", 8e-4, (Phase(7000, FINE, partial=0.0, placed=0.65, weakness=0.6, shapes=HARDER),)),
)


class Denoiser(nn.Module):
    def __init__(self, text_encoder: Any) -> None:
        super().__init__()
        self.unet = models.unet()
        self.text_encoder = text_encoder
        # Most of its weights are of words that no caption has; those that have one were learnt from captions alone.
        text_encoder.get_input_embeddings().requires_grad_(False)

    def forward(self, latents: Tensor, times: Tensor, tokens: Tensor) -> Any:
        context = self.text_encoder(tokens).last_hidden_state
        with torch.autocast(latents.device.type, torch.bfloat16, enabled=bfloat16_is_fast(latents.device.type)):
            return self.unet(latents, times, context).sample.float()


@cache
def bfloat16_is_fast(device: str) -> bool:
    if device == "cpu":
        return bool(torch.cpu.get_capabilities().get("amx_bf16"))
    return device == "cuda" and torch.cuda.is_bf16_supported()


def trained(folder: Path, seed: int, device: str, autoencoder: Any, text_encoder: Any) -> Any:
    """Train, or take what was trained, and return the ``Denoiser``."""
    torch.manual_seed(seed)
    network: nn.Module = Denoiser(text_encoder).to(device)
    # On a CPU, PyTorch's fused attention goes slowly backwards.
    network.unet.set_attn_processor(AttnProcessor())
    noise = models.noise()
    tokenizer = models.tokenizer()

    @cache
    def encoded(size: Size, shapes: tuple[str, ...], number: int) -> tuple[Scene, Tensor]:
        """A scene and its latents: [4, height / 8, width / 8]."""
        rng = Random(f"{seed} scene {size.width} {size.height} {number}")
        scene = random_scene(rng, size.width, size.height, size.most, shapes)
        with torch.no_grad():
            latents = latents_of(autoencoder, tensor([draw(scene)]).to(device))[0] * autoencoder.config.scaling_factor
        return scene, latents

    for course in COURSES:

        def loss(network: nn.Module, step: int, rng: Random, course: Course = course) -> Tensor:
            phase = course.phase(step)
            size = rng.choices(phase.sizes, [size.share for size in phase.sizes])[0]
            scenes = max(size.batch, round(phase.steps * SHARDS * size.share * size.batch / USES_OF_A_SCENE))
            batch = [encoded(size, phase.shapes, rng.randrange(scenes)) for _ in range(size.batch)]
            captions = [
                "" if rng.random() < WITHOUT_CAPTION else caption(rng, scene, phase.partial, phase.placed) for scene, _ in batch
            ]
            tokens = tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt").input_ids.to(device)
            clean = torch.stack([latents for _, latents in batch])
            added = torch.randn_like(clean)
            times = (torch.rand(len(batch)) ** phase.weakness * noise.config.num_train_timesteps).long().to(device)
            predicted = network(noise.add_noise(clean, added, times), times, tokens)
            return nn.functional.mse_loss(predicted, noise.get_velocity(clean, added, times))

        network = train(course.name, network, loss, folder=folder, seed=seed, steps=course.steps, rate=course.rate)
    return network.requires_grad_(False).eval()
