"""Which ready task goes to which idle instance now.

Called by the operator whenever a task becomes ready or an instance idle. Deterministic:
the same input gives the same pairs in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kiro_swarm.tasks.overlap import Claims


@dataclass(frozen=True)
class ReadyTask:
    """A task that nothing holds back.

    ``order``: its position in the file. ``assigned_to``: name of the only instance that
    may have it, or empty for any.
    """

    id: str
    order: int
    priority: int = 0
    files: tuple[str, ...] = ()
    assigned_to: str = ""


@dataclass(frozen=True)
class IdleInstance:
    """An instance without a task. ``index``: its number; ``assigned``: tasks it has had."""

    name: str
    index: int
    assigned: int = 0


def in_line(ready: Iterable[ReadyTask], ranks: Mapping[str, float]) -> list[ReadyTask]:
    """Ready tasks, those that are bound first in front; ``ranks`` as for `choose`."""
    return sorted(
        ready,
        key=lambda task: (
            not task.assigned_to,
            -task.priority,
            -ranks.get(task.id, 0.0),
            task.order,
            task.id,
        ),
    )


def choose(
    ready: Sequence[ReadyTask],
    idle: Sequence[IdleInstance],
    ranks: Mapping[str, float],
    busy: Iterable[Sequence[str]] = (),
) -> list[tuple[ReadyTask, IdleInstance]]:
    """Pairs to bind: tasks that are assigned to an instance first, the most urgent first.

    Higher priority first, then the longer chain of work behind the task (``ranks``:
    seconds by task id, ``TaskGraph.upward_ranks``; 0 where missing), then file order.
    ``busy`` are the files of the tasks that are bound or running: a task that declares
    files overlapping with them, or with those of a task chosen before it, waits. The
    instance that has had the fewest tasks is served first. A task that is assigned to an
    instance waits for it, and comes before what that instance could do else.
    """
    claims = Claims()
    for files in busy:
        claims.add(files)
    ordered = sorted(
        idle, key=lambda instance: (instance.assigned, instance.index, instance.name)
    )
    free = {instance.name: instance for instance in ordered}
    chosen: list[tuple[ReadyTask, IdleInstance]] = []
    for task in in_line(ready, ranks):
        if not free:
            break
        name = task.assigned_to or next(iter(free))
        if name not in free or claims.overlap(task.files):
            continue
        claims.add(task.files)
        chosen.append((task, free.pop(name)))
    return chosen
