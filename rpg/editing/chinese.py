"""Chinese instructions in simple words, such as 把左边的圆形改成绿色, as the English ones that the rules know."""

from __future__ import annotations

import re

from rpg.editing.words import read
from rpg.planners.rules.content import HAN
from rpg.planners.rules.lexicon import chinese_kind, translation

_TAKE = "删除|删掉|去掉|去除|移除|擦掉|擦除|拿掉|拿走"
_PUT = "添加|增加|加上|加入|画上|加"
_GO = "移动到|移到|挪到|放到|搬到"
_BECOME = "改成|改为|变成|变为|换成|换为|涂成|染成|替换成|替换为"
_CLAUSES = re.compile(
    rf"\s*(?:[。；;，,、！!]|然后|接着|并且|再|并)+\s*|和(?=(?:{_TAKE}|{_PUT}))|(?<=[^请])(?=(?:把|将).+(?:{_TAKE}|{_GO}|{_BECOME}))"
)
_SIDES = {"左": "left", "右": "right", "上": "top", "顶": "top", "下": "bottom", "底": "bottom", "中": "middle"}
_SIDE = "([左右上顶下底中])(?:[边侧面方部间央]|半边)?"
_FORMS = [
    ("become", re.compile(rf"(?:把|将|让)?(?P<old>.+?)(?:的颜色)?(?:{_BECOME})(?P<new>.+)")),
    ("remove", re.compile(rf"(?:把|将)(?P<old>.+?)(?:{_TAKE})|(?:{_TAKE})(?P<other>.+)")),
    ("move", re.compile(rf"(?:把|将)?(?P<old>.+?)(?:{_GO})(?:画面|图片)?(?:最)?{_SIDE}")),
    ("add", re.compile(rf"(?:在(?:画面|图片)?(?:的)?{_SIDE}(?:的位置)?)?(?:{_PUT})(?P<new>.+)")),
]


def in_english(instruction: str) -> str:
    """The instruction in English; as it is where it is not Chinese, or has words without a sure translation."""
    if not HAN.search(instruction):
        return instruction
    clauses = [_clause(clause) for clause in _CLAUSES.split(instruction.strip().removeprefix("请")) if clause]
    return "; ".join(clauses) if all(clauses) else instruction


def _clause(clause: str) -> str:
    words = re.sub(r"^请|\s", "", clause)
    for kind, form in _FORMS:
        if found := form.fullmatch(words):
            return _english(kind, found)
    return ""


def _english(kind: str, found: re.Match[str]) -> str:
    if kind == "add":
        new = _thing(found["new"])
        return f"add {new}{_at(found[1])}" if new else ""
    old = _that(found["old"] or found.groupdict().get("other") or "")
    if not old:
        return ""
    if kind == "remove":
        return f"remove {old}"
    if kind == "move":
        return f"move {old}{_at(found[2]).replace(' at ', ' to ').replace(' on ', ' to ').replace(' in ', ' to ')}"
    colour = found["new"].removesuffix("的")
    if chinese_kind(colour) == "colour":
        return f"make {old} {translation(colour)}"
    new = _thing(found["new"])
    return f"replace {old} with {new}" if new else ""


def _at(side: str | None) -> str:
    word = _SIDES.get(side or "", "")
    return word and {"top": " at the ", "bottom": " at the ", "middle": " in the "}.get(word, " on the ") + word


def _thing(words: str) -> str:
    """A thing with its article; empty where it is not understood."""
    reading = read(words if words[:1] in "一两三" else f"一个{words}")
    named = [thing.name for thing in reading.things]
    return named[0] if len(named) == 1 and not HAN.search(named[0]) else ""


def _that(words: str) -> str:
    """What is there, such as "the left circle"."""
    words = re.sub(r"^(?:那个|这个|那|这)", "", words)
    place = re.match(rf"(?:画面|图片)?{_SIDE}的", words)
    name = re.sub(r"^(?:an?|one|the) ", "", _thing(words[place.end() :] if place else words))
    side = _SIDES[place[1]] if place else ""
    return name and f"the {side} {name}".replace("  ", " ")
