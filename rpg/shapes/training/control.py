"""A ControlNet (Zhang, Rao and Agrawala, 2023) of the trained denoiser, for outlines and depth alike: it begins as a copy of
the UNet's encoder, whose answers pass convolutions that begin at zero.

Its own prompt is empty, another scene's, or the scene's: with regions it reads the base prompt while the UNet reads the
regions', so the hint is all that it may count on.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from diffusers import ControlNetModel
from diffusers.models.attention_processor import AttnProcessor
from PIL import Image
from torch import Tensor, distributed, nn

from rpg.shapes.training import hints, models
from rpg.shapes.training.autoencoder import latents_of, tensor
from rpg.shapes.training.denoiser import FINE, HARDER, WITHOUT_CAPTION, Size, bfloat16_is_fast
from rpg.shapes.training.loop import train
from rpg.shapes.training.scenes import Scene, caption, draw, random_scene

STEPS = 900
RATE = 8e-4
SMALLER = 2
"""Than the denoiser's batches."""
WEAKNESS = 0.7
"""Of the noise, as the denoiser's."""
SCENES = 3000
"""Whose latents are made once."""
LAYERS = (16, 32, 96, 256)
"""Channels of the hint's encoder; the webui's ControlNet extension knows no others."""


def trained(folder: Path, seed: int, device: str, autoencoder: Any, denoiser: Any) -> Any:
    """Train, or take what was trained, and return the ``ControlNetModel``.

    Args:
        denoiser: has ``unet`` and ``text_encoder``.
    """
    unet, text_encoder = denoiser.unet, denoiser.text_encoder
    torch.manual_seed(seed)
    unet.requires_grad_(False).set_attn_processor(AttnProcessor())
    text_encoder.requires_grad_(False)
    network = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=LAYERS).to(device).requires_grad_(True)
    network.set_attn_processor(AttnProcessor())
    network.controlnet_cond_embedding.to(memory_format=torch.channels_last)  # a third faster on a CPU
    noise, tokenizer = models.noise(), models.tokenizer()
    scenes = _scenes(seed)
    latents = _latents(folder, device, autoencoder, scenes)

    def context(captions: list[str]) -> Tensor:
        tokens = tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt").input_ids.to(device)
        with torch.no_grad():
            states: Tensor = text_encoder(tokens).last_hidden_state
        return states

    def loss(network: nn.Module, _: int, rng: Random) -> Tensor:
        size = rng.choices(FINE, [size.share for size in FINE])[0]
        numbers = rng.choices(range(len(scenes[size])), k=_batch(size))
        batch = [scenes[size][number] for number in numbers]
        captions = ["" if rng.random() < WITHOUT_CAPTION else caption(rng, scene, 0.0) for scene in batch]
        others = [caption(rng, rng.choice(scenes[size])) for _ in batch]
        read = [rng.choice(("", "", own, other)) for own, other in zip(captions, others)]
        hint = torch.stack([_tensor(random_hint(rng, scene)) for scene in batch]).to(device, memory_format=torch.channels_last)
        clean = torch.stack([latents[size][number] for number in numbers])
        added = torch.randn_like(clean)
        times = (torch.rand(len(batch)) ** WEAKNESS * noise.config.num_train_timesteps).long().to(device)
        noisy = noise.add_noise(clean, added, times)
        with torch.autocast(clean.device.type, torch.bfloat16, enabled=bfloat16_is_fast(clean.device.type)):
            down, middle = network(noisy, times, context(read), hint, return_dict=False)
            residuals = {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}
            predicted = unet(noisy, times, context(captions), **residuals).sample.float()
        return nn.functional.mse_loss(predicted, noise.get_velocity(clean, added, times))

    average = train("control", network, loss, folder=folder, seed=seed, steps=STEPS, rate=RATE, decay=0.98)
    return average.requires_grad_(False).eval()


def _batch(size: Size) -> int:
    return max(1, size.batch // SMALLER)


def random_hint(rng: Random, scene: Scene) -> Image.Image:
    """Outlines as often as depth."""
    choice = rng.random()
    if choice < 0.3:
        return hints.canny(scene)
    if choice < 0.5:
        return hints.lines(scene, rng.randint(1, 3))
    background = rng.choice((0, rng.randint(0, 60)))
    return hints.silhouettes(scene, [rng.randint(background + 60, 255) for _ in scene.things], background)


def _tensor(hint: Image.Image) -> Tensor:
    """[3, height, width], 0 to 1."""
    return torch.from_numpy(np.asarray(hint).astype(np.float32) / 255).expand(3, -1, -1)


def _scenes(seed: int) -> dict[Size, list[Scene]]:
    rng = Random(f"{seed} control")
    return {
        size: [
            random_scene(rng, size.width, size.height, size.most, HARDER)
            for _ in range(max(2, round(SCENES * size.share * size.batch / sum(s.share * s.batch for s in FINE))))
        ]
        for size in FINE
    }


def _latents(folder: Path, device: str, autoencoder: Any, scenes: dict[Size, list[Scene]]) -> dict[Size, Tensor]:
    """[scenes, 4, height / 8, width / 8] for every size; processes share the work, and what is made is kept."""
    rank, processes = (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)
    path = folder / "control latents.pt"
    if not path.exists():
        parts = [folder / f"control latents, part {number}.pt" for number in range(processes)]
        torch.save([_encoded(autoencoder, some[rank::processes], device) for some in scenes.values()], parts[rank])
        if processes > 1:
            distributed.barrier()
        if rank == 0:
            whole = [torch.empty(len(some), *made.shape[1:]) for some, made in zip(scenes.values(), torch.load(parts[0]))]
            for number, part in enumerate(parts):
                for all_of_size, some in zip(whole, torch.load(part)):
                    all_of_size[number::processes] = some
            torch.save(whole, path)
        if processes > 1:
            distributed.barrier()
    return {size: some.to(device) for size, some in zip(scenes, torch.load(path, map_location=device))}


def _encoded(autoencoder: Any, scenes: list[Scene], device: str) -> Tensor:
    with torch.no_grad():
        one_by_one = [latents_of(autoencoder, tensor([draw(scene)]).to(device))[0] for scene in scenes]
        return torch.stack(one_by_one).cpu() * autoencoder.config.scaling_factor
