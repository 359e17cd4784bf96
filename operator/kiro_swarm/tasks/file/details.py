"""What a task says of itself: acceptance criteria and fields, and the values of the fields.

``outline`` collects the criteria line by line, whichever way they are written; ``parser``
makes values of the fields, and what cannot be read is said. A value that cannot be read and
stands in a plain sentence ("Effort: all of us") is text, and stays in the description only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Optional, TypeVar

from kiro_swarm.tasks.file import values
from kiro_swarm.tasks.file.boxes import Box
from kiro_swarm.tasks.file.codes import Code
from kiro_swarm.tasks.file.draft import Draft
from kiro_swarm.tasks.file.fields import Field
from kiro_swarm.tasks.file.lines import Line
from kiro_swarm.tasks.file.model import Complexity, Remarks
from kiro_swarm.tasks.file.names import Kind

#: The mark of a list item.
BULLET: Final = re.compile(r"[-*+](?:\s|\Z)|[0-9]{1,9}[.)]\s")
T = TypeVar("T")
#: More than a KiroTask carries (``wire`` says so), and few enough to pass on to sub-tasks.
_MAX_CAPABILITIES: Final = 64


@dataclass(frozen=True)
class Details:
    """What the fields of one task say, each thing once and in order."""

    requirements: tuple[str, ...]
    files: tuple[str, ...]
    boundary: tuple[str, ...]
    capabilities: tuple[str, ...]
    acceptance_criteria: tuple[str, ...]
    estimate_seconds: Optional[int]
    priority: Optional[int]
    complexity: Optional[Complexity]


def read_details(draft: Draft, remarks: Remarks) -> Details:
    """The details of a task; problems become remarks."""
    found: dict[Kind, list[str]] = {
        "requirements": [],
        "files": [],
        "boundary": [],
        "capabilities": [],
    }
    for entry in draft.fields:
        if entry.kind == "requirements":
            found["requirements"] += values.read_requirements(entry.value)
        elif entry.kind in ("boundary", "capabilities"):
            found[entry.kind] += values.read_names(entry.value)
        elif entry.kind == "files":
            found["files"] += _files(draft, entry, remarks)
    return Details(
        requirements=tuple(dict.fromkeys(found["requirements"])),
        files=tuple(dict.fromkeys(found["files"])),
        boundary=tuple(dict.fromkeys(found["boundary"])),
        capabilities=tuple(dict.fromkeys(found["capabilities"]))[:_MAX_CAPABILITIES],
        acceptance_criteria=tuple(dict.fromkeys(filter(None, draft.criteria))),
        estimate_seconds=_first(draft, "estimate", values.read_seconds, remarks),
        priority=_priority(draft, remarks),
        complexity=_first(draft, "complexity", values.read_complexity, remarks),
    )


def _priority(draft: Draft, remarks: Remarks) -> Optional[int]:
    """That of a field, else that of a label in front of the id."""
    written = _first(draft, "priority", values.read_priority, remarks)
    return values.read_priority(draft.priority) if written is None else written


def _files(draft: Draft, entry: Field, remarks: Remarks) -> list[str]:
    found = []
    for path in values.read_names(entry.value):
        inside = values.inside_repository(path)
        if inside is not None:
            found.append(inside)
            continue
        remarks.add(
            "warning",
            "path-outside",
            entry.line,
            f"the file '{path[:80]}' of task {draft.id} is outside the "
            "repository; write a path relative to its root",
            entry.column,
        )
    return found


_WRONG: dict[str, tuple[Code, str]] = {
    "estimate": ("bad-estimate", "write it as '30min', '1h 30min' or '90s'"),
    "priority": (
        "bad-priority",
        "write critical, high, medium, low, P0 to P4 or a number from -1000 to 1000",
    ),
    "complexity": (
        "bad-complexity",
        "write low, medium, high or a number from 1 to 10",
    ),
}


def _first(
    draft: Draft, kind: Kind, read: Callable[[str], Optional[T]], remarks: Remarks
) -> Optional[T]:
    """The value of the first field of a kind that can be read."""
    for entry in draft.fields:
        if entry.kind != kind or values.is_nothing(entry.value):
            continue
        value = read(entry.value)
        if value is not None:
            return value
        if entry.marked:
            code, advice = _WRONG[kind]
            remarks.add(
                "warning",
                code,
                entry.line,
                f"cannot read the {kind} '{entry.value[:40]}' of task {draft.id}; "
                f"{advice}",
                entry.column,
            )
    return None


# ------------------------------------------------------------------ criteria


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
        task.criteria.append(_box_text(line.written))
    elif head is not None:
        below = line.indent > head[0] or (line.indent == head[0] and not head[1])
        if bullet and below:
            task.criteria.append(line.written[bullet.end() :].strip())
        elif not bullet and line.indent > head[0] and task.criteria:
            task.criteria[-1] += f" {line.written}"
        else:
            task.heads_criteria = None


def criteria_in(fields: Iterable[Field]) -> list[str]:
    """The criteria that are the values of fields."""
    return [entry.value for entry in fields if entry.kind == "acceptance"]


def _box_text(text: str) -> str:
    return text.partition("]")[2].strip(" \t*\\")
