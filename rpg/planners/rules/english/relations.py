"""Words such as "above" and "behind": what stands where, seen from what else."""

from __future__ import annotations

from dataclasses import replace

from rpg.planners.rules.english.marks import DEPTH
from rpg.planners.rules.english.phrases import EnglishPhrase, Token, phrase_at
from rpg.planners.rules.english.walk import COPULA, Walk
from rpg.planners.rules.lexicon import PARTS, POSSESSIVES, word_set
from rpg.planners.rules.reading import Place, Thing

REFERENCES = word_set("it them him her both")
_GROUND = word_set("wall floor ground roof stage grass lawn sand snow water")
"""What something may stand before without being beside it."""


class Relations(Walk):
    """Reads the words that relate two phrases."""

    def relation_mark(self, index: int) -> int:
        after = index + 1
        begin = self.skip(after + 1)
        if self.is_fresh(index) and self.text_at(after) in REFERENCES and begin < len(self.tokens) and self.starts(begin):
            return self._refer_ahead(index, begin)
        anchor = phrase_at(self.tokens, after, self.text, True) if after < len(self.tokens) else None
        told = anchor is not None and self.text_at(anchor.after) in COPULA and self.text_at(anchor.after) not in ":,"
        told = told or (anchor is not None and index == self.begins and self.text_at(anchor.after) == ",")
        if anchor and self.is_fresh(index) and (self.current is None or told):
            return self._leading_relation(index, anchor)
        self.relation, self.fresh = self.tokens[index], after
        return after

    def _leading_relation(self, index: int, anchor: EnglishPhrase) -> int:
        """Read "next to the sofa is a lamp": first what it is next to, then what stands there."""
        mark = self.tokens[index].mark
        assert mark is not None
        known = self.find(anchor)
        if anchor.kind in ("place", "ambience") and not known:
            self.surround(self.text[mark.start : anchor.end], anchor.kind, self.current)
            self.held = anchor.end
            return anchor.after
        known = known or self.add(anchor)
        self.held = anchor.end
        begin = self.skip(anchor.after)
        if begin == len(self.tokens):
            return begin
        self.leading = (mark.place, known)
        return self.place_what_follows(begin, None)

    def _refer_ahead(self, index: int, begin: int) -> int:
        """Read "above it a painting" or "between them a cake"."""
        mark = self.tokens[index].mark
        assert mark is not None
        things = self.reading.things
        if mark.kind == "between" and things and things[-1].count == 2:
            self.reading.counted.add(things[-1].noun)
            things[-1].count = 1
            self.leading = (Place(None, 1), things[-1])
            things.append(replace(things[-1], relation=(Place(None, 2), things[-1])))
        elif things:
            self.leading = (mark.place, things[-2] if mark.kind == "between" and len(things) > 1 else things[-1])
        return self.place_what_follows(begin, None)

    def relate_to(self, phrase: EnglishPhrase, existing: Thing | None) -> None:
        """Read the phrase behind a word such as "above"."""
        token, subject = self.relation, self.current
        assert token is not None
        assert token.mark is not None
        self.relation = None
        if (
            subject is None
            or existing is subject
            or _is_worn(phrase, subject, token)
            or not (existing or _stands_alone(phrase, token))
        ):
            self.held = token.start - (self.text[token.start - 1 : token.start] == " ")
            if phrase.kind not in PARTS and not token.text.endswith(("on top of", "atop")):
                self.enclose(phrase)
            return
        self.relate(phrase, token.mark.place, existing)
        if token.mark.kind == "between" and not existing:
            self._surround_between(subject)

    def _surround_between(self, subject: Thing) -> None:
        """Put the other neighbour to the right: the second of "two lamps", or the thing that comes next."""
        neighbour = self.current
        if neighbour and neighbour.count == 2:
            self.reading.counted.add(neighbour.noun)
            neighbour.count = 1
            self.reading.things.append(replace(neighbour, relation=(Place(None, 1), subject)))
        else:
            self.leading = (Place(None, 1), subject)

    def refer(self, token: Token) -> None:
        """Read "above it" or "below them": a relation to what was named before."""
        relation, subject = self.relation, self.current
        assert relation is not None
        assert relation.mark is not None
        others = [thing for thing in self.reading.things if thing is not subject]
        if subject and others and not subject.place and not subject.relation and not _is_depth(relation):
            if token.text in ("them", "both"):
                subject.place = relation.mark.place
            else:
                anchor = self.references.get(others[-1], others[-1])
                subject.relation = (relation.mark.place, anchor)
                self.references[subject] = anchor
            self.held, self.relation = token.end, None

    def drop_relation(self, end: int) -> None:
        """A word such as "above" that no phrase follows names a side, or is text like any other."""
        if not self.relation or not self.relation.mark:
            return
        ends = not self.text[self.relation.end : end].strip() and self.relation.text in (
            "above",
            "below",
            "underneath",
            "beneath",
        )
        if ends and self.current and not self.current.place:
            self.current.place, self.held = self.relation.mark.place, self.relation.end
        else:
            self.held = self.relation.start - (self.text[self.relation.start - 1 : self.relation.start] == " ")
        self.relation = None


def _is_depth(relation: Token) -> bool:
    return relation.text.endswith(DEPTH)


def _is_worn(phrase: EnglishPhrase, subject: Thing, relation: Token) -> bool:
    """Whether a phrase is part of whom it is named with: "a man in a coat over a shirt"."""
    over = relation.mark is not None and relation.mark.place.row and not _is_depth(relation)
    return phrase.kind in PARTS and (phrase.determiner in POSSESSIVES or bool(subject.person and over))


def _stands_alone(phrase: EnglishPhrase, relation: Token) -> bool:
    """Whether what a relation leads to is a thing, and not surroundings."""
    if phrase.kind == "ambience" or (phrase.kind == "support" and _is_depth(relation) and phrase.noun in _GROUND):
        return False
    vertical = relation.mark is not None and relation.mark.place.row and not _is_depth(relation)
    return phrase.kind != "place" or bool(vertical and not relation.text.endswith(("top of", "atop")))
