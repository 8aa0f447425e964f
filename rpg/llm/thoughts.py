"""A reasoning model's thoughts and its answer, where both stand in one text."""

from __future__ import annotations

import re
from collections.abc import Iterator

_THINK = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)


def split_reasoning(text: str) -> tuple[str, str]:
    """Thoughts and answer. A block that was opened and never closed is all thoughts."""
    tags = list(_THINK.finditer(text))
    closing = [tag for tag in tags if tag[1]]
    if closing:
        thoughts, answer = text[: closing[-1].start()], text[closing[-1].end() :]
    elif tags:
        answer, thoughts = text[: tags[0].start()], text[tags[0].end() :]
    else:
        return "", text
    return _THINK.sub("", thoughts).strip(), answer


class LiveThoughts:
    """Tells thoughts from answer while a text arrives in pieces that may cut a tag in two."""

    def __init__(self) -> None:
        self._inside = False
        self._held = ""

    def feed(self, piece: str, last: bool = False) -> Iterator[tuple[bool, str]]:
        """Yield pieces of text, each with whether it is a thought."""
        text, start = self._held + piece, 0
        for tag in _THINK.finditer(text):
            yield self._inside, text[start : tag.start()]
            self._inside, start = not tag[1], tag.end()
        bracket = text.rfind("<", max(start, len(text) - len("</reasoning")))
        end = len(text) if bracket < 0 or last else bracket
        self._held = text[end:]
        yield self._inside, text[start:end]
