"""Write a tick back into a task file, one character and nothing else.

Called by the integrate Job when a task is merged. Bytes in, bytes out: line ends, a
missing last newline, emoji and bytes that are not UTF-8 stay as they are. Of a task that is
a comment (``@task``) the value of its status is written, in the file's own word for it.
"""

from __future__ import annotations

from kiro_swarm.tasks.file.model import SpecTask
from kiro_swarm.tasks.file.parser import parse


class CannotTick(ValueError):
    """The file has no such leaf, or more than one."""


def tick(data: bytes, task_id: str, *, groups: bool = True) -> bytes:
    """The file with the box of a leaf ticked.

    With ``groups``, a group whose leaves are now all ticked is ticked too. Ticking twice
    changes nothing. Raises CannotTick for an id that is not the id of exactly one leaf.
    """
    # Bytes that are not UTF-8 become one character each and come back as they were.
    text = data.decode("utf-8", "surrogateescape")
    file = parse(text)
    tasks = {task.id: task for task in file.tasks}
    task = tasks.get(task_id)
    if task is None:
        raise CannotTick(f"task {task_id} is not in the file")
    if not task.leaf:
        raise CannotTick(f"task {task_id} is a group; tick its sub-tasks")
    again = f"task id {task_id} is already defined"
    if any(remark.message.startswith(again + " at") for remark in file.errors):
        raise CannotTick(f"{again}: more than one box has this id")
    ticked = {leaf.id for leaf in file.leaves if leaf.state == "done"} | {task_id}
    boxes = [] if task.state == "done" else [task]
    if groups:
        boxes += _finished_groups(task, tasks, ticked)
    for box in sorted(boxes, key=lambda box: -box.offset):
        text = text[: box.offset] + box.ticked_mark + text[box.offset + box.width :]
    return text.encode("utf-8", "surrogateescape")


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
