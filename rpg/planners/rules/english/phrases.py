"""English tokens and noun phrases."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from rpg.planners.rules.english.marks import Mark, find_marks, side
from rpg.planners.rules.lexicon import (
    BEINGS,
    COUNTS,
    PARTS,
    PRIVATE,
    SCENERY,
    article,
    english_kind,
    is_adjective,
    is_common,
    is_verb,
    plain,
    singular,
    word_set,
)
from rpg.planners.rules.reading import Place

_DETERMINERS = word_set("a an the another some several many few his her its their my your")
_OWNERS = word_set("his her its their my your")
_AND = word_set("and while whereas then plus &")
_STOPPERS = word_set(
    "in on at inside within outside by near from through across along around against under behind among amid during over beyond "
    "onto into with without of to toward towards for after before above below like about underneath beneath beside next is are "
    "was were has have had being be or but who which that where when as wearing wears holding holds sits stands plays looks "
    "looking arranged features contains shows feature contain show runs walks reads carries rides lies flies chases watches eats "
    "drinks"
)
_ENDS = _STOPPERS | _DETERMINERS
LOCATIVE = word_set(
    "in on at inside within outside near through across along around against under behind amid during over beyond"
)
_UNITS = word_set(
    "mm cm m km ml k p px fps x iso kg lb ft inch inches feet meters metres degrees percent years year am pm o'clock"
)
_CONTAINERS = {"pair": 2, "couple": 2, "trio": 3, "group": 1}
_UNIQUE = word_set("sun moon sky earth sea ocean water ground")
_TOKENS = re.compile(rf"[{PRIVATE}]*[^\W_]+(?:['’\-_]+[^\W_]+)*[{PRIVATE}]*|\S")
_ADJECTIVE = re.compile(r"-|(?:[a-z]{3}(?:ed|y|ous|ful|ish|ic|less|ive|able|ible))$")
"""What unknown adjectives look like."""
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
class EnglishPhrase:
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


@dataclass(frozen=True)
class _Opening:
    """How a noun phrase begins: ``first`` is the number of the token behind determiner and number."""

    index: int
    first: int
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
            word = plain(match.group())
            if word:
                tokens.append(Token(_token_kind(word.lower()), *match.span(), word.lower(), capital=word[0].isupper()))
        if mark:
            tokens.append(Token("mark", mark.start, mark.end, low[mark.start : mark.end], mark))
            position = mark.end
    for index, token in enumerate(tokens):
        if token.kind == "and" and _joins_adjectives(tokens, index):
            tokens[index] = replace(token, kind="word")
    return tokens


def _token_kind(word: str) -> str:
    if word in _AND:
        return "and"
    if word[0].isalnum():
        return "word"
    return "sep" if word in ",()[]{}" else "stop" if word in ".;:!?|" else "sign"


def opens_otherwise(token: Token) -> bool:
    """Whether a word begins something else than a bare noun phrase: a determiner, a number, a preposition or a verb."""
    return token.text in _ENDS or _number(token.text) > 0


def phrase_at(tokens: list[Token], index: int, text: str, fresh: bool) -> EnglishPhrase | None:
    """The noun phrase that begins with a token, if one does.

    It begins with a determiner or a number, or (where ``fresh``) without one.
    """
    token = tokens[index]
    if token.kind != "word":
        return None
    if fresh and (tag := _TAG.fullmatch(token.text)) and int(tag[1]) > 0:
        noun = singular(tag[2])
        return EnglishPhrase(token.start, token.end, index + 1, f"1{noun}", noun, english_kind(noun), int(tag[1]))
    opening = _opening(tokens, index)
    if not opening.determiner and not fresh:
        return None
    return _gathered(tokens, index, text) or _scan(tokens, text, opening)


def _opening(tokens: list[Token], index: int) -> _Opening:
    words = [token.text for token in tokens[index : index + 5]] + [""] * 5
    first, count, determiner, place = 0, 1, "", None
    while words[first] in _DETERMINERS and first < 2:
        determiner = words[first]
        first += 1
    if (number := _number(words[first])) and not _number(words[first + 1]) and words[first + 1] not in _UNITS | {"0"}:
        count, determiner = number, determiner or words[first]
        first += 1
    if determiner == "the" and words[first] in ("other", "same"):
        determiner, first = "other", first + 1
    beside = not determiner and words[first] in ("left", "right") and english_kind(words[first + 1]) in BEINGS
    if beside or (determiner in ("the", "one") and words[first] in ("left", "right", "middle", "center", "top", "bottom")):
        place, first = side(words[first]), first + 1
    return _Opening(index, index + first, count, determiner, place)


def _number(word: str) -> int:
    return int(word) if re.fullmatch("[0-9]{1,3}", word) else COUNTS.get(word, 0)


def _gathered(tokens: list[Token], index: int, text: str) -> EnglishPhrase | None:
    """The phrase behind "of" in "a pair of cats" or "a group of three people", with its count; "a pair of scissors" is one."""
    words = [token.text for token in tokens[index : index + 3]]
    if len(words) < 3 or words[0] not in ("a", "one", "the") or words[1] not in _CONTAINERS or words[2] != "of":
        return None
    inner = phrase_at(tokens, index + 3, text, True) if index + 3 < len(tokens) else None
    start, determiner = tokens[index].start, words[0]
    if not inner or inner.kind not in BEINGS:
        if not inner or inner.count > 1 or words[1] == "group":
            return None
        return replace(inner, start=start, name=text[start : inner.end], determiner=determiner)
    count = max(inner.count, _CONTAINERS[words[1]])
    if count == 1:
        return None
    name = inner.name if inner.count > 1 else _single(inner.name.split(" "))
    return replace(inner, start=start, name=name, count=count, determiner=determiner)


def _scan(tokens: list[Token], text: str, opening: _Opening) -> EnglishPhrase | None:
    """The noun phrase behind an opening."""
    first = last = opening.first
    start, determiner = tokens[opening.index].start, opening.determiner
    while last < len(tokens) and last < first + 12 and not _stops(tokens, first, last, bool(determiner)):
        if last > first and determiner in ("one", "other") and tokens[last].text.endswith("ing"):
            break
        last += 1
    words = [token.text for token in tokens[first:last]]
    if not words:
        stands = determiner in ("one", "another", "other") or opening.side is not None or tokens[first - 1].text == "one"
        if first == opening.index or not stands:
            return None
        return EnglishPhrase(start, tokens[first - 1].end, first, "", "", "pronoun", 1, determiner, opening.side)
    head, noun, kind = _head(words)
    chosen = determiner in ("one", "another", "other") and not kind and all(map(is_adjective, words))
    if chosen or words[head] in ("one", "ones"):
        said = " ".join(text[token.start : token.end] for token in tokens[first:last] if token.text not in ("one", "ones"))
        return EnglishPhrase(start, tokens[last - 1].end, last, said, "", "pronoun", 1, determiner, opening.side)
    plural = singular(words[head]) != words[head] or words[head] in ("sheep", "fish", "deer", "people")
    plural = plural or (kind == "animal" and opening.count > 1)  # "two shrimp"
    if opening.count > 1 and not plural:
        return None
    stop = first + head
    end = tokens[stop].end
    shown = [text[token.start : token.end] for token in tokens[first : stop + 1]]
    name = text[start:end]
    if determiner == "the" and words == [noun] and noun in _UNIQUE:
        name = f"the {shown[0]}"
    elif determiner == "the" and opening.count == 1 and plural and kind not in BEINGS:
        name = " ".join(shown)
    elif opening.count > 1 or determiner in ("the", "one", "another", "other") or (kind in BEINGS and determiner in _OWNERS):
        name = _single(shown)
    elif not determiner:
        named = (not is_common(noun) or len(shown) > 1) and all(plain(word)[0].isupper() for word in shown)
        name = " ".join(shown) if named or plural or kind in SCENERY else _single(shown)
    return EnglishPhrase(start, end, stop + 1, name, noun, kind, opening.count, determiner, opening.side)


def _stops(tokens: list[Token], first: int, index: int, determined: bool) -> bool:
    """Whether a noun phrase that began at ``first`` is over before this token."""
    token = tokens[index]
    word = token.text
    if word == ",":
        return not (determined and _lists_adjectives(tokens, first, index))
    if token.kind != "word" or word in _ENDS or index == first:
        return token.kind != "word" or word in _ENDS
    ends = index + 1 >= len(tokens) or tokens[index + 1].kind != "word" or tokens[index + 1].text in _ENDS
    before = tokens[index - 1]
    if word.endswith("ing"):
        kinds = {english_kind(token.text) for token in tokens[first:index]}
        acts = bool(kinds & BEINGS) or bool(kinds & (PARTS | {"thing"}) and not english_kind(word))
        return before.capital or acts or (ends and not english_kind(word))
    if word.endswith("ed") and not is_adjective(word) and not english_kind(word):
        return ends
    kind = english_kind(before.text)
    acts = is_verb(word) and kind != "" and not is_adjective(word)
    compound = english_kind(word) or english_kind(f"{before.text} {word}")
    return acts or (kind in BEINGS and not compound and not is_adjective(before.text))


def _lists_adjectives(tokens: list[Token], first: int, comma: int) -> bool:
    """Whether a comma separates adjectives of one noun: "a sleek, silver laptop"."""
    before = [token.text for token in tokens[first:comma] if token.text not in (",", "and")]
    end = comma + 1
    while end < len(tokens) and tokens[end].kind == "word" and _describes(tokens[end].text):
        end += 1
    noun = tokens[end] if end < len(tokens) else tokens[comma]
    named = noun.text == "," or (noun.kind == "word" and noun.text not in _ENDS and not is_verb(noun.text))
    return bool(before) and all(map(_describes, before)) and end > comma + 1 and named and noun is not tokens[comma]


def _describes(word: str) -> bool:
    return is_adjective(word) or (not english_kind(word) and word not in _ENDS and bool(_ADJECTIVE.search(word)))


def _joins_adjectives(tokens: list[Token], index: int) -> bool:
    """Whether an "and" joins two adjectives of one noun: "a black and white cat"."""
    around = [token.text for token in (*tokens[index - 1 : index], *tokens[index + 1 : index + 3])]
    noun = len(around) == 3 and (english_kind(around[2]) != "" or is_adjective(around[2]))
    return noun and _describes(around[0]) and _describes(around[1])


def _head(words: list[str]) -> tuple[int, str, str]:
    """Number of the last word of the head noun, its singular, and its kind."""
    for last in range(len(words) - 1, -1, -1):
        for length in (3, 2, 1):
            noun = " ".join(words[last - length + 1 : last + 1])
            if length <= last + 1 and (kind := english_kind(noun)):
                return last, singular(noun), kind
        if last and not (is_adjective(words[last]) or is_verb(words[last]) or words[last].endswith(("ly", "ed", "ing"))):
            break  # an unknown noun is the head of "a table flobber"
    return len(words) - 1, singular(words[-1]), ""


def _single(words: list[str]) -> str:
    """The words with an article, and the last one in the singular."""
    noun = plain(words[-1])
    one = singular(noun.lower())
    return article(" ".join([*words[:-1], words[-1] if one == noun.lower() else words[-1].replace(noun, one)]))
