"""The webui's prompt syntax, and quotations: taken out of a caption before it is read, put back into what is written.

In the text that is read, one character of Unicode's private use area stands for each piece of syntax:

- before every content word in brackets, one for its innermost bracket: ``(red apple:1.2)`` -> ``<0>red <0>apple``. Brackets are
  put back around what is left of them, wherever it went, so that they are always balanced;
- before a stand-in for a piece that must not be torn apart (``[cat:dog:0.5]`` -> ``<1>cat``, ``{red|blue}``, ``__animal__``);
- behind a word, for what belongs to it: a network's tag, escaped brackets, a quotation (``misty \\(pokemon\\)`` -> ``misty<2>``).

Chinese has no spaces between words; there brackets are put back where their text is found again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rpg.planners.rules.lexicon import FUNCTION_WORDS, PRIVATE

_OPENING = {")": "(", "]": "[", "}": "{"}
_DEEPEST = 10
"""Most brackets within each other."""
_WEIGHT = re.compile(r"\s*:\s*-?[0-9.]+\s*(?=\)$)")
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_TOKEN = re.compile(rf"[{PRIVATE}]*[^\W_]+(?:['’\-_]+[^\W_]+)*[{PRIVATE}]*|.", re.DOTALL)
_STANDING = re.compile(rf"(\b(?:an?|the) )?([{PRIVATE}])({_WORD.pattern})?", re.IGNORECASE)
_ARTICLE = re.compile(r"\W*(?:an?|the|one) ", re.IGNORECASE)
_QUOTED = r"\"[^\"]{1,300}\"|“[^”]{1,300}”|「[^」]{1,300}」|『[^』]{1,300}』|(?<![\w'])'\w(?:[^']|'(?=\w)){0,200}'(?!\w)"
_PIECE = re.compile(
    rf"(?P<tag><\w+:[^<>]{{1,100}}>)|(?P<escaped>\\[(\[](?:[^\\]|\\(?![)\]])){{0,100}}\\[)\]])|(?P<quoted>{_QUOTED})"
    r"|(?P<wildcard>__[\w/*-]+?__)|(?P<stray>\\[()\[\]{}]|\\+)|(?P<bracket>[()\[\]{}])"
)
_CHOOSES = re.compile(r"[^\W_](?![0-9.]*\]$)")
"""What choices have that are not empty; the step behind the last colon is none of them."""
_SIDE_ALONE = re.compile(r"\((?:(?:top|upper|bottom|lower)[ -]?)?(?:left|right|top|bottom|middle|cent(?:er|re))\)", re.IGNORECASE)


@dataclass
class _Bracket:
    opening: str
    closing: str
    around: tuple[str, ...]
    """The characters of the brackets around it, from the outermost, and its own."""
    inside: str = ""


class Syntax:
    """A caption's syntax; ``words`` is what is left to be read."""

    def __init__(self, text: str, chinese: bool = False) -> None:
        self.chinese = chinese
        self._brackets: dict[str, _Bracket] = {}
        self._pieces: dict[str, tuple[str, bool]] = {}
        """What a character stands for, and whether behind a word (else for a stand-in)."""
        self._words: dict[str, str] = {}
        """The stand-ins."""
        self._unused = map(chr, range(0xE000, 0xF000))
        self._names = map(chr, range(0xF000, 0xF900))
        self.is_whole = True
        """Whether no bracket had to be left out."""
        self.words = re.sub(r"\s+", " ", self._read(re.sub(f"[{PRIVATE}]", " ", text))).strip()

    def __bool__(self) -> bool:
        return bool(self._brackets or self._pieces)

    # Out of the caption

    def _read(self, text: str) -> str:
        ends = _pairs(text)
        read: list[str] = []
        open_: list[tuple[int, str, int]] = []
        position = 0
        while match := _PIECE.search(text, position):
            start, piece = match.start(), match.group()
            around = open_[-1][1] if open_ else ""
            read.append(self._marked(text[position:start], around))
            position = match.end()
            if match["bracket"] and start in ends:
                end = ends[start]
                piece = text[start:end]
                if piece[0] == "{" or (piece[0] == "[" and re.search("[:|]", piece)):
                    read.append(around + self._stand_in(piece) if _CHOOSES.search(piece) else " ")
                    position = end
                elif _SIDE_ALONE.fullmatch(piece):
                    read.append(piece)
                    position = end
                elif len(open_) < _DEEPEST:
                    weight = _WEIGHT.search(piece)
                    own = next(self._unused)
                    chain = (*self._brackets[around].around, own) if around else (own,)
                    self._brackets[own] = _Bracket(piece[0], (weight.group() if weight else "") + piece[-1], chain)
                    open_.append((end, own, len(read)))
            elif open_ and position == open_[-1][0]:
                _, own, first = open_.pop()
                closing = self._brackets[own].closing
                if len(closing) > 1:
                    read[-1] = read[-1].removesuffix(closing[:-1])
                self._brackets[own].inside = "".join(read[first:]).strip()
            elif match["wildcard"]:
                read.append(around + self._stand_in(piece))
            elif match["tag"] or match["escaped"] or match["quoted"]:
                self._attach(read, piece, around)
            else:
                self.is_whole = False
                read.append(" ")
        return "".join([*read, self._marked(text[position:], "")])

    def _marked(self, text: str, around: str) -> str:
        if not around or self.chinese:
            return text
        return _WORD.sub(lambda match: match.group() if match.group().lower() in FUNCTION_WORDS else around + match.group(), text)

    def _paired(self, piece: str) -> str:
        """A piece without brackets, unless they all have a partner."""
        plain = re.sub(r"\\.", "", piece)
        if 2 * len(_pairs(plain)) == len(re.sub(r"[^()\[\]{}]", "", plain)):
            return piece
        self.is_whole = False
        return re.sub(r"\\?[()\[\]{}]", "", piece)

    def _stand_in(self, piece: str) -> str:
        alternative = next((part for part in re.split(r"[\[\]{}|:$_/()*]+", piece) if re.search(r"[^\W\d_]", part)), "")
        words = _WORD.findall(alternative)
        own = next(self._unused)
        self._pieces[own] = (self._paired(piece), False)
        self._words[own] = words[-1] if words else "thing"
        return own + self._words[own]

    def _attach(self, read: list[str], piece: str, around: str) -> None:
        """Put a piece behind the last word that was read; where there is none, a stand-in for it, or nothing for a tag."""
        spaces = ""
        while read and not read[-1].strip():
            spaces = read.pop() + spaces
        word = re.search(rf"[\w{PRIVATE}](\s*)$", read[-1]) if read else None
        if word:
            own = next(self._names if piece.startswith("\\") else self._unused)
            spaces = word[1] + spaces
            self._pieces[own] = (spaces + self._paired(piece), True)
            read[-1] = read[-1].rstrip() + own + spaces
        else:
            tag = piece.startswith("<")
            self.is_whole &= not tag or self._paired(piece) == piece
            read.append(spaces if tag else spaces + around + self._stand_in(piece))

    # Into what is written

    def lost(self, prompts: list[str]) -> bool:
        """Whether a piece other than a tag is in none of the prompts, before they are restored."""
        written = "".join(prompts)
        return any(own not in written for own, (piece, _) in self._pieces.items() if not piece.lstrip().startswith("<"))

    def restore(self, text: str) -> str:
        """The text with its syntax put back."""
        text = self._bracketed_chinese(text) if self.chinese else self._bracketed(text)
        text = _STANDING.sub(self._piece, text)
        return re.sub(f"[{PRIVATE}]", "", text)

    def _piece(self, match: re.Match[str]) -> str:
        article, own, word = match[1] or "", match[2], match[3] or ""
        piece, behind = self._pieces.get(own, ("", True))
        if behind:
            return article + piece + word
        if self.chinese:
            return article + piece + word.removeprefix(self._words[own])
        stands = word.lower().startswith(self._words[own].lower())
        return ("" if _ARTICLE.match(piece) else article) + piece + (word[len(self._words[own]) :] if stands else "")

    def _bracketed(self, text: str) -> str:
        """The text with brackets around the content words that stood in them, and around what is between such words."""
        written: list[str] = []
        waiting = ""
        opened: tuple[str, ...] = ()
        for token in _TOKEN.findall(text) if self._brackets else [text]:
            own = next((character for character in token if character in self._brackets), "")
            word = re.sub(f"[{PRIVATE}]", "", token).lower()
            if not own and (word in FUNCTION_WORDS or not re.search(r"[^\W\d_]", word)):
                waiting += token
                continue
            wanted = self._brackets[own].around if own else ()
            shared = next((n for n, pair in enumerate(zip(opened, wanted)) if pair[0] != pair[1]), min(len(opened), len(wanted)))
            written += [self._brackets[bracket].closing for bracket in reversed(opened[shared:])]
            written += [
                waiting,
                *(self._brackets[bracket].opening for bracket in wanted[shared:]),
                token.replace(own, "") if own else token,
            ]
            opened, waiting = wanted, ""
        return "".join([*written, *(self._brackets[bracket].closing for bracket in reversed(opened)), waiting])

    def _bracketed_chinese(self, text: str) -> str:
        for bracket in self._brackets.values():
            for piece in [bracket.inside, *re.split("[和与、，,的]", bracket.inside)]:
                if piece.strip() and piece in text:
                    text = text.replace(piece, bracket.opening + piece + bracket.closing, 1)
                    break
        return text


def _pairs(text: str) -> dict[int, int]:
    """Where each closed bracket of a text begins, and its end; escaped brackets and those that nothing closes are left out."""
    pairs: dict[int, int] = {}
    waiting: list[tuple[str, int]] = []
    for match in re.finditer(r"\\.|[()\[\]{}]", text):
        sign = match.group()
        if sign in "([{":
            waiting.append((sign, match.start()))
        elif sign in ")]}" and any(opening == _OPENING[sign] for opening, _ in waiting[-50:]):
            while waiting[-1][0] != _OPENING[sign]:
                waiting.pop()
            pairs[waiting.pop()[1]] = match.end()
    return pairs
