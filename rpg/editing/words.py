"""Captions, prompts and phrases, read by the planner's rules."""

from __future__ import annotations

import re

from rpg.planners import rules
from rpg.planners.rules.chinese.translation import translate
from rpg.planners.rules.content import HAN
from rpg.planners.rules.lexicon import PRIVATE
from rpg.planners.rules.reading import Reading
from rpg.planners.rules.syntax import Syntax


def read(text: str) -> Reading:
    """What a text names, without the webui's syntax, and in English where the rules can translate it."""
    han = bool(HAN.search(text))
    reading = rules.read(re.sub(f"[{PRIVATE}]", "", Syntax(text, han).words))
    return (translate(reading) if han else None) or reading
