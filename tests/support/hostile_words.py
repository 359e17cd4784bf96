"""Words that do something to whoever shows them, and what tells them from others."""

from __future__ import annotations

import unicodedata

#: What a container, a file or a server may say.
HOSTILE = (
    "nul \x00 byte",
    "clear \x1b[2J\x1b[H screen",
    "title \x1b]0;owned\x07 of the window",
    "8-bit \x9b31m and \x9d0;x\x9c",
    "back\x08\x08\x08space",
    "bell\x07",
    "return\rover what was",
    "direction \u202eevil\u202c turned",
    "isolate \u2066a\u2069",
    "zero\u200bwidth\u200d\ufeff",
    "line\u2028separator",
    "tag\U000e0041\U000e0042",
    "half \ud800",
)
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufffe\uffff")
#: Format characters that shape letters of some script, and do nothing else.
_SHAPING = frozenset(
    chr(code)
    for code in (*range(0x600, 0x8E3), *range(0x110BD, 0x1D17B))
    if unicodedata.category(chr(code)) == "Cf" and code != 0x61C
)


def is_harmless(text: str) -> bool:
    """Whether nothing in a text is a control, invisible, or turns what follows."""
    return not any(_acts(char) for char in text)


def _acts(char: str) -> bool:
    if char in "\n\t" or char in _SHAPING:
        return False
    return char in _INVISIBLE or unicodedata.category(char) in (
        "Cc",
        "Cf",
        "Cs",
        "Zl",
        "Zp",
    )
