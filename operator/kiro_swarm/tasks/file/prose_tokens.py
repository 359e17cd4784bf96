"""A line of prose -> words, ids, signs, each with its place.

Used by ``prose_words`` and ``prose_grammar``. A number that is part of something else (a date, a
time, a version with a ``v``, a price, a percentage, an address) is no id. Words of Chinese,
Japanese and Korean have no blanks between them: each of their characters is a token. Linear in
the length of the text.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from kiro_swarm.tasks.file.ids import PATTERN

Kind = Literal["id", "word", "character", "sign"]

_LETTERS: Final = "A-Za-z\u00aa-\u024f\u0370-\u052f\u1e00-\u1eff"
_SCRIPTS: Final = "\u3005\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
#: What a number is a part of.
_BEFORE: Final = rf"[{_LETTERS}0-9_.$€£/:@^~=<>≥≤+\\-]"
_TOKEN: Final = re.compile(
    r"(?P<other>[a-z]{2,9}://\S+"
    # A date, a time, a part of a day or of a fraction.
    r"|[0-9]{1,6}(?:[-/][0-9]{1,6}){2,}|[0-9]{1,6}[:/][0-9]{1,6})"
    rf"|(?<!{_BEFORE})(?P<id>{PATTERN})(?:\.[xX*](?!\w))?"
    rf"(?![{_LETTERS}0-9_%°€$\\])(?![./:-][{_LETTERS}0-9_])"
    # Two that are joined: `1.1-1.4`, `1.1/1.2`.
    rf"|(?<!{_BEFORE})(?P<from>{PATTERN})(?=[-–][0-9A-Z]|/[0-9]{{1,6}}\.[0-9])"
    rf"|(?<=[0-9a-z][-–/])(?P<to>{PATTERN})(?![{_LETTERS}0-9_%°€$\\.-]|:[0-9])"
    rf"|(?P<word>[{_LETTERS}]+(?:[-_][{_LETTERS}]+){{0,3}})"
    rf"|(?P<character>[{_SCRIPTS}])"
    # What follows an emoji is no sign of its own.
    r"|(?P<sign>[^\w\s\ufe0f])|[\w.]+"
)
#: Words in backticks are names or code; an id in backticks is an id.
_CODE: Final = re.compile(r"`([^`]*)`")
_ID: Final = re.compile(rf"\s?#?{PATTERN}\.?\s?")


class Token(NamedTuple):
    """``text`` of a word is in small letters. ``kind`` ``sign`` is all that says nothing."""

    kind: Kind
    text: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """The tokens of a line, in order."""
    found: list[Token] = []
    for match in _TOKEN.finditer(_CODE.sub(_without_code, text)):
        group = match.lastgroup or "other"
        start, end = match.span()
        if group in ("id", "from", "to"):
            found.append(Token("id", match.group(group), start, end))
        elif group == "word":
            found.append(Token("word", match.group().lower(), start, end))
        elif group == "character":
            found.append(Token("character", match.group(), start, end))
        else:
            sign = match.group() if group == "sign" else "?"
            found.append(Token("sign", sign, start, end))
    return found


def _without_code(match: re.Match[str]) -> str:
    """The same text, or as many signs that say nothing."""
    if _ID.fullmatch(match.group(1)):
        return match.group()
    return "\ufffc" * len(match.group())
