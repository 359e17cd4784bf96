"""Letters and the marks behind them as one character (NFC), so that words compare alike.

Used by ``lines``: macOS and some keyboards write ``ụ`` as two characters, ``ガ`` and ``의`` too.
Words are compared as composed; what is shown, and every position, is as written. Pure and linear:
only so many marks behind a letter as letters are made of are looked at, for putting a long run
of them in order takes time in the square of its length.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from bisect import bisect_right
from functools import lru_cache
from typing import Final, NamedTuple

#: Marks of Latin, Greek, Cyrillic, Arabic and kana behind a letter; the parts of a Korean
#: syllable.
_CLUSTER: Final = re.compile(
    "[^\\W\\d_][\u0300-\u036f\u0653-\u0655\u3099\u309a]{1,4}"
    "|[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|[\uac00-\ud7a3][\u11a8-\u11c2]"
)
_MAYBE: Final = re.compile(
    "[\u0300-\u036f\u0653-\u0655\u1161-\u1175\u11a8-\u11c2\u3099\u309a]"
)


class Composed(NamedTuple):
    """A composed text and where it came from.

    ``cuts``: places behind composed characters, each with how many characters are gone up to
    there. Empty where the text is as it was written.
    """

    text: str
    cuts: tuple[tuple[int, int], ...]


def compose(text: str) -> Composed:
    """The text with each letter and its marks as one character, where there is such a one."""
    if text.isascii() or not _MAYBE.search(text):
        return Composed(text, ())
    parts: list[str] = []
    cuts: list[tuple[int, int]] = []
    end = gone = 0
    for match in _CLUSTER.finditer(text):
        whole = _composed(match.group())
        shorter = len(match.group()) - len(whole)
        if shorter:
            parts += (text[end : match.start()], whole)
            end = match.end()
            # Marks that are too many for one letter stay behind it.
            cuts.append((match.start() - gone + 1, gone + shorter))
            gone += shorter
    return Composed("".join([*parts, text[end:]]), tuple(cuts))


def place_in(cuts: tuple[tuple[int, int], ...], at: int) -> int:
    """The place in the text as written of a place in the composed one."""
    if not cuts:
        return at
    index = bisect_right(cuts, (at, sys.maxsize))
    return at + cuts[index - 1][1] if index else at


@lru_cache(maxsize=1024)
def _composed(cluster: str) -> str:
    return unicodedata.normalize("NFC", cluster)
