"""The tasks that an id which no task has is nearest to, for whoever made a slip.

Used by ``groups``. Ids of one word are compared by their numbers. Made once a file, asked at the
cost of a search in a sorted list.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

_ID: Final = re.compile(r"(?P<word>[A-Z-]*)(?P<numbers>[0-9.]+)(?P<letter>[a-z]?)")
_Key = tuple[tuple[int, ...], str, str]


class Nearest:
    """The ids of a file in order."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_word: dict[str, list[_Key]] = {}
        for name in names:
            word, key = _key(name)
            self._by_word.setdefault(word, []).append(key)
        for keys in self._by_word.values():
            keys.sort()

    def of(self, name: str, but: str = "") -> tuple[str, ...]:
        """The one before and the one behind an id that is none of them, as far as there are.

        :param but: the id of the task that speaks of it, which is not meant.
        """
        word, key = _key(name)
        most: list[_Key] = max(self._by_word.values(), key=len, default=[])
        keys = self._by_word.get(word, most)
        at = bisect_left(keys, key)
        before = [k for _, _, k in keys[max(0, at - 2) : at] if k != but]
        behind = [k for _, _, k in keys[at : at + 2] if k != but]
        return (*before[-1:], *behind[:1])


def in_words(nearest: tuple[str, ...]) -> str:
    """``, the nearest are 1 and 2``; empty where there is none."""
    if not nearest:
        return ""
    are = "is" if len(nearest) == 1 else "are"
    return f", the nearest {are} {' and '.join(nearest)}"


def _key(name: str) -> tuple[str, _Key]:
    match = _ID.fullmatch(name)
    if match is None:  # the name of a part of a plan
        return "", ((), "", name)
    numbers = tuple(int(n) for n in match.group("numbers").split(".") if n)
    return match.group("word").rstrip("-"), (numbers, match.group("letter"), name)
