"""Acceptance criteria in the text of a task, whichever way they are written.

Used by ``outline``, line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Optional

from kiro_swarm.tasks.file.boxes import Box
from kiro_swarm.tasks.file.draft import Draft
from kiro_swarm.tasks.file.fields import Field
from kiro_swarm.tasks.file.lines import Line

#: The mark of a list item.
BULLET: Final = re.compile(r"[-*+](?:\s|\Z)|[0-9]{1,9}[.)]\s")


def collect(task: Draft, line: Line, box: Optional[Box], fields: list[Field]) -> None:
    """Note a line that is an acceptance criterion.

    A box without an id is one wherever it stands; a bullet is one below a line such as
    "Acceptance Criteria:", and what is indented below it goes on with it.
    """
    head = task.heads_criteria
    if box is None and head is None and not fields:
        return
    bullet = BULLET.match(line.text)
    if fields:
        last = fields[-1]
        task.criteria += criteria_in(fields)
        task.heads_criteria = None
        if last.kind == "acceptance" and not last.value:
            task.heads_criteria = (line.indent, bullet is not None)
    elif box is not None:
        task.criteria.append(_box_text(line.text))
    elif head is not None:
        below = line.indent > head[0] or (line.indent == head[0] and not head[1])
        if bullet and below:
            task.criteria.append(line.text[bullet.end() :].strip())
        elif not bullet and line.indent > head[0] and task.criteria:
            task.criteria[-1] += f" {line.text}"
        else:
            task.heads_criteria = None


def criteria_in(fields: Iterable[Field]) -> list[str]:
    """The criteria that are the values of fields."""
    return [entry.value for entry in fields if entry.kind == "acceptance"]


def _box_text(text: str) -> str:
    return text.partition("]")[2].strip(" \t*\\")
