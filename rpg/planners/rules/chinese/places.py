"""The words of a Chinese caption that say where things stand."""

from __future__ import annotations

import re

from rpg.planners.rules.chinese.phrases import FRAME, NEAR, QUANTITY, SIDE
from rpg.planners.rules.lexicon import BEINGS, chinese_kind, chinese_word
from rpg.planners.rules.reading import Place

_EXISTS = (
    r"(?:是|有|为|(?:跟|围|摆放|排列|悬挂|矗立|坐落|生长|盛开|漂浮|静静躺|放|摆|"
    r"站|坐|躺|趴|挂|停|立|飘|画|长|种|堆|铺|竖|漂|贴|跪|蹲|睡|悬|住)(?:着|了|有))"
)
_VERB = rf"(?:则|分别|各|都|还)?{_EXISTS}?"
AROUND = re.compile(rf"(?:在)?(?:远处|远方|附近|周围|四周|近处)的?{_EXISTS}")
_CORNER = re.compile(rf"(?P<x>[^,在着]{{1,6}}[边旁处前里上下中])(?:则|各|还)?{_EXISTS}(?={QUANTITY.pattern})")
_LEADING = re.compile(rf"(?:在)?(?:{FRAME})(?P<side>{SIDE})(?:(?P<de>的)|,?{_VERB})")
_BESIDE = re.compile(rf"(?:在)?(?:它|他|她|其)?(?:的)?(?P<side>{NEAR})(?:的|{_VERB})")
_ROW = re.compile(
    rf"(?:在)?(?:最)?(?P<row>第[一二三四五六]|上|下|中|中间|顶|底|前|后)(?:面|边|部|方)?(?:那|的)?一?(?:排|行|层)(?:的|:)?{_VERB}"
)
_ROWS = {"上": -9, "顶": -9, "后": -9, "中": 2, "中间": 2} | {
    f"第{digit}": number for number, digit in enumerate("一二三四五六", 1)
}
_ANCHORED = re.compile(rf"(?P<x>[^,]{{1,24}}?)的?(?P<side>{SIDE}|{NEAR}|下)(?:则|各|还)?{_EXISTS}")
_INSIDE = re.compile(rf"(?:的)?(?:里面|里|中|上|内)(?:(?:则|各|还)?{_EXISTS}|$)")


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
