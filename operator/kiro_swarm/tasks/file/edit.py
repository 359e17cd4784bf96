"""Write a tick back into a task file, one character and nothing else.

Called by the integrate Job when a task is merged. Bytes in, bytes out: line ends, a
missing last newline, emoji and bytes that are not UTF-8 stay as they are. Of a task that is
a comment (``@task``) the value of its status is written, in the file's own word for it.

A person may have renumbered the file since the task was read from it, so a number alone says
nothing: what is ticked has the title of the task that was merged, wherever it stands by now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from kiro_swarm.tasks.file.model import SpecTask, TaskFile
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.same_box import same_box, words_of


class CannotTick(ValueError):
    """The file has no such leaf, or more than one."""


def tick(
    data: bytes,
    task_id: str,
    *,
    title: Optional[str] = None,
    group: str = "",
    groups: bool = True,
    earlier: Callable[[], Optional[bytes]] = lambda: None,
) -> bytes:
    """The file with the box of a leaf ticked.

    With ``title``, that leaf is the one of this title that ``same_box`` knows for the task, by
    its number, the title of its ``group`` and the file as it was ``earlier``, when the task was
    begun. With ``groups``, a group whose leaves are now all ticked is ticked too. Ticking twice
    changes nothing. Raises CannotTick where that is not exactly one leaf.
    """
    text = _text(data)
    file = parse(text)
    tasks = {task.id: task for task in file.tasks}
    if title is None:
        task = _of_id(file, task_id)
    else:
        task = _of_title(file, task_id, title, group, earlier)
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


def _of_title(
    file: TaskFile,
    task_id: str,
    title: str,
    group: str,
    earlier: Callable[[], Optional[bytes]],
) -> SpecTask:
    def before() -> Optional[TaskFile]:
        data = earlier()
        return None if data is None else parse(_text(data))

    found = same_box(file, task_id, title, group, before)
    if found is None:
        count = len([t for t in file.leaves if words_of(t.title) == words_of(title)])
        raise CannotTick(
            f"{count} tasks have the title of task {task_id}, and nothing tells that one of "
            "them is this one"
        )
    return found


def _text(data: bytes) -> str:
    """Bytes that are not UTF-8 become one character each and come back as they were."""
    return data.decode("utf-8", "surrogateescape")


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
