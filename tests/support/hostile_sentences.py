"""Texts of the longest length that are dear to read. Used by a test and by a benchmark."""

from __future__ import annotations

import random
from typing import List

from kiro_swarm.commands.lexer import MAX_BYTES
from kiro_swarm.commands.parser import PARSER

#: Repeated until a text is as long as it may be: start and what follows.
PATTERNS = (
    *(("stpo ", '"" '), ("", "a "), ("stop ", "a "), ("", "scale "), ("", "x")),
    *(("", '"'), ("", '""'), ("", "\\"), ("", '"\\'), ("", '"\\" '), ("", "a=")),
    *(("", 'a="" '), ("run task ", "force "), ("what is ", "the "), ("", "set ")),
    *(("run task 3 with ", "priority=1 "), ("", "é"), ("", "\u202e"), ("", " ")),
    *(("", 'a" '), ("merge branch ", "a/"), ("merge branch ", "a-"), ("", "task ")),
    *(("reassign tasks ", "a,"), ("cancel command ", "a."), ("", "detailed ")),
    *(("scale instances ", "9"), ("scale up ", "up "), ("run task 1 ", "timeout=")),
    *(("", " x"), ("", '"a b'), ("", 'a="b '), ("stop all ", "tasks "), ("", '" ')),
)
_PIECES = ('"" ', "a=", '"x y"', "1", "x,", "a/b", "=", '"', "é", "\\", "  ")


def hostile(mixtures: int, size: int = MAX_BYTES) -> List[str]:
    """Every pattern, and so many random mixtures; the same each time."""
    texts = [_filled(start, more, size) for start, more in PATTERNS]
    draw = random.Random(20_262)
    words = sorted(PARSER.grammar.words)
    for _ in range(mixtures):
        some = draw.sample(words, draw.randint(1, 6))
        some += draw.sample(_PIECES, draw.randint(0, 4))
        text = ""
        while len(text) < size:
            text += draw.choice(some) + draw.choice(("", " ", " ", "  "))
        texts.append(_cut(text, size))
    return texts


def _filled(start: str, more: str, size: int) -> str:
    return _cut(start + more * size, size)


def _cut(text: str, size: int) -> str:
    return text[:size].encode()[:size].decode(errors="ignore")
