"""What the words around an English noun phrase make of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rpg.planners.rules.english.phrases import LOCATIVE, EnglishPhrase
from rpg.planners.rules.lexicon import BEINGS, PARTS, SCENERY, english_kind, word_set
from rpg.planners.rules.reading import Thing

_CONTACT = re.compile(
    r"\b(?:wear|hold|carry|carri|rid|hug|pet|cuddl|embrac|eat|drink|driv|cradl|lift|leaning|sitting|sits)"
    r"[gt]?(?:ing|s|es)?(?: on| in)?$"
)
_POSTURE = re.compile(r"\b\w+ing (?:in|on|at|inside|near|under)\s*$")
_JOINING = re.compile(
    r"(?:[\s,;.:&()]|\b(?:and|while|whereas|plus|then|also|but|as|well|there|is|are|one|has|have|we|see|it)\b)*"
)
_JOINERS = re.compile(
    r"(?:[\s,;.:]|\b(?:and|while|whereas|plus|then|also|but|with|is|are|was|were|as|there|has|have|together|along|in|on|at|to|by"
    r"|of|a)\b)+$"
)
_PLURAL = re.compile(r"(?:^|(?<!there)(?<!who)(?<!that)(?<!which)\s)(?:they |both |all )?(?:are|were|both|they)\s+(?=\w)")
_EACH = re.compile(r"[\s,]*(?:each|both|all)(?: of them)? (?=\w+ing\b)")
_PLAIN_VERBS = word_set("stand sit play walk run dance look lie sleep smile talk chat fight pose hug kiss jump eat drink")
_WRAPS = word_set("of with showing depicting featuring where in that which shows depicts features captures portrays presents")
_PICTURES = re.compile(
    r"(?:photo|photograph|closeup|picture|image|painting|portrait|illustration|drawing|sketch|render|rendering|view|scene|shot|close-up"
    r"|landscape|depiction|art)$"
)
_ROOMS = word_set(
    "interior room bedroom kitchen bathroom office classroom library studio laboratory ballroom cafe café bar pub restaurant "
    "garage bakery bookstore"
)
"""Places that are seen from inside: what they are said to have stands in them."""
_RELATIVES = word_set("where which that whose")
_FRAGMENT = re.compile(r"(?:[^,.;:]|(?<=\d)\.(?=\d))+")
_CAMERA = re.compile(r"\s*(?:a |an )?(?:\d[\d ]*mm|f/?\d|iso ?\d|\d+[kp]\b)", re.IGNORECASE)


def cut_styles(text: str) -> tuple[str, list[str]]:
    """The text without the fragments between commas that only name a style, and those fragments."""
    styles: list[str] = []

    def cut(match: re.Match[str]) -> str:
        fragment = match.group()
        words = re.findall(r"[\w'’-]+", fragment.lower())
        if not 0 < len(words) <= 8 or not (_names_style(words) or re.match(r"\s*by [A-Z]", fragment) or _CAMERA.match(fragment)):
            return fragment
        styles.append(fragment.strip())
        return " "

    return _FRAGMENT.sub(cut, text), styles


def _names_style(words: list[str]) -> bool:
    """Whether words name a style and nothing that is seen: "highly detailed oil painting"."""
    found = []
    position = 0
    while position < len(words):
        length = next((n for n in (4, 3, 2, 1) if english_kind(" ".join(words[position : position + n]))), 1)
        found.append(english_kind(" ".join(words[position : position + length])))
        position += length
    others = set(found) - {"", "style", "picture", "abstract"}
    return ("style" in found and not others & (BEINGS | PARTS | {"thing"})) or ("picture" in found and not others)


def wraps(phrase: EnglishPhrase, following: str) -> bool:
    """Whether a phrase only says that what follows is a picture: "a photo of ..."."""
    named = english_kind(phrase.noun) in ("picture", "style", "place") and _PICTURES.search(phrase.noun)
    return bool(named) and following in _WRAPS


def role(phrase: EnglishPhrase, link: str, current: Thing | None, attached: str, *, stacks: bool, listing: bool) -> str:
    """Whether a phrase is a ``thing`` of its own, part of the ``scene``, or ``attached`` to the current thing.

    ``link`` is the text between the phrase and what came before it, ``attached`` the kind of the phrase that
    was attached last; ``stacks`` where a place is named for what comes next.
    """
    words = re.findall(r"[\w'’-]+", link.lower())
    last = words[-1] if words else ""
    joined = current is None or bool(_JOINING.fullmatch(link.lower()))
    if _is_scenery(phrase, last, current, stacked=joined and stacks, listing=listing):
        return "scene"
    if current is None:
        return "thing"
    if _POSTURE.search(link) and phrase.kind not in PARTS | BEINGS:
        return "scene"
    told = (current.pronoun and last == "is") or (current.kind == "place" and current.place and link.strip() == "with")
    if phrase.kind in BEINGS or told:
        decorated = last == "with" and len(words) > 1 and words[-2].endswith("ed")
        touched = _CONTACT.search(link.lower().strip()) or last in word_set("of on like for from inside his her")
        return "attached" if told or decorated or touched else "thing"
    if current.kind == "place" and not joined and last in ("features", "contains", "has", "shows"):
        return "thing"
    worn = phrase.kind in PARTS and current.being and (current.tail or "," in link)
    listed = attached == "thing" and "," not in link and "and" in words
    return "attached" if last in LOCATIVE or not joined or worn or listed else "thing"


def _is_scenery(phrase: EnglishPhrase, last: str, current: Thing | None, *, stacked: bool, listing: bool) -> bool:
    if phrase.noun == "background" or (phrase.kind == "ambience" and not stacked):
        return True
    if phrase.kind not in SCENERY:
        return False
    bare = not phrase.determiner and current is not None and not listing
    return last in LOCATIVE or (last in ("by", "to") and phrase.kind == "place") or bare


def furnishes(phrase: EnglishPhrase, link: str, here: Thing, following: Sequence[str]) -> bool:
    """Whether a phrase begins what stands in the room ``here``: "a cabin interior with a window, a cat and a lamp".

    ``following`` are the words behind the phrase.
    """
    if here.kind != "place" or here.place or here.noun.split(" ")[-1] not in _ROOMS or _RELATIVES & set(following):
        return False
    stands = phrase.kind not in PARTS | {"place", "ambience"} and phrase.noun != "view"
    return stands and link.strip() == "with" and phrase.determiner in ("a", "an")


def without_joiners(text: str) -> str:
    """The text without the words at its end that only lead to the next thing."""
    return _JOINERS.sub("", text)


def predicate(piece: str) -> tuple[str, str]:
    """Text of the last thing named, and what is said of all: " are dancing", " stand together"."""
    if each := _EACH.match(piece):
        return "", piece[each.end() :].strip()
    plural = _PLURAL.search(piece)
    if plural:
        return piece[: plural.start()], piece[plural.end() :].strip()
    if piece.split()[:1] and piece.split(maxsplit=1)[0] in _PLAIN_VERBS:
        return "", _participle(piece.strip())
    return piece, ""


def _participle(piece: str) -> str:
    """``stand together`` -> ``standing together``."""
    verb, _, rest = piece.partition(" ")
    if verb.endswith("ie"):
        verb = verb[:-2] + "y"
    elif verb.endswith("e"):
        verb = verb[:-1]
    elif re.fullmatch("[^aeiou]+[aeiou][^aeiouwy]", verb):
        verb += verb[-1]
    return f"{verb}ing {rest}".strip()
