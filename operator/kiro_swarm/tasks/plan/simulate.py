"""What happens when a graph is worked on by some instances: a list schedule, run through.

Used by ``plan`` to compare orders and by ``forecast`` to look ahead. Nobody is idle beside
a ready task; of those that are ready the one with the highest rank goes first, then the
first of the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush


@dataclass(frozen=True)
class Run:
    """When each task started and ended, and when the last one was merged; from 0."""

    starts: list[float]
    ends: list[float]
    makespan: float


def simulate(
    dependencies: Sequence[Sequence[int]],
    dependents: Sequence[Sequence[int]],
    seconds: Sequence[float],
    ranks: Sequence[float],
    instances: int,
    lag: float = 0.0,
) -> Run:
    """Run a graph without cycles; ``dependents`` are its ``dependencies``, turned round.

    ``seconds[i]`` is what task ``i`` takes. A task that takes nothing needs an instance
    all the same. ``lag``: seconds from the end of a task, when its instance is free, to
    its merge, which is what other tasks and the end of the run wait for. Raises ValueError
    without an instance.
    """
    if instances < 1:
        raise ValueError("there must be an instance")
    # Places in the order of the ranks: a heap of small integers is fast.
    task_at = sorted(range(len(ranks)), key=ranks.__getitem__, reverse=True)
    place = [0] * len(ranks)
    for at, task in enumerate(task_at):
        place[task] = at
    missing = [len(needed) for needed in dependencies]
    ready = [place[task] for task, number in enumerate(missing) if not number]
    heapify(ready)
    running: list[tuple[float, int]] = []
    starts, ends = [0.0] * len(missing), [0.0] * len(missing)
    now, free = 0.0, instances
    while ready or running:
        while free and ready:
            task = task_at[heappop(ready)]
            starts[task] = now
            end = ends[task] = now + seconds[task]
            heappush(running, (end, task))
            free -= 1
        now = running[0][0]
        while running and running[0][0] == now:
            task = heappop(running)[1]
            if task >= 0:
                free += 1
                if lag:
                    heappush(running, (now + lag, ~task))  # its merge
                    continue
            else:
                task = ~task
            for other in dependents[task]:
                left = missing[other] - 1
                missing[other] = left
                if not left:
                    heappush(ready, place[other])
    return Run(starts, ends, now)
