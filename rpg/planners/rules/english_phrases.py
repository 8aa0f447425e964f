"""English tokens and noun phrases."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rpg.planners.rules.english_marks import Mark, find_marks, side
from rpg.planners.rules.lexicon import BEINGS, SCENERY, article, english_kind, is_adjective, singular
from rpg.planners.rules.reading import Place

_COUNTS = {word: n for n, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)} | {
    "dozen": 12
}
_DETERMINERS = frozenset("a an the another some several many few his her its their my your".split())
_AND = frozenset("and while whereas then plus".split())
_STOPPERS = frozenset(
    "in on at inside within outside by near from through across along around against under behind among amid during over beyond onto "
    "into with without of to toward towards for after before above below like about underneath beneath beside next is are was "
    "were has have had being be or but who which that where when as wearing wears holding holds sits stands plays looks looking "
    "arranged features contains shows feature contain show runs walks reads carries rides lies flies chases watches eats drinks".split()
)
LOCATIVE = frozenset(
    "in on at inside within outside near through across along around against under behind amid during over beyond".split()
)
_TOKENS = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*|\S")
_TAG = re.compile(r"([0-9]{1,2})((?:girl|boy|man|woman|cat|dog)s?)")


@dataclass(frozen=True)
class Token:
    kind: str  # "word", "and", "sep" (a comma), "stop" (a stronger one), "sign" (other signs), "mark"
    start: int
    end: int
    text: str
    mark: Mark | None = None
    capital: bool = False


@dataclass(frozen=True)
class Phrase:
    """A noun phrase. ``name`` is that of a single one, ``after`` the number of the token behind it."""

    start: int
    end: int
    after: int
    name: str
    noun: str
    kind: str
    count: int = 1
    determiner: str = ""
    side: Place | None = None


def tokens_of(text: str) -> list[Token]:
    """Words, signs and marks of a text."""
    low = text.lower()
    if len(low) != len(text):
        low = text
    tokens: list[Token] = []
    position = 0
    for mark in [*find_marks(low), None]:
        for match in _TOKENS.finditer(text, position, mark.start if mark else len(text)):
            word = match.group().lower()
            kind = (
                "sep" if word in ",()[]{}" else "stop" if word in ".;:!?|" else "and" if word in _AND or word == "&" else "word"
            )
            if kind == "word" and not word[0].isalnum():
                kind = "sign"
            tokens.append(Token(kind, *match.span(), word, capital=match.group()[0].isupper()))
        if mark:
            tokens.append(Token("mark", mark.start, mark.end, low[mark.start : mark.end], mark))
            position = mark.end
    return tokens


def phrase_at(tokens: list[Token], index: int, text: str, fresh: bool) -> Phrase | None:
    """The noun phrase that begins with a token, if one does.

    It begins with a determiner or a number, or (where ``fresh``) without one.
    """
    token = tokens[index]
    if token.kind != "word":
        return None
    if fresh and (tag := _TAG.fullmatch(token.text)) and 0 < int(tag[1]):
        noun = singular(tag[2])
        return Phrase(token.start, token.end, index + 1, f"1{noun}", noun, english_kind(noun), int(tag[1]))
    gathered = _gathered(tokens, index, text)
    if gathered:
        return gathered
    first, count, determiner = index, 1, ""
    while first < len(tokens) and tokens[first].text in _DETERMINERS and first < index + 2:
        determiner = tokens[first].text
        first += 1
    if first < len(tokens) and (number := _number(tokens[first].text)):
        count, determiner = number, determiner or tokens[first].text
        first += 1
    if determiner == "the" and first < len(tokens) and tokens[first].text == "other":
        determiner, first = "other", first + 1
    if not determiner and not fresh:
        return None
    return _scan(tokens, index, first, text, count, determiner)


def _gathered(tokens: list[Token], index: int, text: str) -> Phrase | None:
    """ "A pair of cats", "a group of three people": the phrase behind "of", with its count."""
    words = [token.text for token in tokens[index : index + 3]]
    if len(words) == 3 and words[0] in ("a", "one") and words[1] in ("pair", "couple", "group", "trio") and words[2] == "of":
        inner = phrase_at(tokens, index + 3, text, True) if index + 3 < len(tokens) else None
        implied = {"pair": 2, "couple": 2, "trio": 3}.get(words[1], 1)
        if inner and inner.kind in BEINGS and (inner.count > 1 or implied > 1):
            name = inner.name if inner.count > 1 else _single(inner.name.split(" "), len(inner.name.split(" ")) - 1)
            return Phrase(tokens[index].start, inner.end, inner.after, name, inner.noun, inner.kind, max(inner.count, implied))
    return None


def _number(word: str) -> int:
    return int(word) if re.fullmatch("[0-9]{1,3}", word) else _COUNTS.get(word, 0)


def _scan(tokens: list[Token], index: int, first: int, text: str, count: int, determiner: str) -> Phrase | None:
    place = None
    if (
        determiner in ("the", "one")
        and first < len(tokens)
        and re.fullmatch("left|right|middle|center|top|bottom", tokens[first].text)
    ):
        place, first = side(tokens[first].text), first + 1
    last = first
    while (
        last < len(tokens)
        and last < first + 12
        and (_is_pair(tokens, last) if tokens[last].kind == "and" else not _stops(tokens, first, last))
    ):
        last += 1
    words = [token.text for token in tokens[first:last]]
    if not words:
        pronoun = (
            determiner in ("one", "another", "other") or place is not None or (first > index and tokens[first - 1].text == "one")
        )
        if not pronoun or first == index:
            return None
        end = tokens[first - 1].end
        return Phrase(tokens[index].start, end, first, "", "", "pronoun", 1, determiner, place)
    begin, head, noun, kind = _head(words)
    if words[head] in ("one", "ones") or (
        determiner in ("one", "another", "other") and not kind and all(map(is_adjective, words))
    ):
        # "a black one", "one black": what it says of a member of the group stays in the text behind it.
        said = " ".join(
            text[token.start : token.end] for token in tokens[first : first + len(words)] if token.text not in ("one", "ones")
        )
        return Phrase(tokens[index].start, tokens[last - 1].end, last, said, "", "pronoun", 1, determiner, place)
    plural = singular(words[head]) != words[head] or words[head] in ("sheep", "fish", "deer", "people")
    if count > 1 and not plural:
        return None
    stop = first + head
    shown = [text[token.start : token.end] for token in tokens[first : stop + 1]]
    if not determiner and not kind and all(word[0].isupper() for word in shown):
        name = " ".join(shown)
    elif count > 1 or determiner in ("the", "one", "another", "other") or (not determiner and not plural):
        name = _single(shown, head) if kind not in SCENERY or determiner else " ".join(shown)
    else:
        name = text[tokens[index].start : tokens[stop].end]
    return Phrase(tokens[index].start, tokens[stop].end, stop + 1, name, noun, kind, count, determiner, place)


def _is_pair(tokens: list[Token], index: int) -> bool:
    """Whether an "and" joins two adjectives of one noun: "a black and white cat"."""
    around = [token.text for token in (*tokens[index - 1 : index], *tokens[index + 1 : index + 3])]
    return len(around) == 3 and is_adjective(around[0]) and is_adjective(around[1]) and english_kind(around[2]) != ""


def _stops(tokens: list[Token], first: int, index: int) -> bool:
    """Whether a noun phrase that began at ``first`` is over before this token."""
    word = tokens[index].text
    if tokens[index].kind != "word":
        return True
    if word in _STOPPERS or word in _DETERMINERS:
        return True
    if index == first:
        return False
    ends = index + 1 >= len(tokens) or tokens[index + 1].kind != "word" or tokens[index + 1].text in _STOPPERS | _DETERMINERS
    if word.endswith("ing"):
        return (
            tokens[index - 1].capital
            or (ends and not english_kind(word))
            or any(english_kind(token.text) in BEINGS for token in tokens[first:index])
        )
    if word.endswith("ed") and not is_adjective(word) and not english_kind(word):
        return ends
    before = tokens[index - 1].text
    return english_kind(before) in BEINGS and not english_kind(f"{before} {word}") and not english_kind(word)


def _head(words: list[str]) -> tuple[int, int, str, str]:
    """First and last word of the head noun, its singular, and its kind."""
    for last in range(len(words) - 1, -1, -1):
        for length in (3, 2, 1):
            noun = " ".join(words[max(0, last - length + 1) : last + 1])
            if last - length + 1 >= 0 and (kind := english_kind(noun)):
                return last - length + 1, last, singular(noun), kind
    return len(words) - 1, len(words) - 1, singular(words[-1]), ""


def _single(words: list[str], head: int) -> str:
    """The words with an article and the head noun in the singular."""
    noun = words[head]
    one = singular(noun.lower())
    return article(" ".join([*words[:head], noun if one == noun.lower() else one, *words[head + 1 :]]))
