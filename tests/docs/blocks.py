"""The pages that users read, and the blocks of commands and code in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.sentences import CHECKOUT

PAGES = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").glob("*.md"), CHECKOUT / "rpg/shapes/README.md"])
_BLOCK = re.compile(
    r"(?:<!-- not run: (?P<why>[^>]+) -->\n\s*)?^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """Fenced lines of a page.

    Fields:
        why: the reason why they are not run; empty where they are.
    """

    page: Path
    language: str
    text: str
    why: str

    @property
    def commands(self) -> list[list[str]]:
        """The commands as words, those that go over several lines as one."""
        commands: list[list[str]] = []
        waiting = ""
        for line in self.text.splitlines():
            waiting += line
            if waiting.endswith("\\"):
                waiting = waiting[:-1]
                continue
            try:
                words = shlex.split(waiting, comments=True)
            except ValueError:  # a quotation goes on
                waiting += "\n"
                continue
            waiting = ""
            if words:
                commands.append(words)
        assert not waiting, f"{self.page.name}: a command has no end: {waiting}"
        return commands


def blocks(page: Path) -> Iterator[Block]:
    for found in _BLOCK.finditer(page.read_text("utf-8")):
        text = re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        yield Block(page, found["language"], text, found["why"] or "")
