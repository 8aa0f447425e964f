"""The paper's rule for the base prompt: it is wanted when several entities are of one class."""

from __future__ import annotations

import re

_PEOPLE = re.compile(
    r"\b(?:girl|boy|wom[ae]n|m[ae]n|lady|ladies|gentlem[ae]n|guy|person|people|child|children|kid|bride|groom|king|queen|prince"
    r"|princess|teenager|couple|twin)s?\b|[女男]|孩|人",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|several|[2-9])\s+(?:[\w-]+\s+){0,3}[a-z]+(?:s|men|people|children|mice|geese)\b"
    r"|[两二三四五六七八九十2-9]\s?[个只位名条匹杯朵辆棵座件头]",
    re.IGNORECASE,
)


def share_a_class(prompts: list[str], caption: str) -> bool:
    """Whether several of the regions show entities of one class: the caption counts them, or two prompts show people."""
    return len(prompts) > 1 and bool(_COUNTED.search(caption) or sum(bool(_PEOPLE.search(prompt)) for prompt in prompts) > 1)
