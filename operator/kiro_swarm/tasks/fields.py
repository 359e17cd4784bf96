"""Lines such as ``_Requirements: 1.1, 2.3_`` -> fields: a kind and a value.

Used by ``outline``. Accepts ``_Name: value_``, ``**Name:** value``, ``**Name: value**``, a
wrong closing mark, several in a line with `` | `` between them, and ``Name: value`` at the
start of a line. Unknown names are text and stay in the description.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, Optional

Kind = Literal[
    "depends",
    "blocks",
    "requirements",
    "files",
    "boundary",
    "estimate",
    "priority",
    "complexity",
    "capabilities",
    "acceptance",
]

_BULLET: Final = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])[ \t]+")
_NAMES: Final[tuple[tuple[str, Kind], ...]] = (
    (r"depends(?:[ _-]?on)?|dependenc(?:y|ies)|blocked[ _-]?by", "depends"),
    (r"blocks", "blocks"),
    (r"requirements?|validates", "requirements"),
    (r"(?:target )?files?", "files"),
    (r"boundar(?:y|ies)", "boundary"),
    (r"estimate(?:d (?:time|effort|duration))?|estimated|effort", "estimate"),
    (r"priority", "priority"),
    (r"(?:estimated )?complexity", "complexity"),
    (r"(?:required )?(?:capabilit(?:y|ies)|skills?)", "capabilities"),
    (r"acceptance criteri(?:a|on)|acceptance|done when", "acceptance"),
)
_FIELD: Final = re.compile(
    r"(?:^|(?<=[\s|;]))(?P<open>_{1,3}|\*{1,3})?(?:"
    + "|".join(f"(?P<{kind}>{names})" for names, kind in _NAMES)
    + r")(?P<mid>[_*]{0,3})[ \t]*[:：](?P<end>[_*]{0,3})",
    re.IGNORECASE,
)
_NAME: Final = re.compile(
    "|".join(f"(?P<{kind}>{names})" for names, kind in _NAMES), re.IGNORECASE
)
#: Another field, of a name that is not known, on the same line.
_NEXT: Final = re.compile(r"\s\|\s*[*_]")


@dataclass(frozen=True)
class Field:
    """A named value. ``marked``: written with ``_`` or ``*``, so surely a field."""

    kind: Kind
    value: str
    marked: bool
    line: int
    column: int


def kind_of(name: str) -> Optional[Kind]:
    """The kind of field that has this name, whatever its case, or None."""
    match = _NAME.fullmatch(name)
    return _kind(match) if match else None


def _kind(match: re.Match[str]) -> Kind:
    return next(kind for _, kind in _NAMES if match.group(kind) is not None)


def read_fields(
    text: str, line: int, column: int, *, inline: bool = False
) -> tuple[list[Field], str]:
    """(fields, text before the first of them) of one line.

    With ``inline`` the line is a title: only marked fields count there.
    """
    if ":" not in text and "：" not in text:
        return [], text
    bullet = None if inline else _BULLET.match(text)
    if bullet:
        text, column = text[bullet.end() :], column + bullet.end()
    starts: list[re.Match[str]] = []
    for match in _FIELD.finditer(text):
        follows = starts and text[match.start() - 2 : match.start()] == "| "
        if match.group("open") or (not inline and (match.start() == 0 or follows)):
            starts.append(match)
    found = []
    for index, match in enumerate(starts):
        last = index + 1 == len(starts)
        stop = len(text) if last else starts[index + 1].start()
        kind = _kind(match)
        rest = text[match.end() : stop].strip()
        value = _value(match, rest if last else rest.rstrip(" \t|;"), kind)
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
        elif kind in ("depends", "blocks", "requirements"):
            value = value.rstrip("_*")  # closed with the wrong mark
    following = _NEXT.search(value)
    return (value[: following.start()] if following else value).strip()
