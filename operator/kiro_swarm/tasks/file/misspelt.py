"""Fields with a slip of the keyboard in their name, or without the colon behind it.

Used by ``near_fields``, of lines that are marked as a field: elsewhere such words are prose. Pure,
and bounded: a name is compared with few that begin alike and are about as long.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Optional

#: Names as this project writes them.
_NAMES: Final = (
    *("Depends", "Dependencies", "Blocks", "Blocked by", "Requirements", "Files"),
    *("Boundary", "Estimate", "Priority", "Complexity", "Capabilities"),
    "Acceptance criteria",
)
#: From so many letters on two slips are still the same word.
_LONG: Final = 7
_NO_COLON: Final = re.compile(
    r"(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)?(?P<open>_{1,3}|\*{1,3})"
    r"(?P<name>depends|dependenc(?:y|ies)|blocked[ _-]?by|blocks)"
    r"(?P<value>[^|:：]{1,300}?)(?P=open)[ \t.]*",
    re.IGNORECASE,
)
#: The same without a mark, with a sign in the place of the colon: `Depends -> 3`.
_SIGN: Final = re.compile(
    r"(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)?"
    r"(?P<name>depends|dependenc(?:y|ies)|blocked[ _-]?by|blocks)"
    r"(?P<value>(?:[ \t]on)?[ \t]?[=\-–—→⇒>;,.][^|:：]{1,300})",
    re.IGNORECASE,
)
_LINK: Final = re.compile(
    r"(?:[ \t]{1,9}on\b)?[ \t]{0,9}[=\-–—→⇒>;,.]{0,3}", re.IGNORECASE
)


@lru_cache(maxsize=256)
def meant(name: str) -> str:
    """The name of a field that this one is nearly, or an empty text."""
    name = " ".join(name.split()).lower()
    for known in _NAMES:
        word = known.lower()
        slips = 2 if len(word) >= _LONG else 1
        alike = name[:1] == word[:1] and abs(len(name) - len(word)) <= slips
        if alike and 0 < _distance(name, word) <= slips:
            return known
    return ""


def without_colon(text: str) -> Optional[tuple[str, str]]:
    """Name and value of a line that is a field but for its colon."""
    match = _NO_COLON.fullmatch(text) or _SIGN.fullmatch(text)
    if match is None:
        return None
    return match.group("name"), _LINK.sub("", match.group("value"), count=1).strip()


def _distance(one: str, other: str) -> int:
    """How many letters are left out, too many, wrong, or swapped with the next one."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        now = [row]
        for column, its in enumerate(other, 1):
            best = min(
                last[column] + 1, now[-1] + 1, last[column - 1] + (letter != its)
            )
            swapped = row > 1 and column > 1
            if swapped and letter == other[column - 2] and one[row - 2] == its:
                best = min(best, before[column - 2] + 1)
            now.append(best)
        before, last = last, now
    return last[-1]
