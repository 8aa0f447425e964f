"""Words that show something: which of them a plan has lost, and whether a text is in a language that the rules read."""

from __future__ import annotations

import re

from rpg.planners.rules.lexicon import COUNTS, FUNCTION_WORDS, english_kind, is_adjective, is_verb, plain, singular, word_set

HAN = re.compile(r"[㐀-鿿]")
_KANA = re.compile(r"[぀-ヿ]")
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_TAG = re.compile(r"<\w+:[^<>]*>")
"""Of a network, in any text."""
_CHOICE = re.compile(r"\{[^{}]*[^\W\d_][^{}]*\}|\[[^\[\]]*[^\W\d_][^\[\]]*\|[^\[\]]*\]|__[\w/*-]*[^\W\d_][\w/*-]*__")
"""What the webui draws one or several words of."""
_ENDING = re.compile(r"(?:ies|es|s|ed|ing|y|e)$")
_EMPTY = frozenset(
    "的地得了着过和与跟同及或而且并则是有在为被把将从由往向自其它他她们这那个只位名条张本台件束杯瓶座棵朵颗匹头艘辆架幅轮盏块片对双群盘碗"
    "一二两三四五六七八九十几数左右上下中间里外内旁边侧面方前后部角顶底排行层正都也还各分别以及另处于使用到至往跟"
)
"""Characters that by themselves show nothing."""
_CONNECTIVES = re.compile("同时|然后|另外|此外|其中|并排|并列|对面|一起")
LEADS = word_set(
    "picture image photo photograph scene shows features contains depicts portrays captures displays foreground "
    "stands stand sits lies hangs"
)
"""Verbs and nouns that only lead to what is shown."""


def lost(caption: str, prompts: list[str]) -> set[str]:
    """The words of a caption that show something and are in none of the prompts."""
    shown = " ".join(prompts).lower()
    signs = {sign for sign in HAN.findall(_CONNECTIVES.sub("", caption)) if sign not in _EMPTY and sign not in shown}
    stems = set(map(stem, _words(shown)))
    return signs | {word for word in content_words(caption) if stem(word) not in stems}


def shows(text: str) -> bool:
    """Whether a text has a word or a choice of words that shows something, network tags aside."""
    text = _TAG.sub(" ", text)
    return bool(_CHOICE.search(text)) or bool(content_words(text)) or any(sign not in _EMPTY for sign in HAN.findall(text))


def content_words(text: str) -> list[str]:
    """The words of a text, in lower case, that are not Chinese and show something."""
    return list(filter(_shows, _words(text.lower())))


def _words(text: str) -> list[str]:
    return _WORD.findall(HAN.sub(" ", plain(text)))


def _shows(word: str) -> bool:
    return word not in FUNCTION_WORDS and word not in COUNTS and word not in LEADS and len(word) > 1


def stem(word: str) -> str:
    """What forms of a word have in common: "painted" and "paints"."""
    one = _ENDING.sub("", singular(word.removesuffix("'s").removesuffix("’s")))
    return one[:-1] if len(one) > 3 and one[-1:] == one[-2:-1] else one


def is_chinese(text: str) -> bool:
    """Whether a text has Chinese characters, and none of Japanese."""
    return bool(HAN.search(text)) and not _KANA.search(text)


def is_read(text: str) -> bool:
    """Whether a text is English or Chinese, as far as its words tell."""
    if _KANA.search(text):
        return False
    if HAN.search(text):
        return True
    words = set(_words(text.lower()))
    known = [word for word in words if word in FUNCTION_WORDS or english_kind(word) or is_adjective(word) or is_verb(word)]
    return len(words) > 0 and 2 * len(known) >= len(words)
