"""The text encoder, before it meets a picture: it learns which words belong together.

In Stable Diffusion that is what CLIP brings along. Here every token has to tell the last number, colour, shape and place
named before it, and the end of the text which objects it was about.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from rpg.shapes.training import models
from rpg.shapes.training.loop import train
from rpg.shapes.training.scenes import BACKGROUNDS, COLOURS, NUMBERS, SHAPES, caption, random_scene

STEPS = 1500
BATCH = 48
LENGTH = 48
"""Tokens; what comes after the end of a text does not change what is before it."""
SLOTS: tuple[Sequence[str], ...] = (
    ("a", "an", *NUMBERS.values()),
    tuple(COLOURS),
    tuple(SHAPES),
    ("left", "right", "top", "bottom", "middle", "above", "below"),
    tuple(BACKGROUNDS),
)
KINDS = [(colour, shape) for colour in COLOURS for shape in SHAPES]


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.text_encoder = models.text_encoder()
        width = self.text_encoder.config.hidden_size
        self.last_named = nn.ModuleList(nn.Linear(width, len(words)) for words in SLOTS)
        self.kinds = nn.Linear(width, len(KINDS))


def trained(folder: Path, seed: int, device: str) -> Any:
    """Train, or take what was trained, and return the ``CLIPTextModel``."""
    torch.manual_seed(seed)
    tokenizer = models.tokenizer()

    def loss(network: nn.Module, _: int, rng: Random) -> Tensor:
        captions = [caption(rng, random_scene(rng, *rng.choice(((128, 128), (256, 128), (128, 256))))) for _ in range(BATCH)]
        tokens = tokenizer(captions, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt").input_ids
        states = network.text_encoder(tokens.to(device)).last_hidden_state
        named = torch.tensor([last_named(tokenizer, text) for text in captions]).to(device)
        error = sum(
            nn.functional.cross_entropy(head(states).flatten(0, 1), named[..., slot].flatten(), ignore_index=-1)
            for slot, head in enumerate(network.last_named)
        )
        ends = states[range(BATCH), (tokens == tokenizer.eos_token_id).int().argmax(dim=1)]
        kinds = torch.tensor([[float(" ".join(kind) in text) for kind in KINDS] for text in captions]).to(device)
        return error + 10 * nn.functional.binary_cross_entropy_with_logits(network.kinds(ends), kinds)

    return train("text encoder", Reader().to(device), loss, folder=folder, seed=seed, steps=STEPS, rate=1e-3).text_encoder


def last_named(tokenizer: Any, text: str) -> list[list[int]]:
    """Of every slot the word last named: [LENGTH, slots], -1 before the first and after the text."""
    current = [-1] * len(SLOTS)
    rows = [current]
    for word in text.replace(",", " ,").split():
        for slot, words in enumerate(SLOTS):
            for form in (word, word.removesuffix("s")):
                if form in words:
                    current = [*current[:slot], words.index(form), *current[slot + 1 :]]
        rows += [[-1] * len(SLOTS)] * (len(tokenizer.tokenize(word)) - 1) + [current]
    return (rows + [[-1] * len(SLOTS)] * LENGTH)[:LENGTH]
