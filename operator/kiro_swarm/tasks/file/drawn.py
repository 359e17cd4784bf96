"""Drawings of boxes, forks and trees: told where the edges of a file do not say the same.

Used by ``diagrams``. ``grid`` reads what the lines of a drawing join; a label counts where it
names a task: by an id that is set apart, or by the words of its title.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Final, Optional

from kiro_swarm.tasks.file import arrows
from kiro_swarm.tasks.file.boxes import read_head
from kiro_swarm.tasks.file.details import BULLET
from kiro_swarm.tasks.file.edges import Edges
from kiro_swarm.tasks.file.grid import Node, Row, links_of
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.ids import is_id
from kiro_swarm.tasks.file.lines import Block, Line
from kiro_swarm.tasks.file.model import Remarks
from kiro_swarm.tasks.file.phases import below, names_of, of_task
from kiro_swarm.tasks.file.same_box import Words, words_of

#: A line without any of these joins nothing.
_DRAWN: Final = re.compile(
    rf"[─━═│┃║└├┌╰╚{arrows.RIGHT}{arrows.LEFT}{arrows.UP}{arrows.DOWN}]"
    r"|--|==|->|<-|=>|\||(?:^|\s)[/\\](?:\s|$)"
)
_TABLE: Final = re.compile(r"\|?[\s:|-]*-[\s:|-]*\|[\s:|-]*")
#: Links of a drawing, and of all of a file, that are looked at.
_MOST: Final = 5_000
_LONGEST: Final = 120


class Labels:
    """The tasks of a file by what a drawing calls them."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._titled: Optional[dict[Words, str]] = None

    def task(self, label: str) -> Optional[str]:
        """The task, or the part of the plan, that a label names."""
        label = label[:_LONGEST].strip()
        if is_id(label):
            name: Optional[str] = label
        else:
            name, certain, _, _ = read_head(label)
            name = name if certain else next(names_of(label), None)
        if name and self._groups.members(name) is not None:
            return name
        return self._by_title(label)

    def _by_title(self, label: str) -> Optional[str]:
        if self._titled is None:
            self._titled = {}
            for draft in self._groups.drafts.values():
                words = words_of(draft.title)
                # Of two tasks of one title neither is named by it.
                known = words in self._titled or not draft.title
                self._titled[words] = "" if known else draft.id
        return self._titled.get(words_of(label)) or None


class Drawn:
    """Looks for drawings that the edges of a file do not have."""

    def __init__(
        self, groups: Groups, edges: Edges, remarks: Remarks, labels: Labels
    ) -> None:
        self._groups = groups
        self._edges = edges
        self._remarks = remarks
        self._labels = labels
        self._left = _MOST * 20

    def report(
        self,
        lines: Sequence[Line],
        blocks: Sequence[Block],
        passed: Collection[int],
    ) -> Iterator[int]:
        """The numbers of the lines of drawings that something was said about.

        :param passed: numbers of lines that are of a task and no code, or were told.
        """
        for drawing in (*(block.lines for block in blocks), *_loose(lines, passed)):
            if not any(_DRAWN.search(line.text) for line in drawing):
                continue
            if any(line.number in passed for line in drawing):
                continue
            if self._report(drawing):
                yield from (line.number for line in drawing)

    def _report(self, drawing: Sequence[Line]) -> bool:
        rows = [Row(line.number, " " * line.indent + line.text) for line in drawing]
        names: dict[int, Optional[str]] = {}
        for link in islice(links_of(rows), min(_MOST, max(0, self._left))):
            self._left -= 1
            for node in (link.before, link.after):
                if id(node) not in names:
                    names[id(node)] = self._name(node)
            before, after = names[id(link.before)], names[id(link.after)]
            if (
                before
                and after
                and self._is_missing(before, after, directed=link.directed)
            ):
                row, column, _ = link.after.labels[0]
                self._say(drawing[row], column, before, after, directed=link.directed)
                return True
        return False

    def nested(self, items: Sequence[Line]) -> Optional[int]:
        """The number of the line of a list in a list that the edges do not have, told."""
        open_items: list[tuple[Line, Optional[str]]] = []
        for line in items:
            bullet = BULLET.match(line.text)
            if bullet is None:
                continue
            while open_items and open_items[-1][0].indent >= line.indent:
                open_items.pop()
            name = self._labels.task(line.text[bullet.end() :])
            before = open_items[-1][1] if open_items else None
            if before and name and self._is_missing(before, name, directed=False):
                column = line.indent + bullet.end() + 1
                self._say(line, column, before, name, directed=False)
                return line.number
            open_items.append((line, name))
        return None

    def _name(self, node: Node) -> Optional[str]:
        found = (self._labels.task(text) for _, _, text in node.labels[:8])
        return next(filter(None, found), None)

    def _is_missing(self, before: str, after: str, *, directed: bool) -> bool:
        if self._edges.overlap(before, after):
            return False
        if self._edges.is_before(before, after, implied=True):
            return False
        # A tree without arrows may hang on what waits for all of it.
        return directed or not self._edges.is_before(after, before, implied=False)

    def _say(
        self, line: Line, column: int, before: str, after: str, *, directed: bool
    ) -> None:
        advice = (
            f"sets {of_task(before)} before {of_task(after)} and is not read; write "
            f"'_Depends: {before}_' below {below(after)} to make it wait"
            if directed
            else f"joins {of_task(before)} and {of_task(after)} and is not read; write "
            "'_Depends: ..._' below the one that waits"
        )
        place = max(1, column - line.indent) - 1
        self._remarks.add(
            "warning",
            "diagram",
            line.number,
            f"this drawing {advice}",
            line.column + place,
        )


def _loose(lines: Sequence[Line], passed: Collection[int]) -> Iterator[list[Line]]:
    """Runs of lines outside of code and tasks: a drawing has no blank line in it."""
    run: list[Line] = []
    for line in lines:
        goes_on = bool(run) and line.number == run[-1].number + 1
        inside = not line.code and line.number not in passed and line.text[0] != "#"
        if run and not (goes_on and inside):
            if not any(_TABLE.fullmatch(other.text) for other in run):
                yield run
            run = []
        if inside:
            run.append(line)
    if run and not any(_TABLE.fullmatch(other.text) for other in run):
        yield run
