"""Reads a Chinese caption, clause by clause."""

from __future__ import annotations

import re

from rpg.planners.rules.chinese_phrases import (
    BREAKS,
    Phrase,
    leading_anchor,
    AROUND,
    leading_beside,
    leading_corner,
    place_of,
    leading_place,
    leading_row,
    leading_scene,
    locative,
    offset_of,
    phrase_at,
)
from rpg.planners.rules.lexicon import BEINGS, PARTS, SCENERY, chinese_kind, chinese_word
from rpg.planners.rules.reading import Place, Reading, Scene, Thing

_SIGNS = str.maketrans("，。；：！？（）【】", ",.;:!?(),,")
_ORDERS = (
    ("row", re.compile(r"(?:按)?(?:从|由|自)?左(?:到|至|往|向)右|并排|并列|一字排开|(?:站|排)成一排")),
    ("reversed row", re.compile(r"(?:从|由|自)?右(?:到|至|往|向)左")),
    ("column", re.compile(r"(?:从|由|自)?上(?:到|至|往|向|而)下")),
    ("reversed column", re.compile(r"(?:从|由|自)?下(?:到|至|往|向|而)上")),
    ("X", re.compile(r"呈?[XxＸ]字?[形型]状?")),
)
_SEQUENCE = re.compile(r"^(?:,|的)?(?:依次|分别)?(?:是|为|有|排列着|摆放着|排列|站着)?,?|依次")
_CONNECTIVE = re.compile(r"^(?:和|与|跟|及|而且|并且|同时|然后|另外|此外|其中|而|并|还有|以及|再)+")
_SHARED = re.compile(r"^(?:他们|她们|它们|两人|二人|三人|大家)(?:都)?")
_ATTACH = re.compile(
    r"(?:穿|戴|梳|留|拿|持|捧|抱|牵|骑|背|举|撑|插|装|盛|印|披|系|吃|喝|弹|拉|扎|带|提|握|叼|挎|打|披|露|散发|充满|看|读|写)(?:着|有|了)?$|有着$|长着$"
)
_OWN = re.compile(r"^(?:它|他|她|其|里面|其|上面|身穿|身着|头戴|手持|脚穿|手里|手中|头上|身上|穿|戴|梳|留着|拿|抱着|面带|满)")
_POSTURE = re.compile(
    r"(?:正|都|正|静静地|安静地)?(?:坐|站|躺|走|跑|玩|放|摆|趴|睡|蹲|跪|漂浮|漂|飘|停|挂|沐浴|站立|生长|行走|散步|飞|游|聊天)$"
)
_JOINERS = re.compile(r"(?:和|与|跟|同|、|以及|还有|及|,|正在|正|而|在|则|是|有|,)+$")
_ONE = re.compile(r"^(?:另)?(?:外)?一[个只位名条张本]|^其他")
_EMPTY = re.compile(r"(?:和|与|跟|同|、|以及|还有|及|或|,|是|有|正|在|则|还|也|中|里|上)*")
_HAN = r"[㐀-鿿、，]"


def read(text: str) -> Reading:
    """What a Chinese caption says."""
    text = re.sub("位于|处于", "在", text)
    text = re.sub("([一两二三四五六])男([一两二三四五六])女", r"\1个男人和\2个女人", text)
    text = re.sub(rf"(?<={_HAN}) | (?={_HAN})", "", text.translate(_SIGNS))
    reading = _Reader().read(text)
    return reading if reading.things or not re.search("[和与跟、]", text) else _Reader(listing=True).read(text)


class _Reader:
    def __init__(self, listing: bool = False) -> None:
        self.reading = Reading(joint="")
        self.current: Thing | None = None
        self.scene: Scene | None = None
        self.pending: Place | None = None
        self.row: Place | None = None
        self.leading: tuple[Place, Thing] | None = None
        self.section: Thing | None = None
        self.wall: Scene | None = None
        self.definite = False
        self.listing = listing

    def read(self, text: str) -> Reading:
        for order, pattern in _ORDERS:
            text, found = pattern.subn("", text, count=1)
            if found:
                self.reading.order = self.reading.order or order
                text = _SEQUENCE.sub("", text, count=1)
        for clause in re.split(r"[.;!?]|,|(?<![上下左右中间边侧角排行层方面]):", text):
            clause = AROUND.sub("", _CONNECTIVE.sub("", clause.strip(" ,:")))
            if clause:
                self._clause(clause)
        return self.reading

    # Clauses

    def _clause(self, clause: str) -> None:
        self.scene = None
        if self._is_style(clause):
            self.reading.styles.append(clause)
        elif shared := _SHARED.match(clause):
            self.reading.scenes.append(Scene(clause[shared.end() :].removeprefix("正").removeprefix("在") or clause, "action"))
        elif "背景" in clause:
            self._background(clause)
        elif not self._led(clause):
            if self.section:
                self.section.name += "," + clause
            elif _OWN.match(clause) and self.current:
                self.current.tail += "," + clause
            else:
                self._walk(clause)

    def _is_style(self, clause: str) -> bool:
        kinds = {chinese_kind(word) for word in _words(clause)}
        return len(clause) <= 14 and "style" in kinds and not kinds & (BEINGS | PARTS | {"thing"})

    def _background(self, clause: str) -> None:
        head, _, rest = clause.partition("背景")
        self.pending = None
        phrase = phrase_at(clause, 0, True)
        if phrase and "在" in head[phrase.end :]:
            self._walk(clause[: clause.index("在", phrase.end)])
            clause = clause[clause.index("在", phrase.end) :]
        self.reading.scenes.append(Scene(clause, "ambience"))

    def _led(self, clause: str) -> bool:
        """Read a clause that begins with a place; whether it does."""
        if found := leading_row(clause):
            self.row, rest = found
            self.pending = None
        elif placed := leading_place(clause):
            self.pending, self.definite, rest = placed
            self.row = None
            if (
                self.definite
                and (phrase := phrase_at(rest, 0, True))
                and not phrase.quantified
                and (known := self._find(phrase.noun))
                and not known.place
            ):
                known.place, self.pending = self.pending, None
                self.current, self.section = known, None
                known.tail += "," + rest[phrase.end :] if rest[phrase.end :] else ""
                return True
        elif self.current and (beside := leading_beside(clause)):
            self.leading, rest = (beside[0], self.current), beside[1]
        elif anchored := leading_anchor(clause):
            if not self._anchor(*anchored[:2]):
                return False
            rest = anchored[2]
        elif (inside := leading_scene(clause)) and chinese_kind(inside[1]) in SCENERY:
            text, noun, rest = inside
            scene = Scene(text if text.startswith("在") else f"在{text}", chinese_kind(noun))
            known = next((thing for thing in self.reading.things if thing.noun == noun), None)
            if known:
                self.leading = (Place(-1, None), known)
            else:
                scene.leads = "墙" not in noun
                self.wall = scene
                self.reading.scenes.append(scene)
        elif corner := leading_corner(clause):
            self.reading.scenes.append(Scene(f"在{corner[0]}", "support", leads=True))
            rest = corner[1]
        else:
            return False
        self.section = None
        self.listing = True
        self._rest(rest.strip(":, "))
        self.listing = self.row is not None
        self.wall = None
        return True

    def _rest(self, rest: str) -> None:
        """What stands at a place: things, or a section that describes a scenery."""
        if not rest:
            return
        phrase = phrase_at(rest, 0, True, True)
        if self.definite and self.reading.things and (phrase is None or not phrase.kind):
            self._add(Phrase(0, 0, "", "", "pronoun")).tail = re.sub("^一?[个只位]", "", rest)
            return
        if (self.pending or self.leading) and (not phrase or phrase.kind == "ambience"):
            self.section = self._new(Thing(rest, "", "section"))
            return
        self._walk(rest)

    def _anchor(self, words: str, side: str) -> bool:
        """Note what the next thing stands beside or above; whether the words name anything."""
        phrase = phrase_at(words, 0, True)
        known = self._find(phrase.noun) if phrase else None
        if not phrase:
            return False
        if not known and phrase.kind == "place" and not phrase.quantified and len(side) > 1 and place_of(side) != Place(None, 0):
            self.reading.scenes.append(Scene(f"在{words}里", "place"))
            self.pending = place_of(side)
            return True
        if not known and (
            (phrase.kind in ("place", "ambience") and not phrase.quantified) or (phrase.kind == "support" and side == "上面")
        ):
            self.reading.scenes.append(Scene(f"在{words}{side}", phrase.kind))
            return True
        anchor = known or self._add(phrase)
        self.leading = (offset_of(side), anchor)
        return True

    # Inside a clause

    def _walk(self, clause: str) -> None:
        """Find the phrases of a clause and decide about each."""
        held = position = 0
        own: Thing | None = None
        while position < len(clause) and not self.reading.full:
            if clause[position] == "在" and (found := locative(clause, position)):
                end, words, side = found
                held = self._locate(clause, held, position, end, words, side, own)
                own = self.current if own else None
                position = end
                continue
            starts = position == 0 or clause[position - 1] in ("和与跟同、及或" if own else "和与跟同、及或有是着")
            fresh = starts and position - held < 12 and bool(_EMPTY.fullmatch(clause, held, position))
            phrase = phrase_at(clause, position, fresh, self.listing)
            if phrase and self._is_one_of(phrase) and own is None:
                self._add(Phrase(0, 0, "", "", "pronoun")).tail = _ONE.sub("", clause[position:])
                return
            if (
                phrase
                and not phrase.quantified
                and own is None
                and position == held
                and not self.pending
                and (again := self._again(phrase))
            ):
                self.current = own = again
                again.tail += ","
                held = position = phrase.end
                continue
            if phrase and self._is_thing(phrase, clause[held:position], own):
                if self.scene:
                    self.scene = None
                else:
                    self._describe(clause[held:position], joins=True)
                own = self._add(phrase)
                held = position = phrase.end
            else:
                position = phrase.end if phrase else position + 1
        self._describe(clause[held:], comma=own is None)
        if self.pending and own:
            self.pending = None

    def _is_one_of(self, phrase: Phrase) -> bool:
        """Whether 一个 stands for one of a group: 两个女孩，一个穿红裙子，一个穿蓝裙子."""
        several = any(thing.count > 1 for thing in self.reading.things)
        return several and phrase.quantified and phrase.count == 1 and (not phrase.kind or phrase.kind in PARTS)

    def _again(self, phrase: Phrase) -> Thing | None:
        """The single thing that a bare noun names again."""
        same = [thing for thing in self.reading.things if thing.noun == phrase.noun and phrase.noun]
        return same[0] if len(same) == 1 and same[0].count == 1 and phrase.kind in BEINGS else None

    def _is_thing(self, phrase: Phrase, link: str, own: Thing | None) -> bool:
        joined = bool(_EMPTY.fullmatch(link))
        if phrase.kind in ("ambience", "picture", "style") and not (self.pending and phrase.kind != "style"):
            if phrase.kind == "picture" and not self.reading.things:
                self.reading.styles.append(re.sub("^一[幅张]", "", phrase.name))
            return False
        if _ATTACH.search(link) and (self.current or own):
            return False
        if phrase.kind in PARTS and (not phrase.quantified or (self.current and self.current.being)) and self.current:
            return False
        if (
            phrase.kind in SCENERY
            and not phrase.quantified
            and not self.pending
            and not self.row
            and not self.leading
            and own is None
        ):
            return False
        return joined or phrase.kind in BEINGS or self.current is None or own is None

    def _locate(self, clause: str, held: int, start: int, end: int, words: str, side: str, own: Thing | None) -> int:
        """A phrase such as 在桌子上: a place, a relation or surroundings. Returns where unclaimed text begins."""
        link = clause[held:start]
        if not words:
            self._describe(_POSTURE.sub("", link), joins=True)
            if own and self.current:
                root = self.current
                while root.relation:
                    root = root.relation[1]
                root.place = root.place or offset_of(side)
            else:
                self.pending = offset_of(side)
            return end
        phrase = phrase_at(words, 0, True)
        known = self._find(phrase.noun) if phrase else None
        near = len(side) > 1 and side != "里面" or side == "旁"
        scenic = (
            phrase is None
            or (phrase.kind in ("place", "ambience") and not known)
            or (phrase.kind == "support" and side == "上面")
        )
        if near and phrase and not scenic and own:
            self._describe(link)
            offset = offset_of(side)
            if known and known is not own:
                own.relation = own.relation or (offset, known)
            elif not known:
                place, pending = own.place, self.pending
                self.pending = None
                other = self._add(phrase)
                other.place, self.pending = None, pending
                other.relation = (Place(-offset.row if offset.row else None, -offset.column if offset.column else None), own)
                own.place = place
            return end
        if phrase and phrase.kind not in SCENERY and own:
            self._describe(clause[held:end])
            return end
        posture = _POSTURE.search(link)
        begin = start - (len(posture.group()) if posture else 0)
        self._describe(clause[held:begin], joins=True)
        kind = chinese_kind(_words(words)[-1]) if _words(words) else "place"
        self.scene = Scene(clause[begin:end].removeprefix("正"), kind or "place", self.current if own else None)
        self.reading.scenes.append(self.scene)
        return end

    def _describe(self, piece: str, joins: bool = False, comma: bool = False) -> None:
        """Give text that names no thing to what it describes."""
        if joins:
            piece = _JOINERS.sub("", piece)
        piece = piece.strip("、,")
        if not piece:
            return
        if self.scene:
            self.scene.text += piece
        elif (
            comma
            and {chinese_kind(word) for word in _words(piece)} & SCENERY
            and not set(map(chinese_kind, _words(piece))) & (BEINGS | PARTS)
        ):
            self.reading.scenes.append(Scene(piece, "ambience"))
        elif self.current:
            self.current.tail += ("," if comma else "") + piece

    # Things

    def _find(self, noun: str) -> Thing | None:
        if not noun or any(thing.noun == noun and thing.count > 1 for thing in self.reading.things):
            return None
        for thing in reversed(self.reading.things):
            owned = "".join(scene.text for scene in self.reading.scenes if scene.owner is thing)
            if thing.noun == noun or noun in thing.tail + owned:
                return thing
        return None

    def _add(self, phrase: Phrase) -> Thing:
        pronoun = phrase.kind == "pronoun"
        return self._new(
            Thing(phrase.name, phrase.noun, phrase.kind, phrase.count, definite=self.definite, pronoun=pronoun, many=phrase.many)
        )

    def _new(self, thing: Thing) -> Thing:
        thing.place = self.pending or self.row
        if self.leading:
            thing.relation, self.leading = self.leading, None
        if self.wall:
            self.wall.owner = thing
        self.definite = False
        self.reading.things.append(thing)
        self.current, self.scene = thing, None
        return thing


def _words(text: str) -> list[str]:
    words = []
    position = 0
    while position < len(text):
        word = chinese_word(text, position)
        words += [word] if word else []
        position += len(word) or 1
    return words


__all__ = ["read"]
_ = BREAKS
