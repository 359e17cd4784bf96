"""Write a tick back into a task file, one character and nothing else.

Called by the integrate Job when a task is merged. Bytes in, bytes out: line ends, a
missing last newline, emoji and bytes that are not UTF-8 stay as they are. Of a task that is
a comment (``@task``) the value of its status is written, in the file's own word for it.

A person may have renumbered the file since the task was read from it, so a number alone says
nothing: what is ticked has the title of the task that was merged, wherever it stands by now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Optional

from kiro_swarm.api.task import MAX_TITLE
from kiro_swarm.tasks.file.model import SpecTask, TaskFile
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.unseen import shown

_WORD: Final = re.compile(r"\w+")


class CannotTick(ValueError):
    """The file has no such leaf, or more than one."""


def tick(
    data: bytes,
    task_id: str,
    *,
    title: Optional[str] = None,
    group: str = "",
    groups: bool = True,
) -> bytes:
    """The file with the box of a leaf ticked.

    With ``title``, that leaf is the one of this id and title; else, the only one of this
    title. Of several of one title, those count that stand in a group of the title ``group``.
    With ``groups``, a group whose leaves are now all ticked is ticked too. Ticking twice
    changes nothing. Raises CannotTick where that is not exactly one leaf.
    """
    # Bytes that are not UTF-8 become one character each and come back as they were.
    text = data.decode("utf-8", "surrogateescape")
    file = parse(text)
    tasks = {task.id: task for task in file.tasks}
    if title is None:
        task = _of_id(file, task_id)
    else:
        found = _of_title(file, title)
        task = _the_one(found if len(found) < 2 else _in(group, found, tasks), task_id)
    again = f"task id {task.id} is already defined"
    if any(remark.message.startswith(again + " at") for remark in file.errors):
        raise CannotTick(f"{again}: more than one box has this id")
    ticked = {leaf.id for leaf in file.leaves if leaf.state == "done"} | {task.id}
    boxes = [] if task.state == "done" else [task]
    if groups:
        boxes += _finished_groups(task, tasks, ticked)
    for box in sorted(boxes, key=lambda box: -box.offset):
        text = text[: box.offset] + box.ticked_mark + text[box.offset + box.width :]
    return text.encode("utf-8", "surrogateescape")


def _of_id(file: TaskFile, task_id: str) -> SpecTask:
    task = next((task for task in file.tasks if task.id == task_id), None)
    if task is None:
        raise CannotTick(f"task {task_id} is not in the file")
    if not task.leaf:
        raise CannotTick(f"task {task_id} is a group; tick its sub-tasks")
    return task


def _of_title(file: TaskFile, title: str) -> list[SpecTask]:
    wanted = _words(title)
    return [leaf for leaf in file.leaves if _words(leaf.title) == wanted]


def _in(
    group: str, found: list[SpecTask], tasks: Mapping[str, SpecTask]
) -> list[SpecTask]:
    """Those that stand in a group of this title; all of them where it says nothing."""
    wanted = _words(group)
    return [
        leaf
        for leaf in found
        if not group or (leaf.parent and _words(tasks[leaf.parent].title) == wanted)
    ]


def _the_one(found: list[SpecTask], task_id: str) -> SpecTask:
    same = [leaf for leaf in found if leaf.id == task_id]
    if same:
        return same[0]
    # Without a title there is nothing to know it by but its number.
    if len(found) != 1 or not found[0].title:
        raise CannotTick(
            f"{len(found)} tasks have the title of task {task_id}, and none of them its "
            "number"
        )
    return found[0]


def _words(title: str) -> Sequence[str]:
    """A title as it is compared: a mark, a dot or another case makes it no other one."""
    whole = " ".join(shown(title)[:MAX_TITLE].split())
    return _WORD.findall(whole.casefold()) or [whole]


def _finished_groups(
    task: SpecTask, tasks: dict[str, SpecTask], ticked: set[str]
) -> list[SpecTask]:
    """Groups around a task that are not ticked though all their leaves are."""
    children: dict[str, list[SpecTask]] = {}
    for other in tasks.values():
        if other.parent is not None:
            children.setdefault(other.parent, []).append(other)
    finished: list[SpecTask] = []
    group = tasks[task.parent] if task.parent else None
    while group is not None:
        inside = [group]
        for member in inside:
            inside += children.get(member.id, [])
        if not all(member.id in ticked for member in inside if member.leaf):
            break
        if group.state != "done":
            finished.append(group)
        group = tasks[group.parent] if group.parent else None
    return finished
