"""Lines such as ``_Requirements: 1.1, 2.3_`` -> fields: a kind and a value.

Used by ``outline``. Accepts ``_Name: value_``, ``**Name:** value``, ``**Name: value**``, a
wrong closing mark, several in a line with `` | `` between them, and ``Name: value`` at the
start of a line. Unknown names are text and stay in the description (see ``near_fields``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kiro_swarm.tasks.file.names import NAMES, SOFT, Kind, kind_of
from kiro_swarm.tasks.file.references import read_references
from kiro_swarm.tasks.file.values import NOTHING

_BULLET: Final = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])[ \t]+")
_FIELD: Final = re.compile(
    r"(?:^|(?<=[\s|;]))(?P<open>_{1,3}|\*{1,3})?(?P<name>"
    + "|".join([*(names for names, _ in NAMES), SOFT])
    + r")(?P<mid>[_*]{0,3})[ \t]*[:：](?P<end>[_*]{0,3})",
    re.IGNORECASE,
)
#: How a mark that opens a field closes it: nothing but signs stands behind it.
_CLOSING: Final = {
    mark: re.compile(re.escape(mark) + r"(?=[\s)|;,.]*(?:\Z|\s))")
    for mark in ("_", "__", "___", "*", "**", "***")
}
#: Stand between the closing mark and what goes on with the list: `_Depends: 1_, 2`.
_PARTING: Final = " \t,;|&+/、，；"
_LISTS: Final = ("depends", "blocks", "requirements")
#: A list that goes on where its line ends.
_UNENDED: Final = re.compile(r"(?:[,;&+、，；]|\s(?:and|und))\Z")
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
    #: Its name can mean something else: it is a dependency where its value is tasks alone.
    soft: bool = False
    #: What stands behind its closing mark and is not read as a part of a list.
    behind: str = ""
    #: Whether a list has no closing mark and ends as if it went on.
    unended: bool = False


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
        known = kind_of(match.group("name"))
        kind = known or "depends"
        rest = text[match.end() : stop].strip()
        value, behind = _value(match, rest if last else rest.rstrip(" \t|;"), kind)
        if known is None and not _only_tasks(value):
            continue
        found.append(
            Field(
                kind,
                value,
                bool(match.group("open")),
                line,
                column + match.start(),
                soft=known is None,
                behind=behind.strip(),
                unended=kind in _LISTS[:2] and bool(_UNENDED.search(rest)),
            )
        )
    return found, text[: starts[0].start()].rstrip() if starts else text


def _only_tasks(value: str) -> bool:
    """Whether a value says nothing but tasks, or that there are none."""
    if value.lower() in NOTHING:
        return bool(value)
    return _names_tasks(value)


def _names_tasks(value: str) -> bool:
    references = read_references(value)
    return bool(references.found) and not references.leftover


def _value(match: re.Match[str], value: str, kind: Kind) -> tuple[str, str]:
    """A field's value without the mark that closes it, and what is left behind that."""
    opened = match.group("open")
    behind = ""
    if opened and not match.group("mid") and not match.group("end"):
        closing = _CLOSING[opened].search(value)
        if closing:
            value, behind = value[: closing.start()], value[closing.end() :]
            further = behind.strip(_PARTING)
            if kind in _LISTS and further and _names_tasks(further):
                value, behind = f"{value}, {further}", ""
        elif kind in _LISTS:
            value = value.rstrip("_*")  # closed with the wrong mark
    following = _NEXT.search(value) if "|" in value else None
    return (value[: following.start()] if following else value).strip(), behind
