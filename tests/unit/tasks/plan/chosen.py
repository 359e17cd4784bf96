"""The choice as it is meant: all ready tasks are sorted, then paired with the idle.

Each time it is asked it also asks a queue that is made of the same tasks, so that what is
tested of the one holds for the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kiro_swarm.tasks.plan.overlap import Claims
from kiro_swarm.tasks.plan.ready import ReadyQueue
from kiro_swarm.tasks.plan.schedule import PATIENCE_SECONDS, Pair, line_key, pair
from kiro_swarm.tasks.plan.strategies import (
    DEPENDENCY_AWARE,
    IdleInstance,
    ReadyTask,
    Strategy,
)


def choose(
    ready: Iterable[ReadyTask],
    idle: Sequence[IdleInstance],
    ranks: Mapping[str, float],
    busy: Iterable[Sequence[str]] = (),
    *,
    strategy: Strategy = DEPENDENCY_AWARE,
    turn: int = 0,
) -> list[Pair]:
    """``ranks`` by task id, 0 where missing; ``waited`` of a task counts."""
    tasks, taken = list(ready), list(busy)
    line = sorted(tasks, key=lambda t: line_key(t, ranks.get(t.id, 0.0), strategy))
    late = [
        t
        for t in line
        if t.waited >= PATIENCE_SECONDS and (t.stumbled or not t.assigned_to)
    ]
    claims = Claims()
    for files in taken:
        claims.add(files)
    overdue = sorted(late, key=lambda task: -task.waited)
    pairs = pair(line, overdue, idle, claims, strategy, turn)

    queue = ReadyQueue(strategy)
    for task in tasks:
        queue.put(task, ranks.get(task.id, 0.0), -task.waited)
    assert named(queue.choose(idle, taken, turn=turn)) == named(pairs)
    return pairs


def named(pairs: Iterable[Pair]) -> list[tuple[str, str]]:
    return [(task.id, instance.name) for task, instance in pairs]
