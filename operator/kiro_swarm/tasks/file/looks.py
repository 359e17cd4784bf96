"""Lines that a person takes for a task and the parser does not: each is told, none is read.

Used by ``parser`` when all tasks are known, so that a mention of a task that is there is no
alarm. Such a line looks like a box that is none (``- (x) 1.1 Title``, ``- [WIP] 1.1 Title``,
``- ☐ 1.1 Title``), stands behind its id (``1.1 [ ] Title``), in a heading, in a table, or in a
code block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Optional

from kiro_swarm.tasks.file.boxes import read_box, read_head
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.ids import PATTERN
from kiro_swarm.tasks.file.labels import read_labels
from kiro_swarm.tasks.file.lines import Line
from kiro_swarm.tasks.file.model import Remarks

#: Signs that are drawn in the place of a box.
_SIGNS: Final = "☐☑☒⬜⬛✅✔✓✗✘❌🔲🔳⏳🔄🚧◻◼◽◾▢□■🟩🟦🟨🟥⭕"
_NEAR: Final = re.compile(
    r"(?:#{1,6}[ \t]*)?(?:(?:[-*+•·‣◦–—－]|[0-9]{1,9}[.)])[ \t]*)?(?P<what>"
    r"\\\[[ \t]?[xX~-]?[ \t]?\\?\]"
    r"|\[[^\[\]\n]{0,24}\](?![(\[:])"
    r"|\[[ xX~-]{0,3}(?=[ \t])"
    r"|[(（{【「<][ xX✓~-]{0,3}[)）}】」>]"
    rf"|[{_SIGNS}]\ufe0f?"
    r")[ \t]*(?P<rest>\S.*)",
    re.DOTALL,
)
_BEHIND: Final = re.compile(
    rf"(?:[-*+•·‣◦–—－][ \t]*|#{{1,6}}[ \t]*)?(?:\*\*|__|`)?(?:tasks?[ \t]+)?(?P<id>{PATTERN})"
    r"[.):：*_`]{0,3}[ \t]+(?:[^\[\n]{0,120}[ \t])?\[[ xX~-]?\](?![(\[:])",
    re.IGNORECASE,
)
_HEADING: Final = re.compile(
    rf"#{{1,6}}[ \t]*(?:\*\*)?(?:tasks?|任务|任務|タスク|작업)[ \t]*#?(?P<id>{PATTERN})(?![\w-])",
    re.IGNORECASE,
)
_BOXED_CELL: Final = re.compile(rf"\[[ xX~-]?\]|[{_SIGNS}]\ufe0f?")


def report_looks(lines: Iterable[Line], groups: Groups, remarks: Remarks) -> None:
    """A remark for each line that looks like a task of an id that no task has."""
    tasks = {draft.line for draft in groups.drafts.values()}
    for line in lines:
        if line.number in tasks:
            continue
        if line.code:
            box = read_box(line) if "]" in line.text or "］" in line.text else None
            if box and box.certain and groups.members(box.id) is None:
                remarks.add(
                    "info",
                    "quoted-box",
                    line.number,
                    f"the box of {box.id} is inside a code block, so it is not a task",
                    box.column,
                )
            continue
        found = _looks(line.text)
        # What is a box was looked at before, whatever became of it.
        if found and groups.members(found) is None and read_box(line) is None:
            shown = f"{found}." if found.isdigit() else found
            remarks.add(
                "warning",
                "looks-like-task",
                line.number,
                f"this looks like a task {found}, and is read as none; write "
                f"'- [ ] {shown} Title' to make it one",
                line.column,
            )


def _looks(text: str) -> Optional[str]:
    """The id of the task that a line looks like, or None."""
    if text[0] == "|":
        return _row(text)
    match = _NEAR.match(text)
    if match:
        labels = read_labels(match.group("rest"))
        task_id, certain, _, title = read_head(labels.rest)
        if task_id and certain and title:
            return task_id
    match = _HEADING.match(text) if text[0] == "#" else None
    if match is None and "[" in text[:160]:
        match = _BEHIND.match(text)
    return match.group("id") if match else None


def _row(text: str) -> Optional[str]:
    """The id in a row of a table that has a box, too."""
    cells = [cell.strip(" \t*_`") for cell in text[:1000].split("|")[1:6]]
    if not any(_BOXED_CELL.fullmatch(cell) for cell in cells):
        return None
    for cell in cells[:3]:
        task_id, _, _, title = read_head(cell)
        if task_id and not title:
            return task_id
    return None
