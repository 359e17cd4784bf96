"""The text of a KiroTask: that of its groups, outside in, and its own; and how much it may be.

A group is not a task, so what it says stands in front of the text of each of its sub-tasks.
It is published once (``wire``) and put in front by whoever makes the KiroTasks; a small file
would be a large graph otherwise. What all KiroTasks of a file carry together is bounded here,
because each of them is an object of the API and is kept in the operator's memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Optional

from kiro_swarm.api.graph import MAX_TASKS, PublishedGraph, PublishedGroup
from kiro_swarm.api.pieces import Pieces, whole
from kiro_swarm.api.task import MAX_CAPABILITIES, MAX_CAPABILITY, MAX_DESCRIPTION
from kiro_swarm.tasks.file.model import Remarks, SpecTask

#: Characters that all KiroTasks of a file may carry together: text, dependencies and
#: capabilities. Four times the largest task file.
MAX_TEXT: Final = 16 * 1024 * 1024
#: Groups in groups: an id has six numbers at most, and a word may stand in a number.
_DEEPEST: Final = 8
#: Tasks after which others get a turn.
_PIECE: Final = 1000


def with_groups(
    description: str, parent: Optional[str], groups: Mapping[str, PublishedGroup]
) -> str:
    """The description of a KiroTask, as long as one can be."""
    parts = [*_said(parent, groups), description]
    return "\n".join(part for part in parts if part)[:MAX_DESCRIPTION]


def group_in(description: str, parent: Optional[str]) -> str:
    """The title of the group of a KiroTask, which ``with_groups`` put there; else empty."""
    head = f"Part of {parent}. "
    lines = description.split("\n") if parent else []
    return next((line[len(head) :] for line in lines if line.startswith(head)), "")


def is_cut(
    description: str, parent: Optional[str], groups: Mapping[str, PublishedGroup]
) -> bool:
    """Whether ``with_groups`` leaves something out."""
    parts = [len(part) + 1 for part in [*_said(parent, groups), description] if part]
    return sum(parts) - 1 > MAX_DESCRIPTION


def _said(parent: Optional[str], groups: Mapping[str, PublishedGroup]) -> list[str]:
    """What the groups around a task say, outside in."""
    found: list[str] = []
    for _ in range(_DEEPEST):
        group = groups.get(parent or "")
        if group is None:
            break
        head = f"Part of {group['id']}. {group.get('title', '')}".rstrip()
        found = [head, group.get("description", ""), *found]
        parent = group.get("parent")
    return found


@dataclass(frozen=True)
class Carried:
    """What the KiroTasks of a file carry together, and the group that adds most to it."""

    total: int
    group: str
    characters: int
    heirs: int

    @property
    def problem(self) -> str:
        """Why it is too much; empty where it is not."""
        if self.total <= MAX_TEXT:
            return ""
        named = (
            f"; the {self.characters} characters of group {self.group} stand in front of "
            f"each of its {self.heirs} sub-tasks"
            if self.characters * self.heirs > self.total // 4
            else ""
        )
        return (
            f"{self.total} characters of text, dependencies and capabilities together, "
            f"{MAX_TEXT} at most{named}"
        )


def carried(
    leaves: Iterable[tuple[int, int, Optional[str]]],
    groups: Mapping[str, tuple[int, Optional[str]]],
) -> Carried:
    """What KiroTasks would carry, without making any of their texts.

    :param leaves: of each the characters of its own text, of the rest, and its group.
    :param groups: of each the characters of its text, and its group.
    """
    return whole(carrying(leaves, groups))


def carrying(
    leaves: Iterable[tuple[int, int, Optional[str]]],
    groups: Mapping[str, tuple[int, Optional[str]]],
) -> Pieces[Carried]:
    """The same, piece by piece."""
    total = 0
    heirs: Counter[str] = Counter()
    for number, (text, rest, parent) in enumerate(leaves, 1):
        if number % _PIECE == 0:
            yield
        for _ in range(_DEEPEST):
            group = groups.get(parent or "")
            if parent is None or group is None:
                break
            heirs[parent] += 1
            text += group[0]
            parent = group[1]
        total += min(text, MAX_DESCRIPTION) + rest
    worst = max(heirs, key=lambda name: groups[name][0] * heirs[name], default="")
    characters = groups[worst][0] if worst else 0
    return Carried(total, worst, characters, heirs[worst])


def report_sizes(tasks: Sequence[SpecTask], remarks: Remarks) -> None:
    """An error where the KiroTasks of a file would carry too much together."""
    groups = {task.id: task for task in tasks if not task.leaf}
    leaves = [task for task in tasks if task.leaf]
    found = carried(
        (
            (
                len(leaf.description),
                _rest(leaf.waits_for, leaf.capabilities),
                leaf.parent,
            )
            for leaf in leaves
        ),
        {
            name: (len(group.title) + len(group.description), group.parent)
            for name, group in groups.items()
        },
    )
    if not found.problem:
        return
    where = groups.get(found.group) or leaves[0]
    remarks.add(
        "error",
        "too-large",
        where.line,
        f"the {len(leaves)} tasks of this file would carry {found.problem}; shorten it, or "
        "split the spec into several",
        where.column,
    )


def checking_sizes(graph: PublishedGraph) -> Pieces[None]:
    """Raise ValueError where the KiroTasks of a graph would carry too much together."""
    found = yield from carrying(
        (
            (
                len(task.get("description", "")),
                _rest(task.get("dependencies", ()), task.get("capabilities", ())),
                task.get("parent"),
            )
            for task in graph.tasks
        ),
        {
            group["id"]: (
                len(group.get("title", "")) + len(group.get("description", "")),
                group.get("parent"),
            )
            for group in graph.groups
        },
    )
    if found.problem:
        raise ValueError(f"the tasks of the published graph carry {found.problem}")


def _rest(dependencies: Sequence[str], capabilities: Sequence[str]) -> int:
    names = capabilities[:MAX_CAPABILITIES]
    return sum(map(len, dependencies)) + sum(min(len(n), MAX_CAPABILITY) for n in names)


def report_number(line: int, column: int, remarks: Remarks) -> None:
    """An error where the file has more tasks than a swarm takes."""
    remarks.add(
        "error",
        "too-large",
        line,
        f"more than {MAX_TASKS} tasks; what follows is not read: split the spec into "
        "several",
        column,
    )
