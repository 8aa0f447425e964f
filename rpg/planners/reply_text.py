"""Answers in words: "Final split ratio: ..." and "Regional Prompt: ... BREAK ..." in the shapes that models give them."""

from __future__ import annotations

import json
import re
from itertools import pairwise

from rpg.planners import outline
from rpg.planners.outline import Outline, Unreadable

_MOST_LABELS = 20
"""Labels that are tried, from the last, until one has region prompts behind it."""

_AFTER = r"[ )\]\"'”’]{0,4}"
_BEFORE = r"[\s\"'“‘(\[$\\]{0,12}"
_RATIO_NAME = r"(?:split[ _-]?ratios?|(?:分割|拆分|划分|分区)比例)"
_RATIO = re.compile(
    rf"(?:(?:final|overall)[ _-]?ratio|{_RATIO_NAME}){_AFTER}(?:[:：=]|is\b|为|是|(?=\n)){_BEFORE}"
    r"(?P<value>[0-9０-９.．](?:[0-9０-９.．%％,，;；、 ]|(?<=[,;，；、])\n)*)?(?P<rest>[^\n]{0,60})",
    re.IGNORECASE,
)
_PROMPT = re.compile(
    rf"(?:region(?:al|s)?[ _-]?prompts?|(?:区域|分区)提示词?){_AFTER}(?:[（(][^)）\n]{{0,60}}[)）] ?)?(?:[:：]|(?=\n))",
    re.IGNORECASE,
)
_CAPTION = re.compile(r"^[\W_]{0,8}caption ?[:：] ?(.*)$", re.IGNORECASE | re.MULTILINE)
_BASE_PROMPT = re.compile(r"^[\W_]{0,8}(?:base[ _-]?prompt|基础提示词?)[ \"']{0,3}[:：] ?(.*)$", re.IGNORECASE | re.MULTILINE)
_BASE_RATIO = re.compile(r"^[\W_]{0,8}(?:base[ _-]?ratio|基础比例)[ \"']{0,3}[:：=] ?(.*)$", re.IGNORECASE | re.MULTILINE)
_NO_REMARK = re.compile(r"[ ]*[(（,，;；].*")
_END = re.compile(
    r"^[\W_]{0,8}(?:(?:final |overall )?(?:split[ _-]?)?ratio\b|base[ _-]?(?:prompt|ratio)\b|negative[ _]prompts?\b"
    r"|caption ?[:：]|(?:explanation|notes?|reasoning|rationale|key entit\w+)\b[^\n:：]{0,20}[:：]"
    r"|this (?:layout|plan|split|arrangement|composition|division)\b|基础(?:提示|比例)|(?:说明|注|注意|解释|理由)[:：])"
    r"|^ ?(?:-{3,}|={3,}|_{3,}) ?$",
    re.IGNORECASE | re.MULTILINE,
)
_BULLET = r"(?:[-•*+] |[(（]?\d{1,2}[.)）、](?!\d) ?)"
_PLACE = r"[（(\[][^)）\]\n]{0,80}[)）\]]"
_REGION = (
    r"(?:row ?\d{1,2} ?[,，\-] ?)?(?:region|area|row|区域|分区) ?[-_#]? ?\d{1,2} ?"
    rf"(?:{_PLACE} ?)?[:：\-–—] ?(?:[（(](?:row|width|height|行|列|宽|高)[^)）\n]{{0,80}}[)）] ?)?"
    r"(?:(?:left|right|top|bottom|upper|lower|cent(?:er|re)|middle|左|右|上|下|中)[^:：.\n]{0,20}[:：] ?)?"
    r"|[（(\[](?:region|区域) ?\d{1,2}[)）\]] ?[:：]? ?"
)
_ITEM = re.compile(rf"^ ?(?:{_BULLET}(?:{_REGION})?|{_REGION})", re.IGNORECASE | re.MULTILINE)
_LABEL = re.compile(rf"(?:{_BULLET})?(?:{_REGION})", re.IGNORECASE)
_NUMBERED = re.compile(_BULLET)


def read_text(answer: str, caption: str) -> Outline:
    """The last plan that is written in words.

    Raises:
        Unreadable: when there is none, or it is incomplete.
    """
    text = _before_the_next_caption(_plain(answer), caption)
    ratio, prompt = _last_pair(text)
    prompts = _prompts(_body(text, prompt.end()), ratio["value"])
    base_prompts, base_ratios = _BASE_PROMPT.findall(text), _BASE_RATIO.findall(text)
    return Outline(
        prompts=prompts,
        split_ratio=outline.ratio_text(ratio["value"], len(prompts)),
        base_prompt=outline.base_prompt(base_prompts[-1]) if base_prompts else None,
        base_ratio=outline.base_ratio(_NO_REMARK.sub("", base_ratios[-1]).strip()) if base_ratios else None,
        notes=text[: min(ratio.start(), prompt.start())].rstrip(" #>*_-\n").removesuffix("Final").rstrip(),
    )


def _plain(text: str) -> str:
    """Without Markdown, and with one kind of space and line end."""
    text = re.sub(r"\r\n?", "\n", text)
    text = re.sub(r"^[^\S\n]*```[^\n]*$", "\n", text, flags=re.MULTILINE)
    text = text.replace("**", "").replace("`", "")
    text = re.sub(r"[^\S\n]+", " ", text)
    return re.sub(r"(?: ?\n){3,}", "\n\n", text)


def _before_the_next_caption(text: str, caption: str) -> str:
    """Small models go on with examples of their own: what follows another caption after a whole answer is not ours."""
    ratio, prompt = _RATIO.search(text), _PROMPT.search(text)
    if ratio and prompt:
        for match in _CAPTION.finditer(text, max(ratio.end(), prompt.end())):
            if match[1].strip(" .\"'") != caption.strip(" .\"'"):
                return text[: match.start()]
    return text


def _last_pair(text: str) -> tuple[re.Match[str], re.Match[str]]:
    """The last split ratio and the region prompts that belong to it."""
    ratios = [match for match in _RATIO.finditer(text) if match["value"]]
    labels = list(_PROMPT.finditer(text))
    prompt = next((match for match in labels[: -_MOST_LABELS - 1 : -1] if _body(text, match.end()).strip()), None)
    if not ratios:
        if prompt:
            raise Unreadable("The answer has region prompts, but no 'Final split ratio:' with numbers such as 0.5,0.5.")
        raise Unreadable("The answer holds no plan, neither as JSON nor as 'Final split ratio:' and 'Regional Prompt:'.")
    if not prompt:
        raise Unreadable("The answer has a split ratio, but no 'Regional Prompt:' with the prompts of the regions.")
    ratio = ratios[-1]
    if re.match(r"[\w/:×-]", ratio["rest"]) and not ratio["value"].endswith((" ", "\n")):
        raise Unreadable(
            f"The split ratio {(ratio['value'] + ratio['rest'])[:40]!r} cannot be read; write decimals such as 0.5,0.5."
        )
    earlier = [match for match in ratios if match.start() < prompt.start()]
    repeated = earlier and _same(earlier[-1]["value"], ratio["value"])
    if earlier and not repeated and ratios[0].start() < labels[0].start():
        raise Unreadable("The last 'Final split ratio:' is followed by no 'Regional Prompt:'; give both.")
    return ratio, prompt


def _same(ratio: str, other: str) -> bool:
    return outline.ratio_text(ratio).replace(" ", "") == outline.ratio_text(other).replace(" ", "")


def _body(text: str, start: int) -> str:
    """The text of a regional prompt: up to the next label."""
    ends = [match.start() for pattern in (_END, _RATIO, _PROMPT) if (match := pattern.search(text, start + 1))]
    return text[start : min(ends, default=len(text))]


def _prompts(body: str, ratio: str) -> list[str]:
    body = body.strip()
    if body.startswith("["):
        try:
            value, _ = json.JSONDecoder(strict=False).raw_decode(body)
            if value and all(isinstance(item, str) for item in value):
                return list(value)
        except (ValueError, RecursionError):
            pass
    parts = outline.split_breaks(body)
    items = list(_ITEM.finditer(body))
    if len(parts) == 1 and items and not body[: items[0].start()].strip(" :："):
        parts = [body[start:end] for start, end in pairwise([item.start() for item in items] + [len(body)])]
    elif len(parts) == 1:
        paragraphs = [part for part in body.split("\n\n") if part.strip()]
        if len(paragraphs) == len(re.split(r"[,;，；]", ratio.strip(" .,;"))):
            parts = paragraphs
    parts = [part.strip() for part in parts]
    if all(_NUMBERED.match(part) for part in parts):
        parts = [_NUMBERED.sub("", part, count=1) for part in parts]
    if parts[0].count('"') == parts[-1].count('"') == 1 and parts[0][0] == parts[-1][-1] == '"':
        parts = [parts[0][1:], *parts[1:-1], parts[-1][:-1]]
    parts = [_tidy(_LABEL.sub("", part, count=1) if _LABEL.match(part) else part) for part in parts]
    # What follows the last prompt after a blank line is the model's farewell.
    parts[-1] = _tidy(parts[-1].partition("\n\n")[0])
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def _tidy(prompt: str) -> str:
    """Without the quotes and marks around a prompt."""
    prompt = prompt.strip().strip("*_ \n")
    for opening, closing in ('""', "''", "“”", "「」", "[]"):
        if len(prompt) > 1 and prompt[0] == opening and prompt[-1] == closing and opening not in prompt[1:-1]:
            prompt = prompt[1:-1]
    return prompt.strip()
