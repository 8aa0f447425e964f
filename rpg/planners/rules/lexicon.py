"""The words that the rules know, and small grammar about them.

``words.txt`` is written by hand and decides; ``english/wordnet.txt`` knows the rest. Both are read at first use.
"""

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


PRIVATE = "\ue000-\uf8ff"
"""Characters that stand for syntax in what is read (:mod:`rpg.planners.rules.syntax`), as a range of a regular expression."""
NAME = re.compile("[\uf000-\uf8ff]")
"""Those that stand for escaped brackets behind a name: ``misty \\(pokemon\\)``."""
_PRIVATE = re.compile(f"[{PRIVATE}]")
FUNCTION_WORDS = word_set(
    "a an the this that these those some any several many few each every all both either another other one ones same "
    "my your his her its their our whose it they them he him she i we you us who which what there here where when while whereas "
    "and or but nor as if than then so plus also too not no "
    "of in on at by to from into onto with without within inside outside for near behind between above below over under beneath "
    "underneath beside besides alongside along across around against before after among amid through during toward towards "
    "upon atop off up down out about like next is are was were be been being am has have had having do does did will would can "
    "could should may might must"
    " left right top bottom upper lower middle center centre side sides hand corner half row column line directly just"
)
"""Words that by themselves show nothing."""
POSSESSIVES = word_set("its her his their")
COUNTS = {
    **{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10},
    **{"eleven": 11, "twelve": 12, "dozen": 12},
}
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
    verbs: dict[str, str] = field(default_factory=dict)
    chinese: dict[str, str] = field(default_factory=dict)
    english: dict[str, str] = field(default_factory=dict)
    """The English for Chinese words."""
    longest: dict[str, int] = field(default_factory=dict)
    """The most characters of a Chinese word that begins with this one."""


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
                known.longest[word[0]] = max(known.longest.get(word[0], 0), len(word))
    return known


@cache
def _wordnet() -> Lexicon:
    known = Lexicon()
    for section in (Path(__file__).parent / "english" / "wordnet.txt").read_text(encoding="utf-8").split("\n[")[1:]:
        kind, _, words = section.partition("]")
        where = known.adjectives if kind == "adjective" else known.verbs if kind == "verb" else known.nouns
        where.update((word.replace("_", " "), kind) for word in words.split())
    return known


def singular(noun: str) -> str:
    """``cats`` -> ``cat``; a word that looks singular stays."""
    head, space, last = noun.rpartition(" ")
    if noun in _IRREGULAR or noun in _lexicon().nouns or noun in PLURAL_ONLY:
        return _IRREGULAR.get(noun, noun)
    if space:
        return f"{head} {singular(last)}"
    for ending, stem in (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("s", ""), ("es", "")):
        one = noun[: -len(ending)] + stem
        if noun.endswith(ending) and (one in _lexicon().nouns or one in _wordnet().nouns):
            return one
    if noun in _wordnet().nouns:
        return noun
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
    for nouns in (_lexicon().nouns, _wordnet().nouns):
        if kind := nouns.get(noun) or nouns.get(singular(noun)):
            return kind
    return ""


def is_common(noun: str) -> bool:
    """Whether the list that was written by hand has an English noun."""
    return noun in _lexicon().nouns


def is_adjective(word: str) -> bool:
    known = word in _lexicon().adjectives or word in _wordnet().adjectives
    return known and word not in FUNCTION_WORDS and word not in COUNTS


def is_colour(word: str) -> bool:
    return _lexicon().adjectives.get(word) == "colour"


def is_verb(word: str) -> bool:
    """Whether a word is a verb more often than anything else: "hang", "hangs", "hung"."""
    stems = (word, word.removesuffix("s"), word.removesuffix("es"))
    return not english_kind(word) and any(stem in _wordnet().verbs for stem in stems)


def chinese_kind(word: str) -> str:
    """The kind of a Chinese word; empty when unknown."""
    return _lexicon().chinese.get(word, "")


def translation(word: str) -> str:
    """The English for a Chinese word; empty when there is none that is surely right."""
    return _lexicon().english.get(word, "")


def chinese_word(text: str, start: int) -> str:
    """The longest known Chinese word at ``start``; empty when there is none."""
    known = _lexicon()
    for length in range(known.longest.get(text[start : start + 1], 0), 0, -1):
        if (word := text[start : start + length]) in known.chinese:
            return word
    return ""


def plain(text: str) -> str:
    """The text without what stands for syntax."""
    return _PRIVATE.sub("", text)


def article(phrase: str) -> str:
    """``red apple`` -> ``a red apple``; plural-only nouns take none."""
    if plain(phrase).rsplit(" ", maxsplit=1)[-1].lower() in PLURAL_ONLY:
        return phrase
    vowel = re.match(r"(?i)(?!uni|use|euro|one\b|ufo)[aeiou]|hour|honest", plain(phrase))
    return f"{'an' if vowel else 'a'} {phrase}"
