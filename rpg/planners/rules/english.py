"""Reads an English caption: which noun phrases are things of their own, and which only describe."""

from __future__ import annotations

import re

from rpg.planners.rules.english_phrases import LOCATIVE, Phrase, Token, phrase_at, tokens_of
from rpg.planners.rules.lexicon import BEINGS, PARTS, SCENERY, english_kind, singular
from rpg.planners.rules.lexicon import is_adjective as english_adjective
from rpg.planners.rules.reading import Place, Reading, Scene, Thing

_CONTACT = re.compile(
    r"\b(?:wear|hold|carry|carri|rid|hug|pet|cuddl|embrac|eat|drink|driv|cradl|lift|leaning|sitting|sits)(?:ing|s|es)?(?: on| in)?$"
)
_JOINERS = re.compile(
    r"(?:[\s,;.:]|\b(?:and|while|whereas|plus|then|also|but|with|is|are|was|were|as|there|has|have|together|along|in|on|at|to|by|of|a)\b)+$"
)
_EMPTY = re.compile(r"(?:[\s,;.:&()]|\b(?:and|while|whereas|plus|then|also|but|as|well|there|is|are|one|has|have|we|see|it)\b)*")
_COPULA = frozenset("is are was were there has have stands sits shows features contains lies it's we see : , a".split()) - {"a"}
_PLAIN_VERBS = "stand sit play walk run dance look lie sleep smile talk chat fight pose hug kiss jump eat drink".split()
_SHARED = re.compile(r"\s*(?:they |both |all )?(?:are|were|both|all|they)\s+(?=\w)")
_HOLDS = re.compile(r"\b(?:with|features|contains|has|shows)\s*$")
_WRAPS = frozenset("of with showing depicting featuring where in that which".split())
_PLURAL = re.compile(r"(?:^|(?<!there)(?<!who)(?<!that)(?<!which)\s)(?:they |both |all )?(?:are|were|both|they)\s+(?=\w)")
_FRAGMENT = re.compile(r"[^,.;:]+")


def read(text: str) -> Reading:
    """What an English caption says."""
    return _Reader(*_cut_styles(text)).read()


def _cut_styles(text: str) -> tuple[str, list[str]]:
    """The text without the fragments between commas that only name a style, and those fragments."""
    styles: list[str] = []

    def cut(match: re.Match[str]) -> str:
        words = re.findall(r"[\w'’-]+", match.group().lower())
        if not 0 < len(words) <= 8:
            return match.group()
        text = " ".join(words)
        spans = [(i, i + n) for n in (4, 3, 2, 1) for i in range(len(words) - n + 1)]
        named = [" ".join(words[i:j]) for i, j in spans if english_kind(" ".join(words[i:j])) == "style"]
        artist = bool(re.match(r"\s*by [A-Z]", match.group()))
        others = {english_kind(word) for word in (text.replace(named[0], "") if named else text).split()}
        if not (named or artist) or others & (BEINGS | PARTS | {"thing"}):
            return match.group()
        styles.append(match.group().strip())
        return " "

    return _FRAGMENT.sub(cut, text), styles


class _Reader:
    """One walk over the tokens. ``held`` is where the text begins that nothing has claimed yet."""

    def __init__(self, text: str, styles: list[str]) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.reading = Reading(styles=styles)
        self.current: Thing | None = None
        self.scene: Scene | None = None
        self.held = 0
        self.row: Place | None = None
        self.pending: Place | None = None
        self.relation: Place | None = None
        self.leading: tuple[Place, Thing] | None = None
        self.between: Thing | None = None
        self.attached = ""
        self.listing = False
        self.fresh = 0
        self.marked = 0
        self.depth = self.onto = False

    def read(self) -> Reading:
        index = 0
        while index < len(self.tokens) and not self.reading.full:
            token = self.tokens[index]
            phrase = None
            if token.mark:
                index = self._mark(index)
                continue
            if token.kind in ("sep", "stop"):
                self._drop_relation()
                self._flush(token.start)
                self.scene, self.attached = None, ""
                if token.text == ":" and self.current:
                    self.current.lists = True
            elif token.kind == "and":
                scenic = self.current is not None and self.current.kind == "place"
                self.attached = (
                    "thing" if scenic and re.match(r"\s*with\b", self.text[self.held : token.start]) else self.attached
                )
                self._flush(token.start)
            else:
                phrase = self._phrase(index)
            if not phrase and self.relation is not None and token.text in ("it", "them", "him", "her", "both"):
                self._refer(token)
            if phrase:
                self._take(phrase, index)
                index = phrase.after
            else:
                index += 1
        self._drop_relation()
        self._flush(len(self.text))
        return self.reading

    # Tokens

    def _is_fresh(self, index: int) -> bool:
        """Whether a phrase without determiner may begin here."""
        return index == self.fresh or self.tokens[index - 1].kind in ("sep", "stop", "and", "mark")

    def _phrase(self, index: int) -> Phrase | None:
        fresh = self._is_fresh(index)
        phrase = phrase_at(self.tokens, index, self.text, fresh)
        if phrase and (phrase.determiner or self.tokens[index].text[0].isdigit()):
            return phrase
        before = self.tokens[index - 1].text if index else ""
        if phrase:
            known = phrase.kind in BEINGS | SCENERY | {"thing", "picture"}
            listed = self.listing and not phrase.kind and not phrase.noun.endswith(("ed", "ing"))
            return phrase if known or listed or self._is_name(phrase, index) else None
        if before in LOCATIVE:
            phrase = phrase_at(self.tokens, index, self.text, True)
            return phrase if phrase and phrase.kind in SCENERY else None
        return None

    def _refer(self, token: Token) -> None:
        """ "Above it", "behind them": a relation to what was named before."""
        offset, subject = self.relation or Place(), self.current
        others = [thing for thing in self.reading.things if thing is not subject]
        if subject and others and not subject.place and not subject.relation and not self.depth:
            if token.text in ("them", "both"):
                subject.place = offset
            else:
                subject.relation = (offset, others[-1])
            self.held, self.relation, self.between = token.end, None, None

    def _is_name(self, phrase: Phrase, index: int) -> bool:
        """Whether an unknown phrase beside an "and" is written like a name."""
        words = self.text[phrase.start : phrase.end].split()
        beside = index and self.tokens[index - 1].kind == "and"
        beside = beside or (phrase.after < len(self.tokens) and self.tokens[phrase.after].kind == "and")
        return not phrase.kind and beside and len(words) < 4 and all(word[0].isupper() for word in words)

    def _drop_relation(self) -> None:
        """A word such as "above" that no phrase follows is text like any other."""
        if self.relation is not None:
            self.held, self.relation, self.between = self.marked, None, None

    # Marks

    def _mark(self, index: int) -> int:
        token = self.tokens[index]
        mark = token.mark
        assert mark is not None
        fresh = self._is_fresh(index)
        self._flush(token.start)
        self.held = token.end
        self.scene = None
        after = index + 1
        if mark.kind == "order":
            self.reading.order = mark.order
            self.listing, self.fresh = True, after
        elif mark.kind == "row":
            self.row, self.pending, self.listing = mark.place, None, True
            after = self.fresh = self._skip(after)
            self.held = self.tokens[after].start if after < len(self.tokens) else len(self.text)
        elif mark.kind in ("relation", "between"):
            anchor = phrase_at(self.tokens, after, self.text, True) if after < len(self.tokens) else None
            if anchor and fresh and (self.current is None or self._says_what(anchor.after)):
                return self._leading_relation(index, anchor, mark.place)
            self.depth = token.text.endswith(("in front of", "behind"))
            self.onto = token.text.endswith(("on top of", "atop"))
            self.relation, self.marked = mark.place, token.start - (self.text[token.start - 1 : token.start] == " ")
            self.between = self.current if mark.kind == "between" else None
            self.fresh = after
        else:
            begin = self._skip(after)
            starts = begin < len(self.tokens) and self._starts(begin)
            if (fresh or mark.labels) and (begin > after or starts or not self.current) and begin < len(self.tokens):
                return self._place(begin, mark.place)
            if self.current:
                self._trail(mark.place, bool(re.search(r"\b(?:his|her|its|their)\b", token.text)))
        return after

    def _trail(self, place: Place, possessive: bool) -> None:
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

    def _skip(self, index: int) -> int:
        while index < len(self.tokens) and (self.tokens[index].text in _COPULA or self.tokens[index].kind in ("sep", "stop")):
            index += 1
        return index

    def _starts(self, index: int) -> bool:
        phrase = phrase_at(self.tokens, index, self.text, True)
        return phrase is not None and (bool(phrase.determiner) or phrase.kind in BEINGS | {"thing", "place", "support"})

    def _says_what(self, index: int) -> bool:
        return index < len(self.tokens) and self.tokens[index].kind == "word" and self.tokens[index].text in _COPULA

    def _leading_relation(self, index: int, anchor: Phrase, place: Place) -> int:
        """ "Next to the sofa is a lamp": first what it is next to, then what stands there."""
        if anchor.kind in ("place", "ambience") and not self._find(anchor):
            self.reading.scenes.append(Scene(self.text[self.tokens[index].start : anchor.end], anchor.kind, self.current))
            self.held = anchor.end
            return anchor.after
        known = self._find(anchor) or self._add(anchor)
        self.held = anchor.end
        begin = self._skip(anchor.after)
        if begin == len(self.tokens):
            return begin
        self.leading = (place, known)
        return self._place(begin, None)

    def _place(self, begin: int, place: Place | None) -> int:
        """What stands behind a leading mark: things, or a whole section that describes a scenery."""
        self.pending, self.row = place, None
        self.held = self.tokens[begin].start
        self.fresh = begin
        if self._starts(begin):
            self.listing = True
            return begin
        end = begin
        while end < len(self.tokens) and not (self.tokens[end].mark and self._is_fresh(end)):
            end += 1
        stop = self.tokens[end].start if end < len(self.tokens) else len(self.text)
        section = _JOINERS.sub("", self.text[self.held : stop]).strip()
        if section:
            self._new(Thing(section, "", "section"))
        self.held = stop
        return end

    # Phrases

    def _take(self, phrase: Phrase, index: int) -> None:
        link = self.text[self.held : phrase.start]
        words = re.findall(r"[\w'’-]+", link.lower())
        existing = self._find(phrase) if phrase.determiner in ("the", "his", "her", "its", "their") else None
        if existing and (
            self._is_another(existing, phrase) or any(t.noun == existing.noun and t.count > 1 for t in self.reading.things)
        ):
            existing = None
        if self.relation is not None:
            self._relate(phrase, existing)
        elif phrase.kind == "pronoun":
            if self.reading.things:
                self._add(phrase).tail = f", {phrase.name}" if phrase.name else ""
        elif existing and existing.count == 1:
            self.current = existing
            existing.place = existing.place or phrase.side or self.pending
            existing.tail += "," if words or self.held != phrase.start else ""
            self.pending = None
            self.held = phrase.end
        elif self._wraps(phrase):
            self.reading.styles.append(re.sub("^(?:an?|the) ", "", self.text[phrase.start : phrase.end]))
            self.held, self.fresh = self.tokens[phrase.after].end, phrase.after + 1
        else:
            role = self._role(phrase, link, words)
            if role == "thing":
                before = self.current
                thing = self._add(phrase)
                if words and words[-1] == "with" and thing.being and before and not thing.place and not thing.relation:
                    thing.relation = (Place(None, 1), before)
            elif role == "scene":
                self._surround(phrase, link)
            else:
                self.attached = phrase.kind or "thing"

    def _is_another(self, existing: Thing, phrase: Phrase) -> bool:
        """Whether "the cat on the right" is another cat than the one before."""
        following = self.tokens[phrase.after].mark if phrase.after < len(self.tokens) else None
        place = phrase.side or (following.place if following and following.kind == "side" else None)
        return existing.noun == phrase.noun and None not in (place, existing.place) and place != existing.place

    def _wraps(self, phrase: Phrase) -> bool:
        """Whether the phrase only says that what follows is a picture: "a photo of ..."."""
        following = self.tokens[phrase.after].text if phrase.after < len(self.tokens) else ""
        return (
            not self.reading.things
            and following in _WRAPS
            and english_kind(phrase.noun) in ("picture", "style", "place")
            and bool(
                re.search(
                    r"(?:photo|photograph|picture|image|painting|portrait|illustration|drawing|sketch|render|rendering|view|scene|shot|close-up|landscape|depiction|art)$",
                    phrase.noun,
                )
            )
        )

    def _role(self, phrase: Phrase, link: str, words: list[str]) -> str:  # noqa: PLR0911
        """Whether a phrase is a ``thing`` of its own, part of the ``scene``, or ``attached`` to the current thing."""
        last = words[-1] if words else ""
        joined = bool(_EMPTY.fullmatch(link.lower())) or self.current is None
        stacked = joined and (self.pending is not None or self.row is not None or self.reading.order.endswith("column"))
        if phrase.noun == "background" or (phrase.kind == "ambience" and not stacked):
            return "scene"
        if phrase.kind in SCENERY and (last in LOCATIVE or (last in ("by", "to") and phrase.kind == "place")):
            return "scene"
        if last in LOCATIVE and phrase.kind not in BEINGS and self.current:
            return "attached"
        if phrase.kind in BEINGS:
            contact = _CONTACT.search(link.lower().strip()) or last in ("of", "on", "like", "for", "from", "inside", "his", "her")
            contact = contact or (last == "with" and words[-2:-1] and words[-2].endswith("ed"))
            return "attached" if contact and self.current else "thing"
        if phrase.kind in SCENERY and not phrase.determiner and self.reading.things and not self.listing:
            return "scene"
        if (
            self.current
            and self.current.kind == "place"
            and words
            and not joined
            and last in ("features", "contains", "has", "shows")
        ):
            return "thing"
        if not joined:
            return "attached"
        if phrase.kind in PARTS and self.current and (self.current.being and (self.current.tail or "," in link)):
            return "attached"
        if self.attached == "thing" and "," not in link and "and" in words:
            return "attached"
        return "thing"

    def _relate(self, phrase: Phrase, existing: Thing | None) -> None:
        """A phrase behind words such as "above"."""
        offset = self.relation or Place()
        subject = self.current
        if (
            phrase.kind in PARTS
            or (
                existing is None
                and (phrase.kind == "ambience" or (phrase.kind == "place" and (self.depth or self.onto or not offset.row)))
            )
            or (self.depth and not existing and phrase.kind not in BEINGS)
            or subject is None
            or existing is subject
        ):
            self.relation = self.between = None
            self.held = next(token.start for token in reversed(self.tokens) if token.mark and token.end <= phrase.start)
            if phrase.kind not in PARTS:
                self._surround(phrase, self.text[self.held : phrase.start])
            return
        if existing:
            if not subject.relation:
                subject.relation = (offset, existing)
            self.held = phrase.end
        else:
            thing = self._add(phrase)
            thing.relation = (Place(-offset.row if offset.row else None, -offset.column if offset.column else None), subject)
            thing.place = None
            if self.between:
                thing.relation = (Place(None, -1), subject)
        self.leading = (Place(None, 1), self.between) if self.between else None
        self.relation = self.between = None

    def _surround(self, phrase: Phrase, link: str) -> None:
        """Put a phrase such as "in a cafe" into the surroundings."""
        match = re.search(r"(?:\b\w+ing )?\b(?:in front of|\w+(?: of)?)\s*$", link)
        if (
            phrase.noun in ("background", "distance", "foreground")
            and match
            and re.search(r"\bin\s*$", link)
            and self._recede(phrase, link)
        ):
            return
        shared = _SHARED.match(link) if self._several() else None
        start = self.held + (
            shared.end() if shared else match.start() if match and self.current else len(link) - len(link.lstrip(" ,.;:"))
        )
        if not shared and self.current:
            self._flush(start)
        scene = Scene(self.text[start : phrase.end].strip(), phrase.kind, None if shared else self.current)
        colour = phrase.name.removeprefix("a ").split(" ")[0]
        if phrase.noun == "background" and not match and english_adjective(colour):
            scene = Scene(f"on a {phrase.name.removeprefix('a ')}", "ambience")
        elif not match and self.current is None:
            scene.kind = "ambience"
        self.scene = scene
        self.reading.scenes.append(scene)
        self.held = phrase.end

    def _recede(self, phrase: Phrase, link: str) -> bool:
        """ "Mountains in the background", "with mountains in the background": all of it is surroundings."""
        along = re.search(r"\bwith\b.*$", link)
        here = self.current
        if along:
            self._flush(self.held + along.start())
            text = self.text[self.held : phrase.end]
        elif here and not here.place and not here.relation and not here.being and len(self.reading.things) > 1:
            self.reading.things.remove(here)
            text = here.many + here.tail + self.text[self.held : phrase.end]
            self.current = self.reading.things[-1]
        else:
            return False
        self.scene = Scene(text.strip(), "ambience")
        self.reading.scenes.append(self.scene)
        self.held = phrase.end
        return True

    # Things

    def _several(self) -> bool:
        return len(self.reading.things) > 1 or any(thing.count > 1 for thing in self.reading.things)

    def _find(self, phrase: Phrase) -> Thing | None:
        """The thing that a phrase mentions again."""
        for thing in reversed(self.reading.things):
            if thing.noun == phrase.noun and phrase.noun:
                return thing
        for thing in reversed(self.reading.things):
            owned = " ".join(scene.text for scene in self.reading.scenes if scene.owner is thing)
            if (
                phrase.noun
                and phrase.determiner == "the"
                and phrase.noun in map(singular, re.findall(r"\w+", (thing.tail + " " + owned).lower()))
            ):
                return thing
        return None

    def _add(self, phrase: Phrase) -> Thing:
        definite = phrase.determiner in ("the", "one", "another", "other")
        thing = Thing(phrase.name, phrase.noun, phrase.kind, phrase.count, definite=definite, pronoun=phrase.kind == "pronoun")
        thing.many = self.text[phrase.start : phrase.end]
        thing.place = phrase.side
        if phrase.kind == "group" and phrase.count == 1 and phrase.noun in ("couple", "pair", "twin", "duo"):
            thing.count = 2
        here = self.current
        if here and here.kind == "place" and not here.place and _HOLDS.search(self.text[self.held : phrase.start]):
            self.reading.things.remove(here)
            self.reading.scenes.append(Scene(f"in {here.name}", "place"))
            self.current = None
        self._flush(phrase.start, joins=True)
        self.held = phrase.end
        return self._new(thing)

    def _new(self, thing: Thing) -> Thing:
        thing.place = thing.place or self.pending or self.row
        if self.leading:
            thing.relation, self.leading = self.leading, None
        self.reading.things.append(thing)
        self.current, self.scene, self.attached = thing, None, ""
        return thing

    def _flush(self, end: int, joins: bool = False) -> None:
        """Give the unclaimed text up to ``end`` to whom it describes; where it ``joins`` two things, drop the joining words."""
        piece = self.text[self.held : end]
        if not joins and not piece.strip(" ,.;:"):
            return
        self.held = end
        if joins:
            piece = _JOINERS.sub("", piece)
        if self._several() and not joins and (plural := _PLURAL.search(piece)):
            self.reading.scenes.append(Scene(piece[plural.end() :].strip(), "action"))
            piece = piece[: plural.start()]
        if not piece.strip(" ,.;:"):
            return
        if self.scene:
            self.scene.text += piece
        elif self.current is None:
            return
        elif self._several() and piece.split()[0] in _PLAIN_VERBS and not joins:
            self.reading.scenes.append(Scene(_participle(piece.strip()), "action"))
        else:
            self.current.tail += piece


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


__all__ = ["read"]
_ = Token
