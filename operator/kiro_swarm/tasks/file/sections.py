"""Headings of a task file: which phase, and whether a section is a checklist.

Used by ``outline``, which shows it every line that may be a heading.
"""

from __future__ import annotations

import re
from typing import Final, Optional

from kiro_swarm.tasks.file.lines import Line
from kiro_swarm.tasks.file.phases import PHASE, names_of

_HEADING: Final = re.compile(r"(?P<marks>#{1,6})\s*(?P<text>.*)", re.DOTALL)
_BOLD: Final = re.compile(r"\*\*(?P<text>[^*]{1,200})\*\*:?")
_DECORATION: Final = re.compile(r"\A(?:[\W_]|[0-9]+(?:\.[0-9]+)*\.?\s)*")
_CHECKLIST: Final = re.compile(
    r"(?:(?:release|review|code review|verification|validation|quality|test|testing|final"
    r"|completion|deployment|security|acceptance|pre-release|pre-merge)\s+)?check-?list"
    r"|definition of (?:done|ready)|(?:acceptance|success|completion|exit) criteria"
    r"|pre-?requisites",
    re.IGNORECASE,
)
#: A line in bold is a heading below every real one.
_LOWEST: Final = 7


class Sections:
    """Where in the structure of headings the lines are that come now."""

    def __init__(self) -> None:
        self.phases: tuple[str, ...] = ()
        #: The heading of the checklist that we are in, or empty.
        self.checklist = ""
        self._checklist_level = 0
        self._open: list[tuple[int, str]] = []

    def enter(self, line: Line) -> bool:
        """Whether a line is a heading; if so, what follows belongs to it."""
        found = _heading(line)
        if found is None:
            return False
        level, text = found
        if level <= self._checklist_level:
            self.checklist, self._checklist_level = "", 0
        plain = text.rstrip(" :#*_")
        if level > 1 and not self.checklist and _CHECKLIST.fullmatch(plain):
            self.checklist, self._checklist_level = plain, level
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        self._open += ((level, key) for key in names_of(text))
        self.phases = tuple(key for _, key in self._open)
        return True


def _heading(line: Line) -> Optional[tuple[int, str]]:
    """Level and text of a heading."""
    if line.indent != 0 or line.text[0] not in "#*":
        return None
    match = _HEADING.match(line.text)
    if match:
        text = match.group("text")[:300]
        return len(match.group("marks")), _DECORATION.sub("", text)
    bold = _BOLD.fullmatch(line.text) if line.text.startswith("**") else None
    if bold and PHASE.match(bold.group("text")):
        return _LOWEST, bold.group("text")
    return None
