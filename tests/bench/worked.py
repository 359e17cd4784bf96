"""A swarm that works on a problem without a cluster, decided by the product's own queue.

Used by tests/bench/schedule.py. Instances are free and get tasks from a ReadyQueue, as
the operator would give them; what a task really takes, and which attempts end because
their instance dies, is drawn beforehand and the same for every way of scheduling.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import List, Sequence, Tuple

from kiro_swarm.tasks.plan.graph import TaskGraph
from kiro_swarm.tasks.plan.ready import ReadyQueue
from kiro_swarm.tasks.plan.simulate import simulate
from kiro_swarm.tasks.plan.strategies import (
    DEPENDENCY_AWARE,
    IdleInstance,
    ReadyTask,
    Strategy,
)
from tests.bench.task_graphs import Problem

#: Numbers of a problem are minutes here, so that what counts in hours (patience) is real.
MINUTE = 60.0


@dataclass(frozen=True)
class Truth:
    """What really happens. Minutes.

    ``seconds[i]`` is what task i takes; ``deaths[i]`` after which part of it (0 to 1) the
    instance of its first, second, ... attempt dies; a new one is there ``restart`` later.
    """

    seconds: Sequence[float]
    deaths: Sequence[Sequence[float]]
    restart: float


class Tasks:
    """The tasks of a graph, and the queue of those that wait for nothing."""

    def __init__(
        self,
        graph: TaskGraph,
        ranks: Sequence[float],
        strategy: Strategy = DEPENDENCY_AWARE,
    ) -> None:
        self.queue = ReadyQueue(strategy)
        self._graph, self._ranks = graph, ranks
        self._missing = [len(needed) for needed in graph.dependencies]
        for number, missing in enumerate(self._missing):
            if not missing:
                self.put(number, 0.0)

    def put(self, number: int, now: float) -> None:
        """A task is ready."""
        self.queue.put(ReadyTask(str(number), number), self._ranks[number], now)

    def satisfy(self, number: int, now: float) -> None:
        """A task is merged: those that waited for nothing else are ready."""
        for other in self._graph.dependents[number]:
            self._missing[other] -= 1
            if not self._missing[other]:
                self.put(other, now)


def as_planned(problem: Problem) -> Truth:
    """Everything takes what it was said to take, and nobody dies."""
    return Truth(problem.seconds, [()] * len(problem.seconds), 0.0)


def as_it_goes(problem: Problem, seed: int) -> Truth:
    """Times are off by up to half, and one attempt in twenty dies with its instance."""
    draw = random.Random(seed)
    seconds = [one * draw.uniform(0.5, 1.5) for one in problem.seconds]
    deaths: List[List[float]] = []
    for _ in seconds:
        dies: List[float] = []
        while draw.random() < 0.05:
            dies.append(draw.random())
        deaths.append(dies)
    restart = 0.1 * sum(problem.seconds) / len(problem.seconds)
    return Truth(seconds, deaths, restart)


def known(truth: Truth) -> List[float]:
    """What each task costs an instance in all: for an oracle."""
    return [
        one * (1 + sum(dies)) + truth.restart * len(dies)
        for one, dies in zip(truth.seconds, truth.deaths)
    ]


def makespan(
    problem: Problem,
    ranks: Sequence[float],
    truth: Truth,
    strategy: Strategy = DEPENDENCY_AWARE,
) -> float:
    """Minutes until the last task is done, each choice made when it has to be made."""
    graph = TaskGraph(problem.needed, problem.seconds)
    tasks = Tasks(graph, ranks, strategy)
    queue = tasks.queue
    idle = [IdleInstance(f"i-{n}", n) for n in range(problem.instances)]
    attempts = [0] * len(ranks)
    # (when, 0 task done / 1 task lost / 2 instance back, task, instance)
    events: List[Tuple[float, int, int, int]] = []
    instances = list(idle)
    now, turn = 0.0, 0
    while True:
        for task, instance in queue.choose(idle, turn=turn, now=now * MINUTE):
            idle.remove(instance)
            queue.remove(task.id)
            number, turn = task.order, turn + 1
            dies = truth.deaths[number][attempts[number] :][:1]
            attempts[number] += 1
            part = dies[0] if dies else 1.0
            end = now + truth.seconds[number] * part
            heappush(events, (end, int(bool(dies)), number, instance.index))
        if not events:
            return now
        moment = events[0][0]
        while events and events[0][0] == moment:
            now, what, number, index = heappop(events)
            if what == 1:
                tasks.put(number, now * MINUTE)
                heappush(events, (now + truth.restart, 2, number, index))
                continue
            idle.append(instances[index])
            if what == 0:
                tasks.satisfy(number, now * MINUTE)


def in_waves(problem: Problem, truth: Truth) -> float:
    """Minutes when a level of the graph begins after the whole level above it.

    In a wave the longest task first; what dies is counted at its cost.
    """
    level: List[int] = []
    for needed in problem.needed:
        level.append(max((level[other] + 1 for other in needed), default=0))
    cost, total = known(truth), 0.0
    for wave in range(max(level) + 1):
        tasks = [task for task, at in enumerate(level) if at == wave]
        guesses = [float(problem.seconds[task]) for task in tasks]
        alone: List[List[int]] = [[] for _ in tasks]
        times = [cost[task] for task in tasks]
        total += simulate(alone, alone, times, guesses, problem.instances).makespan
    return total
