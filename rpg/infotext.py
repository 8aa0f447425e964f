"""The webui's infotext: what a picture says of how it was made, written and read in the host's own form.

The prompt, a line ``Negative prompt: ...``, and a last line of ``Label: value`` with commas between them, where a value that
holds a comma, a colon or a new line is a JSON string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from rpg.errors import PlanError
from rpg.plan import Plan
from rpg.values import shown

PLAN = "RPG plan"
"""The label of the plan."""
PNG_KEY = "parameters"
"""Under this name a PNG carries its infotext, the webui's as well as ours."""
_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
"""Where the webui puts it in other kinds of pictures."""
REFINED, CHECKS, OPERATIONS = "RPG refined", "RPG checks", "RPG operations"
"""What was done to the picture afterwards, the checklist with its answers, and the operations as JSON."""

_PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
"""As the host reads it."""
_FEWEST_PAIRS = 3
"""With fewer pairs the last line is part of the prompt."""
_NEGATIVE = "Negative prompt:"


@dataclass(frozen=True)
class Infotext:
    """How a picture was made; ``None`` where that is not told.

    Fields:
        prompt: of the whole picture.
        sampler: by the name it has in the webui.
        size: width and height in pixels.
        model: the checkpoint's name, without its extension.
        model_hash: the first ten digits of the file's SHA-256, by which the webui finds it.
        rng: where the first noise is drawn; ``None`` is the GPU.
        refined: what was mended afterwards, and how many checks have passed.
        checks, operations: see :mod:`rpg.editing.marks`.
    """

    prompt: str
    negative_prompt: str = ""
    steps: int | None = None
    sampler: str | None = None
    guidance_scale: float | None = None
    seed: int | None = None
    size: tuple[int, int] | None = None
    model_hash: str | None = None
    model: str | None = None
    denoising_strength: float | None = None
    rng: str | None = None
    plan: Plan | None = None
    refined: str | None = None
    checks: str | None = None
    operations: str | None = None

    @classmethod
    def parse(cls, text: str) -> Infotext:
        """Read an infotext; labels that are not known here are left out.

        Raises:
            RPGError: when a value makes no sense.
        """
        prompt, negative_prompt, told = parts(text)
        given = {name: _value(label, told[label], read) for name, (label, read, _) in LABELS.items() if label in told}
        made = cls(prompt, negative_prompt, **given)
        return made if made.plan is None else replace(made, plan=_complete(made.plan, made.prompt))

    def __str__(self) -> str:
        values = [
            (label, write(value)) for name, (label, _, write) in LABELS.items() if (value := getattr(self, name)) is not None
        ]
        negative = f"{_NEGATIVE} {self.negative_prompt}" if self.negative_prompt else ""
        pairs = ", ".join(f"{label}: {_quoted(value)}" for label, value in values)
        return "\n".join(part for part in (self.prompt, negative, pairs) if part)


def parts(text: str) -> tuple[str, str, dict[str, str]]:
    """Prompt, negative prompt, and the values by their labels; any text has a prompt."""
    *lines, last = text.strip().split("\n")
    pairs = _PAIR.findall(last)
    if len(pairs) < _FEWEST_PAIRS:
        lines, pairs = [*lines, last], []
    stripped = [line.strip() for line in lines]
    start = next((number for number, line in enumerate(stripped) if line.startswith(_NEGATIVE)), len(lines))
    negative_prompt = "\n".join(stripped[start:]).removeprefix(_NEGATIVE).strip()
    return "\n".join(stripped[:start]), negative_prompt, {label: _unquoted(value) for label, value in pairs}


def with_values(text: str, values: dict[str, str]) -> str:
    """An infotext with other values; what else it says stays."""
    prompt, negative_prompt, told = parts(text)
    negative = f"{_NEGATIVE} {negative_prompt}" if negative_prompt else ""
    pairs = ", ".join(f"{label}: {_quoted(value)}" for label, value in {**told, **values}.items())
    return "\n".join(part for part in (prompt, negative, pairs) if part)


def infotext_in(picture: Any) -> str:
    """The infotext that a picture of PIL's carries; empty where it carries none."""
    return str(picture.info.get(PNG_KEY) or _comment(picture) or "")


def _comment(picture: Any) -> str | None:
    """The comment in a picture's EXIF data: eight bytes that name the encoding, then the text."""
    comment = picture.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT)
    if not isinstance(comment, bytes):
        return None
    kind, text = comment[:8], comment[8:]
    return text.decode("utf-16-be" if kind == b"UNICODE\0" else "utf-8", errors="replace")


def _size(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(width), int(height)


LABELS: dict[str, tuple[str, Callable[[str], Any], Callable[[Any], str]]] = {
    "steps": ("Steps", int, str),
    "sampler": ("Sampler", str, str),
    "guidance_scale": ("CFG scale", float, "{:g}".format),
    "seed": ("Seed", int, str),
    "size": ("Size", _size, "{0[0]}x{0[1]}".format),
    "model_hash": ("Model hash", str, str),
    "model": ("Model", str, str),
    "denoising_strength": ("Denoising strength", float, "{:g}".format),
    "rng": ("RNG", str, str),
    "plan": (PLAN, Plan.from_json, Plan.to_json),
    "refined": (REFINED, str, str),
    "checks": (CHECKS, str, str),
    "operations": (OPERATIONS, str, str),
}
"""By field: the host's label, and how the value is read and written."""


def _complete(plan: Plan, prompt: str) -> Plan:
    """``plan`` with the picture's prompt as its base prompt, where it has none of its own and says no other."""
    return plan if plan.base_prompt or prompt in ("", plan.main_prompt) else replace(plan, base_prompt=prompt)


def _value(label: str, text: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(text)
    except ValueError:
        raise PlanError(f"The infotext's {label} is {shown(text)}; that is none.") from None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if re.search("[,:\n]", text) else text


def _unquoted(text: str) -> str:
    if text[:1] != '"':
        return text.strip()
    try:
        return str(json.loads(text))
    except ValueError:
        return text
