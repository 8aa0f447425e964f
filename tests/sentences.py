"""What the program says to its users, read from its sources: English texts, with {1}, {2}, ... in the places of values."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
ROOMS = (
    "areas editing foreign infotext inputs json_faults llm networks panel pipelines plan planners presets steering values webui"
)
"""Rooms of ``rpg`` whose sentences the panel shows."""
SILENT = re.compile(
    r"planners/(rules/(?!__init__)|reply_text)|foreign/(omost|pasted)|pipelines/__init__|webui/xyz"
    r"|editing/(asking|checklist|marks|model_critic|model_instructions|reading|shapes_critic)"
)
"""Files whose other texts are words to be looked for, or notes in the caption's language."""
_KEYS = {"ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Backspace", "Enter", "Escape"}
"""Names of keys in javascript/."""


@dataclass(frozen=True)
class Text:
    """A text in a source file.

    Fields:
        text: with numbered places of values.
        values: what stands in these places, as code.
        raised: the class of the error that is raised with it; empty for any other text.
    """

    text: str
    file: str
    line: int
    values: tuple[str, ...] = ()
    raised: str = ""

    @property
    def is_sentence(self) -> bool:
        if re.search(r"\(\?|\\[bsw]|=>|^<|\w\||^\S*$|^[a-z ]{40,}$", self.text):
            return False
        whole = re.match(r"[A-Z{]", self.text) and self.text.endswith(".")
        words = len(re.findall(r"(?<![\w\\'])[A-Za-z]+(?![\w'])", self.text))
        return words >= 4 or (words >= 1 and bool(whole))


def python_texts(file: Path) -> Iterator[Text]:
    """Every text of a file that is no docstring."""
    tree = ast.parse(file.read_text("utf-8"))
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    raised = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(value) for value in node.values if isinstance(value, ast.Constant)}
            specs = [value.format_spec for value in node.values if isinstance(value, ast.FormattedValue) and value.format_spec]
            skipped |= {id(part) for spec in specs for part in ast.walk(spec)}
        if isinstance(node, ast.FunctionDef):
            raised |= _raised(node)
    name = str(file.relative_to(CHECKOUT))
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        text, values = _template(node)
        if text.strip():
            yield Text(text.strip(), name, node.lineno, values, raised.get(id(node), ""))  # type: ignore[attr-defined]


def _raised(function: ast.FunctionDef) -> dict[int, str]:
    """The class of the error for every part of a text that is raised, also where it has a name first."""
    errors = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and re.search(r"(Error|Unreadable|^error)$", ast.unparse(node.func))
    ]
    texts = [(ast.unparse(call.func).rpartition(".")[2], call.args[0]) for call in errors if call.args]
    for name, text in list(texts):
        named = {part.id for part in ast.walk(text) if isinstance(part, ast.Name)}
        given = [node for node in ast.walk(function) if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in named]
        texts += [(name, node.value) for node in given]
    return {id(part): name for name, text in reversed(texts) for part in ast.walk(text)}


def _template(node: ast.AST) -> tuple[str, tuple[str, ...]]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        parts: list[str | ast.expr] = [node.value]
    elif isinstance(node, ast.JoinedStr):
        parts = [value.value for value in node.values]  # type: ignore[attr-defined]
    else:
        return "", ()
    values = tuple(ast.unparse(part) for part in parts if not isinstance(part, str))
    numbers = count(1)
    text = "".join(part if isinstance(part, str) else "{}" for part in parts)
    return re.sub(r"\{\}", lambda _: f"{{{next(numbers)}}}", text), values


def panel_files() -> list[Path]:
    files = [path for room in ROOMS.split() for path in [*(CHECKOUT / "rpg" / room).rglob("*.py"), CHECKOUT / f"rpg/{room}.py"]]
    return [path for path in files if path.exists()]


def script_texts() -> set[str]:
    """What javascript/ says: texts that begin with a capital letter or have five words, and what it asks the words of."""
    texts: set[str] = set()
    for path in (CHECKOUT / "javascript").glob("*.js"):
        source = re.sub(r"^\s*(//|/?\*).*$", "", path.read_text("utf-8"), flags=re.MULTILINE)
        texts |= set(re.findall(r'"((?:[a-z]+ ){4,}[a-z]+)"', source))
        texts |= set(re.findall(r'"([A-Z][^"\n]*[a-z][^"\n]*)"', source)) | set(re.findall(r'rpgWords\(\s*"([^"\n]+)"', source))
    return {text for text in texts if text not in _KEYS and not re.search(r"^M[\d.]", text)}


def panel_sentences() -> dict[str, Text]:
    """What must be translated of what Python says, by text."""
    found = [text for path in panel_files() if not SILENT.search(str(path)) for text in python_texts(path)]
    found += [text for path in panel_files() if SILENT.search(str(path)) for text in python_texts(path) if text.raised]
    return {text.text: text for text in found if text.is_sentence}


def every_text() -> set[str]:
    """Whatever the sources of the panel hold."""
    return {text.text for path in panel_files() for text in python_texts(path)} | script_texts()
