"""Prompts longer than a text encoder can read, cut into chunks that it can."""

from __future__ import annotations

import re
from collections.abc import Callable

from rpg.pipelines.weights import Piece, text

_WORD = re.compile(r"\s*\S+")


def chunks(pieces: list[Piece], count: Callable[[str], int], limit: int) -> list[list[Piece]]:
    """Cut ``pieces`` into chunks of at most ``limit`` tokens, between words where there are words.

    Args:
        count: the number of tokens of a text.
    """
    if count(text(pieces)) <= limit:
        return [pieces]
    parts = [Piece(word, piece.weight) for piece in pieces for word in _WORD.findall(piece.text)]
    if len(parts) == 1:  # one long word (Chinese has no spaces) is cut between characters
        parts = [Piece(character, parts[0].weight) for character in parts[0].text]
    result: list[list[Piece]] = [[]]
    for part in parts:
        if count(text([*result[-1], part])) <= limit:
            result[-1].append(part)
        elif len(part.text) > 1:
            result += chunks([part], count, limit)
        else:
            result.append([part])
    return [chunk for chunk in result if text(chunk).strip()]
