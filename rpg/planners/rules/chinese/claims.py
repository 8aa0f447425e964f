"""Gives the words of a Chinese caption to the things and surroundings they describe."""

from __future__ import annotations

import re

from rpg.planners.rules.chinese.phrases import ChinesePhrase, kinds_of
from rpg.planners.rules.claims import Claims
from rpg.planners.rules.lexicon import BEINGS, PARTS, SCENERY
from rpg.planners.rules.reading import Reading, Surrounding, Thing

_JOINERS = re.compile(r"(?:和|与|跟|同|、|以及|还有|及|,|正在|正|而|在|则|是|有)+$")
_ATTACH = re.compile(
    r"(?:穿|戴|梳|留|拿|持|捧|抱|牵|骑|背|举|撑|插|装|盛|印|披|系|吃|喝|弹|拉|扎|带|提|握|叼|挎|打|露|散发|充满|看|读|写)(?:着|有|了)?$"
    r"|[有长]着$"
)
_ACTS = re.compile(r"[^,]着$|地[^,]{1,3}(?:着|了|起|出|过)?$")
_STANDS = re.compile(r"(?:放|摆|站|坐|躺|挂|停|长|立|排列|趴|蹲|卧|种|堆|铺|飘|漂|住|围|跟|摆放|陪伴|伴随)着$")
_JOINING = re.compile(r"(?:和|与|跟|同|、|以及|还有|及|或|,|是|有|正|在|则|还|也|中|里|上)*")


class ChineseClaims(Claims):
    """Decides what the phrases of a Chinese caption are."""

    def __init__(self) -> None:
        super().__init__(Reading(joint=""))
        self.tags = False
        """Whether the caption is a list of tags: there bare nouns belong to whoever was named before."""
        self.definite = False
        """Whether 的 stood behind the place, as in 左边的猫."""
        self.wall: Surrounding | None = None
        """Surroundings that belong to the next thing alone."""

    def describe(self, piece: str, joins: bool = False, comma: bool = False) -> None:
        """Give text that names no thing to what it describes."""
        piece = (_JOINERS.sub("", piece) if joins else piece).strip("、,")
        kinds = kinds_of(piece)
        if not piece:
            return
        if self.scene:
            self.scene.text += piece
        elif comma and kinds & SCENERY and not kinds & (BEINGS | PARTS):
            self.surround(piece, "ambience")
        elif self.current:
            self.current.tail += ("," if comma else "") + piece

    def find(self, noun: str) -> Thing | None:
        """The single thing that a noun mentions again."""
        if not noun or self.grouped(noun):
            return None
        for thing in reversed(self.reading.things):
            owned = "".join([thing.tail, *(scene.text for scene in self.reading.scenes if scene.owner is thing)])
            if thing.noun == noun or (len(noun) > 1 and thing.name.endswith(noun)) or noun in owned:
                return thing
        return None

    def again(self, phrase: ChinesePhrase) -> Thing | None:
        """The single being that a bare noun names again."""
        same = [thing for thing in self.reading.things if thing.noun == phrase.noun and phrase.noun]
        bare = not phrase.quantified and not self.pending and phrase.kind in BEINGS
        return same[0] if bare and len(same) == 1 and same[0].count == 1 else None

    def add(self, phrase: ChinesePhrase) -> Thing:
        """A new thing, with the wall that it hangs on."""
        thing = self.new(Thing(phrase.name, phrase.noun, phrase.kind, phrase.count, many=phrase.many))
        thing.definite = self.definite
        if self.wall:
            self.wall.owner = thing
        self.definite = False
        return thing

    def add_member(self, text: str) -> None:
        """One of a group that was named before, and what is said of it."""
        member = self.add(ChinesePhrase(0, 0, "", "", "pronoun"))
        member.pronoun, member.tail = True, text

    def is_one_of(self, phrase: ChinesePhrase) -> bool:
        """Whether 一个 stands for one of a group: 两个女孩，一个穿红裙子，一个穿蓝裙子."""
        several = any(thing.count > 1 for thing in self.reading.things)
        return several and phrase.quantified and phrase.count == 1 and (not phrase.kind or phrase.kind in PARTS)

    def is_thing(self, phrase: ChinesePhrase, link: str, own: Thing | None) -> bool:
        """Whether a phrase is a thing of its own; ``own`` is the last one that the clause named."""
        placed = self.pending or self.row or self.leading
        if self.tags and self.current and not phrase.quantified and phrase.kind not in BEINGS:
            return False
        if phrase.kind == "picture" and not self.pending:
            if not self.reading.things:
                self.reading.styles.append(re.sub("^一[幅张]", "", phrase.name))
            return False
        if phrase.kind == "style" or (phrase.kind == "ambience" and not self.pending):
            return False
        acts = self.current is not None and self.current.being and _ACTS.search(link) and not _STANDS.search(link)
        if self.current and (
            _ATTACH.search(link) or acts or (phrase.kind in PARTS and (not phrase.quantified or self.current.being))
        ):
            return False
        if phrase.kind in SCENERY and not (phrase.quantified or placed or own):
            return False
        return phrase.kind in BEINGS or self.current is None or own is None or bool(_JOINING.fullmatch(link))
