"""Lines such as ``_Requirements: 1.1, 2.3_`` -> fields; and what their values say.

Used by ``outline`` (fields) and ``edges`` (references). Accepts ``_Name: value_``,
``**Name:** value``, ``**Name: value**``, a wrong closing mark, and ``Name: value`` at
the start of a line. Unknown names are text and stay in the description.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Final, Literal, Optional

from kiro_swarm.tasks.ids import is_id

Kind = Literal["depends", "requirements", "files", "boundary", "estimate", "blocks"]

_BULLET: Final = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])[ \t]+")
_FIELD: Final = re.compile(
    r"(?:^|(?<=[\s|;]))(?P<open>_{1,3}|\*{1,3})?"
    r"(?P<name>depends(?:[ -]on)?|dependenc(?:y|ies)|blocked[ -]by|requirements?"
    r"|validates|files?|boundar(?:y|ies)|estimate|blocks)"
    r"(?P<mid>[_*]{0,3})[ \t]*:(?P<end>[_*]{0,3})",
    re.IGNORECASE,
)
_KINDS: Final[tuple[tuple[str, Kind], ...]] = (
    ("depend", "depends"),
    ("blocked", "depends"),
    ("blocks", "blocks"),
    ("requirement", "requirements"),
    ("validates", "requirements"),
    ("file", "files"),
    ("boundar", "boundary"),
    ("estimate", "estimate"),
)
_COMMENT: Final = re.compile(r"\([^()]*\)|（[^（）]*）")
_TRAILING_COMMENT: Final = re.compile(r"\s\([^()]*\)\Z")
_NOTHING: Final = frozenset({"", "-", "–", "—", "none", "n/a", "nothing"})
_SEPARATOR: Final = re.compile(r"[,;&、，；]")
_FILLERS: Final = frozenset({"", "task", "tasks", "and", "after"})
_TIME: Final = re.compile(
    r"(?:(?P<h>[0-9]{1,4}(?:\.[0-9]{1,2})?) ?h(?:ours?|rs?)?)?"
    r" ?(?:(?P<m>[0-9]{1,5}) ?m(?:in(?:ute)?s?)?)?"
    r" ?(?:(?P<s>[0-9]{1,6}) ?s(?:ec(?:ond)?s?)?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Field:
    """A named value. ``marked``: written with ``_`` or ``*``, so surely a field."""

    kind: Kind
    value: str
    marked: bool
    line: int
    column: int


@dataclass(frozen=True)
class References:
    """A dependency value: ids, and the words that are neither ids nor comments."""

    ids: tuple[str, ...]
    leftover: tuple[str, ...]


def read_fields(
    text: str, line: int, column: int, *, inline: bool = False
) -> tuple[list[Field], str]:
    """(fields, text before the first of them) of one line.

    With ``inline`` the line is a title: only marked fields count there.
    """
    bullet = None if inline else _BULLET.match(text)
    if bullet:
        text, column = text[bullet.end() :], column + bullet.end()
    starts = [
        match
        for match in _FIELD.finditer(text)
        if match.group("open") or (not inline and match.start() == 0)
    ]
    found = []
    for index, match in enumerate(starts):
        last = index + 1 == len(starts)
        stop = len(text) if last else starts[index + 1].start()
        name = match.group("name").lower()
        kind = next(kind for prefix, kind in _KINDS if name.startswith(prefix))
        value = _value(match, text[match.end() : stop].strip(), kind)
        found.append(
            Field(kind, value, bool(match.group("open")), line, column + match.start())
        )
    return found, text[: starts[0].start()].rstrip() if starts else text


def _value(match: re.Match[str], value: str, kind: Kind) -> str:
    """A field's value without the mark that closes it."""
    opened = match.group("open")
    if opened and not match.group("mid") and not match.group("end"):
        closing = re.search(re.escape(opened) + r"(?=[\s)|;,.]*(?:\Z|\s))", value)
        if closing:
            value = value[: closing.start()]
        elif kind in ("depends", "requirements"):
            value = value.rstrip("_*")  # closed with the wrong mark
    return value.strip()


def read_references(value: str) -> References:
    """The ids of a dependency value. Comments in parentheses say nothing."""
    text = value
    for _ in range(3):  # comments in comments, to a depth that people write
        text = _COMMENT.sub(" ", text)
    ids: list[str] = []
    leftover: list[str] = []
    if text.strip().rstrip(".").lower() in _NOTHING:
        return References((), ())
    for part in _SEPARATOR.split(text):
        before = ""
        for token in part.split():
            bare = token.strip("*_`#[]").rstrip(".:")
            if is_id(bare) and before.lower() in _FILLERS:
                ids.append(bare)
            elif is_id(bare):  # `Phase 2` is not task 2
                leftover.append(f"{leftover.pop()} {token}")
            elif bare.lower() not in _FILLERS:
                leftover.append(token)
            before = "" if is_id(bare) else bare
    return References(tuple(dict.fromkeys(ids)), tuple(leftover))


def read_requirements(value: str) -> list[str]:
    """``Requirements 2.1, 2.3`` -> ``2.1``, ``2.3``; prose and ranges as they are."""
    text = re.sub(r"^requirements?\b:?\s*", "", value, flags=re.IGNORECASE)
    return [item for item in (part.strip() for part in text.split(",")) if item]


def read_names(value: str) -> list[str]:
    """A list of files or parts: backticks and trailing comments taken off."""
    items = (
        _TRAILING_COMMENT.sub("", item.strip()).strip("`").strip()
        for item in value.split(",")
    )
    return [item for item in items if item.lower() not in _NOTHING]


def inside_repository(path: str) -> Optional[str]:
    """A path in its shortest form, or None when it leaves the repository."""
    short = posixpath.normpath(path.replace("\\", "/"))
    climbs = short == ".." or short.startswith(("../", "/", "~"))
    return None if climbs else short


def read_seconds(value: str) -> Optional[int]:
    """``30min``, ``1h``, ``1h 30m``, ``90s`` in seconds; None if it is none of them."""
    match = _TIME.fullmatch(value.strip())
    if match is None or not any(match.groups()):
        return None
    hours, minutes, seconds = (float(group or 0) for group in match.groups())
    return int(hours * 3600 + minutes * 60 + seconds)
