"""The autoencoder: pictures to latents an eighth as wide and high, and back."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from rpg.shapes.training import models
from rpg.shapes.training.loop import train
from rpg.shapes.training.scenes import draw, random_scene

STEPS = 2000
BATCH = 12
WINDOW = 40
"""Pixels: five latents wide."""
DECODER_STEPS = 1500
DECODER_SIZES = ((96, 96, 3), (128, 128, 2), (128, 128, 2), (192, 128, 1), (128, 192, 1), (256, 128, 1))
"""Width, height, pictures in a batch. Group normalisation looks at the whole picture, so a decoder that has seen nothing
but windows turns the colour of a small object into one nearby."""
NOISE = 0.05
"""Added to latents: the denoiser's are not perfect either."""
LOG_VARIANCE = -8.0
"""Pinned: samples of the latent are as good as its mean."""


def trained(folder: Path, seed: int, device: str) -> Any:
    """Train, or take what was trained, on windows of pictures, and return the ``AutoencoderKL`` with its scaling factor."""
    torch.manual_seed(seed)
    network = models.autoencoder().to(device, memory_format=torch.channels_last)

    def loss(network: nn.Module, _: int, rng: Random) -> Tensor:
        pixels = windows(rng).to(device)
        latents = latents_of(network, pixels)
        error = network.decode(latents + NOISE * torch.randn_like(latents)).sample - pixels
        # Three channels are the mean colour of their eight by eight pixels: a picture in small is easier to denoise than
        # what an encoder comes up with by itself. The fourth is free.
        means = nn.functional.mse_loss(latents[:, :3], nn.functional.avg_pool2d(pixels, 8))
        return error.abs().mean() + error.square().mean() + means + 1e-2 * latents[:, 3].square().mean()

    average: Any = train("autoencoder", network, loss, folder=folder, seed=seed, steps=STEPS, rate=1.5e-3)
    with torch.no_grad():
        average.quant_conv.weight[4:] = 0
        average.quant_conv.bias[4:] = LOG_VARIANCE
        rng = Random(f"{seed} scale")
        pictures = [draw(random_scene(rng, 128, 128)) for _ in range(64)]
        average.register_to_config(scaling_factor=round(1 / latents_of(average, tensor(pictures).to(device)).std().item(), 4))
    return average.requires_grad_(False).eval()


def refined(folder: Path, seed: int, device: str, autoencoder: Any) -> Any:
    """Train the decoder further, on whole pictures. Latents stay what they are."""
    decoder = nn.ModuleDict({"convolution": autoencoder.post_quant_conv, "decoder": autoencoder.decoder}).requires_grad_(True)

    def loss(_: nn.Module, __: int, rng: Random) -> Tensor:
        width, height, count = rng.choice(DECODER_SIZES)
        pixels = tensor([draw(random_scene(rng, width, height)) for _ in range(count)]).to(device)
        with torch.no_grad():
            latents = latents_of(autoencoder, pixels)
        error = autoencoder.decode(latents + NOISE * torch.randn_like(latents)).sample - pixels
        return error.abs().mean() + error.square().mean()

    average: Any = train("decoder", decoder, loss, folder=folder, seed=seed, steps=DECODER_STEPS, rate=2e-4)
    autoencoder.post_quant_conv, autoencoder.decoder = average["convolution"], average["decoder"]
    return autoencoder.requires_grad_(False).eval()


def windows(rng: Random) -> Tensor:
    """[BATCH, 3, WINDOW, WINDOW], cut from random places of random scenes, mostly around an object's edge."""
    cut = []
    for _ in range(BATCH):
        scene = random_scene(rng, 128, 128)
        thing = rng.choice(scene.things)
        left, top = (
            round(min(max(centre + rng.uniform(-0.6, 0.6) * thing.size - WINDOW / 2, 0), 128 - WINDOW))
            for centre in (thing.x, thing.y)
        )
        cut.append(draw(scene).crop((left, top, left + WINDOW, top + WINDOW)))
    return tensor(cut)


def tensor(pictures: list[Image.Image]) -> Tensor:
    """[pictures, 3, height, width], -1 to 1."""
    pixels = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures]))
    return (pixels.permute(0, 3, 1, 2) / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def latents_of(network: Any, pixels: Tensor) -> Tensor:
    """The latents' mean: [pictures, 4, height / 8, width / 8]."""
    return network.encode(pixels).latent_dist.mean
