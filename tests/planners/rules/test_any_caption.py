"""What holds for every caption: no crash, brackets in pairs, no word lost, no empty region, and little time."""

from __future__ import annotations

import contextlib
import re
import time

from hypothesis import example, given
from hypothesis import strategies as st

from rpg.errors import PlannerError
from rpg.plan import Plan
from rpg.planners.rules import content, lexicon, plan
from tests.fuzz import fuzz
from tests.planners.replies import records
from tests.planners.rules.test_kinds import WRITTEN_BEFOREHAND
from tests.planners.rules.test_rules import PROMPTS

SECONDS = 0.03
_ENGLISH = """
a an the two three five 12 3 one another some his its her their it she they of in on at with near behind left right
on~the~left on~the~right in~front~of next~to on~top~of above below between and while but each both is are wears holding
cat cats dog girl girls woman man knight wizard kettle apples lemons sheep shrimp scissors boots shirt hair hat armor
table sofa park castle beach cafe sky sunset night road lid handle painting photo picture image scene watercolor anime 8k
red blue round wooden sleek shiny old young flobber Batman Hogwarts zorbing standing sitting dancing hang evokes peace
1girl 2boys solo masterpiece score_9 35 mm pair group bouquet BREAK ADDCOL ADDROW ADDBASE ADDCOMM
The~image~shows In~the~foreground,
"""
_CHINESE = """
一个 两只 三位 2 从左到右 左边是 右边的 上面写着 上面有 旁边 在 的 和 与 、 是 有 着 他们 它 猫 狗 女孩 老人 苹果
花瓶 桌子 墙上 公园里 红色 木头 穿着 裙子 帽子 和服 坐在 水彩风格 使用相机拍摄 背景 白色背景 饕餮 球衣
"""
_SYNTAX = r"""
( ) [ ] { } < > ( ( ) ) :1.2) :0.5] | : , . ; ! ? " ' “ ” 「 」 \( \) \ (red:1.3) [cat:dog:0.5] [cat|dog] {a|b}
__animal__ <lora:x:0.8> misty~\(pokemon\) “a，b” ， 。 ； （ ） é ß 😀
"""
ENGLISH, CHINESE, SYNTAX = ([word.replace("~", " ") for word in text.split()] for text in (_ENGLISH, _CHINESE, _SYNTAX))
SYNTAX += ["\ue000", "\ud800"]  # of the private use area, and no character
captions = st.builds(
    lambda words, joint: joint.join(words),
    st.lists(st.sampled_from(ENGLISH + CHINESE + SYNTAX), max_size=40),
    st.sampled_from([" ", " ", ""]),
)
SAMPLE = [
    "A ceramic teapot stands on a windowsill, and two cups wait beside it; steam curls upwards while rain taps the glass.",
    "Rain-soaked market at dusk: a fishmonger weighs (silver herring:1.2) under a lantern, an old accordionist plays nearby.",
    "portrait of a beekeeper, amber light, freckles, wicker mask lifted, meadow behind her, medium format film",
    "Three ceramic owls on a shelf. The left owl is cracked. The middle owl wears glasses. Dust floats in the light.",
    "一位修表匠坐在昏暗的小店里，左边是一排怀表，右边是一盏绿色台灯，窗外下着雨。",
    *(entry["prompt"] for entry in PROMPTS),
    *(caption for cases in WRITTEN_BEFOREHAND.values() for caption, *_ in cases),
    *sorted({record.caption for record in records()}),
]
"""In the project's own words, and those of the original's gallery."""


def unbalanced(text: str) -> bool:
    """Whether a bracket has no partner; escaped ones do not count."""
    waiting = []
    for sign in re.findall(r"\\.|[()\[\]{}]", text):
        if sign in ("(", "[", "{"):
            waiting.append(sign)
        elif sign in (")", "]", "}") and (not waiting or waiting.pop() + sign not in ("()", "[]", "{}")):
            return True
    return bool(waiting)


def words_of(text: str) -> list[str]:
    """The words of a text that show something."""
    bare = re.sub(r"<\w+:[^<>]*>|\b(?:BREAK|ADD[A-Z]+)\b", " ", text).lower()
    empty = lexicon.FUNCTION_WORDS | set(lexicon.COUNTS) | content.LEADS
    return [word for word in re.findall(r"[a-z]{3,}", bare) if word not in empty]


def faults(caption: str) -> list[str]:
    try:
        made = plan(caption)
    except PlannerError:
        return []
    assert Plan.from_dict(made.to_dict()) == made
    assert made.caption == caption
    texts = [region.prompt for region in made.regions]
    found = [f"unbalanced: {text!r}" for text in [*texts, made.base_prompt] if unbalanced(text)]
    if content.shows(re.sub(rf"<\w+:[^<>]*>|\b(?:BREAK|ADD[A-Z]+)\b|[()\[\]{{}}{lexicon.PRIVATE}]", " ", caption)):
        found += [f"shows nothing: {text!r}" for text in texts if not content.shows(text)]
    shown = " ".join([*texts, (made.base_prompt or caption) if made.base_ratio else ""]).lower()
    shown += re.sub(r":[0-9.]+(?=\))|[()\[\]{}]", "", shown)
    lost = [word for word in words_of(caption) if word[: max(3, len(word) - 3)] not in shown]
    if re.search("[㐀-鿿]", shown):
        lost += [sign for sign in re.findall("[猫狗孩老苹花桌墙园红穿裙帽服坐饕衣]", caption) if sign not in shown]
    return found + ([f"lost: {lost} of {texts}"] if lost else [])


@fuzz
@given(captions)
@example("( a cat ) ) and [ a dog")
@example("左边是{ }，右边是一只猫")
@example("左边是{5}，右边是猫")
@example("{5} on the left, [|] on the right")
@example("a\ue000a\\(")
def test_no_word_is_lost_and_brackets_are_paired(caption: str) -> None:
    assert not faults(caption)


@fuzz
@given(captions)
def test_a_caption_takes_at_most_thirty_milliseconds(caption: str) -> None:
    def seconds() -> float:
        start = time.process_time()
        with contextlib.suppress(PlannerError):
            plan(caption)
        return time.process_time() - start

    assert any(seconds() <= SECONDS for _ in range(3))


def test_no_word_of_what_people_write_is_lost() -> None:
    assert len(SAMPLE) > 150
    assert {caption: found for caption in SAMPLE if (found := faults(caption))} == {}
