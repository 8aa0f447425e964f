"""What is wrong with a text that is no JSON: what stands in which line, and what would be right."""

from __future__ import annotations

import re
from json import JSONDecodeError

_TYPOGRAPHIC = tuple("“”„‘’‚«»「」＂＇")
_WORD = re.compile(r"[^\W\d]\w*")
_SPELLED = {"True": "true", "False": "false", "None": "null"}
_MAX_SHOWN = 20


def fault(text: str, error: ValueError | RecursionError) -> str:
    """The fault that ``json.loads(text)`` raised as ``error``: the second half of a sentence, without its full stop."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if not isinstance(error, JSONDecodeError):
        return "it holds a number with too many digits"
    if not text.strip():
        return "it is empty"
    place = error.pos
    if error.msg.startswith("Illegal trailing comma"):  # since Python 3.13; before, at the bracket
        place += 1
    if not error.msg.startswith("Invalid"):  # in the middle of a text, where spaces count
        place = min(place + len(text[place:]) - len(text[place:].lstrip()), len(text.rstrip()))
    line = f"line {text.count(chr(10), 0, place) + 1}"
    return _sentence(error.msg, text[:place].rstrip(), text[place:].lstrip(), line)


def _sentence(message: str, before: str, rest: str, line: str) -> str:  # noqa: PLR0911, PLR0912 - a table of faults
    """What is wrong in ``line`` where ``rest`` begins."""
    shown = repr(rest.split("\n", 1)[0].strip()[:_MAX_SHOWN])
    word = match[0] if (match := _WORD.match(rest)) else ""
    if message.startswith("Unterminated"):
        return f"the text that begins in {line} has no closing quotation mark"
    if message.startswith("Invalid control"):
        return f"a text in {line} holds a tab or goes on in the next line; write \\t or \\n there"
    if message.startswith("Invalid \\"):
        return f"a text in {line} holds a single backslash; write two"
    if message.startswith("Extra data"):
        return f"{shown} in {line} stands after the end; remove it"
    if not rest:
        return f"it ends in {line} before all brackets are closed"
    if rest[0] in "}]" and before.endswith(","):
        return f"there is a comma too much before the closing bracket in {line}"
    if rest.startswith(("//", "/*", "#")):
        return f"there is a comment in {line}, {shown}; JSON has none, remove it"
    if rest[0] == "'":
        return f"there are single quotation marks in {line}; JSON has double ones only"
    if rest.startswith(_TYPOGRAPHIC):
        return f'there is the quotation mark {rest[0]} in {line}; JSON has the straight " only'
    if message.startswith("Expecting ','"):
        if rest[0] in "}]":
            return f"the bracket {rest[0]} in {line} does not belong to the one that is open"
        if word and before.endswith('"'):
            return f'a text in {line} ends before {shown}; a quotation mark inside a text is written \\"'
        return f"a comma or a closing bracket is missing before {shown} in {line}"
    if message.startswith("Expecting ':'"):
        return f"a colon is missing before {shown} in {line}"
    if word in _SPELLED:
        return f"there is {word} in {line}; JSON writes {_SPELLED[word]}"
    if word:
        return f"{word!r} in {line} has no quotation marks"
    return f"{shown} in {line} stands where {'a name' if 'property' in message else 'a value'} belongs"
