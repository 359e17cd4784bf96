"""The ready tasks of a swarm, kept in line while they come and go.

Kept by the operator beside the tasks of each swarm (``reconcile/snapshot/ready.py``), and
what ``hack/bench schedule`` measures: a task that is new or gone costs a few comparisons,
a choice only what it reads of the line. Which pairs it gives is said in ``schedule``. It
holds nothing that is not in the tasks: one that is made anew from them, in whatever order,
decides the same.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from heapq import merge
from typing import Optional

from kiro_swarm.tasks.plan.overlap import Claims
from kiro_swarm.tasks.plan.schedule import (
    PATIENCE_SECONDS,
    LineKey,
    Pair,
    line_key,
    pair,
)
from kiro_swarm.tasks.plan.strategies import (
    DEPENDENCY_AWARE,
    IdleInstance,
    ReadyTask,
    Strategy,
)

#: A line of its own for the tasks that are assigned to one instance, and for each set of
#: capabilities that is asked for: who can have none of them does not look at them.
_LineName = tuple[str, frozenset[str]]
#: Since when a task waits; its key breaks the tie.
_Since = tuple[float, LineKey]


class ReadyQueue:
    """Which of the ready tasks goes next, and to whom."""

    def __init__(self, strategy: Strategy = DEPENDENCY_AWARE) -> None:
        self.strategy = strategy
        self._tasks: dict[str, ReadyTask] = {}
        self._keys: dict[str, LineKey] = {}
        self._lines: dict[_LineName, list[LineKey]] = {}
        self._since: dict[str, float] = {}
        self._waiting: list[_Since] = []

    def put(self, task: ReadyTask, rank: float, since: Optional[float] = None) -> None:
        """A task is ready, or something about it has changed.

        :param rank: seconds of the longest chain that begins with it.
        :param since: the second at which it became ready, by any clock; None: unknown.
        """
        self.remove(task.id)
        key = line_key(task, rank, self.strategy)
        self._tasks[task.id], self._keys[task.id] = task, key
        insort(self._lines.setdefault(_line_of(task), []), key)
        # What a person gave to one instance is in front there, however long it waits.
        if since is not None and (task.stumbled or not task.assigned_to):
            self._since[task.id] = since
            insort(self._waiting, (since, key))

    def remove(self, task_id: str) -> None:
        """A task is not ready any more; one that was not is no trouble."""
        task = self._tasks.pop(task_id, None)
        if task is None:
            return
        key, name = self._keys.pop(task_id), _line_of(task)
        line = self._lines[name]
        del line[bisect_left(line, key)]
        if not line:
            del self._lines[name]
        since = self._since.pop(task_id, None)
        if since is not None:
            del self._waiting[bisect_left(self._waiting, (since, key))]

    def line(self, assigned_to: str = "") -> list[ReadyTask]:
        """All that wait for this instance alone, or for any, in their order."""
        lines = (line for (name, _), line in self._lines.items() if name == assigned_to)
        return list(self._merged(lines))

    def choose(
        self,
        idle: Sequence[IdleInstance],
        busy: Iterable[Sequence[str]] = (),
        *,
        turn: int = 0,
        now: float = 0.0,
    ) -> list[Pair]:
        """Pairs to bind; they stay in line until they are removed.

        :param busy: files of the tasks that are bound or running, or done and not merged:
            a task that declares files overlapping with them waits.
        :param turn: how many bindings the swarm has made: whose turn is the fair one.
        """
        claims = Claims()
        for files in busy:
            claims.add(files)
        lines = (
            line
            for (name, wanted), line in self._lines.items()
            if any(
                name == one.name if name else wanted <= one.capabilities for one in idle
            )
        )
        overdue = self._overdue(now)
        return pair(self._merged(lines), overdue, idle, claims, self.strategy, turn)

    def _merged(self, lines: Iterable[list[LineKey]]) -> Iterator[ReadyTask]:
        """The tasks of several lines in one order."""
        for key in merge(*lines):
            yield self._task(key[-1])

    def _overdue(self, now: float) -> Iterator[ReadyTask]:
        """Who has waited too long for anybody, longest first; of equals the urgent one."""
        for since, key in self._waiting:
            if now - since < PATIENCE_SECONDS:
                return
            yield replace(self._task(key[-1]), waited=now - since)

    def _task(self, task_id: str) -> ReadyTask:
        return self._tasks[task_id]


def _line_of(task: ReadyTask) -> _LineName:
    # A person's assignment is stronger than what the instance says it can do.
    wanted = frozenset[str]() if task.assigned_to else task.capabilities
    return task.assigned_to, wanted
