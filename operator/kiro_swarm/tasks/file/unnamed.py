"""Boxes without an id, of which a person may think that they are tasks: what to write instead.

Filled by ``outline``, asked by ``parser`` when all tasks are known: a number that is proposed is
free. One remark says it all where no box of a file has an id.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from kiro_swarm.tasks.file.boxes import Box
from kiro_swarm.tasks.file.model import MAX_PER_CODE, Remarks
from kiro_swarm.tasks.file.unseen import shown

#: A number that would be the id, but for the sign behind it: `7 Title`.
_NUMBERED: Final = re.compile(r"(?P<id>[0-9]{1,6})\s(?P<title>.+)", re.DOTALL)
_LONGEST: Final = 60


@dataclass
class Unnamed:
    """The boxes in file order, each with the number of its line."""

    found: list[tuple[int, Box]] = field(default_factory=list)

    def report(self, ids: Collection[str], remarks: Remarks) -> None:
        """A remark for each of them, or one for all where there is no task.

        :param ids: all ids that are taken.
        """
        if not ids:
            self._report_none(remarks)
            return
        taken = set(ids)
        highest = max((int(i) for i in ids if i.isdigit()), default=0)
        tops = (i.partition(".")[0] for i in ids)
        following = max([highest, *(int(top) for top in tops if top.isdigit())]) + 1
        for at, (line, box) in enumerate(self.found):
            wanted = ""
            if at < MAX_PER_CODE:
                wanted, name = _as_task(box, taken, str(following))
                taken.add(name)
                following += name == str(following)
            remarks.add(
                "warning",
                "box-without-id",
                line,
                "this box has no task id, so it is not a task; "
                f"write '{wanted}' to make it one",
                box.column,
            )

    def _report_none(self, remarks: Remarks) -> None:
        if not self.found:
            remarks.add(
                "error",
                "no-tasks",
                1,
                "there is no task in this file; a task is a line such as "
                "'- [ ] 1. Title'",
            )
            return
        line, box = self.found[0]
        wanted, _ = _as_task(box, set(), "1")
        boxes = (
            "its box"
            if len(self.found) == 1
            else f"none of its {len(self.found)} boxes"
        )
        has = "has no task id" if len(self.found) == 1 else "has a task id"
        remarks.add(
            "error",
            "no-tasks",
            line,
            f"there is no task in this file: {boxes} {has}; write '{wanted}' here, and "
            "number the others likewise",
            box.column,
        )


def _as_task(box: Box, taken: set[str], free: str) -> tuple[str, str]:
    """The line as it should be, and the id in it."""
    numbered = _NUMBERED.fullmatch(box.title)
    name, title = free, box.title
    if numbered and str(int(numbered.group("id"))) not in taken:
        name, title = str(int(numbered.group("id"))), numbered.group("title")
    title = shown(" ".join(title.split())) or "Title"
    short = title if len(title) <= _LONGEST else f"{title[:_LONGEST]}..."
    return f"- [{box.mark or ' '}] {name}. {short}", name
