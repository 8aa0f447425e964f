"""Chinese noun phrases."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rpg.planners.rules.lexicon import ADJECTIVES, BEINGS, PARTS, chinese_kind, chinese_word

_DIGITS = {digit: number for number, digit in enumerate("一二三四五六七八九十", 1)} | {"两": 2, "俩": 2}
_NUMBER = r"(?P<number>[0-9]{1,3}|十[一二三四五六七八九]?|[一二两三四五六七八九]|几|数)"
_MEASURE = (
    r"(?P<measure>[个只位名条张本把台件束杯瓶扇座棵朵颗匹头艘辆架幅轮盏块片对双群盘碗壶串根支枝顶副栋间粒枚尊面道尾些"
    r"套款株堆盒袋篮盆队])"
)
QUANTITY = re.compile(rf"{_NUMBER}(?:大|小)?{_MEASURE}")
SIDE = (
    r"(?:最)?(?:左上角|右上角|左下角|右下角|左上方|右上方|左下方|右下方|左上|右上|左下|右下|左半边|右半边|上半部分|下半部分|左手边|右手边"
    r"|左边|右边|左侧|右侧|左面|右面|左方|右方|上方|下方|上面|下面|上边|下边|上部|下部|顶部|底部|正中间|正中央|中间|中央|正中|中心|居中"
    r"|[左右上下中](?=:|$))"
)
NEAR = r"(?:旁边|身旁|身边|旁|前面|前方|后面|后方|身后|之上|之下|之间)"
FRAME = r"(?:整个)?(?:画面|图片|图像|图中|照片|画)?(?:里|中)?的?"
_SUFFIX = re.compile(rf"的?(?P<side>{SIDE}|{NEAR}|里面|里|中|上|内|下|前|边)")
_FRAMED = re.compile(rf"{FRAME}(?P<side>{SIDE})")
_SEAT = re.compile("的[^,]{1,6}?[上里中下]")
_LIST = re.compile("[和与、][^,的]{1,12}的")
BREAKS = re.compile(r"和|与|跟|、|以及|还有|及|或|,")


@dataclass(frozen=True)
class ChinesePhrase:
    """A noun phrase; ``name`` is that of a single one."""

    start: int
    end: int
    name: str
    noun: str
    kind: str
    count: int = 1
    quantified: bool = False
    many: str = ""


@dataclass(frozen=True)
class Locative:
    """A phrase that begins with 在: ``words`` name what something is in or beside, ``side`` says where."""

    start: int
    end: int
    words: str
    side: str
    kind: str

    @property
    def is_beside(self) -> bool:
        """Whether it names a place beside the words, and not inside."""
        return self.side == "旁" or (len(self.side) > 1 and self.side != "里面")


def locative(text: str, start: int) -> Locative | None:
    """The phrase that begins with 在 at ``start``, if one does."""
    if text[start] != "在":
        return None
    body = position = start + 1
    if frame := _FRAMED.match(text, body):
        seat = _SEAT.match(text, frame.end())
        return Locative(start, seat.end() if seat else frame.end(), "", frame["side"], "")
    bare = None
    while position < min(len(text), body + 28) and text[position] != ",":
        word = chinese_word(text, position)
        position += len(word) or 1
        kind = chinese_kind(word)
        if not word or kind in ADJECTIVES or _goes_on(text, position):
            continue
        if suffix := _SUFFIX.match(text, position):
            return Locative(start, suffix.end(), text[body:position], suffix["side"], kind)
        if kind in ("place", "ambience") and bare is None and text[position : position + 1] != "的":
            bare = Locative(start, position, text[body:position], "", kind)
    return bare


def _goes_on(text: str, position: int) -> bool:
    """Whether another noun follows, which the one before only describes."""
    following = chinese_word(text, position)
    return bool(following) and chinese_kind(following) not in ADJECTIVES


def kinds_of(text: str) -> set[str]:
    """The kinds of the known words in a text."""
    kinds = set()
    position = 0
    while position < len(text):
        word = chinese_word(text, position)
        kinds.add(chinese_kind(word))
        position += len(word) or 1
    return kinds - {""}


def phrase_at(text: str, start: int, fresh: bool, listing: bool = False) -> ChinesePhrase | None:
    """The noun phrase that begins at ``start``: with a quantity, or (where ``fresh``) without one."""
    quantity = QUANTITY.match(text, start)
    if quantity:
        return _quantified(text, start, quantity)
    return _bare(text, start, listing) if fresh else None


def _quantified(text: str, start: int, quantity: re.Match[str]) -> ChinesePhrase | None:
    number, measure = quantity["number"], quantity["measure"]
    count = int(number) if number.isdigit() else sum(_DIGITS.get(digit, 0) for digit in number) or 1
    end, noun, kind = _head(text, quantity.end())
    if end <= quantity.end():
        return None
    rest = text[quantity.end() : end]
    if measure in "些群堆队" or number in ("几", "数"):
        return ChinesePhrase(start, end, text[start:end], noun, kind, 1, True)
    if measure in "对双" and kind in BEINGS:
        return ChinesePhrase(start, end, rest if kind == "group" else f"一个{rest}", noun, kind, 2 * count, True, text[start:end])
    name = text[start:end] if number == "一" else f"一{measure}{rest}"
    return ChinesePhrase(start, end, name, noun, kind, max(count, 1), True, text[start:end])


def _head(text: str, start: int) -> tuple[int, str, str]:
    """End, noun and kind of the head of a noun phrase: the first noun that describes no other noun."""
    position = start
    fallback = (start, "", "")
    while position < min(len(text), start + 40) and text[position] != ",":
        if fallback[1] and (QUANTITY.match(text, position) or BREAKS.match(text, position)) and not _wears(text, start, position):
            following = BREAKS.match(text, position)
            if not following or text[position] != "、" or QUANTITY.match(text, following.end()):
                break
        if not fallback[1] and (following := BREAKS.match(text, position)) and QUANTITY.match(text, following.end()):
            return position, text[start:position][-2:], ""
        word = chinese_word(text, position)
        if not word:
            if not fallback[1] and text[position] in "在正,是" and position > start:
                return position, text[start:position][-2:], ""
            position += 1
            continue
        position += len(word)
        kind = chinese_kind(word)
        if kind in ADJECTIVES or text[position : position + 1] == "的" or _goes_on(text, position):
            continue
        if kind not in PARTS and kind != "style" and not _wears(text, start, position):
            return position, word, kind
        fallback = (position, word, kind)
    if fallback[1] or all(chinese_kind(char) for char in text[start : start + 2]):
        return fallback
    stop = BREAKS.search(text, start)
    end = min(stop.start() if stop else len(text), start + 12)
    return end, text[start:end][-2:], ""


def _adjectival(text: str) -> bool:
    """Whether a text holds nothing but adjectives."""
    position = 0
    while position < len(text):
        word = chinese_word(text, position)
        if text[position] != "的" and chinese_kind(word) not in ADJECTIVES:
            return False
        position += len(word) or 1
    return True


def _wears(text: str, start: int, position: int) -> bool:
    """Whether a list at ``position`` goes on inside the description of a being: 穿着T恤和牛仔裤的男孩."""
    listed = _LIST.match(text, position)
    if not listed or not re.search("[穿戴拿抱背持捧提]", text[start:position]) or QUANTITY.search(listed.group()):
        return False
    return any(
        chinese_kind(chinese_word(text, place)) in BEINGS for place in range(listed.end(), min(listed.end() + 8, len(text)))
    )


def _bare(text: str, start: int, listing: bool) -> ChinesePhrase | None:
    position = start
    while position < min(len(text), start + 24) and text[position] not in ",、":
        word = chinese_word(text, position)
        kind = chinese_kind(word)
        position += len(word) or 1
        if not word or kind in ADJECTIVES | {"style"} or text[position : position + 1] == "的" or _goes_on(text, position):
            continue
        before = text[start : position - len(word)]
        if len(word) == 1 and before and not any(chinese_kind(before[-length:]) or before.endswith("的") for length in (1, 2, 3)):
            continue
        if re.search("[着了在正被把是有]", before.rpartition("的")[2]) or (kind in PARTS and not listing):
            return None
        return ChinesePhrase(start, position, text[start:position], word, kind)
    if listing:
        stop = BREAKS.search(text, start)
        end = stop.start() if stop else len(text)
        if _adjectival(text[start:end]):
            return None
        if start < end <= start + 12 and not re.search("[着了在被把]", text[start:end]):
            return ChinesePhrase(start, end, text[start:end], text[start:end][-2:], "")
    return None
