"""Prompts as a pipeline's text encoders read them: of any length, with weights."""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rpg.pipelines.chunks import chunks
from rpg.pipelines.weights import Piece, merge, sections, text, weigh


class Encoded(NamedTuple):
    embeds: Tensor
    """[1, tokens, channels]"""
    pooled: Tensor | None
    """[1, channels] of SDXL's second text encoder; of a long prompt's first chunk, as in the webui."""

    def zeros(self) -> Encoded:
        return Encoded(torch.zeros_like(self.embeds), None if self.pooled is None else torch.zeros_like(self.pooled))


def encode(pipeline: Any, prompt: str, clip_skip: int | None = None, lora_scale: float | None = None) -> Encoded:
    """Encode a prompt in the webui's grammar (:mod:`rpg.pipelines.weights`), in as many chunks as it needs."""
    encoders = [
        (getattr(pipeline, f"tokenizer{number}"), getattr(pipeline, f"text_encoder{number}"))
        for number in ("", "_2")
        if getattr(pipeline, f"tokenizer{number}", None) is not None
    ]

    def tokens(part: str, tokenizer: Any) -> int:
        return len(tokenizer.tokenize(pipeline.maybe_convert_prompt(part, tokenizer)))

    def count(part: str) -> int:
        return max(tokens(part, tokenizer) for tokenizer, _ in encoders)

    # The window holds a begin and an end token beside the prompt's own.
    window = min(tokenizer.model_max_length for tokenizer, _ in encoders) - 2
    parts = list(chain.from_iterable(chunks(section, count, window) for section in sections(prompt)))
    encoded = pipeline.encode_prompt(
        prompt=[text(part).strip() if len(parts) > 1 else text(part) for part in parts],
        device=pipeline._execution_device,
        num_images_per_prompt=1,
        do_classifier_free_guidance=False,
        lora_scale=lora_scale,
        clip_skip=clip_skip,
    )
    rows = []
    for embeds, part in zip(encoded[0], parts, strict=True):  # embeds: [window, channels of all encoders]
        own = embeds.split([encoder.config.hidden_size for _, encoder in encoders], dim=1)
        rows.append(torch.cat([_weighed(one, part, tokenizer, tokens) for one, (tokenizer, _) in zip(own, encoders)], dim=1))
    return Encoded(torch.cat(rows)[None], encoded[2][:1] if len(encoded) > 2 else None)


def _weighed(embeds: Tensor, part: list[Piece], tokenizer: Any, tokens: Any) -> Tensor:
    if all(piece.weight == 1 for piece in part):
        return embeds
    return weigh(embeds, [1.0, *(piece.weight for piece in merge(part) for _ in range(tokens(piece.text, tokenizer)))])
