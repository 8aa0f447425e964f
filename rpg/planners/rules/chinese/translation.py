"""English for simple Chinese phrases: colours, shapes, animals and the like; nothing where a word is unknown."""

from __future__ import annotations

import re

from rpg.planners.rules.lexicon import article, chinese_kind, chinese_word, translation
from rpg.planners.rules.reading import Reading

_QUANTITY = re.compile(r"^一(?:大|小)?([个只位名条张本把台件朵颗匹头艘辆架幅座棵扇株枚顶尊间杯瓶碗束])")
_VESSELS = {"杯": "a cup of", "瓶": "a bottle of", "碗": "a bowl of", "束": "a bouquet of"}
_ON = frozenset({"beach", "street", "road", "bridge", "island", "campus", "balcony", "playground", "mountain", "hill"})


def translate(reading: Reading) -> Reading | None:
    """The reading with English texts, or ``None`` unless every word of it has a sure translation."""
    things = []
    for thing in reading.things:
        found = _thing(thing.name)
        if not found or thing.tail or thing.members:
            return None
        things.append((thing, *found))
    scenes = [_scene(scene.text) for scene in reading.scenes]
    styles = [_style(style) for style in reading.styles]
    if not all(scenes) or not all(styles):
        return None
    for thing, name, noun in things:
        thing.name, thing.noun = name, noun
    for scene, text in zip(reading.scenes, scenes, strict=True):
        scene.text = text
    reading.styles, reading.joint = styles, " "
    return reading


def _thing(name: str) -> tuple[str, str] | None:
    """ChinesePhrase and noun for a name such as 一个红色的圆形."""
    quantity = _QUANTITY.match(name)
    words = _words(name[quantity.end() :] if quantity else name)
    if not words or chinese_kind(words[-1]) in ("colour", "adjective", "style", "ambience", "picture", "group"):
        return None
    if any(chinese_kind(word) not in ("colour", "adjective") for word in words[:-1]):
        return None
    english = [translation(word) for word in words]
    vessel = _VESSELS.get(quantity[1]) if quantity else None
    phrase = " ".join(english)
    return (f"{vessel} {phrase}" if vessel else article(phrase)), english[-1]


def _scene(text: str) -> str:
    """Surroundings such as 白色背景 or 在咖啡厅里; empty when not sure."""
    if match := re.fullmatch("(?:在|以)?(?:一个|纯)?(.{1,4}?)(?:的)?背景(?:上|下|中|为背景)?", text):
        words = _words(match[1])
        colour = [translation(word) for word in words if chinese_kind(word) == "colour"]
        return f"on {article(f'{colour[0]} background')}" if len(words) == len(colour) == 1 else ""
    if match := re.fullmatch("在(?:一[个张片座])?(.{1,8}?)(?:里面|里|中|上面|上|内)?", text):
        words = _words(match[1])
        if not words or chinese_kind(words[-1]) not in ("place", "support"):
            return ""
        if any(chinese_kind(word) not in ("colour", "adjective") for word in words[:-1]):
            return ""
        noun = translation(words[-1])
        on = chinese_kind(words[-1]) == "support" or noun in _ON
        return f"{'on' if on else 'in'} {article(' '.join(map(translation, words)))}"
    return ""


def _style(text: str) -> str:
    words = _words(text)
    return " ".join(map(translation, words)) if words else ""


def _words(text: str) -> list[str]:
    """The words of a text; empty unless all have a translation. 的 is left out."""
    words = []
    position = 0
    while position < len(text):
        word = chinese_word(text, position)
        if word and translation(word):
            words.append(word)
        elif text[position] != "的":
            return []
        position += len(word) or 1
    return words
