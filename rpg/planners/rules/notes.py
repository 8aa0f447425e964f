"""What a plan's notes say, in the caption's language."""

from __future__ import annotations

_NOTES = {
    "places": ("Regions stand where the caption places them.", "各区域按描述中的位置排列。"),
    "order": ("Regions follow the order of the caption.", "各区域按描述的先后排列。"),
    "one thing": ("The caption names one thing, so one region shows it all.", "描述只说到一个主体，所以由一个区域表现全部内容。"),
    "nothing": (
        "The caption was left whole: no thing is named that could have a region of its own.",
        "描述保持完整：其中没有可以单独成区的主体。",
    ),
    "language": (
        "The caption was left whole: it is in a language that the offline planner does not read (it reads English and Chinese).",
        "描述保持完整：离线规划器只读英文和中文。",
    ),
    "places without things": (
        "The caption was left whole: it names places, but nothing that the offline planner knows stands there.",
        "描述保持完整：说到了位置，但离线规划器认不出那里有什么。",
    ),
    "too many": (
        "The caption was left whole: it names more things than the {} regions of a plan.",
        "描述保持完整：其中的主体多于一个规划的 {} 个区域。",
    ),
    "too many places": (
        "The caption was left whole: the places that it names take more regions than a plan can hold.",
        "描述保持完整：其中的位置需要的区域多于一个规划所能容纳的。",
    ),
    "shared region": (
        "{} of one thing are too many for regions of their own, so they share one.",
        "同一主体有 {} 个，太多而不能各占一区，所以共用一个区域。",
    ),
    "merging": (
        "So many of one thing are laid out in rows; some may merge in the picture.",
        "同一主体很多，分行排列；画面中有些可能连在一起。",
    ),
    "background": ("Regions of which the caption says nothing show the background.", "描述没有提到的区域显示背景。"),
    "one class": (
        "Several of one class ({}), so the base prompt counts them and is mixed in.",
        "有多个同类主体（{}），所以基础提示词写明数量并混入。",
    ),
    "classes": ("All are of different classes, so no base prompt is mixed in.", "主体各不同类，所以不混入基础提示词。"),
    "rest": (
        "What has no region of its own is left to the base prompt, which is mixed in.",
        "没有单独区域的内容留给基础提示词，并混入各区域。",
    ),
    "standing": (
        "A single person shown from head to foot: one row each for head, upper and lower part, held together by the base prompt.",
        "单人全身：头部、上身、下身各一行，由基础提示词连成一体。",
    ),
    "Chinese": (
        "The region prompts stay Chinese, which most Stable Diffusion checkpoints do not read; translate them.",
        "区域提示词仍是中文（Chinese），多数 Stable Diffusion 模型读不懂；请译成英文。",
    ),
    "English": (
        "The region prompts are translated into English, which Stable Diffusion checkpoints read.",
        "区域提示词已译成英文，因为多数 Stable Diffusion 模型只读英文。",
    ),
    "keywords": (
        "The caption is written in regional-prompter's keywords, so its regions are taken as they stand; equal ratios.",
        "描述用了 regional-prompter 的关键词，各区域照写，比例均等。",
    ),
}


def note(name: str, chinese: bool, *values: object) -> str:
    """One sentence of a plan's notes."""
    return _NOTES[name][chinese].format(*values)
