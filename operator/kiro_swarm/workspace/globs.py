"""What git makes of a line of ``.gitattributes`` or ``.gitignore``.

Role: pattern_steps.py counts with it. Pure.

Guarantees: what git reads nothing of counts for nothing: lines of attributes of ``LONGEST_LINE``
bytes, and files of ``LARGEST_FILE``. A star that can stand for more than one text is found
wherever it is hidden: behind brackets, quoted, escaped in octal; nothing that is none is taken
for less than it costs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Optional

#: Characters that git looks at, a nanosecond or two each. 100,000 files and 500 lines of the
#: kinds that repositories have are a quarter of it.
STEPS = 10_000_000_000
#: Of attributes, git takes no line, and no file, that is as long.
LONGEST_LINE = 2048
LARGEST_FILE = 100 * 1024 * 1024
_MARK = b"\xef\xbb\xbf"
#: With a star, a longer pattern is none that a path could need.
_LONGEST = 8192
_STARS = re.compile(rb"\*+")
_SPECIAL = re.compile(rb"[*?\[\\]")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)")
_CONTROLS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b"}


class Star(NamedTuple):
    """A star that may stand for more than one text: where what follows it can begin.

    ``letters``: what it begins with; none: anywhere. ``weight``: of what is compared there.
    ``jumps``: whether git goes on to the end of a name from there.
    """

    letters: bytes
    weight: int
    jumps: bool


@dataclass(frozen=True)
class Glob:
    """One pattern. ``whole``: it is laid on the whole path, and not on the last name of it.

    ``first``: what a path begins with, or nothing else is compared.
    """

    whole: bool
    first: bytes
    weight: int
    stars: tuple[Star, ...]


def most_stars(name: bytes, said: bytes) -> tuple[int, bytes]:
    """How many stars the line of a file has that has the most, and the line."""
    lines = _lines(said)
    counted = (len(found.stars) if found else 0 for found in globs_in(name, said))
    return max(zip(counted, lines), key=lambda item: item[0], default=(0, b""))


def glob(pattern: bytes) -> Optional[Glob]:
    """What git makes of a pattern; None: it is compared at once."""
    place = pattern[:-1] if pattern.endswith(b"/") else pattern
    whole = b"/" in place
    text = place[1:] if place.startswith(b"/") else place
    if b"*" not in text:
        # Without a star each path is compared once, however long the brackets are.
        return Glob(whole, b"", len(text), ()) if b"[" in text else None
    if not whole and text.startswith(b"*") and not _SPECIAL.search(text, 1):
        return None
    if len(text) > _LONGEST:
        return Glob(whole, b"", STEPS, ())
    special = _SPECIAL.search(text)
    first = special.start() if special else 0
    stars: list[Star] = []
    weight, begin, letters, jumps = 0, 0, b"", False
    for found in _stars(text):
        after = _letters(text, found, whole, first)
        if after is None:
            jumps = True
            continue
        if begin or stars or letters or weight:
            stars.append(Star(letters, found.start() - begin, jumps))
        else:
            weight = found.start() + 1
        begin, letters, jumps = found.start(), after, False
    if not weight:
        return Glob(whole, text[:first], len(text), ())
    stars.append(Star(letters, len(text) - begin, jumps))
    return Glob(whole, text[:first], weight, tuple(stars))


def _stars(text: bytes) -> Iterable[re.Match[bytes]]:
    """Each row of stars that is neither escaped nor in brackets."""
    found = _SPECIAL.search(text)
    while found is not None:
        at, kind = found.start(), found[0]
        if kind == b"*":
            row = _STARS.match(text, at)
            if row is not None:
                yield row
                at = row.end()
        elif kind == b"[":
            at = _end_of_brackets(text, at)
        else:
            at += 2 if kind == b"\\" else 1
        found = _SPECIAL.search(text, at)


def _end_of_brackets(text: bytes, at: int) -> int:
    """Behind them; the end of the text where they are not closed: git gives up there."""
    at += 2 if text[at + 1 : at + 2] in (b"!", b"^") else 1
    first = at
    while at < len(text):
        one = text[at : at + 1]
        if one == b"]" and at > first:
            return at + 1
        step = 2 if one == b"\\" else 1
        if text[at : at + 2] == b"[:":
            end = text.find(b"]", at + 2)
            if end > at + 2 and text[end - 1 : end] == b":":
                step = end + 1 - at
        at += step
    return len(text)


def _letters(
    text: bytes, stars: re.Match[bytes], whole: bool, first: int
) -> Optional[bytes]:
    """What a path must have where the rest begins; None: there is one such place at most.

    :param first: where git begins with patterns: what stands before it is compared before.
    """
    begin, after = stars.span()
    if after == len(text):
        return None
    if whole and text[after : after + 1] == b"/":
        deep = begin == first or text[begin - 1 : begin] == b"/"
        if not deep or after - begin == 1:
            return None
    special = _SPECIAL.search(text, after)
    run = text[after : special.start() if special else len(text)]
    # Up to where its first letter comes again: so no two places of it lie over each other.
    again = run.find(run[:1], 1)
    return run if again < 0 else run[:again]


def globs_in(name: bytes, said: bytes) -> Iterable[Optional[Glob]]:
    """What git makes of each line of a pattern file; None: no pattern, or compared at once."""
    attributes = name.rpartition(b"/")[2] == b".gitattributes"
    for line in _lines(said):
        pattern = _of_attributes(line) if attributes else _of_ignore(line)
        yield glob(pattern) if pattern else None


def _lines(said: bytes) -> list[bytes]:
    """As git has them: one reader passes over a mark at the beginning, another one does not."""
    if not said.startswith(_MARK):
        return said.split(b"\n")
    lines = said[len(_MARK) :].split(b"\n")
    return [*lines, _MARK + lines[0]]


def taken(line: bytes) -> bytes:
    """What git takes of a line of attributes; nothing of one that is too long for it."""
    line = line.split(b"\0", 1)[0]
    length = len(line) - len(_MARK) * line.startswith(_MARK) - line.endswith(b"\r")
    return line if length < LONGEST_LINE else b""


def _of_ignore(line: bytes) -> bytes:
    line = line.rstrip(b"\r").rstrip(b" ")
    return b"" if line.startswith(b"#") else line[line.startswith(b"!") :]


def _of_attributes(line: bytes) -> bytes:
    line = taken(line).strip(b" \t\r")
    if line.startswith(b"#"):
        return b""
    quoted = _QUOTED.match(line)
    if quoted is not None:
        return _ESCAPED.sub(_unescaped, quoted[1])
    # git takes no negative ones here, and says so; here they count like others.
    word = re.split(rb"[ \t\r]", line, maxsplit=1)[0]
    return word[word.startswith(b"!") :]


def _unescaped(one: re.Match[bytes]) -> bytes:
    if one[1].isdigit() and len(one[1]) == 3:
        return bytes([int(one[1], 8) & 255])
    return _CONTROLS.get(one[1], one[1])
