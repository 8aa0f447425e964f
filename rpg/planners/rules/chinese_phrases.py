"""Chinese noun phrases and the words that say where things stand."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rpg.planners.rules.lexicon import ADJECTIVES, BEINGS, PARTS, chinese_kind, chinese_word
from rpg.planners.rules.reading import Place

_DIGITS = {digit: number for number, digit in enumerate("一二三四五六七八九十", 1)} | {"两": 2, "俩": 2}
_NUMBER = r"(?P<number>[0-9]{1,3}|十[一二三四五六七八九]?|[一二两三四五六七八九]|几|数)"
_MEASURE = r"(?P<measure>[个只位名条张本把台件束杯瓶扇座棵朵颗匹头艘辆架幅轮盏块片对双群盘碗壶串根支枝顶副栋间粒枚尊面道尾些套款株堆盒袋篮盆队])"
_QUANTITY = re.compile(rf"{_NUMBER}(?:大|小)?{_MEASURE}")
_EXISTS = r"(?:是|有|为|(?:跟|围|摆放|排列|悬挂|矗立|坐落|生长|盛开|漂浮|静静躺|放|摆|站|坐|躺|趴|挂|停|立|飘|画|长|种|堆|铺|竖|漂|贴|跪|蹲|睡|悬|住)(?:着|了|有))"
_VERB = rf"(?:则|分别|各|都|还)?{_EXISTS}?"
SIDE = (
    r"(?:最)?(?:左上角|右上角|左下角|右下角|左上方|右上方|左下方|右下方|左上|右上|左下|右下|左半边|右半边|上半部分|下半部分|左手边|右手边"
    r"|左边|右边|左侧|右侧|左面|右面|左方|右方|上方|下方|上面|下面|上边|下边|上部|下部|顶部|底部|正中间|正中央|中间|中央|正中|中心|居中"
    r"|[左右上下中](?=:|$))"
)
_NEAR = r"(?:旁边|身旁|身边|旁|前面|前方|后面|后方|身后|之上|之下|之间)"
_FRAME = r"(?:整个)?(?:画面|图片|图像|图中|照片|画)?(?:里|中)?的?"
AROUND = re.compile(rf"(?:在)?(?:远处|远方|附近|周围|四周|近处)的?{_EXISTS}")
_CORNER = re.compile(rf"(?P<x>[^,在着]{{1,6}}[边旁处前里上下中])(?:则|各|还)?{_EXISTS}(?={_QUANTITY.pattern})")
_LEADING = re.compile(rf"(?:在)?(?:{_FRAME})(?P<side>{SIDE})(?:(?P<de>的)|,?{_VERB})")
_BESIDE = re.compile(rf"(?:在)?(?:它|他|她|其)?(?:的)?(?P<side>{_NEAR})(?:的|{_VERB})")
_ROW = re.compile(
    rf"(?:在)?(?:最)?(?P<row>第[一二三四五六]|上|下|中|中间|顶|底|前|后)(?:面|边|部|方)?(?:那|的)?一?(?:排|行|层)(?:的|:)?{_VERB}"
)
_ROWS = {"上": -9, "顶": -9, "后": -9, "中": 2, "中间": 2} | {
    f"第{digit}": number for number, digit in enumerate("一二三四五六", 1)
}
_ANCHORED = re.compile(rf"(?P<x>[^,]{{1,24}}?)的?(?P<side>{SIDE}|{_NEAR}|下)(?:则|各|还)?{_EXISTS}")
_SUFFIX = re.compile(rf"的?(?P<side>{SIDE}|{_NEAR}|里面|里|中|上|内|下|前|边)")
_INSIDE = re.compile(rf"(?:的)?(?:里面|里|中|上|内)(?:(?:则|各|还)?{_EXISTS}|$)")
BREAKS = re.compile(r"和|与|跟|、|以及|还有|及|或|,")


@dataclass(frozen=True)
class Phrase:
    """A noun phrase; ``name`` is that of a single one."""

    start: int
    end: int
    name: str
    noun: str
    kind: str
    count: int = 1
    quantified: bool = False
    many: str = ""


def place_of(words: str) -> Place:
    """The place that words such as 左上角 name."""
    row = -1 if re.search("上|顶", words) else 1 if re.search("下|底", words) else None
    column = -1 if "左" in words else 1 if "右" in words else None
    return Place(row, column) if (row, column) != (None, None) else Place(None, 0)


def offset_of(words: str) -> Place:
    """Where something stands that is said to be beside, before or above something else."""
    if re.search("旁|之间|身边", words):
        return Place(None, -1)
    if re.search("前", words):
        return Place(1, None)
    return Place(-1, None) if re.search("后", words) else place_of(words)


def leading_place(clause: str) -> tuple[Place, bool, str] | None:
    """Place, whether 的 follows, and the rest of a clause such as 左边是一只猫."""
    match = _LEADING.match(clause)
    return (place_of(match["side"]), bool(match["de"]), clause[match.end() :]) if match else None


def leading_row(clause: str) -> tuple[Place, str] | None:
    match = _ROW.match(clause)
    return (Place(_ROWS.get(match["row"], 9)), clause[match.end() :]) if match else None


def leading_beside(clause: str) -> tuple[Place, str] | None:
    """Offset from what was named before, and the rest of a clause such as 旁边是一只猫."""
    match = _BESIDE.match(clause)
    if not match:
        return None
    offset = offset_of(match["side"])
    return (Place(None, 1) if offset.column else offset), clause[match.end() :]


def leading_anchor(clause: str) -> tuple[str, str, str] | None:
    """Anchor, side and the rest of a clause such as 桌子上方有一扇窗户."""
    match = _ANCHORED.match(clause)
    return (match["x"].removeprefix("在"), match["side"], clause[match.end() :]) if match else None


def leading_scene(clause: str) -> tuple[str, str, str] | None:
    """Surroundings, their noun and the rest of a clause such as 桌子上有一只猫."""
    for position in range(min(len(clause), 24)):
        word = chinese_word(clause, position)
        if clause[position] in "着," or (clause[position] == "在" and position) or chinese_kind(word) in BEINGS | {"thing"}:
            return None
        for length in range(len(word), 0, -1):
            noun, after = word[:length], position + length
            match = _INSIDE.match(clause, after) if chinese_kind(noun) else None
            if match:
                inside = clause[: after + 2] if clause[after : after + 2] == "里面" else clause[: after + 1]
                return inside, noun, clause[match.end() :]
        if word.endswith("上") and (match := re.compile(_EXISTS).match(clause, position + len(word))):
            return clause[: position + len(word)], word, clause[match.end() :]
    return None


def leading_corner(clause: str) -> tuple[str, str] | None:
    """An unknown spot and the rest of a clause such as 窗边放着一盆花."""
    match = _CORNER.match(clause)
    return (match["x"], clause[match.end() :]) if match else None


def locative(text: str, start: int) -> tuple[int, str, str] | None:
    """End, noun phrase and side of a phrase that begins with 在 at ``start``."""
    body = start + 1
    frame = re.compile(rf"{_FRAME}(?P<side>{SIDE})").match(text, body)
    if frame:
        return frame.end(), "", frame["side"]
    limit = min(len(text), body + 28)
    position = body
    bare = None
    while position < limit and text[position] != ",":
        word = chinese_word(text, position)
        if not word:
            position += 1
            continue
        position += len(word)
        kind = chinese_kind(word)
        if kind in ADJECTIVES or (chinese_word(text, position) and chinese_kind(chinese_word(text, position)) not in ADJECTIVES):
            continue
        suffix = _SUFFIX.match(text, position)
        if suffix:
            return suffix.end(), text[body:position], suffix["side"]
        if kind in ("place", "ambience") and bare is None and text[position : position + 1] != "的":
            bare = (position, text[body:position], "")
    return bare


def phrase_at(text: str, start: int, fresh: bool, listing: bool = False) -> Phrase | None:
    """The noun phrase that begins at ``start``: with a quantity, or (where ``fresh``) without one."""
    quantity = _QUANTITY.match(text, start)
    if quantity:
        return _quantified(text, start, quantity)
    return _bare(text, start, listing) if fresh else None


def _quantified(text: str, start: int, quantity: re.Match[str]) -> Phrase | None:
    number, measure = quantity["number"], quantity["measure"]
    count = int(number) if number.isdigit() else sum(_DIGITS.get(digit, 0) for digit in number) or 1
    end, noun, kind = _head(text, quantity.end())
    if end <= quantity.end():
        return None
    rest = text[quantity.end() : end]
    if measure in "些群堆队" or number in ("几", "数"):
        return Phrase(start, end, text[start:end], noun, kind, 1, True)
    if measure in "对双" and kind in BEINGS:
        return Phrase(start, end, rest if kind == "group" else f"一个{rest}", noun, kind, 2 * count, True, text[start:end])
    name = text[start:end] if number == "一" else f"一{measure}{rest}"
    return Phrase(start, end, name, noun, kind, max(count, 1), True, text[start:end])


def _head(text: str, start: int) -> tuple[int, str, str]:
    """End, noun and kind of the head of a noun phrase: the first noun that describes no other noun."""
    position = start
    fallback = (start, "", "")
    while position < min(len(text), start + 40) and text[position] != ",":
        if (_QUANTITY.match(text, position) or BREAKS.match(text, position)) and fallback[1]:
            following = BREAKS.match(text, position)
            if not following or text[position] != "、" or _QUANTITY.match(text, following.end()):
                break
        if not fallback[1] and (following := BREAKS.match(text, position)) and _QUANTITY.match(text, following.end()):
            return position, text[start:position][-2:], ""
        word = chinese_word(text, position)
        if not word:
            if not fallback[1] and text[position] in "在正,是" and position > start:
                return position, text[start:position][-2:], ""
            position += 1
            continue
        position += len(word)
        kind = chinese_kind(word)
        following = chinese_word(text, position)
        if (
            kind in ADJECTIVES
            or text[position : position + 1] == "的"
            or (following and chinese_kind(following) not in ADJECTIVES)
        ):
            continue
        if kind not in PARTS and kind != "style":
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


def _bare(text: str, start: int, listing: bool) -> Phrase | None:
    position = start
    while position < min(len(text), start + 24) and text[position] not in ",、":
        word = chinese_word(text, position)
        kind = chinese_kind(word)
        position += len(word) or 1
        following = chinese_word(text, position)
        if not word or kind in ADJECTIVES | {"style"} or text[position : position + 1] == "的":
            continue
        if following and chinese_kind(following) not in ADJECTIVES:
            continue
        before = text[start : position - len(word)]
        if len(word) == 1 and before and not any(chinese_kind(before[-length:]) or before.endswith("的") for length in (1, 2, 3)):
            continue
        if re.search("[着了在正被把是有]", before.rpartition("的")[2]) or (kind in PARTS and not listing):
            return None
        return Phrase(start, position, text[start:position], word, kind)
    if listing:
        stop = BREAKS.search(text, start)
        end = stop.start() if stop else len(text)
        if _adjectival(text[start:end]):
            return None
        if start < end <= start + 12 and not re.search("[着了在被把]", text[start:end]):
            return Phrase(start, end, text[start:end], text[start:end][-2:], "")
    return None
