"""One walk over the tokens of an English caption: where it stands, and what may begin there."""

from __future__ import annotations

import re

from rpg.planners.rules.english.claims import EnglishClaims
from rpg.planners.rules.english.phrases import EnglishPhrase, Token, phrase_at, tokens_of
from rpg.planners.rules.english.roles import without_joiners
from rpg.planners.rules.lexicon import BEINGS, plain, word_set
from rpg.planners.rules.reading import Place, Thing

COPULA = word_set(
    "is are was were there has have stands sits hangs rests floats lies stand hang shows features contains lies it's we see : ,"
)


class Walk(EnglishClaims):
    """The tokens, and what was read of them so far."""

    def __init__(self, text: str, styles: list[str]) -> None:
        super().__init__(text, styles)
        self.tokens = tokens_of(text)
        self.relation: Token | None = None
        """A word such as "above" that still waits for its phrase."""
        self.listing = False
        """Whether unknown nouns without a determiner are things: behind "from left to right"."""
        self.references: dict[Thing, Thing] = {}
        """What "it" was for things such as the painting of "a sofa with a painting above it"."""
        self.fresh = 0
        """Number of a token that a phrase without determiner may begin with."""
        self.topic: Thing | None = None
        """What the sentence before spoke of, which "it" and "the lid" in this one belong to."""
        self.begins = 0
        """Number of the sentence's first token."""
        self.tags = not re.search(r"\b(?:an?|the)\b|[.;]", text.lower()) and text.count(",") > 1
        """Whether the caption is a list of tags: there bare nouns belong to whoever was named before."""

    def text_at(self, index: int) -> str:
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def is_fresh(self, index: int) -> bool:
        """Whether a phrase without determiner may begin here."""
        return index == self.fresh or self.tokens[index - 1].kind in ("sep", "stop", "and", "mark")

    def begins_clause(self, index: int) -> bool:
        return index == self.begins or self.tokens[index - 1].kind in ("sep", "and", "stop")

    def skip(self, index: int) -> int:
        while index < len(self.tokens) and (self.tokens[index].text in COPULA or self.tokens[index].kind in ("sep", "stop")):
            index += 1
        return index

    def starts(self, index: int) -> bool:
        phrase = phrase_at(self.tokens, index, self.text, True)
        return phrase is not None and (bool(phrase.determiner) or phrase.kind in BEINGS | {"thing", "place", "support"})

    def is_named_place(self, phrase: EnglishPhrase, index: int) -> bool:
        """Whether a phrase is that of ", in Hogwarts"."""
        apart = index > 1 and self.tokens[index - 2].kind in ("sep", "stop")
        return apart and not phrase.kind and all(token.capital for token in self.tokens[index : phrase.after])

    def is_name(self, phrase: EnglishPhrase, index: int) -> bool:
        """Whether an unknown phrase beside an "and" is written like a name."""
        words = self.text[phrase.start : phrase.end].split()
        around = self.tokens[index - 1 : index] + self.tokens[phrase.after : phrase.after + 1]
        beside = any(token.kind == "and" for token in around)
        return not phrase.kind and beside and len(words) < 4 and all(plain(word)[0].isupper() for word in words)

    def is_placed(self, phrase: EnglishPhrase, most: int = 3) -> bool:
        """Whether a few words stand before a place: "hatsune miku on the left"."""
        mark = self.tokens[phrase.after].mark if phrase.after < len(self.tokens) else None
        words = self.text[phrase.start : phrase.end].split()
        return mark is not None and mark.kind == "side" and not mark.labels and len(words) <= most

    def place_what_follows(self, begin: int, place: Place | None) -> int:
        """Read what stands behind a leading mark: things, or a whole section that describes a scenery."""
        self.pending, self.row = place, None
        self.held = self.tokens[begin].start
        self.fresh = begin
        if self.starts(begin):
            self.listing = True
            return begin
        end = begin
        while end < len(self.tokens) and not (self.tokens[end].mark and self.is_fresh(end)):
            end += 1
        stop = self.tokens[end].start if end < len(self.tokens) else len(self.text)
        section = without_joiners(self.text[self.held : stop]).strip()
        if section:
            self.new(Thing(section, "", "section"))
        self.held = stop
        return end
