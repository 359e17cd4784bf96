"""What stands in HTML comments and would be a task or a dependency outside of them: told, not read.

Used by ``parser``. A task that was put into a comment was put out of the plan, mostly on purpose,
so it is no warning; a dependency that nobody sees is one.
"""

from __future__ import annotations

from collections.abc import Iterable

from kiro_swarm.tasks.file.boxes import read_box
from kiro_swarm.tasks.file.fields import read_fields
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.lines import Block, Line
from kiro_swarm.tasks.file.model import Remarks
from kiro_swarm.tasks.file.references import read_references


def report_comments(
    comments: Iterable[Block], groups: Groups, remarks: Remarks
) -> None:
    """A remark for each box in a comment, and for dependencies in one without a box."""
    for comment in comments:
        lines = [_bare(line) for line in comment.lines]
        boxes = [
            (line, box) for line in lines if (box := read_box(line)) and box.certain
        ]
        for line, box in boxes:
            if groups.members(box.id) is None:
                remarks.add(
                    "info",
                    "quoted-box",
                    line.number,
                    f"the box of {box.id} is inside a comment, so it is not a task",
                    box.column,
                )
        if not boxes:
            _report_fields(lines, groups, remarks)


def _report_fields(lines: Iterable[Line], groups: Groups, remarks: Remarks) -> None:
    for line in lines:
        for found in read_fields(line.text, line.number, line.column)[0]:
            if found.kind in ("depends", "blocks") and _names_one(found.value, groups):
                remarks.add(
                    "warning",
                    "comment-field",
                    line.number,
                    f"'{line.text[:80]}' in this comment is not read; write "
                    "'_Depends: ..._' and the like below the task, outside of it",
                    found.column,
                )
                return


def _names_one(value: str, groups: Groups) -> bool:
    """Whether a value names a task of the file."""
    return any(
        groups.members(reference.text) is not None
        for reference in read_references(value.rstrip("-> ")).found
    )


def _bare(line: Line) -> Line:
    """The line without the signs of a comment."""
    text = line.text
    if text.startswith("<!--"):
        text = text[4:].lstrip()
    gone = len(line.text) - len(text)
    text = text[: text.find("-->")].rstrip() if "-->" in text else text
    return line._replace(text=text, column=line.column + gone, raw="", cuts=())
