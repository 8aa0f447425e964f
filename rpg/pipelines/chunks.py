"""Prompts longer than a text encoder can read, cut into pieces that it can."""

import re
from collections.abc import Callable

_WORD = re.compile(r"\s*\S+")


def chunks(text: str, count: Callable[[str], int], limit: int) -> list[str]:
    """Cut ``text`` into pieces of at most ``limit`` tokens, between words where there are words.

    Args:
        count: the number of tokens of a text.
    """
    if count(text) <= limit:
        return [text]
    words = _WORD.findall(text)
    pieces = [""]
    for word in words if len(words) > 1 else text:  # one long word (Chinese has no spaces) is cut between characters
        if count(pieces[-1] + word) <= limit:
            pieces[-1] += word
        elif len(word) > 1:
            pieces += chunks(word, count, limit)
        else:
            pieces.append(word)
    return [piece.strip() for piece in pieces if piece.strip()]
