"""Prompts in the webui's grammar: words that weigh more or less, and ``BREAK`` before a new chunk.

``(a)`` weighs 1.1, ``[a]`` 1/1.1 and ``(a:1.3)`` 1.3; nested ones multiply. With a backslash before it a bracket is text.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from rpg.errors import GenerationError

_STEP = 1.1
_TOKEN = re.compile(r"\\[()\[\]\\]|:\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*\)|[()\[\]]|[^\\()\[\]:]+|[\\:]")
_BREAK = re.compile(r"\s*\bBREAK\b\s*")
_SCHEDULE = re.compile(r"(?<!\\)\[[^\[\]]*(?::\s*\d*\.?\d+\s*|\|[^\[\]]*)\]")


class Piece(NamedTuple):
    text: str
    weight: float = 1.0


def sections(prompt: str) -> list[list[Piece]]:
    """What stands between the ``BREAK`` of a prompt, as pieces of unlike weight.

    Raises:
        GenerationError: when the prompt changes from step to step.
    """
    if schedule := _SCHEDULE.search(prompt):
        raise GenerationError(
            f"{schedule[0]} changes the prompt from step to step, which works in the webui only; write one of its texts."
        )
    result: list[list[Piece]] = [[]]
    for piece in _weighted(prompt):
        first, *others = _BREAK.split(piece.text)
        result[-1].append(Piece(first, piece.weight))
        result += [[Piece(other, piece.weight)] for other in others]
    merged = [merge(section) for section in result]
    return merged if len(merged) == 1 or text(merged[-1]) else merged[:-1]


def _weighted(prompt: str) -> list[Piece]:
    pieces: list[Piece] = []
    opened: dict[str, list[int]] = {"(": [], "[": []}

    def close(bracket: str, factor: float) -> None:
        start = opened[bracket].pop()
        pieces[start:] = [Piece(text, weight * factor) for text, weight in pieces[start:]]

    for token in _TOKEN.finditer(prompt):
        if token[0] in opened:
            opened[token[0]].append(len(pieces))
        elif token[1] and opened["("]:
            close("(", float(token[1]))
        elif token[0] == ")" and opened["("]:
            close("(", _STEP)
        elif token[0] == "]" and opened["["]:
            close("[", 1 / _STEP)
        else:
            pieces.append(Piece(token[0].removeprefix("\\")))
    for bracket, factor in (("(", _STEP), ("[", 1 / _STEP)):
        while opened[bracket]:
            close(bracket, factor)
    return pieces


def merge(pieces: list[Piece]) -> list[Piece]:
    """``pieces``, with neighbours of one weight as one."""
    return [Piece("".join(piece.text for piece in run), weight) for weight, run in groupby(pieces, lambda piece: piece.weight)]


def text(pieces: list[Piece]) -> str:
    """For the text encoder. Pieces of unlike weight are words of their own, as the webui tokenizes them one by one."""
    return " ".join(piece.text for piece in merge(pieces))


def weigh(embeds: Tensor, weights: list[float]) -> Tensor:
    """``embeds`` [tokens, channels] times the weight of each token, with their mean kept, as by default in the webui.

    Args:
        weights: of the tokens from the first; the others weigh 1.
    """
    factors = torch.ones(len(embeds), dtype=embeds.dtype, device=embeds.device)
    factors[: len(weights)] = torch.tensor(weights[: len(embeds)]).to(factors)
    weighed = embeds * factors[:, None]
    return weighed * (embeds.mean() / weighed.mean())
