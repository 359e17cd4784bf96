"""The ready tasks of a swarm, kept in line while tasks come and go.

For whoever decides often: where ``schedule.choose`` sorts all ready tasks each time, this
keeps them sorted, so that a completion costs the tasks that waited for it and the next
choice a few steps of a heap. It gives the pairs that `choose` would give. It holds nothing
that is not in the states of the tasks: one that is made anew from them (after a restart)
decides the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush
from typing import Final, Optional

from kiro_swarm.api.meta import BLOCKED, FAILED, READY, SATISFIED_STATES
from kiro_swarm.tasks.plan.graph import TaskGraph
from kiro_swarm.tasks.plan.overlap import Claims
from kiro_swarm.tasks.plan.schedule import PATIENCE_SECONDS, Pair, line_key, pair
from kiro_swarm.tasks.plan.strategies import (
    DEPENDENCY_AWARE,
    IdleInstance,
    ReadyTask,
    Strategy,
)

_WAITS: Final = 0  # for a dependency
_IN_LINE: Final = 1
_OUT: Final = 2  # bound, running, or done and not merged: it claims its files
_SATISFIED: Final = 3
_HELD: Final = 4  # failed, or paused by a person

#: A line of its own for the tasks that are assigned to one instance, and for each set of
#: capabilities that is asked for.
_LineName = tuple[str, frozenset[str]]


class ReadyQueue:
    """Which tasks are ready, and who gets the next.

    Tasks are numbers, as in the ``graph``. ``tasks[i]`` says what does not change while it
    waits, ``ranks[i]`` is its `TaskGraph.upward_ranks`, ``states[i]`` its KiroTask state,
    ``since[i]`` the second at which it became ready (any clock; 0 if not given).
    """

    def __init__(
        self,
        graph: TaskGraph,
        tasks: Sequence[ReadyTask],
        ranks: Sequence[float],
        states: Sequence[str],
        *,
        since: Optional[Sequence[float]] = None,
        strategy: Strategy = DEPENDENCY_AWARE,
    ) -> None:
        if not len(graph.dependencies) == len(tasks) == len(ranks) == len(states):
            raise ValueError("there must be one task, rank and state per task")
        self._graph, self._tasks, self._strategy = graph, tasks, strategy
        # Places in a line are compared instead of keys: a heap of small integers is fast.
        keys = [line_key(task, rank, strategy) for task, rank in zip(tasks, ranks)]
        self._task_at = sorted(range(len(tasks)), key=keys.__getitem__)
        self._place = [0] * len(tasks)
        for place, number in enumerate(self._task_at):
            self._place[number] = place
        self._lines: dict[_LineName, list[int]] = {}
        self._numbers = {task.id: number for number, task in enumerate(tasks)}
        self._claims = Claims()
        self._parked: dict[int, list[int]] = {}
        self._where = [_where(state) for state in states]
        self._missing = [
            sum(self._where[other] != _SATISFIED for other in needed)
            for needed in graph.dependencies
        ]
        self._since = [0.0] * len(tasks) if since is None else list(since)
        for number, where in enumerate(self._where):
            if where == _OUT:
                self._claims.add(tasks[number].files, number)
            elif where == _WAITS and not self._missing[number]:
                self._where[number] = _IN_LINE
                self._line_of(number).append(self._place[number])
        for line in self._lines.values():
            heapify(line)
        self._waiting = deque(
            sorted((self._since[n], self._place[n]) for n in self.ready())
        )

    def ready(self) -> list[int]:
        """All that may be bound now, in no order but that of their numbers."""
        return [n for n, where in enumerate(self._where) if where == _IN_LINE]

    def choose(
        self, idle: Sequence[IdleInstance], *, turn: int = 0, now: float = 0.0
    ) -> list[Pair]:
        """Pairs to bind, as `schedule.choose` says; these tasks are out from now on."""
        seen: list[int] = []
        line = self._in_line(idle, seen)
        pairs = pair(line, self._overdue(now), idle, self._claims, self._strategy, turn)
        for task, _ in pairs:
            number = self._numbers[task.id]
            self._where[number] = _OUT
            self._claims.add(task.files, number)
        for number in seen:
            if self._where[number] == _IN_LINE:
                heappush(self._line_of(number), self._place[number])
        return pairs

    def satisfy(self, number: int, now: float = 0.0) -> list[int]:
        """A task is merged or skipped: the tasks that are ready because of that."""
        if self._where[number] == _SATISFIED:
            return []
        self._leave(number, _SATISFIED)
        freed = []
        for other in self._graph.dependents[number]:
            self._missing[other] -= 1
            if not self._missing[other] and self._where[other] == _WAITS:
                freed.append(other)
        for other in sorted(freed, key=self._place.__getitem__):
            self._enter(other, now)
        return freed

    def hold(self, number: int) -> None:
        """A task has failed for good or is paused: nobody gets it."""
        if self._where[number] == _SATISFIED:
            raise ValueError(f"task {number} is finished; reopen it first")
        self._leave(number, _HELD)

    def give_back(self, number: int, now: float = 0.0) -> None:
        """A task that was out or held waits again: its attempt failed, or was ended."""
        if self._where[number] in (_OUT, _HELD):
            self._leave(number, _WAITS)
            if not self._missing[number]:
                self._enter(number, now)

    def reopen(self, number: int, now: float = 0.0) -> None:
        """A finished task is open again; who waits for it and is not out waits again."""
        if self._where[number] != _SATISFIED:
            return
        for other in self._graph.dependents[number]:
            self._missing[other] += 1
            if self._where[other] == _IN_LINE:
                self._where[other] = _WAITS
        self._where[number] = _HELD
        self.give_back(number, now)

    def _line_of(self, number: int) -> list[int]:
        task = self._tasks[number]
        # A person's assignment is stronger than what the instance says it can do.
        wanted = frozenset[str]() if task.assigned_to else task.capabilities
        return self._lines.setdefault((task.assigned_to, wanted), [])

    def _enter(self, number: int, now: float) -> None:
        self._where[number] = _IN_LINE
        self._since[number] = now
        self._waiting.append((now, self._place[number]))
        heappush(self._line_of(number), self._place[number])

    def _leave(self, number: int, where: int) -> None:
        """Out of the line (its entries there are stale now) or back from an instance."""
        self._where[number] = where
        self._claims.release(number)
        for place in self._parked.pop(number, ()):
            heappush(self._line_of(self._task_at[place]), place)

    def _in_line(
        self, idle: Iterable[IdleInstance], seen: list[int]
    ) -> Iterator[ReadyTask]:
        """What one of these instances may have, in order; ``seen`` is to be put back."""
        instances = list(idle)
        lines = [
            line
            for (name, wanted), line in self._lines.items()
            if any(
                name == one.name if name else wanted <= one.capabilities
                for one in instances
            )
        ]
        while True:
            filled = [line for line in lines if line]
            if not filled:
                return
            place = heappop(min(filled, key=lambda line: line[0]))
            number = self._task_at[place]
            if self._where[number] != _IN_LINE:
                continue
            task = self._tasks[number]
            holder = self._claims.holder(task.files) if task.files else None
            if holder is not None:
                self._parked.setdefault(holder, []).append(place)
                continue
            seen.append(number)
            yield task

    def _overdue(self, now: float) -> Iterator[ReadyTask]:
        waiting = self._waiting
        while waiting and not self._waits_since(*waiting[0]):
            waiting.popleft()
        for since, place in waiting:
            if now - since < PATIENCE_SECONDS:
                return
            task = self._tasks[self._task_at[place]]
            if self._waits_since(since, place) and not task.assigned_to:
                yield replace(task, waited=now - since)

    def _waits_since(self, since: float, place: int) -> bool:
        number = self._task_at[place]
        return self._where[number] == _IN_LINE and self._since[number] == since


def _where(state: str) -> int:
    if state in SATISFIED_STATES:
        return _SATISFIED
    if state in (BLOCKED, READY):
        return _WAITS
    return _HELD if state == FAILED else _OUT
