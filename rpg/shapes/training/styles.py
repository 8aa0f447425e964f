"""Two LoRA for the finished model, each trained on pictures drawn in a style of its own: shapes filled with stripes, and
outlines of shapes. Captions say nothing of the style."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import torch
from diffusers.models.attention_processor import AttnProcessor
from PIL import Image, ImageChops, ImageDraw
from safetensors.torch import save_file
from torch import Tensor, nn

from rpg.shapes.training import models, single_file
from rpg.shapes.training.autoencoder import latents_of, tensor
from rpg.shapes.training.denoiser import FINE, HARDER, USES_OF_A_SCENE, WITHOUT_CAPTION, Denoiser, Size
from rpg.shapes.training.loop import SHARDS, train
from rpg.shapes.training.scenes import BACKGROUNDS, COLOURS, SHAPES, SUPERSAMPLING, ColouredShape, Scene, caption, random_scene

STEPS = 320
RATE = 4e-3
DECAY = 0.98
RANK = 4
STRENGTH = 1.2
"""Of a file's LoRA to the trained one: some stripes ran together at 1."""
LAYERS = r".*(to_[qkv]|to_out\.0|proj_in|proj_out|ff\.net\.0\.proj|ff\.net\.2|conv[12]?|conv_shortcut|time_emb_proj)"
"""What the LoRA change: everything that a kohya LoRA with convolutions does."""
HOLE = 0.55
"""Of an outline, as a share of its size."""
STRIPE = 8
"""Pixels, of each stripe and of each gap: a latent."""


def draw_outlines(scene: Scene) -> Image.Image:
    """[height, width] of RGB: the background is seen through the middle of every object."""
    picture = _background(scene)
    canvas = ImageDraw.Draw(picture)
    for thing in scene.things:
        canvas.polygon(_outline(thing), fill=COLOURS[thing.colour])
        canvas.polygon(_outline(thing, HOLE), fill=BACKGROUNDS[scene.background])
    return picture.reduce(SUPERSAMPLING)


def draw_stripes(scene: Scene) -> Image.Image:
    """[height, width] of RGB: the background is seen between the stripes of every object."""
    picture = _background(scene)
    for number, thing in enumerate(scene.things):
        mask, bars = Image.new("L", picture.size), Image.new("L", picture.size)
        ImageDraw.Draw(mask).polygon(_outline(thing), fill=255)
        canvas = ImageDraw.Draw(bars)
        for top in range(STRIPE * (number % 2), scene.height, 2 * STRIPE):
            canvas.rectangle((0, top * SUPERSAMPLING, bars.width, (top + STRIPE) * SUPERSAMPLING - 1), fill=255)
        picture.paste(COLOURS[thing.colour], mask=ImageChops.multiply(mask, bars))
    return picture.reduce(SUPERSAMPLING)


STYLES: dict[str, Callable[[Scene], Image.Image]] = {"stripes": draw_stripes, "outlines": draw_outlines}


def _background(scene: Scene) -> Image.Image:
    return Image.new("RGB", (scene.width * SUPERSAMPLING, scene.height * SUPERSAMPLING), BACKGROUNDS[scene.background])


def _outline(thing: ColouredShape, scale: float = 1.0) -> list[tuple[float, float]]:
    points = SHAPES[thing.shape]
    middle = [sum(axis) / len(points) for axis in zip(*points)]
    left, top, *_ = thing.box
    return [
        tuple(
            (start + thing.size * (centre + (value - centre) * scale)) * SUPERSAMPLING
            for start, centre, value in zip((left, top), middle, point)
        )
        for point in points
    ]


def trained(folder: Path, seed: int, device: str, autoencoder: Any, denoiser: Denoiser, *, style: str) -> nn.Module:
    """Train a LoRA, or take what was trained; returns the UNet that it was added to."""
    from peft import LoraConfig

    torch.manual_seed(seed)
    network = copy.deepcopy(denoiser).to(device).requires_grad_(False)
    network.unet.set_attn_processor(AttnProcessor())  # as in the denoiser's own training
    network.unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=LAYERS))
    noise, tokenizer = models.noise(), models.tokenizer()

    @cache
    def encoded(size: Size, number: int) -> tuple[Scene, Tensor]:
        """A scene and its latents: [4, height / 8, width / 8]."""
        scene = random_scene(Random(f"{seed} {style} {size} {number}"), size.width, size.height, size.most, HARDER)
        with torch.no_grad():
            latents = latents_of(autoencoder, tensor([STYLES[style](scene)]).to(device))[0]
        return scene, latents * autoencoder.config.scaling_factor

    def loss(network: nn.Module, _: int, rng: Random) -> Tensor:
        size = rng.choices(FINE, [size.share for size in FINE])[0]
        count = max(1, size.batch // 2)
        scenes = max(count, round(STEPS * SHARDS * size.share * count / USES_OF_A_SCENE))
        batch = [encoded(size, rng.randrange(scenes)) for _ in range(count)]
        captions = ["" if rng.random() < WITHOUT_CAPTION else caption(rng, scene, 0.0) for scene, _ in batch]
        tokens = tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt").input_ids.to(device)
        clean = torch.stack([latents for _, latents in batch])
        added = torch.randn_like(clean)
        times = (torch.rand(len(batch)) * noise.config.num_train_timesteps).long().to(device)
        predicted = network(noise.add_noise(clean, added, times), times, tokens)
        return nn.functional.mse_loss(predicted, noise.get_velocity(clean, added, times))

    network = train(style, network, loss, folder=folder, seed=seed, steps=STEPS, rate=RATE, decay=DECAY)
    return network.unet


def write(path: Path, unet: nn.Module) -> Path:
    """Write a UNet's LoRA in kohya's form, in half precision; layers have their names in the original code.

    Returns:
        The path.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {}
    for name, value in unet.state_dict().items():
        if match := re.fullmatch(r"(.*)\.lora_([AB])\.\w+\.weight", name):
            layer, part = match[1], {"A": "lora_down", "B": "lora_up"}[match[2]]
            key = "lora_unet_" + single_file.unet_name(f"{layer}.weight").removesuffix(".weight").replace(".", "_")
            weights[f"{key}.{part}.weight"] = value.detach().cpu().half().contiguous()
            weights[f"{key}.alpha"] = torch.tensor(STRENGTH * RANK)
    save_file(weights, path, {"ss_output_name": path.stem, "ss_network_dim": str(RANK), "ss_base_model_version": "sd_v1"})
    return path
