"""Lines -> tasks with their text and fields, not yet connected.

Used by ``parser``. A task's id comes from its number, never from its indentation;
indentation only decides whose a line of text is, as in Markdown: the innermost list item
that is indented less.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Optional

from kiro_swarm.tasks import ids
from kiro_swarm.tasks.boxes import MARKS, Box, read_box
from kiro_swarm.tasks.fields import Field, read_fields
from kiro_swarm.tasks.lines import Line
from kiro_swarm.tasks.model import Remarks, State

_PROSE_EDGE: Final = re.compile(
    r"\b(?:depends on|blocked by)\s+(?:tasks?\s+)?[0-9]+\.?[0-9]*", re.IGNORECASE
)
_BULLET: Final = re.compile(r"[-*+](?:\s|\Z)|[0-9]{1,9}[.)]\s")


@dataclass
class Draft:
    """A task while the file is read."""

    id: str
    title: str
    state: State
    optional: bool
    line: int
    column: int
    offset: int
    indent: int
    enclosing: Optional[str]
    body: list[str] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    last_line: int = 0

    def add(self, line: Line) -> None:
        """One more line of its text, with its place kept relative to the task."""
        if self.body and line.number > self.last_line + 1:
            self.body.append("")
        self.body.append(" " * max(0, line.indent - self.indent - 2) + line.text)
        self.last_line = line.number


class Outline:
    """Reads lines one after another; ``drafts`` are the tasks, in file order."""

    def __init__(self, remarks: Remarks) -> None:
        self.drafts: list[Draft] = []
        #: (box of a second definition, draft of the first)
        self.duplicates: list[tuple[int, int, Draft]] = []
        self._remarks = remarks
        self._by_id: dict[str, Draft] = {}
        self._open: list[tuple[int, Optional[Draft]]] = []
        self._last: Optional[Draft] = None
        self._previous_line = 0

    def read(self, lines: list[Line]) -> list[Draft]:
        """The tasks of a file."""
        for line in lines:
            if line.code:
                if self._last is not None and line.indent > self._last.indent:
                    self._last.add(line)
            elif line.indent == 0 and line.text.startswith("#"):
                self._open, self._last = [], None
            else:
                self._read_line(line)
            self._previous_line = line.number
        return self.drafts

    def _read_line(self, line: Line) -> None:
        box = read_box(line)
        if box is not None and box.quoted:
            self._remarks.add(
                "warning",
                "quoted-box",
                line.number,
                "a box inside a quotation is not a task",
                box.column,
            )
            return
        while self._open and self._open[-1][0] >= line.indent:
            self._open.pop()
        if box is None or not self._read_task(line, box):
            self._read_text(line)

    def _read_task(self, line: Line, box: Box) -> bool:
        """Start a task; False when the box is a line of another task's text."""
        around = self._open[-1][1] if self._open else None
        if not box.id or (around is not None and not box.certain):
            if around is not None and not box.attempt:
                return False
            self._refuse(line, box)
            self._open.append((line.indent, None))
            self._last = None
            return True
        if box.mark not in MARKS:
            self._remarks.add(
                "error",
                "unknown-mark",
                line.number,
                f"the box [{box.mark}] of task {box.id} is none of [ ], [x], [-], [~]",
                box.column,
            )
        draft = self._draft(line, box, around)
        first = self._by_id.setdefault(box.id, draft)
        if first is draft:
            self.drafts.append(draft)
        else:
            self.duplicates.append((line.number, box.column, first))
        self._open.append((line.indent, first))
        self._last = first
        return True

    def _draft(self, line: Line, box: Box, around: Optional[Draft]) -> Draft:
        fields, title = read_fields(box.title, line.number, line.column, inline=True)
        if not title:
            self._remarks.add(
                "warning", "no-title", line.number, f"task {box.id} has no title"
            )
        if around is not None and not self._belongs(box.id, around.id):
            self._remarks.add(
                "info",
                "odd-nesting",
                line.number,
                f"task {box.id} is written inside task {around.id}; its number decides",
                box.column,
            )
        return Draft(
            id=box.id,
            title=title,
            state=MARKS.get(box.mark, "open"),
            optional=box.optional,
            line=line.number,
            column=box.column,
            offset=box.offset,
            indent=line.indent,
            enclosing=around.id if around else None,
            fields=fields,
            last_line=line.number,
        )

    @staticmethod
    def _belongs(task_id: str, around: str) -> bool:
        return around in ids.prefixes(task_id) or not ids.is_numeric(task_id)

    def _refuse(self, line: Line, box: Box) -> None:
        if box.attempt:
            shown = box.attempt[:40].encode("unicode_escape").decode("ascii")
            self._remarks.add(
                "error",
                "bad-id",
                line.number,
                f"'{shown}' is not a task id: {ids.ALLOWED}",
                box.column,
            )
        else:
            self._remarks.add(
                "warning",
                "box-without-id",
                line.number,
                "this box has no task id, so it is not a task; "
                "write '- [ ] 3. Title' to make it one",
                box.column,
            )

    def _read_text(self, line: Line) -> None:
        owner = self._open[-1][1] if self._open else self._last
        fields, _ = read_fields(line.text, line.number, line.column)
        ends = not self._open and not fields and not _BULLET.match(line.text)
        if ends and line.number > self._previous_line + 1:
            self._last = None  # a paragraph after a blank line ends the list
            return
        if owner is not None:
            owner.fields.extend(fields)
            owner.add(line)
            self._note_prose(line, owner, fields)
            return
        for orphan in fields:
            if orphan.marked:
                self._remarks.add(
                    "warning",
                    "orphan-field",
                    orphan.line,
                    "this line belongs to no task; write it below a task",
                    orphan.column,
                )

    def _note_prose(self, line: Line, owner: Draft, fields: list[Field]) -> None:
        prose = None if fields else _PROSE_EDGE.search(line.text)
        if prose:
            self._remarks.add(
                "warning",
                "prose-dependency",
                line.number,
                f"'{prose.group()}' in the text of task {owner.id} is not read as a "
                "dependency; write '_Depends: ..._' to make it one",
                line.column + prose.start(),
            )
