"""Lines -> tasks with their text and fields, not yet connected.

Used by ``parser``. A task's id comes from its number, never from its indentation;
indentation only decides whose a line of text is, as in Markdown: the innermost list item
that is indented less.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from kiro_swarm.api.graph import MAX_TASKS
from kiro_swarm.tasks.file import ids
from kiro_swarm.tasks.file.boxes import MARKS, Box, read_box, read_head
from kiro_swarm.tasks.file.composed import compose
from kiro_swarm.tasks.file.details import BULLET, collect, criteria_in
from kiro_swarm.tasks.file.draft import Draft
from kiro_swarm.tasks.file.fields import Field, read_fields
from kiro_swarm.tasks.file.lines import Line
from kiro_swarm.tasks.file.model import Remarks
from kiro_swarm.tasks.file.sections import Sections
from kiro_swarm.tasks.file.task_comments import (
    TaskComment,
    ends_task,
    read_task_comment,
)
from kiro_swarm.tasks.file.texts import report_number
from kiro_swarm.tasks.file.unnamed import Unnamed


def _shown(mark: str) -> str:
    """A mark as it is written, and what it is where it may look like another."""
    return mark if mark.isascii() else f"{mark} U+{ord(mark[0]):04X}"


def _fields(line: Line, text: str, *, inline: bool = False) -> tuple[list[Field], str]:
    """``read_fields`` of a line; what becomes a part of a task is as it is written."""
    fields, rest = read_fields(text, line.number, line.column, inline=inline)
    if not line.cuts:
        return fields, rest
    kept = (
        (
            field
            if field.kind in ("depends", "blocks")
            else replace(field, value=line.as_written(field.value))
        )
        for field in fields
    )
    return list(kept), rest


class Outline:
    """Reads lines one after another; ``drafts`` are the tasks, in file order."""

    def __init__(self, remarks: Remarks) -> None:
        self.drafts: list[Draft] = []
        #: (line and column of a second definition, draft of the first)
        self.duplicates: list[tuple[int, int, Draft]] = []
        #: By number of a line, the task whose text it is.
        self.owners: dict[int, Draft] = {}
        self._remarks = remarks
        self._by_id: dict[str, Draft] = {}
        self._open: list[tuple[int, Optional[Draft]]] = []
        self._last: Optional[Draft] = None
        self._previous_line = 0
        self._full = False
        #: Boxes without an id, where a task could be.
        self.boxes = Unnamed()
        self._sections = Sections()
        #: The task of a comment `@task` that has not ended.
        self._comment: Optional[Draft] = None

    def read(self, lines: list[Line]) -> list[Draft]:
        """The tasks of a file."""
        for line in lines:
            if self._full:
                break
            if line.text.startswith("<!--") and not line.code:
                self._read_comment(line)
            elif self._comment is not None:
                self._read_inside_comment(self._comment, line)
            elif line.code:
                if self._last is not None and line.indent > self._last.indent:
                    self._last.add(line)
            elif self._sections.enter(line):
                self._open, self._last = [], None
            else:
                self._read_line(line)
            self._previous_line = line.number
        self._end_comment(ended=False)
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
        if box is not None and self._sections.checklist:
            self._remarks.add(
                "warning" if box.id and box.certain else "info",
                "checklist-box",
                line.number,
                f"a box below the heading '{self._sections.checklist}' is not a task",
                box.column,
            )
            return
        while self._open and self._open[-1][0] >= line.indent:
            self._open.pop()
        if box is None or not self._read_task(line, box):
            self._read_text(line, box)

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
                f"the box [{_shown(box.mark)}] of task {box.id} is none of [ ], [x], [-], "
                "[~]",
                box.column,
            )
        first = self._define(self._draft(line, box, around))
        self._open.append((line.indent, first))
        self._last = first
        return True

    def _define(self, draft: Draft) -> Draft:
        """The draft, or the one that has its id already."""
        first = self._by_id.setdefault(draft.id, draft)
        if first is not draft:
            self.duplicates.append((draft.line, draft.column, first))
        elif len(self.drafts) < MAX_TASKS:
            self.drafts.append(draft)
        else:
            self._full = True
            report_number(draft.line, draft.column, self._remarks)
        return first

    def _draft(self, line: Line, box: Box, around: Optional[Draft]) -> Draft:
        fields, title = _fields(line, box.title, inline=True)
        if not title:
            self._no_title(box.id, line)
        if around is not None and not self._belongs(box.id, around.id):
            self._remarks.add(
                "warning",
                "odd-nesting",
                line.number,
                f"task {box.id} is written inside task {around.id}; its number decides",
                box.column,
            )
        if box.hidden and read_fields(box.hidden.strip(), line.number, 1)[0]:
            self._remarks.add(
                "warning",
                "comment-field",
                line.number,
                f"the comment at task {box.id} is not read; write '_Depends: ..._' and "
                "the like below the task",
                line.column,
            )
        return Draft(
            id=box.id,
            title=title,
            written=line.as_written(title),
            state=MARKS.get(box.mark, "open"),
            optional=box.optional,
            line=line.number,
            column=box.column,
            offset=box.offset,
            width=box.width,
            priority=box.priority,
            indent=line.indent,
            enclosing=around.id if around else None,
            fields=fields,
            criteria=criteria_in(fields),
            last_line=line.number,
            parallel=box.parallel,
            phases=self._sections.phases,
        )

    def _no_title(self, task_id: str, line: Line) -> None:
        text = f"task {task_id} has no title"
        self._remarks.add("warning", "no-title", line.number, text, line.column)

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
            self.boxes.found.append((line.number, box))

    def _read_text(self, line: Line, box: Optional[Box]) -> None:
        owner = self._open[-1][1] if self._open else self._last
        fields, _ = _fields(line, line.text)
        ends = not self._open and not fields and not BULLET.match(line.text)
        if ends and line.number > self._previous_line + 1:
            self._last = None  # a paragraph after a blank line ends the list
            return
        if owner is not None:
            owner.fields.extend(fields)
            owner.add(line)
            collect(owner, line, box, fields)
            self.owners[line.number] = owner
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

    def _read_comment(self, line: Line) -> None:
        """The start or the end of a task that is written as a comment."""
        ends = ends_task(line)
        self._end_comment(ended=ends)
        if ends:
            return
        found = read_task_comment(line, self._remarks)
        if found is not None:
            self._comment = self._define(self._from_comment(line, found))

    def _from_comment(self, line: Line, found: TaskComment) -> Draft:
        return Draft(
            id=found.id,
            title=compose(found.title).text,
            written=found.title,
            state=found.state,
            optional=found.optional,
            line=line.number,
            column=line.column,
            offset=found.offset,
            width=found.width,
            mark=found.mark,
            word=found.word,
            indent=line.indent,
            enclosing=None,
            body=list(found.text),
            fields=list(found.fields),
            criteria=criteria_in(found.fields),
            last_line=line.number + line.text.count("\n"),
            phases=self._sections.phases,
        )

    def _read_inside_comment(self, task: Draft, line: Line) -> None:
        """A line of text of a task that is written as a comment, whatever it is."""
        if line.code:
            task.add(line)
            return
        if line.text.startswith("#"):
            heading = line.text.lstrip("#").strip()
            name, _, _, title = read_head(heading)
            if not task.title:
                task.title = title if name == task.id else heading
                task.written = line.as_written(task.title)
                return
        fields, _ = _fields(line, line.text)
        task.fields.extend(fields)
        task.add(line)
        collect(task, line, read_box(line), fields)
        self.owners[line.number] = task

    def _end_comment(self, *, ended: bool) -> None:
        task, self._comment = self._comment, None
        if task is None:
            return
        self._open, self._last = [], None
        where = f"task {task.id} (line {task.line})"
        if not ended:
            text = f"{where} has no '<!-- @endtask -->'"
            self._remarks.add("warning", "unclosed-task", task.line, text, task.column)
        if not task.title:
            text = f"task {task.id} has no title"
            self._remarks.add("warning", "no-title", task.line, text, task.column)
