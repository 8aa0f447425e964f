"""Gives the words of an English caption to the things and surroundings they describe."""

from __future__ import annotations

import re
from dataclasses import replace

from rpg.planners.rules.claims import Claims, opposite
from rpg.planners.rules.english.phrases import EnglishPhrase
from rpg.planners.rules.english.roles import predicate, without_joiners
from rpg.planners.rules.lexicon import BEINGS, PARTS, is_adjective, singular
from rpg.planners.rules.reading import Place, Reading, Thing

_SHARED = re.compile(r"[\s,]*(?:they |both |all |each )?(?:are|were|both|all|each|they)(?: of them)?\s+(?=\w)")
_HOLDS = re.compile(r"\b(?:with|features|contains|has|shows)\s*$")
_JOINED = re.compile(r"(?:\band|&|\bplus)\s*$", re.IGNORECASE)
_DOING = re.compile(r"\s*\w+ing \w+(?: of)?\s*$")
_PREPOSITION = re.compile(r"(?:\b\w+ing )?\b(?:in front of|on top of|next to|\w+(?: of)?)\s*$")


class EnglishClaims(Claims):
    """``held`` is where the text begins that nothing has claimed yet."""

    def __init__(self, text: str, styles: list[str]) -> None:
        super().__init__(Reading(styles=styles))
        self.text = text
        self.held = 0
        self.attached = ""
        """Kind of the phrase that was attached last since the current thing was named."""
        self.clinging = False
        """Whether the clause describes the current thing alone."""
        self.first: Thing | None = None
        """The thing that the sentence began with."""
        self.named: list[Thing] = []
        """Those of "1girl, 1boy" that have the name of a character."""
        self.joined = False
        """Whether an "and" stands between the current thing and the one before."""

    def flush(self, end: int, joins: bool = False) -> None:
        """Claim the text up to ``end`` for whom it describes; where it ``joins`` two things, without the joining words."""
        piece = self.text[self.held : end]
        if joins:
            piece = without_joiners(piece)
        elif not piece.strip(" ,.;:"):
            return
        self.held = end
        if self.several() and not joins and not self.clinging:
            piece, shared = predicate(piece)
            if shared:
                self.surround(shared, "action")
        if not piece.strip(" ,.;:"):
            return
        if self.scene:
            self.scene.text += piece
        elif self.current:
            self.current.tail += piece

    def find(self, phrase: EnglishPhrase) -> Thing | None:
        """The thing that a phrase mentions again."""
        named = [thing for thing in self.reading.things if thing.noun == phrase.noun and phrase.noun]
        if named or phrase.determiner != "the":
            return named[-1] if named else None
        for thing in reversed(self.reading.things):
            owned = " ".join([thing.tail, *(scene.text for scene in self.reading.scenes if scene.owner is thing)])
            if phrase.noun in map(singular, re.findall(r"\w+", owned.lower())):
                return thing
        return None

    def add(self, phrase: EnglishPhrase) -> Thing:
        """A new thing; a place that it turns out to stand in becomes surroundings."""
        thing = Thing(phrase.name, phrase.noun, phrase.kind, phrase.count, place=phrase.side)
        thing.definite = phrase.determiner in ("the", "another", "other")
        thing.pronoun = phrase.kind == "pronoun"
        thing.many = self.text[phrase.start : phrase.end]
        if phrase.count == 1 and phrase.noun in ("couple", "pair", "twin", "duo"):
            thing.count = 2
        here = self.current
        self.joined = bool(_JOINED.search(self.text[self.held : phrase.start]))
        if here and here.kind == "place" and not here.place and _HOLDS.search(self.text[self.held : phrase.start]):
            self.reading.things.remove(here)
            self.surround(f"in {here.name}", "place")
            self.current = None
        self.flush(phrase.start, joins=True)
        self.held = phrase.end
        self.attached = ""
        return self.new(thing)

    def return_to(self, existing: Thing, phrase: EnglishPhrase) -> None:
        """A thing is named again: what follows describes it."""
        existing.place = existing.place or phrase.side or self.pending
        existing.tail += "," if self.held != phrase.start else ""
        self.current, self.pending, self.held = existing, None, phrase.end
        self.first = self.first or existing

    def counts(self) -> bool:
        """Whether a group was named of which "one black and one orange" may be told."""
        return any(thing.count > 1 for thing in self.reading.things)

    def unnamed(self) -> list[Thing]:
        """Those of "1girl, 1boy" that have no name yet."""
        tagged = [thing for thing in self.reading.things if thing.person and thing.name == f"1{thing.noun}" and thing.count == 1]
        return [thing for thing in tagged if thing not in self.named] if len(tagged) > 1 else []

    def name(self, thing: Thing, phrase: EnglishPhrase) -> None:
        """Give the name of a character to a thing."""
        self.flush(phrase.start, joins=True)
        self.held = phrase.end
        thing.tail += f", {phrase.name}"
        self.named.append(thing)

    def relate(self, phrase: EnglishPhrase, offset: Place, existing: Thing | None) -> None:
        """The current thing stands at ``offset`` from what the phrase names."""
        subject = self.current
        assert subject is not None
        if existing:
            subject.relation = subject.relation or (offset, existing)
            self.held = phrase.end
        else:
            thing = self.add(phrase)
            thing.place, thing.relation = None, (opposite(offset), subject)

    def place_current(self, place: Place, possessive: bool) -> None:
        """Give a place to the current thing, or to the one that it was named beside."""
        thing = self.current
        assert thing is not None
        root = thing.root
        if possessive and len(self.reading.things) > 1:
            anchor = root if root is not thing else self.reading.things[-2]
            if anchor.root is not thing:
                thing.relation = (place, anchor)
        elif root.place is None:
            root.place = place
        elif thing.place is None:
            thing.place, thing.relation = place, None

    def place_on_both_sides(self) -> None:
        """Put the current thing on the left, and one like it on the right."""
        thing = self.current
        assert thing is not None
        thing.count = max(1, thing.count // 2)
        thing.place, thing.relation = Place(None, -1), None
        self.reading.things.append(replace(thing, place=Place(None, 1)))

    def place_list(self, place: Place) -> None:
        """Give a place to everything named since the last place."""
        for thing in reversed(self.reading.things):
            if thing.place or thing.relation:
                break
            thing.place = place

    def enclose(self, phrase: EnglishPhrase) -> None:
        """Put a phrase such as "in a cafe" into the surroundings."""
        link = self.text[self.held : phrase.start]
        if phrase.noun == "foreground":
            self.flush(self.held + len(without_joiners(link)))
            self.held = phrase.end
            return
        before = _PREPOSITION.search(link)
        if before and len(self.reading.things) > 1 and not self.joined and _DOING.match(link):
            self.attached = phrase.kind  # "a cat next to a dog lying on a rug": of the dog alone
            return
        if (
            phrase.noun in ("background", "distance", "foreground")
            and re.search(r"\bin\s*$", link)
            and self._recede(phrase, link)
        ):
            return
        shared = _SHARED.match(link) if self.several() else None
        if shared:
            start = self.held + shared.end()
        elif before and self.current:
            start = self.held + before.start()
        else:
            start = phrase.start - len(link.lstrip(" ,.;:"))
        if not shared and self.current:
            self.flush(start)
        text, kind, owner = self.text[start : phrase.end].strip(), phrase.kind, None if shared else self.current
        plain = phrase.name.removeprefix("a ")
        if phrase.noun == "background" and not before and is_adjective(plain.split(" ")[0]):
            text, kind, owner = f"on a {plain}", "ambience", None
        elif not before and self.current is None:
            kind = "ambience"
        self.scene = self.surround(text, kind, owner)
        self.held = phrase.end

    def _recede(self, phrase: EnglishPhrase, link: str) -> bool:
        """Take all of "(with) mountains in the background" as surroundings."""
        along = re.search(r"\bwith\b.*$", link)
        here = self.current
        if along:
            self.flush(self.held + along.start())
            text = self.text[self.held : phrase.end]
        elif here and not here.place and not here.relation and here.kind not in BEINGS | PARTS and len(self.reading.things) > 1:
            self.reading.things.remove(here)
            text = here.many + here.tail + self.text[self.held : phrase.end]
            self.current = self.reading.things[-1]
        else:
            return False
        self.scene = self.surround(text.strip(), "ambience")
        self.held = phrase.end
        return True
