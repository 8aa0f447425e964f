"""Sentences and clauses that describe what was named before, or the picture itself."""

from __future__ import annotations

import re

from rpg.planners.rules.english.phrases import EnglishPhrase, Token
from rpg.planners.rules.english.relations import Relations
from rpg.planners.rules.lexicon import BEINGS, POSSESSIVES, SCENERY, plain, singular, word_set
from rpg.planners.rules.reading import Thing

SUBJECTS = word_set("it she he they")
_FEMALE = word_set(
    "girl woman lady mother grandmother sister wife bride waitress policewoman witch sorceress queen princess ballerina nun "
    "businesswoman actress maid daughter aunt geisha goddess mermaid blonde brunette heroine hostess nurse fairy"
)
_MALE = word_set(
    "boy man gentleman guy father grandfather brother husband groom waiter fisherman policeman wizard sorcerer king prince monk "
    "priest cowboy businessman actor son uncle god santa samurai knight viking fireman"
)
_PICTURE = re.compile(
    r"(?:the |this |an? )?(?:overall |whole |entire |general )?"
    r"(?:image|picture|scene|photo|photograph|painting|illustration|artwork|drawing|composition|mood|atmosphere|style|lighting|tone"
    r"|palette|color palette|colour palette|perspective|camera|shot|setting|render|rendering|ambiance|vibe|depiction)\b"
    r"(?: of the (?:image|picture|scene|photo|painting|artwork))?(?:'s \w+)?"
    r"(?: itself)? (?!of\b|on\b|hangs|shows|depicts|features|contains|includes|portrays|captures an? )"
)
_OPENING = re.compile(
    r"^(?:the|this) (?:image|picture|photo|photograph|scene|illustration|artwork) (?:here )?"
    r"(?:shows|depicts|presents|features|captures|portrays|displays|contains|is of) (?=\S)"
    r"|(?:^|(?<=[.,;!?] )|(?<=\band ))in the (?:immediate )?foreground\b"
    r"(?: (?:is|are|stands?|sits?|lies|there (?:is|are))\b|,)? ?",
    re.IGNORECASE,
)
"""What leads to things and says nothing of them: "The image shows", "In the foreground,"."""
_LEADING = re.compile(r"^(?:is|are|has|have|was|been)\s+(?:an? |the )?", re.IGNORECASE)
_LONGEST_REMARK = 12
"""Most words that a sentence about the picture adds to every region; a longer one is left to the base prompt."""


class Sentences(Relations):
    """Gives such sentences to whom they describe."""

    def remark_at(self, index: int) -> int:
        """Read a sentence about the picture itself. Returns the number of the token to go on with; 0 for other sentences."""
        end = self._end_of_sentence(index)
        stop = self.tokens[end].start if end < len(self.tokens) else len(self.text)
        said = _remark(self.text[self.tokens[index].start : stop])
        if said is None:
            return 0
        if len(said.split()) <= _LONGEST_REMARK:
            self.reading.styles.append(said)
        self.held = stop
        return end

    def describe_again(self, token: Token) -> bool:
        """Let what follows a pronoun describe whom it stands for; False where that is several."""
        thing = _antecedent(token.text, self.reading.things, self.topic)
        if thing is None:
            return False
        self.cling(thing)
        self.held = token.end
        return True

    def cling(self, thing: Thing) -> None:
        """Let the rest of the clause describe a thing."""
        thing.tail += "," if thing.tail.strip(" ,") or thing.name else ""
        self.current, self.scene, self.clinging, self.attached = thing, None, True, ""

    def owner_of(self, phrase: EnglishPhrase, index: int) -> Thing | None:
        """The thing that "its lid", "the lid" or "the kettle's lid" of a later sentence belongs to, if any."""
        things = self.reading.things
        word = self.text_at(index + 1)
        if phrase.determiner == "the" and word.endswith(("'s", "’s")):
            return next((thing for thing in reversed(things) if singular(word[:-2]) == thing.noun), None)
        if (
            not things
            or self.pending
            or self.row
            or self.leading
            or self.relation
            or self.reading.order
            or self._is_placed_later(phrase)
        ):
            return None
        if any(thing.noun == phrase.noun for thing in things):
            return None
        if phrase.determiner in POSSESSIVES and phrase.kind not in BEINGS and self.begins_clause(index):
            return _antecedent(phrase.determiner, things, self.topic)
        bridged = phrase.determiner == "the" and self.begins > 0 and self.begins_clause(index)
        if bridged and phrase.kind not in BEINGS | SCENERY | {"picture"} and not phrase.side:
            return self.topic if self.topic in things else None
        return None

    def _is_placed_later(self, phrase: EnglishPhrase) -> bool:
        """Whether the clause goes on to say where a phrase stands."""
        index = phrase.after
        while index < len(self.tokens) and self.tokens[index].kind not in ("sep", "stop", "and"):
            if self.tokens[index].mark:
                return True
            index += 1
        return False

    def _end_of_sentence(self, index: int) -> int:
        while index < len(self.tokens) and self.tokens[index].text not in (".", "!", "?"):
            index += 1
        return index


def without_openings(text: str) -> str:
    """The text without the words that only lead to what the picture shows."""
    return _OPENING.sub("", text)


def _remark(sentence: str) -> str | None:
    """What a sentence says of the picture itself: "rendered in a comic book style"; None for other sentences."""
    sentence = plain(sentence)
    opening = _PICTURE.match(sentence.lower())
    return _LEADING.sub("", sentence[opening.end() :]).strip(" ,.") if opening else None


def _antecedent(pronoun: str, things: list[Thing], topic: Thing | None) -> Thing | None:
    """The thing that a pronoun stands for; ``topic`` is what the sentence before spoke of."""
    recent = [*([topic] if topic else []), *reversed(things)]
    if pronoun in ("they", "their"):
        return next(
            (thing for thing in recent if thing.count > 1 or thing.name == thing.many), topic if len(things) == 1 else None
        )
    people = [thing for thing in recent if thing.person]
    if pronoun in ("she", "her"):
        fitting = [thing for thing in people if _last(thing) in _FEMALE] or [t for t in people if _last(t) not in _MALE]
    elif pronoun in ("he", "his"):
        fitting = [thing for thing in people if _last(thing) in _MALE] or [t for t in people if _last(t) not in _FEMALE]
    else:
        fitting = [thing for thing in recent if not thing.person]
    return next(iter(fitting or recent), None)


def _last(thing: Thing) -> str:
    return thing.noun.rpartition(" ")[2]
