"""A task graph over small integers: order, cycles, ranks, readiness, width.

Used by the parser (cycles) and by the operator's decisions. Task ``i`` is the ``i``-th
of its list; all results name tasks by these numbers. Every method is linear in tasks and
edges. Nothing here changes after it was made.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from functools import cached_property
from itertools import chain, compress
from operator import lt
from typing import Final, Optional

from kiro_swarm.api.meta import BLOCKED, READY, SATISFIED_STATES
from kiro_swarm.api.pieces import Pieces, whole

#: Of a task without an estimate; sub-tasks are meant to take one to three hours of a
#: person. Only the ratio to other estimates matters.
DEFAULT_ESTIMATE_SECONDS: Final = 3600.0
#: Edges after which others get a turn.
_PIECE: Final = 10_000
_WAITING: Final = frozenset({BLOCKED, READY})


class CycleError(ValueError):
    """The graph has a cycle; ``cycle`` lists its tasks, each waiting for the next."""

    def __init__(self, cycle: list[int]) -> None:
        super().__init__(f"dependency cycle through {len(cycle)} tasks")
        self.cycle = cycle


class TaskGraph:
    """Who waits for whom.

    ``dependencies[i]`` are the tasks that task ``i`` waits for; ``estimates[i]`` its
    seconds, None where nothing is known. A task that is named twice counts as once; the
    sequences are not copied. Raises ValueError for a number that is no task.
    """

    def __init__(
        self,
        dependencies: Sequence[Sequence[int]],
        estimates: Optional[Sequence[Optional[float]]] = None,
    ) -> None:
        count = len(dependencies)
        self.dependencies: list[Sequence[int]] = list(dependencies)
        self._check_numbers()
        given = [None] * count if estimates is None else estimates
        self.estimates: list[float] = [
            DEFAULT_ESTIMATE_SECONDS if value is None else value for value in given
        ]
        if len(self.estimates) != count:
            raise ValueError("there must be one estimate (or None) per task")

    @cached_property
    def dependents(self) -> list[list[int]]:
        """Of each task, those that wait for it, in order."""
        after: list[list[int]] = [[] for _ in self.dependencies]
        for task, needed in enumerate(self.dependencies):
            for other in needed:
                after[other].append(task)
        return after

    def _check_numbers(self) -> None:
        count = len(self.dependencies)
        lowest = min(chain.from_iterable(self.dependencies), default=0)
        highest = max(chain.from_iterable(self.dependencies), default=-1)
        if lowest >= 0 and highest < count:
            return
        numbers = range(count)
        for task, needed in enumerate(self.dependencies):
            if any(other not in numbers for other in needed):
                raise ValueError(f"task {task} depends on a task outside the graph")

    @cached_property
    def _file_order_fits(self) -> bool:
        """Whether every task waits for tasks above it only, as in most files."""
        highest = map(max, filter(None, self.dependencies))
        waiting = compress(range(len(self.dependencies)), self.dependencies)
        return all(map(lt, highest, waiting))

    def _sort(self) -> list[int]:
        return whole(self.sorting())

    def sorting(self) -> Pieces[list[int]]:
        """All tasks, each after what it waits for, piece by piece; those on a cycle, and what
        waits for them, are left out."""
        if self._file_order_fits:
            return list(range(len(self.dependencies)))
        yield
        after: list[list[int]] = [[] for _ in self.dependencies]
        done = 0
        for task, needed in enumerate(self.dependencies):
            for other in needed:
                after[other].append(task)
            done += len(needed)
            if done > _PIECE:
                done = 0
                yield
        waiting = [len(needed) for needed in self.dependencies]
        free = [task for task, number in enumerate(waiting) if number == 0]
        order: list[int] = []
        while free:  # a heap: among the free the first of the file goes first
            task = heapq.heappop(free)
            order.append(task)
            for other in after[task]:
                waiting[other] -= 1
                if waiting[other] == 0:
                    heapq.heappush(free, other)
            done += 1 + len(after[task])
            if done > _PIECE:
                done = 0
                yield
        return order

    def topological_order(self) -> list[int]:
        """All tasks, each after what it waits for. Raises CycleError."""
        order = self._sort()
        if len(order) < len(self.dependencies):
            raise CycleError(self.find_cycle() or [])
        return order

    def find_cycle(self) -> Optional[list[int]]:
        """A cycle as ``[a, b, ...]``: a waits for b, ..., the last waits for a.

        The first task is the lowest-numbered one on the shortest cycle found; None when
        there is no cycle.
        """
        sorted_tasks = set(self._sort())
        stuck = [t for t in range(len(self.dependencies)) if t not in sorted_tasks]
        if not stuck:
            return None
        # Every stuck task waits for a stuck task: walking on must come back somewhere.
        seen: set[int] = set()
        task = stuck[0]
        while task not in seen:
            seen.add(task)
            task = next(n for n in self.dependencies[task] if n not in sorted_tasks)
        return self._shortest_cycle(task)

    def _shortest_cycle(self, start: int) -> list[int]:
        """The shortest cycle through a task that is known to be on one."""
        came_from: dict[int, int] = {}
        queue = deque([start])
        while start not in came_from:
            task = queue.popleft()
            for needed in self.dependencies[task]:
                if needed not in came_from:
                    came_from[needed] = task
                    queue.append(needed)
        path = [start]
        while came_from[path[-1]] != start:
            path.append(came_from[path[-1]])
        path.reverse()  # now from what `start` waits for back to `start`
        first = path.index(min(path))
        return path[first:] + path[:first]

    def upward_ranks(self) -> list[float]:
        """Seconds from the start of each task to the end of the longest chain after it.

        The rank of a task that is on the critical path is what the whole still takes.
        Raises CycleError.
        """
        estimates, dependencies = self.estimates, self.dependencies
        if not self._file_order_fits:
            return self._ranks_in_any_order()
        ranks = [0.0] * len(dependencies)
        # From the end of the file: who waits for a task is mostly below it.
        for task in range(len(dependencies) - 1, -1, -1):
            rank = ranks[task] = ranks[task] + estimates[task]
            for other in dependencies[task]:
                if ranks[other] < rank:
                    ranks[other] = rank
        return ranks

    def _ranks_in_any_order(self) -> list[float]:
        estimates, dependencies = self.estimates, self.dependencies
        count = len(dependencies)
        unranked_after = [0] * count
        for needed in dependencies:
            for other in needed:
                unranked_after[other] += 1
        ranks = [0.0] * count
        ranked = [task for task in range(count) if not unranked_after[task]]
        for task in ranked:  # grows while it is walked
            rank = ranks[task] = ranks[task] + estimates[task]
            for other in dependencies[task]:
                if ranks[other] < rank:
                    ranks[other] = rank
                unranked_after[other] -= 1
                if not unranked_after[other]:
                    ranked.append(other)
        if len(ranked) < count:
            raise CycleError(self.find_cycle() or [])
        return ranks

    def only_for_optional(self, optional: Sequence[bool]) -> list[bool]:
        """Which tasks may come last: optional, and nothing that waits for them is not.

        ``optional[i]`` says whether task ``i`` carries the mark. Raises CycleError.
        """
        last = list(optional)
        for task in reversed(self.topological_order()):
            if not last[task]:
                for other in self.dependencies[task]:
                    last[other] = False
        return last

    def critical_path(self, ranks: Optional[Sequence[float]] = None) -> list[int]:
        """The longest chain by estimates, in order; ties go to the first of the file.

        ``ranks``: ``upward_ranks``, where they are known already.
        """
        if not self.dependencies:
            return []
        ranks = self.upward_ranks() if ranks is None else ranks
        starts = [task for task, needed in enumerate(self.dependencies) if not needed]
        path = [max(starts, key=lambda task: (ranks[task], -task))]
        while self.dependents[path[-1]]:
            after = self.dependents[path[-1]]
            path.append(max(after, key=lambda task: (ranks[task], -task)))
        return path

    def width(self) -> int:
        """Most tasks that run at once when each starts as soon as it can.

        More instances than this do not finish sooner. Raises CycleError.
        """
        starts = [0.0] * len(self.dependencies)
        ends = list(starts)
        for task in self.topological_order():
            needed = self.dependencies[task]
            if needed:
                starts[task] = max([ends[other] for other in needed])
            ends[task] = starts[task] + max(1.0, self.estimates[task])
        starts.sort()
        ends.sort()
        most = over = 0
        for number, start in enumerate(starts, 1):
            while ends[over] <= start:  # at one moment, ends come before starts
                over += 1
            most = max(most, number - over)
        return most

    def ready(self, states: Sequence[str]) -> list[int]:
        """Tasks that may be bound now: waiting themselves, nothing before them open.

        ``states[i]`` is the KiroTask state of task ``i``.
        """
        if len(states) != len(self.dependencies):
            raise ValueError("there must be one state per task")
        satisfied = [state in SATISFIED_STATES for state in states]
        return [
            task
            for task, state in enumerate(states)
            if state in _WAITING and all(satisfied[n] for n in self.dependencies[task])
        ]
