"""A pasted text: a picture's infotext, or what a person puts together of a prompt and the settings that the other page shows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rpg import infotext

_SETTING = re.compile(
    r"\s*(?:RP\s+)?((?:divide|base)?\s*ratios?|(?:divide|split) mode|main splitting|(?:matrix )?submode|use base(?: prompt)?"
    r"|use common(?: prompt)?|flip|direction|separator|background(?: weight)?)\s*[:=]\s*(.*?)\s*",
    re.IGNORECASE,
)
"""On a line of its own."""
_NAMES = {
    "ratio": "ratios",
    "divide ratio": "ratios",
    "divide ratios": "ratios",
    "base ratio": "base ratios",
    "split mode": "matrix submode",
    "main splitting": "matrix submode",
    "submode": "matrix submode",
    "use base prompt": "use base",
    "use common prompt": "use common",
}
"""What the infotext calls them."""


@dataclass(frozen=True)
class Pasted:
    """
    Fields:
        text: all of it.
        fields: by their names in lower case, without the mark of the program ("RP ", "forge_couple_").
        programs: the marks that were seen.
    """

    text: str
    prompt: str
    negative_prompt: str
    fields: dict[str, str]
    programs: frozenset[str]

    @classmethod
    def read(cls, text: str) -> Pasted:
        settings, kept = {}, []
        for line in text.split("\n"):
            found = _SETTING.fullmatch(line)
            if found:
                name = " ".join(found[1].lower().split())
                settings[_NAMES.get(name, name)] = found[2].strip('"')
            else:
                kept.append(line)
        prompt, negative_prompt, told = infotext.parts("\n".join(kept))
        marked = [(*_split_mark(label), value) for label, value in told.items()]
        fields = {name: value for _, name, value in marked}
        return cls(text, prompt, negative_prompt, {**fields, **settings}, frozenset(mark for mark, _, _ in marked))

    def on(self, name: str) -> bool:
        return self.fields.get(name, "").strip().lower() in ("true", "on", "1", "yes")


def _split_mark(label: str) -> tuple[str, str]:
    for mark in ("RP ", "forge_couple_", "forge_couple"):
        if label.startswith(mark):
            return mark.strip(" _"), label.removeprefix(mark).lower().replace("_", " ")
    return "", label.lower()
