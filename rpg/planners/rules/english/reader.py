"""Reads an English caption: its noun phrases, and the words that say where they stand."""

from __future__ import annotations

import re
from dataclasses import replace

from rpg.planners.rules.english.phrases import LOCATIVE, EnglishPhrase, Token, opens_otherwise, phrase_at
from rpg.planners.rules.english.relations import REFERENCES
from rpg.planners.rules.english.roles import cut_styles, furnishes, role, without_joiners, wraps
from rpg.planners.rules.english.sentences import SUBJECTS, Sentences, without_openings
from rpg.planners.rules.lexicon import BEINGS, NAME, PARTS, SCENERY, article, is_adjective, singular, word_set
from rpg.planners.rules.reading import Place, Reading, Thing

_DEFINITE = word_set("the his her its their")
_STATES = word_set("ruin ruins")
"""Behind "in", a state and no place."""
_INSIDE = re.compile(r"\W*(?:in|inside|within|at|on)\s*", re.IGNORECASE)
_BACKGROUND = re.compile(r"(?:[\s,;.:]|\band\b|\bwhile\b)*\bin\s*", re.IGNORECASE)

_DEPICTION = re.compile(r"\b((?:an?|the) (?:\w+ ){0,2}(portrait|painting|picture|photo|poster|drawing|statue|bust)) of\s*$")


def read(text: str) -> Reading:
    """What an English caption says."""
    return _Reader(*cut_styles(without_openings(text))).read()


class _Reader(Sentences):
    """Decides what the phrases of a caption are."""

    def read(self) -> Reading:
        index = 0
        while index < len(self.tokens) and not self.reading.full:
            token = self.tokens[index]
            if index == self.begins and index and (after := self.remark_at(index)):
                index = after
                continue
            if token.mark:
                index = self._mark(index)
                continue
            if token.text in SUBJECTS and self.begins_clause(index) and self.describe_again(token):
                index += 1
                continue
            phrase = None if token.kind in ("sep", "stop", "and") else self._character(index) or self._phrase(index)
            if phrase:
                index = self._backdrop(phrase) or self._take(phrase, index)
                continue
            if token.kind in ("sep", "stop", "and"):
                self._separate(token)
            elif self.relation and token.text in REFERENCES:
                self.refer(token)
            index = self._enumeration(index) if token.text == ":" else index + 1
        self.drop_relation(len(self.text))
        self.flush(len(self.text))
        return self.reading

    def _separate(self, token: Token) -> None:
        if token.kind == "and":
            scenic = self.current is not None and self.current.kind == "place"
            if scenic and re.match(r"\s*with\b", self.text[self.held : token.start]):
                self.attached = "thing"
            self.flush(token.start)
            return
        self.drop_relation(token.start)
        self.flush(token.start)
        self.scene, self.attached = None, ""
        if token.text in ".!?;":
            self.begins, self.clinging = self.tokens.index(token) + 1, False
            self.topic = next((thing for thing in self.reading.things if thing is self.first), self.topic)
            self.first = None
        if token.text == ":" and self.current:
            self.current.lists = True

    def _character(self, index: int) -> EnglishPhrase | None:
        """A tag that names one of "2girls": "hatsune miku \\(vocaloid\\)"."""
        several = self.tags and (self.counts() or len(self.unnamed()) > 0)
        phrase = phrase_at(self.tokens, index, self.text, True) if several and self.is_fresh(index) else None
        if not phrase or phrase.determiner or not NAME.match(self.text[phrase.end - 1]) or self.is_placed(phrase, 9):
            return None
        return replace(phrase, name=self.text[phrase.start : phrase.end], noun="", kind="pronoun")

    def _phrase(self, index: int) -> EnglishPhrase | None:
        fresh = self.is_fresh(index)
        phrase = phrase_at(self.tokens, index, self.text, fresh)
        if phrase and not phrase.determiner:
            known = phrase.kind in BEINGS | SCENERY | {"thing", "picture"}
            known = known or (phrase.kind in PARTS and (self.current is None or not self.current.being))
            paired = phrase.noun == "couple" and phrase.count == 1  # a tag that says what people are to one another
            if self.tags and self.current and (paired or phrase.kind not in BEINGS | SCENERY) and not self.is_placed(phrase, 9):
                return None if any(thing.being for thing in self.reading.things) else phrase if known else None
            unknown = not phrase.kind and not phrase.noun.endswith(("ed", "ing"))
            if unknown and not self.listing and self.is_placed(phrase):
                return replace(phrase, name=self.text[phrase.start : phrase.end])
            return phrase if known or (unknown and self.listing) or self.is_name(phrase, index) else None
        if not phrase and not fresh and self.text_at(index - 1) in LOCATIVE:
            phrase = phrase_at(self.tokens, index, self.text, True)
            if phrase and self.is_named_place(phrase, index):
                return replace(phrase, kind="place")
            return phrase if phrase and phrase.kind in SCENERY and phrase.noun not in _STATES else None
        return phrase

    def _mark(self, index: int) -> int:
        """Read a mark. Returns the number of the token to go on with."""
        token = self.tokens[index]
        mark = token.mark
        assert mark is not None
        self.flush(token.start)
        self.held = token.end
        self.scene = None
        if mark.kind == "side":
            return self._side_mark(index)
        if mark.kind == "sides":
            if self.current:
                self.place_on_both_sides()
            if token.text.endswith(" of"):
                self.current, self.pending = None, Place(None, 0)
            return index + 1
        if mark.kind in ("relation", "between"):
            return self.relation_mark(index)
        if mark.kind == "row" and self._ends_a_list(index):
            self.place_list(mark.place)
            return index + 1
        self.listing = True
        if mark.kind == "order":
            self.reading.order = mark.order
            self.fresh = index + 1
        else:
            self.row, self.pending = mark.place, None
            self.fresh = self.skip(index + 1)
            self.held = self.tokens[self.fresh].start if self.fresh < len(self.tokens) else len(self.text)
        return self.fresh

    def _side_mark(self, index: int) -> int:
        token = self.tokens[index]
        mark = token.mark
        assert mark is not None
        begin = self.skip(index + 1)
        leads = begin > index + 1 or not self.current or (begin < len(self.tokens) and self.starts(begin))
        if (self.is_fresh(index) or mark.labels) and leads and begin < len(self.tokens):
            return self.place_what_follows(begin, mark.place)
        self.attached = ""
        if self._ends_a_list(index):
            self.place_list(mark.place)
        elif self.current:
            self.place_current(mark.place, bool(re.search(r"\b(?:his|her|its|their)\b", token.text)))
        return index + 1

    def _ends_a_list(self, index: int) -> bool:
        """Whether a mark stands behind "a cat and a dog", before other things: then it places them all."""
        things = self.reading.things[-2:]
        if len(things) < 2 or any(thing.place or thing.relation for thing in things) or self.is_fresh(index):
            return False
        before = next((token.kind for token in reversed(self.tokens[:index]) if token.kind in ("and", "stop", "mark")), "")
        begin = index + 1
        while begin < len(self.tokens) and self.tokens[begin].kind in ("sep", "stop", "and"):
            begin += 1
        return before == "and" and begin > index + 1 and begin < len(self.tokens) and self.starts(begin)

    def _backdrop(self, phrase: EnglishPhrase) -> int:
        """Read "in the background a burning village". Returns the number of the token to go on with; 0 for other phrases."""
        begin = self.skip(phrase.after)
        opens = self.current is None or re.match(r"\s*(?:[,;.:]|and\b|while\b)", self.text[self.held :])
        if (
            phrase.noun not in ("background", "distance")
            or not (opens and _BACKGROUND.fullmatch(self.text[self.held : phrase.start]))
            or begin == len(self.tokens)
            or not phrase_at(self.tokens, begin, self.text, True)
        ):
            return 0
        end = begin
        while end < len(self.tokens) and self.tokens[end].kind not in ("sep", "stop", "mark"):
            end += 1
        self.held = self.tokens[end].start if end < len(self.tokens) else len(self.text)
        shown = without_joiners(self.text[self.tokens[begin].start : self.held]).strip()
        self.surround(f"{shown} in the {phrase.noun}", "ambience")
        return end

    def _enumeration(self, index: int) -> int:
        """Read what a colon behind "four seasons" or "a family" counts up in bare words. Returns the number of the token
        to go on with."""
        group, begin, items = self.current, index + 1, []
        while group and begin < len(self.tokens) and self._is_bare(begin):
            end = begin
            while end < len(self.tokens) and self.tokens[end].kind == "word":
                end += 1
            items.append((self.text[self.tokens[begin].start : self.tokens[end - 1].end], end))
            begin = self._skip_joiners(end)
        if group and group.count > 1:
            items = items[: group.count] if len(items) >= group.count else []
        elif not group or group.kind != "group" or len(items) < 2:
            items = []
        if not group or not items:
            return index + 1
        for text, _ in items:
            if group.count > 1:
                self.new(Thing("", "", "pronoun", pronoun=True, tail=f", {text}"))
            else:
                self.new(Thing(article(text), singular(text.lower()), "person"))
        if group.count == 1:
            self.reading.things.remove(group)
        after = items[-1][1]
        self.held = self.tokens[after].start if after < len(self.tokens) else len(self.text)
        return after

    def _is_bare(self, index: int) -> bool:
        """Whether words of a list begin here, without determiner or preposition."""
        return self.tokens[index].kind == "word" and not opens_otherwise(self.tokens[index])

    def _skip_joiners(self, index: int) -> int:
        while index < len(self.tokens) and self.tokens[index].kind in ("sep", "and"):
            index += 1
        return index

    def _take(self, phrase: EnglishPhrase, index: int) -> int:
        """Decide what a phrase is. Returns the number of the token to go on with."""
        if phrase.determiner in ("one", "another", "other") and is_adjective(phrase.noun) and self.counts():
            phrase = replace(phrase, name=phrase.name.split(" ", 1)[-1], noun="", kind="pronoun")
        if phrase.kind == "pronoun" and not phrase.determiner and (unnamed := self.unnamed()):
            self.name(unnamed[0], phrase)
            return phrase.after
        link = self.text[self.held : phrase.start]
        if owner := self.owner_of(phrase, index):
            self.flush(phrase.start, joins=True)
            self.cling(owner)
            self.held = phrase.start
            return phrase.after
        existing = self.find(phrase) if phrase.determiner in _DEFINITE else None
        if existing and (self._is_another(existing, phrase) or self.grouped(existing.noun)):
            existing = None
        if self.relation:
            self.relate_to(phrase, existing)
        elif phrase.kind == "pronoun":
            if self.reading.things:
                group = self.current
                self.add(phrase).tail = f", {phrase.name}" if phrase.name else ""
                self.current = self.current if phrase.determiner else group  # what follows a named tag is said of all
        elif existing and existing.count == 1:
            self.return_to(existing, phrase)
        elif (not self.reading.things or index == self.begins) and wraps(phrase, self.text_at(phrase.after)):
            self.flush(phrase.start)
            if index == 0:
                self.reading.styles.append(
                    re.sub("^(?:an?|the|this) ", "", self.text[phrase.start : phrase.end], flags=re.IGNORECASE)
                )
            self.held, self.fresh = self.tokens[phrase.after].end, phrase.after + 1
        else:
            self._add_or_attach(phrase, link)
        return phrase.after

    def _add_or_attach(self, phrase: EnglishPhrase, link: str) -> None:
        stacks = self.pending is not None or self.row is not None or self.reading.order.endswith("column")
        if self.current is None and phrase.kind not in BEINGS and _INSIDE.fullmatch(link) and self.text_at(phrase.after) == ",":
            phrase = replace(phrase, kind="place")
        decided = role(phrase, link, self.current, self.attached, stacks=stacks, listing=self.listing)
        following = [self.text_at(phrase.after), self.text_at(phrase.after + 1)]
        if self.current and self.reading.things == [self.current] and furnishes(phrase, link, self.current, following):
            decided = "thing"
        if decided == "thing" and self.clinging and phrase.kind not in BEINGS:
            decided = "attached"
        mark = self.tokens[phrase.after].mark if phrase.after < len(self.tokens) else None
        if decided == "attached" and mark and mark.kind == "side" and phrase.kind not in PARTS:
            place = self.current.root.place if self.current else None
            elsewhere = place is not None and place != mark.place
            decided = "thing" if elsewhere or re.search(r",\s*with\s*$", link) else decided
        refers = mark is not None and mark.kind == "relation" and following[1] in REFERENCES
        if decided == "attached" and refers and link.strip() != "of":  # not in "a portrait of a lady above it"
            decided = "thing"  # "a sofa with a painting above it"
            if shown := _DEPICTION.search(link):
                start = self.held + shown.start(1)
                phrase = replace(phrase, start=start, name=self.text[start : phrase.end], noun=shown[2], kind="thing")
        if decided == "thing":
            before = self.current
            thing = self.add(phrase)
            self.first = self.first or thing
            if (
                before
                and thing.being
                and not thing.place
                and not thing.relation
                and re.fullmatch(r"[^,;.]*\bwith\s*", link.lower())
            ):
                thing.relation = (Place(None, 1), before)
        elif decided == "scene":
            self.enclose(phrase)
        else:
            seated = link.lower().split()[-1:] and link.lower().split()[-1] in LOCATIVE
            self.attached = "" if seated and phrase.kind not in PARTS else phrase.kind or "thing"

    def _is_another(self, existing: Thing, phrase: EnglishPhrase) -> bool:
        """Whether "the cat on the right" is another cat than the one before."""
        following = self.tokens[phrase.after].mark if phrase.after < len(self.tokens) else None
        place = phrase.side or (following.place if following and following.kind == "side" else None)
        return existing.noun == phrase.noun and None not in (place, existing.place) and place != existing.place
