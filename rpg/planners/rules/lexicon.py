"""The words that the rules know, read from ``words.txt``, and small grammar about them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

PARTS = frozenset({"head", "upper", "lower", "body"})
"""Kinds of nouns that belong to someone: hair, clothes, patterns."""
BEINGS = frozenset({"person", "group", "animal"})
SCENERY = frozenset({"place", "ambience", "support"})
ADJECTIVES = frozenset({"colour", "adjective"})


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


PLURAL_ONLY = word_set("jeans trousers pants shorts leggings glasses sunglasses clothes overalls pajamas")

_IRREGULAR_PAIRS = (
    "men:man women:woman children:child people:person mice:mouse geese:goose feet:foot leaves:leaf knives:knife wolves:wolf "
    "thieves:thief elves:elf dwarves:dwarf shelves:shelf teeth:tooth policemen:policeman policewomen:policewoman firemen:fireman "
    "gentlemen:gentleman snowmen:snowman fishermen:fisherman businessmen:businessman sheep:sheep fish:fish deer:deer oxen:ox "
    "loaves:loaf aircraft:aircraft"
)
_IRREGULAR = dict(pair.split(":") for pair in _IRREGULAR_PAIRS.split())


LANDMARKS = word_set(
    "castle palace temple church building skyscraper bridge island mountain hill waterfall 城堡 宫殿 寺庙 教堂 桥 山 瀑布"
)
"""Places that are also seen from outside, as things."""


@dataclass
class Lexicon:
    """The words and their kinds."""

    nouns: dict[str, str] = field(default_factory=dict)
    adjectives: dict[str, str] = field(default_factory=dict)
    chinese: dict[str, str] = field(default_factory=dict)
    english: dict[str, str] = field(default_factory=dict)
    """The English for Chinese words."""


@cache
def _lexicon() -> Lexicon:
    known = Lexicon()
    kind = ""
    for line in Path(__file__).with_name("words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif "=" in line and not line.startswith("#"):
            english, words = (part.strip() for part in line.split("=", 1))
            same, _, related = words.partition("~")
            (known.adjectives if kind in ADJECTIVES else known.nouns).setdefault(english, kind)
            for word in same.split():
                known.english.setdefault(word, english)
            for word in (same + " " + related).split():
                known.chinese.setdefault(word, kind)
    return known


def singular(noun: str) -> str:
    """``cats`` -> ``cat``; a word that looks singular stays."""
    nouns = _lexicon().nouns
    head, space, last = noun.rpartition(" ")
    if noun in _IRREGULAR or noun in nouns or noun in PLURAL_ONLY:
        return _IRREGULAR.get(noun, noun)
    if space:
        return f"{head} {singular(last)}"
    for ending, stem in (("ies", "y"), ("ves", "f"), ("es", ""), ("s", "")):
        if noun.endswith(ending) and noun[: -len(ending)] + stem in nouns:
            return noun[: -len(ending)] + stem
    for pattern, length, stem in (("[^aeiou]ies$", 3, "y"), ("(?:ch|sh|x|ss|z)es$", 2, ""), ("[a-z][^su]s$", 1, "")):
        if re.search(pattern, noun):
            return noun[:-length] + stem
    return noun


def plural(phrase: str) -> str:
    """``red apple`` -> ``red apples``."""
    head, _, noun = phrase.rpartition(" ")
    if noun in PLURAL_ONLY:
        many = noun
    elif noun in _IRREGULAR.values():
        many = next(plural for plural, single in _IRREGULAR.items() if single == noun)
    elif re.search("[^aeiou]y$", noun):
        many = noun[:-1] + "ies"
    else:
        many = noun + ("es" if re.search("(?:s|x|z|ch|sh)$", noun) else "s")
    return f"{head} {many}".strip()


def english_kind(noun: str) -> str:
    """The kind of an English noun in lower case, singular or plural; empty when unknown."""
    nouns = _lexicon().nouns
    return nouns.get(noun) or nouns.get(singular(noun), "")


def is_adjective(word: str) -> bool:
    return word in _lexicon().adjectives


def chinese_kind(word: str) -> str:
    """The kind of a Chinese word; empty when unknown."""
    return _lexicon().chinese.get(word, "")


def translation(word: str) -> str:
    """The English for a Chinese word; empty when there is none that is surely right."""
    return _lexicon().english.get(word, "")


def chinese_word(text: str, start: int) -> str:
    """The longest known Chinese word at ``start``; empty when there is none."""
    for length in range(6, 0, -1):
        if start + length <= len(text) and chinese_kind(text[start : start + length]):
            return text[start : start + length]
    return ""


def article(phrase: str) -> str:
    """``red apple`` -> ``a red apple``; plural-only nouns take none."""
    if phrase.rsplit(" ", maxsplit=1)[-1].lower() in PLURAL_ONLY:
        return phrase
    vowel = re.match(r"(?i)(?!uni|use|euro|one\b|ufo)[aeiou]|hour|honest", phrase)
    return f"{'an' if vowel else 'a'} {phrase}"
