"""Sections that wait for a section of another name: ``## Core Layer (depends on Foundation)``.

Used by ``parser`` when all edges are known. Told, never read, where the edges do not say it: a
heading counts where the words behind its verb begin the name of one other heading that has tasks.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Optional

from kiro_swarm.tasks.file import prose_words as words
from kiro_swarm.tasks.file.edges import Edges
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.lines import Line
from kiro_swarm.tasks.file.model import Remarks
from kiro_swarm.tasks.file.prose_tokens import Token, tokens_of

_HEADING: Final = re.compile(r"(?P<marks>#{1,6})\s*(?P<text>\S.*)", re.DOTALL)
_LONGEST: Final = 300
#: Headings of a file that are looked at.
_MOST: Final = 500
#: Things that a heading waits for, and words of a name, that are looked at.
_MOST_NEEDS: Final = 8
_MOST_WORDS: Final = 24
#: Names are found by so many words; so many names with them are no name of one section.
_PHRASE: Final = 4
_ALIKE: Final = 20
#: Words that are part of many names.
_COMMON: Final = frozenset(
    (
        *("the", "a", "an", "of", "all", "and", "layer", "layers", "phase", "stage"),
        *("section", "part", "tasks", "task", "system", "complete", "completed"),
        *("completion", "done", "being", "is", "work"),
    )
)
_PARTING: Final = frozenset("+,&/;；，、")
_END: Final = frozenset(")）.:：")


@dataclass(frozen=True)
class _Section:
    line: Line
    level: int
    name: tuple[str, ...]
    #: What it waits for, in words.
    needs: tuple[tuple[str, ...], ...]
    #: Numbers one after another.
    leaves: list[int]

    def is_apart(self, other: _Section) -> bool:
        """Whether the two have no task in common; both have one."""
        return self.leaves[-1] < other.leaves[0] or other.leaves[-1] < self.leaves[0]


def report_sections(
    lines: Sequence[Line],
    groups: Groups,
    edges: Edges,
    remarks: Remarks,
    told: Collection[int],
) -> set[int]:
    """A remark for each heading that names a heading which its tasks do not wait for.

    Returns the numbers of the lines that something was said about.
    """
    sections = _sections(lines, groups)
    names = _Names(sections)
    said: set[int] = set()
    for section in sections:
        if not section.leaves or section.line.number in told:
            continue
        for needed in section.needs:
            other = names.found(needed, section)
            if other is None or edges.all_before(other.leaves, section.leaves):
                continue
            said.add(section.line.number)
            remarks.add(
                "warning",
                "prose-dependency",
                section.line.number,
                f"'{' '.join(needed)[:80]}' in this heading (the tasks below line "
                f"{other.line.number}) is not read as a dependency; write '_Depends: ..._' "
                "below the tasks that wait",
                section.line.column,
            )
            break
    return said


def _sections(lines: Sequence[Line], groups: Groups) -> list[_Section]:
    places = [(draft.line, index) for index, draft in enumerate(groups.leaves)]
    found: list[_Section] = []
    opened: list[_Section] = []
    at = 0
    for line in lines:
        while at < len(places) and places[at][0] < line.number:
            for section in opened:
                section.leaves.append(places[at][1])
            at += 1
        heading = None if line.code or line.indent else _HEADING.match(line.text)
        if heading is None or len(found) == _MOST:
            continue
        level = len(heading.group("marks"))
        opened = [section for section in opened if section.level < level]
        name, needs = _read(heading.group("text")[:_LONGEST])
        found.append(_Section(line, level, name, needs, []))
        opened.append(found[-1])
    for _, index in places[at:]:
        for section in opened:
            section.leaves.append(index)
    return found


def _read(text: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The words of a heading's name, and those of each thing that it waits for."""
    tokens = tokens_of(text)
    for at, _ in enumerate(tokens):
        end = words.SURE.end(tokens, at)
        if end is not None:
            needs = dict.fromkeys(filter(None, _needed(tokens[end:])))
            return _plain(tokens[:at]), tuple(needs)[:_MOST_NEEDS]
    return _plain(tokens), ()


def _needed(tokens: Sequence[Token]) -> list[tuple[str, ...]]:
    needed: list[list[Token]] = [[]]
    for token in tokens:
        if token.text in _END or token.kind == "id":
            break
        if token.text in _PARTING or token.text in ("and", "und", "et", "y", "e", "và"):
            needed.append([])
        else:
            needed[-1].append(token)
    return [_plain(part) for part in needed]


def _plain(tokens: Sequence[Token]) -> tuple[str, ...]:
    kept = (t.text for t in tokens if t.kind in ("word", "character"))
    return tuple(text for text in kept if text not in _COMMON)[:_MOST_WORDS]


class _Names:
    """Sections by the words of their names: found at once, however many there are."""

    def __init__(self, sections: Sequence[_Section]) -> None:
        self._with: dict[tuple[str, ...], list[_Section]] = {}
        for section in sections:
            name = section.name if section.leaves else ()
            for at in range(len(name)):
                for stop in range(at + 1, min(at + _PHRASE, len(name)) + 1):
                    found = self._with.setdefault(name[at:stop], [])
                    if len(found) <= _ALIKE and (not found or found[-1] is not section):
                        found.append(section)

    def found(self, needed: tuple[str, ...], section: _Section) -> Optional[_Section]:
        """The one other section whose name has these words, in front or one after another."""
        alike = self._with.get(needed[:_PHRASE], [])
        if len(alike) > _ALIKE:
            return None
        others = [
            other
            for other in alike
            if section.is_apart(other) and _has(other.name, needed)
        ]
        first = [other for other in others if other.name[: len(needed)] == needed]
        chosen = first if len(first) == 1 else others
        return chosen[0] if len(chosen) == 1 else None


def _has(name: tuple[str, ...], needed: tuple[str, ...]) -> bool:
    starts = range(len(name) - len(needed) + 1)
    return any(name[at : at + len(needed)] == needed for at in starts)
