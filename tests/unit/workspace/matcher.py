"""How git 2.39 lays a pattern on a path, with the characters that it looks at counted.

A model for tests: wildmatch.c line by line, where it goes back included.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Optional

_SPECIAL = (b"*", b"?", b"[", b"\\")
_WILD = re.compile(rb"[*?\[\\]")
_MATCH, _NO_MATCH, _ABORT, _TO_STARS = 0, 1, -1, -2


class _Enough(Exception):
    """So many characters were looked at as are asked for."""


class Matcher:
    """One pattern on one text, neither of them with what stands before the first star."""

    def __init__(self, pattern: bytes, text: bytes, whole: bool, most: int) -> None:
        self._pattern, self._text, self._whole = pattern, text, whole
        self._most = most
        self.looked = 0

    def run(self) -> None:
        with suppress(_Enough):
            self._match(0, 0)

    def _look(self, many: int = 1) -> None:
        self.looked += many
        if self.looked > self._most:
            raise _Enough

    def _p(self, at: int) -> bytes:
        return self._pattern[at : at + 1]

    def _match(self, p: int, t: int) -> int:
        begin = p
        while self._p(p):
            self._look()
            kind, one = self._p(p), self._text[t : t + 1]
            if not one and kind != b"*":
                return _ABORT
            if kind == b"*":
                answer = self._star(begin, p, t)
                if isinstance(answer, int):
                    return answer
                p, t = answer
            elif kind == b"[":
                end = brackets(self._pattern, p)
                self._look(end - p)
                if not in_brackets(self._pattern[p:end], one, self._whole):
                    return _NO_MATCH
                p = end - 1
            elif kind == b"?":
                if self._whole and one == b"/":
                    return _NO_MATCH
            else:
                p += kind == b"\\"
                if self._p(p) != one:
                    return _NO_MATCH
            p, t = p + 1, t + 1
        return _MATCH if t == len(self._text) else _NO_MATCH

    def _star(self, begin: int, p: int, t: int) -> int | tuple[int, int]:
        before, slashes, stars = p - 1, not self._whole, 0
        while self._p(p) == b"*":
            p, stars = p + 1, stars + 1
        if stars > 1 and self._whole:
            rest = self._pattern[p : p + 2]
            if (before < begin or self._p(before) == b"/") and (
                rest in (b"", b"\\/") or rest[:1] == b"/"
            ):
                if rest[:1] == b"/" and self._match(p + 1, t) == _MATCH:
                    return _MATCH
                slashes = True
        if not self._p(p):
            self._look(len(self._text) - t)
            return _NO_MATCH if not slashes and b"/" in self._text[t:] else _MATCH
        if not slashes and self._p(p) == b"/":
            slash = self._text.find(b"/", t)
            self._look((len(self._text) if slash < 0 else slash) - t)
            return _NO_MATCH if slash < 0 else (p, slash)
        return self._every(p, t, slashes)

    def _every(self, p: int, t: int, slashes: bool) -> int:
        one = self._text[t : t + 1]
        while one:
            if self._p(p) not in _SPECIAL:
                one = self._text[t : t + 1]
                while one and (slashes or one != b"/") and one != self._p(p):
                    self._look()
                    t += 1
                    one = self._text[t : t + 1]
                if one != self._p(p):
                    return _NO_MATCH
            found = self._match(p, t)
            if found != _NO_MATCH:
                if not slashes or found != _TO_STARS:
                    return found
            elif not slashes and one == b"/":
                return _TO_STARS
            self._look()
            t += 1
            one = self._text[t : t + 1]
        return _ABORT


def brackets(pattern: bytes, at: int) -> int:
    """Where they end: without classes like ``[:alpha:]``, which these tests have not here."""
    at += 2 if pattern[at + 1 : at + 2] in (b"!", b"^") else 1
    first = at
    while at < len(pattern) and (pattern[at : at + 1] != b"]" or at == first):
        at += 2 if pattern[at : at + 1] == b"\\" else 1
    return min(at + 1, len(pattern))


def in_brackets(said: bytes, one: bytes, whole: bool) -> bool:
    inner = said[1:-1]
    negated = inner[:1] in (b"!", b"^")
    if not said.endswith(b"]") or (whole and one == b"/"):
        return False
    return (one in inner[negated:]) != negated


def looked_at(pattern: bytes, path: bytes, most: int) -> Optional[int]:
    """How many characters git looks at for a pattern and a path; over ``most``: about that.

    None: a pattern of a kind that git compares at once.
    """
    place = pattern[:-1] if pattern.endswith(b"/") else pattern
    whole = b"/" in place
    text = place[1:] if place.startswith(b"/") else place
    name = path if whole else path.rpartition(b"/")[2]
    if not text or (not whole and text[:1] == b"*" and not _WILD.search(text, 1)):
        return None
    before = 0
    if whole:
        special = _WILD.search(text)
        before = special.start() if special else len(text)
        if name[:before] != text[:before]:
            return before
    matcher = Matcher(text[before:], name[before:], whole, most)
    matcher.run()
    return before + matcher.looked
