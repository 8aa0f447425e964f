"""Reads the records of ``tests/replies``."""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "replies"


@dataclass(frozen=True)
class Record:
    name: str
    caption: str
    reply: str
    error: str
    ratio: str
    base_ratio: float
    base_prompt: str
    notes: str
    prompts: tuple[str, ...]


def records() -> list[Record]:
    """All records of all files."""
    return [
        _record(path.stem, part)
        for path in sorted(FOLDER.glob("*.txt"))
        for part in path.read_text(encoding="utf-8").split("##### ")[1:]
    ]


def _record(model: str, text: str) -> Record:
    head, _, reply = text.partition("-----\n")
    name, *lines = head.splitlines()
    fields = dict(line.split(": ", 1) for line in lines if not line.startswith("> "))
    unknown = fields.keys() - {"caption", "ratio", "base", "notes", "error"}
    assert not unknown, f"{model}: {name}: {unknown}"
    assert ("error" in fields) != ("ratio" in fields), f"{model}: {name}"
    base_ratio, _, base_prompt = fields.get("base", "0").partition(" ")
    return Record(
        name=f"{model}: {name}",
        caption=fields["caption"],
        reply=reply.replace("\n", "\r\n") if name == "Windows line ends" else reply.removesuffix("\n"),
        error=fields.get("error", ""),
        ratio=fields.get("ratio", ""),
        base_ratio=float(base_ratio),
        base_prompt=base_prompt,
        notes=fields.get("notes", ""),
        prompts=tuple(line.removeprefix("> ") for line in lines if line.startswith("> ")),
    )


def matches(expected: str, text: str) -> bool:
    """Whether ``text`` is as expected, where ``…`` stands for any words."""
    return re.fullmatch(".+".join(map(re.escape, expected.split(" … "))), text) is not None
