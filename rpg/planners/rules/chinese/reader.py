"""Reads a Chinese caption, clause by clause."""

from __future__ import annotations

import re

from rpg.planners.rules.chinese.claims import ChineseClaims
from rpg.planners.rules.chinese.phrases import ChinesePhrase, Locative, kinds_of, locative, phrase_at
from rpg.planners.rules.chinese.places import (
    AROUND,
    leading_anchor,
    leading_beside,
    leading_corner,
    leading_place,
    leading_row,
    leading_scene,
    offset_of,
    place_of,
)
from rpg.planners.rules.claims import opposite
from rpg.planners.rules.lexicon import BEINGS, PARTS, SCENERY, chinese_kind, chinese_word
from rpg.planners.rules.reading import Place, Reading, Thing

_SIGNS = str.maketrans("，。；：！？（）【】", ",.;:!?,,,,")
_TAG = re.compile(r"(?<![0-9])([1-9])(?=[㐀-鿿])")
"""The number of 2女孩."""
_HAN = r"[㐀-鿿、，]"
_ORDERS = (
    ("row", re.compile(r"按?[从由自]?左[到至往向]右|并排|并列|一字排开|[站排]成一排")),
    ("reversed row", re.compile(r"[从由自]?右[到至往向]左")),
    ("column", re.compile(r"[从由自]?上[到至往向而]下")),
    ("reversed column", re.compile(r"[从由自]?下[到至往向而]上")),
    ("X", re.compile(r"呈?[XxＸ]字?[形型]状?")),
)
_SEQUENCE = re.compile(r"^[,的]?(?:依次|分别)?(?:是|为|有|排列着|摆放着|排列|站着)?,?|依次")
_CLAUSES = re.compile(r"[.;!?,]|(?<![上下左右中间边侧角排行层方面]):")
_CONNECTIVE = re.compile(r"^(?:和|与|跟|及|而且|并且|同时|然后|另外|此外|其中|而|并|还有|以及|再)+")
_SHARED = re.compile(r"^(?:他们|她们|它们|两人|二人|三人|大家)都?")
_WRITTEN = re.compile(
    r"^(?:(?:上|下|里|外|前|后|正|背|侧|表|封)面|上边|屏幕上|上)?(?:还|都|用[^,]{1,6})?(?:写|印|刻|画|绣|标|贴|涂|显示|镶|缀|点缀|装饰)(?:着|有|了|满)"
)
"""A clause about what a thing has on it: 上面写着."""
_REMARK = re.compile(
    r"^(?:整个|整体|整幅|这[幅张])?(?:画面|图片|图像|照片|画作|作品|场景|氛围|气氛|色调|光线|构图|风格|背景虚化|镜头)(?![里中上下左右前后有在的])"
    r"|^(?:整体|整个)|^(?:使用|采用|运用|利用|借助|以|用|由)[^,]*(?:拍摄|摄影|绘制|渲染|风格|镜头|相机|视角|构图|手法|画法|质感)"
    r"|^(?:营造|展现|呈现|体现|传达|散发|给人|充满|彰显|烘托|突出|表现)"
)
"""A clause about the picture itself: 使用相机拍摄, 营造出温馨的氛围."""
_LONGEST_REMARK = 24
_OWN = re.compile(r"^(?:它|他|她|其|里面|上面|身穿|身着|头戴|手持|脚穿|手里|手中|头上|身上|穿|戴|梳|留着|拿|抱着|面带|满)")
_POSTURE = re.compile(
    r"(?:正|都|静静地|安静地)?(?:坐|站|躺|走|跑|玩|放|摆|趴|睡|蹲|跪|漂浮|漂|飘|停|挂|沐浴|站立|生长|行走|散步|飞|游|聊天)$"
)
_ONE = re.compile(r"^另?外?一[个只位名条张本]|^其他")
_JOINING = re.compile(r"(?:和|与|跟|同|、|以及|还有|及|或|,|是|有|正|在|则|还|也|中|里|上)*")


def read(text: str) -> Reading:
    """What a Chinese caption says."""
    text = re.sub("位于|处于", "在", text)
    text = re.sub("([一两二三四五六])男([一两二三四五六])女", r"\1个男人和\2个女人", text)
    counted = _TAG.sub(lambda tag: f"{tag[1]}个" if chinese_kind(chinese_word(text, tag.end())) in BEINGS else tag[0], text)
    tags, text = counted != text, counted
    text = re.sub(rf"(?<={_HAN}) | (?={_HAN})", "", text.translate(_SIGNS))
    reading = _Reader(tags=tags).read(text)
    return reading if reading.things or not re.search("[和与跟、]", text) else _Reader(listing=True).read(text)


class _Reader(ChineseClaims):
    """One walk over the clauses."""

    def __init__(self, listing: bool = False, tags: bool = False) -> None:
        super().__init__()
        self.tags = tags
        self.listing = listing
        """Whether unknown nouns without a quantity are things."""
        self.section: Thing | None = None
        """A scenery that the next clauses go on to describe."""

    def read(self, text: str) -> Reading:
        for order, pattern in _ORDERS:
            text, found = pattern.subn("", text, count=1)
            if found:
                self.reading.order = self.reading.order or order
                text = _SEQUENCE.sub("", text, count=1)
        for part in (part.strip(" ,:") for part in _CLAUSES.split(text)):
            clause = AROUND.sub("", part if len(chinese_word(part, 0)) > 1 else _CONNECTIVE.sub("", part))
            if clause:
                self._clause(clause)
        return self.reading

    # Clauses

    def _clause(self, clause: str) -> None:
        self.scene = None
        kinds = kinds_of(clause)
        if len(clause) <= 14 and "style" in kinds and not kinds & (BEINGS | PARTS | {"thing"}):
            self.reading.styles.append(clause)
        elif _REMARK.match(clause) and self.reading.things:
            if len(clause) <= _LONGEST_REMARK:
                self.reading.styles.append(clause)
        elif shared := _SHARED.match(clause):
            said = clause[shared.end() :]
            self.surround(clause if said.startswith("的") else said.removeprefix("正").removeprefix("在") or clause, "action")
        elif self.current and not self.section and _WRITTEN.match(clause):
            self.current.tail += "," + clause
        elif "背景" in clause:
            self._background(clause)
        elif self._leads(clause):
            self.wall = None
        elif self.section:
            self.section.name += "," + clause
        elif self.current and _OWN.match(clause):
            self.current.tail += "," + clause
        else:
            self._walk(clause)

    def _background(self, clause: str) -> None:
        self.pending = None
        phrase = phrase_at(clause, 0, True)
        start = clause.find("在", phrase.end, clause.index("背景")) if phrase else -1
        if start > 0:
            self._walk(clause[:start])
            self.scene = None
        self.surround(clause[max(start, 0) :], "ambience")

    def _leads(self, clause: str) -> bool:
        """Read a clause that begins with a place; whether it does."""
        if row := leading_row(clause):
            self.row, self.pending, rest = row[0], None, row[1]
        elif placed := leading_place(clause):
            self.row = None
            self.pending, self.definite, rest = placed
            if self.definite and self._is_moved(rest):
                return True
        elif self.current and (beside := leading_beside(clause)):
            self.leading, rest = (beside[0], self.current), beside[1]
        elif anchored := leading_anchor(clause):
            if not self._anchor(*anchored[:2]):
                return False
            rest = anchored[2]
        elif (inside := leading_scene(clause)) and chinese_kind(inside[1]) in SCENERY:
            self._enter(*inside[:2])
            rest = inside[2]
        elif corner := leading_corner(clause):
            self.wall = self.surround(f"在{corner[0]}", "support", leads=True)
            rest = corner[1]
        else:
            return False
        self.section = None
        self.listing = True
        self._rest(rest.strip(":, "))
        self.listing = self.row is not None
        return True

    def _is_moved(self, rest: str) -> bool:
        """Whether 左边的猫 is a cat named before; then it stands there."""
        phrase = phrase_at(rest, 0, True)
        known = self.find(phrase.noun) if phrase and not phrase.quantified else None
        if not phrase or not known or known.place:
            return False
        known.place, self.pending = self.pending, None
        self.current, self.section = known, None
        known.tail += "," + rest[phrase.end :] if rest[phrase.end :] else ""
        return True

    def _anchor(self, words: str, side: str) -> bool:
        """Note what the next thing stands beside or above; whether the words name anything."""
        phrase = phrase_at(words, 0, True)
        if not phrase:
            return False
        known = self.find(phrase.noun)
        scenic = not known and phrase.kind in ("place", "ambience") and not phrase.quantified
        if scenic and phrase.kind == "place" and len(side) > 1 and place_of(side) != Place(None, 0):
            self.surround(f"在{words}里", "place")
            self.pending = place_of(side)
        elif not known and phrase.kind in ("place", "support") and "中" in side:
            self.surround(f"在{words}上" if phrase.kind == "support" else f"在{words}里", phrase.kind)
            self.pending = Place(None, 0)
        elif scenic or (not known and phrase.kind == "support" and side == "上面"):
            self.surround(f"在{words}{side}", phrase.kind)
        else:
            self.leading = (offset_of(side), known or self.add(phrase))
        return True

    def _enter(self, text: str, noun: str) -> None:
        """Note the surroundings that a clause begins with."""
        known = next((thing for thing in self.reading.things if thing.noun == noun), None)
        if known:
            self.leading = (Place(-1, None), known)
            return
        wall = "墙" in noun
        scene = self.surround(text if text.startswith("在") else f"在{text}", chinese_kind(noun), leads=not wall)
        self.wall = scene

    def _rest(self, rest: str) -> None:
        """Read what stands at a place: things, or a section that describes a scenery."""
        if not rest:
            return
        phrase = phrase_at(rest, 0, True, True)
        if self.definite and self.reading.things and (phrase is None or not phrase.kind):
            self.add_member(re.sub("^一?[个只位]", "", rest))
        elif (self.pending or self.leading) and (not phrase or phrase.kind == "ambience"):
            self.section = self.new(Thing(rest, "", "section"))
        else:
            self._walk(rest)

    # Inside a clause

    def _walk(self, clause: str) -> None:
        """Find the phrases of a clause and decide about each. ``held`` is where text begins that nothing has claimed."""
        held = position = 0
        own: Thing | None = None
        while position < len(clause) and not self.reading.full:
            if found := locative(clause, position):
                self._locate(clause, held, found, own)
                own = self.current if own else None
                held = position = found.end
                continue
            starts = position == 0 or clause[position - 1] in ("和与跟同、及或" if own else "和与跟同、及或有是着")
            fresh = starts and position - held < 12 and bool(_JOINING.fullmatch(clause, held, position))
            phrase = phrase_at(clause, position, fresh, self.listing)
            if not phrase:
                position += 1
                continue
            if own is None and self.is_one_of(phrase):
                self.add_member(_ONE.sub("", clause[position:]))
                return
            if own is None and position == held and (again := self.again(phrase)):
                self.current = own = again
                again.tail += ","
                held = phrase.end
            elif self.is_thing(phrase, clause[held:position], own):
                if not self.scene:
                    self.describe(clause[held:position], joins=True)
                own = self.add(phrase)
                held = phrase.end
            position = phrase.end
        self.describe(clause[held:], comma=own is None)
        self.pending = None if own else self.pending

    def _locate(self, clause: str, held: int, found: Locative, own: Thing | None) -> None:
        """Read a phrase such as 在桌子上: a place, a relation or surroundings."""
        link = clause[held : found.start]
        phrase = phrase_at(found.words, 0, True) if found.words else None
        if not found.words:
            self.describe(_POSTURE.sub("", link), joins=True)
            if own and self.current:
                self.current.root.place = self.current.root.place or place_of(found.side)
            else:
                self.pending = place_of(found.side)
        elif own and phrase and found.is_beside and self._stands_alone(phrase, found.side):
            self.describe(link)
            self._relate(own, phrase, offset_of(found.side))
        elif own and phrase and phrase.kind not in SCENERY:
            self.describe(clause[held : found.end])
        else:
            posture = _POSTURE.search(link)
            begin = found.start - (len(posture.group()) if posture else 0)
            self.describe(clause[held:begin], joins=True)
            text = clause[begin : found.end].removeprefix("正")
            self.scene = self.surround(text, found.kind, self.current if own else None)

    def _stands_alone(self, phrase: ChinesePhrase, side: str) -> bool:
        """Whether what something stands beside is a thing, and not surroundings."""
        if phrase.kind in ("place", "ambience"):
            return self.find(phrase.noun) is not None
        return not (phrase.kind == "support" and side == "上面")

    def _relate(self, own: Thing, phrase: ChinesePhrase, offset: Place) -> None:
        known = self.find(phrase.noun)
        if known is None:
            place, pending, self.pending = own.place, self.pending, None
            other = self.add(phrase)
            other.place, other.relation = None, (opposite(offset), own)
            own.place, self.pending = place, pending
        elif known is not own:
            own.relation = own.relation or (offset, known)
