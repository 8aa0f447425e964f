"""Writes ``docs/troubleshooting.md``, every sentence of the error tree with its remedy: ``make docs``."""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from pathlib import Path

from rpg import errors
from tests.sentences import CHECKOUT, Text, python_texts

PAGES = {"en": CHECKOUT / "docs/troubleshooting.md", "zh_CN": CHECKOUT / "docs/troubleshooting.zh-CN.md"}
REMEDIES = {
    "RPGError": ("Correct what the sentence names.", "基本错误", "请改正句中所指之处。"),
    "LayoutError": ("Correct the split ratio; see [regions](regions.md).", "无法读取的分割比例", "请改正分割比例。"),
    "PlanError": (
        "Correct the field that the sentence names, or plan anew.",
        "规划中缺少、未知或越界的字段",
        "请改正句中所指的字段，或重新规划。",
    ),
    "GenerationError": (
        "Use another model or file, or turn RPG off.",
        "此模型、提示词或环境无法生成的规划",
        "请改正句中所指之处，或换模型或文件。",
    ),
    "PlannerError": ("Change the request.", "任何规划器都无法处理的请求", "请修改请求。"),
    "EditingError": ("Change the instruction, the picture or the mask.", "无法检查或编辑的图片", "请修改指令、图片或蒙版。"),
    "LLMError": (
        "Check planner, address and key; see [planners](planners.md).",
        "无法询问的语言模型",
        "请检查规划器、地址和密钥。",
    ),
    "BusyError": (
        "It is asked again by itself; if it stays busy, try later.",
        "暂时繁忙的服务器",
        "程序会自动再问；若一直繁忙，请稍后再试。",
    ),
    "ReplyError": (
        "Plan again, choose another model, or let the offline rules plan.",
        "不能用的模型回答",
        "请再规划一次、换一个模型，或改用离线规则。",
    ),
    "UnableError": ("Another worker of the batch makes the picture.", "此工作机做不了的任务", "由批处理中的其他工作机完成。"),
    "BrokenError": ("The picture is made again, by this worker or another.", "中途断开的任务", "该图会重新制作。"),
    "LostError": ("Another worker of the batch makes the picture.", "不再可用的工作机", "由批处理中的其他工作机完成。"),
    "Stopped": ("Nothing: you asked for it.", "应要求停止的工作", "无需处理。"),
}
"""What to do where the sentence itself does not say; the class and the remedy in Chinese."""
_REPLIES = re.compile(r"planners/(checks|geometry|outline|reply\w*)\.py")
"""Files whose sentences about a model's answer become a ReplyError."""


@cache
def error_texts() -> list[tuple[str, Text]]:
    """Every sentence that is raised, with its class in the tree."""
    found = []
    for path in sorted((CHECKOUT / "rpg").rglob("*.py")):
        for text in python_texts(path):
            kind = "ReplyError" if _REPLIES.search(text.file) else text.raised.replace("error", "PlanError")
            whole = re.search(r"[.?]$|; |: \{\d\}$", text.text)
            if kind and whole and text.is_sentence:
                found.append((kind, text))
    return found


def page(language: str) -> str:
    chinese = language != "en"
    words = json.loads((CHECKOUT / f"localizations/{language}.json").read_text("utf-8")) if chinese else {}
    lines = [_CHINESE if chinese else _ENGLISH]
    for kind, (remedy, title, chinese_remedy) in REMEDIES.items():
        texts = sorted({text.text for name, text in error_texts() if name == kind and (not chinese or text.text in words)})
        if not texts:
            continue
        described = inspect.getdoc(getattr(errors, kind)) or ""
        said = f"{title}。{chinese_remedy}" if chinese else described.split("\n")[0].replace("``", "`")
        lines += ["", f"## {kind}", "", said, ""]
        lines += ["| 信息（原文） | 意思与办法 |" if chinese else "| message | what to do |", "|---|---|"]
        lines += [_row(text, words[text] if chinese else remedy, chinese) for text in texts]
    return "\n".join(lines) + "\n"


def _row(text: str, said: str, whole: bool) -> str:
    """The sentence beside ``said``: what it means, or what to do where it does not say that itself."""
    wrong, _, remedy = text.partition("; ")
    if not remedy:
        wrong, _, remedy = text.rpartition(". ") if re.search(r"\. [A-Z]", text) else (text, "", "")
    if whole:
        return f"| {_cell(text)} | {_cell(said)} |"
    return f"| {_cell(wrong.rstrip('.'))} | {_cell(remedy[:1].upper() + remedy[1:] or said)} |"


def _cell(text: str) -> str:
    text = re.sub(r"\{\d\}", "…", text).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return re.sub(r"[*`]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)


_ENGLISH = """# What does this message mean?

[简体中文](troubleshooting.zh-CN.md)

Every message of this extension names what is wrong, and after the semicolon what would be right. `…` stands for a value.
In the webui a message appears below the panel, or below the picture after *Generate*; by the API as `detail` of the answer.
`make docs` writes this page from the program's own sentences.

No message, but the picture looks as if RPG were off? See that the **RPG** accordion is on (opened) and its table has prompts; the
picture's infotext holds `RPG plan` if it was at work. The webui's console tells what went wrong;
[a report](../.github/ISSUE_TEMPLATE/bug.yml) needs that and the infotext."""

_CHINESE = """# 这条信息是什么意思？

[English](troubleshooting.md)

本扩展的每条信息都先说明哪里不对，分号之后说明怎样才对。`…` 代表具体的值。在 webui 中，信息显示在面板下方，
或在按“生成”之后显示在图片下方；通过 API 则在回答的 `detail` 中。只在命令行出现的信息见英文页。
本页由 `make docs` 根据程序自身的语句写成。

没有任何信息，图片却像是没有启用 RPG？请检查 **RPG** 折叠栏已启用（展开），且表格中有提示词；
RPG 起作用时，图片的生成信息含有 `RPG plan`。webui 的控制台会写出错误；
[报告问题](../.github/ISSUE_TEMPLATE/bug.yml)时请附上这些内容和生成信息。"""


def write() -> None:
    for language, path in PAGES.items():
        Path(path).write_text(page(language), "utf-8")


if __name__ == "__main__":
    write()
