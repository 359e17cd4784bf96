"""Drawings from top to bottom: tasks on lines of their own, arrows on the lines between.

Used by ``diagrams``. Such a drawing is not read; it is told where the edges of the file do not say
the same, once a drawing. Each line is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, product
from typing import Final, Optional

from kiro_swarm.tasks.file import arrows
from kiro_swarm.tasks.file import prose_words as words
from kiro_swarm.tasks.file.edges import Edges
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.lines import Line
from kiro_swarm.tasks.file.model import Remarks
from kiro_swarm.tasks.file.phases import below, of_task, with_phases
from kiro_swarm.tasks.file.prose_lists import Lists
from kiro_swarm.tasks.file.prose_tokens import Token, tokens_of

#: A line that only leads on, and one that points down; words may stand behind the point.
_STEM: Final = re.compile(r"[\s|│┃┆┊¦:]+")
_POINT: Final = re.compile(r"[\s|│┃┆┊¦]*(?:[" + arrows.DOWN + r"]|[vV]\Z)")
#: What joins tasks side by side in one line: the last one goes on.
_JOINTS: Final = frozenset(arrows.RIGHT + ">")
_LONGEST: Final = 400
_MOST: Final = 20


class Upright:
    """Looks for drawings from top to bottom that the edges of a file do not have."""

    def __init__(self, groups: Groups, edges: Edges, remarks: Remarks) -> None:
        self._groups = groups
        self._edges = edges
        self._remarks = remarks

    def report(self, lines: Sequence[Line], passed: Collection[int]) -> Iterator[int]:
        """The numbers of the lines of drawings that something was said about.

        :param passed: numbers of lines that are of a task and no code, or were told.
        """
        above: Optional[Line] = None
        pointed = told = False
        for line in lines:
            text = line.text
            if _STEM.fullmatch(text):
                continue
            if _POINT.match(text):
                pointed = above is not None
                if told:
                    yield line.number
                continue
            if not pointed:
                told = False
            elif above is not None and told:
                yield line.number
            elif above is not None and line.number not in passed:
                pair = self._missing(above, line)
                if pair is not None:
                    told = True
                    yield line.number
                    self._say(line, *pair)
            above = None if line.number in passed else line
            pointed = False

    def _missing(self, above: Line, line: Line) -> Optional[tuple[str, str]]:
        before, after = self._lists(above.text), self._lists(line.text)
        if not before or not after:
            return None
        first = before[-1] if _joined(above.text) else list(chain(*before))
        last = after[0] if _joined(line.text) else list(chain(*after))
        for needed, name in product(first[:_MOST], last[:_MOST]):
            if self._edges.overlap(needed, name):
                continue
            if not self._edges.is_before(needed, name, implied=True):
                return needed, name
        return None

    def _lists(self, text: str) -> list[list[str]]:
        """The tasks that a line of a drawing names, list by list."""
        text = text[:_LONGEST]
        tokens = with_phases(tokens_of(text), text, self._known)
        lists = Lists(tokens, self._known)
        found: list[list[str]] = []
        at = 0
        while at < len(tokens):
            ids = lists.at(at)
            if ids is None or not all(map(self._known, ids.ids)):
                at += 1
                continue
            sure = ids.named or not ids.ids[0].isdigit() or _set_apart(tokens, at)
            if sure and not words.OTHER.has(tokens[max(0, at - 1)]):
                found.append(ids.ids)
            at = ids.end
        return found

    def _known(self, name: str) -> bool:
        return self._groups.members(name) is not None

    def _say(self, line: Line, needed: str, name: str) -> None:
        self._remarks.add(
            "warning",
            "diagram",
            line.number,
            f"this drawing sets {of_task(needed)} before {of_task(name)} and is not read; "
            f"write '_Depends: {needed}_' below {below(name)} to make it wait",
            line.column,
        )


def _joined(text: str) -> bool:
    return any(sign in text for sign in _JOINTS)


def _set_apart(tokens: Sequence[Token], at: int) -> bool:
    """Whether a mere number stands where a drawing names a task: first, or behind a sign."""
    behind = at + 1 < len(tokens) and words.UNITS.has(tokens[at + 1])
    return not behind and (at == 0 or tokens[at - 1].text in "[│|┃>" + arrows.RIGHT)
