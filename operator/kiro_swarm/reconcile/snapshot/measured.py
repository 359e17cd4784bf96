"""What a swarm's own tasks teach about it: how long they take, which chain is the longest,
how fast each instance is.

Made from a view when something has to be decided or foretold (``hand_out``, ``outlook``,
``slow``). Pure: whatever was learned is in the statuses of the tasks, so an operator that
was restarted knows the same. What a large swarm has learned is kept for some seconds
(``MeasurementCache``): of ten thousand tasks one more says nothing new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from statistics import median
from typing import Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import BLOCKED, DONE, MERGED
from kiro_swarm.api.pieces import Pieces, whole
from kiro_swarm.api.task import KiroTask
from kiro_swarm.policy.times import seconds_between
from kiro_swarm.tasks.plan.estimates import (
    Estimate,
    Estimates,
    Observation,
    speeds,
)
from kiro_swarm.tasks.plan.graph import CycleError, TaskGraph
from kiro_swarm.tasks.plan.ranks import MOST_TASKS, planned_ranks

#: Seconds, for each task of a swarm, in which what takes a look at all of them is not done
#: again: for ten thousand tasks that is five seconds.
PAUSE_PER_TASK = 0.0005
#: Plans that are remembered: the same graph and estimates come again and again.
_MOST_PLANS = 64


@dataclass(frozen=True)
class Measured:
    """Lists are in the order of the tasks, and so are the numbers in the ``graph``.

    ``estimates``: of the seconds from binding to the end of a task. ``graph``: who waits
    for whom, each task with its seconds until it is merged. ``ranks``: seconds of the chain
    behind a task, by id; empty where somebody edited a cycle into the tasks. ``last``: ids
    of the optional tasks that nothing else needs. ``lag``: seconds from the end of a task
    to its merge. ``speeds`` by instance, 1 is usual. ``known``: whether any task has been
    measured; before that estimates are what is usual anywhere.
    """

    numbers: dict[str, int]
    estimates: list[Estimate]
    graph: TaskGraph
    ranks: dict[str, float]
    last: frozenset[str]
    lag: float
    speeds: dict[str, float]
    known: bool

    def estimate_of(self, task: KiroTask) -> Estimate:
        """How long a task of the swarm takes."""
        return self.estimates[self.numbers[task["spec"]["id"]]]


class MeasurementCache:
    """What was measured last of one swarm, as long as that is good enough.

    A small one is measured whenever it is asked for. A large one again when its graph is
    another (``shape``), and else after a pause that grows with it: to learn from ten
    thousand tasks takes a third of a second.
    """

    def __init__(self) -> None:
        self._of: tuple[int, int] = (-1, 0)
        self._at: Optional[datetime] = None
        self._measured: Optional[Measured] = None

    def measured(
        self, tasks: Sequence[KiroTask], instances: int, shape: int, now: datetime
    ) -> Measured:
        """As ``measure``, or as it was a moment ago."""
        return whole(self.measuring(tasks, instances, shape, now))

    def measuring(
        self, tasks: Sequence[KiroTask], instances: int, shape: int, now: datetime
    ) -> Pieces[Measured]:
        """The same piece by piece."""
        of, known = (shape, instances), self._measured
        pause = timedelta(seconds=len(tasks) * PAUSE_PER_TASK)
        young = self._at is not None and timedelta(0) <= now - self._at < pause
        if known is None or of != self._of or not young or len(tasks) <= MOST_TASKS:
            known = self._measured = yield from measuring(tasks, instances)
            self._of, self._at = of, now
        return known

    def learned(self, since: datetime, until: datetime) -> None:
        """What was looked at from ``since`` on took until now: it is as young as its end.

        In pieces beside much else it may take longer than it would be young.
        """
        if self._at == since:
            self._at = until


def measure(tasks: Sequence[KiroTask], instances: int) -> Measured:
    """Learn from the tasks of a swarm; ``instances``: how many are wanted."""
    return whole(measuring(tasks, instances))


def measuring(tasks: Sequence[KiroTask], instances: int) -> Pieces[Measured]:
    """The same, with turns for others between its steps: each looks at all tasks once."""
    finished = _finished(tasks)
    yield
    learned = Estimates(_observation(task, took) for task, took in finished)
    known: dict[tuple[Optional[float], str], Estimate] = {}
    estimates = []
    yield
    for task in tasks:
        guess = _guess(task)
        if guess not in known:
            known[guess] = learned.of(*guess)
        estimates.append(known[guess])
    yield
    lag = _lag(tasks)
    yield
    numbers = {task["spec"]["id"]: number for number, task in enumerate(tasks)}
    graph = TaskGraph(
        [_needed(task, numbers) for task in tasks],
        [estimate.seconds + lag for estimate in estimates],
    )
    yield
    ranks, last = _order(graph, tasks, estimates, instances)
    yield
    return Measured(
        numbers=numbers,
        estimates=estimates,
        graph=graph,
        ranks=dict(zip(numbers, ranks)),
        last=frozenset(i for i, is_last in zip(numbers, last) if is_last),
        lag=lag,
        speeds=speeds(
            (task["status"]["instance"], known[_guess(task)].seconds, took)
            for task, took in finished
            if task["status"].get("instance")
        ),
        known=bool(finished),
    )


def _guess(task: KiroTask) -> tuple[Optional[float], str]:
    """What the task file says of a task's time: seconds, and how hard it is."""
    spec = task["spec"]
    return spec.get("estimateSeconds"), str(spec.get("complexity") or "")


def _observation(task: KiroTask, took: float) -> Observation:
    return Observation(took, *_guess(task))


def _finished(tasks: Iterable[KiroTask]) -> list[tuple[KiroTask, float]]:
    """The tasks whose last attempt was good, and its seconds from binding to end."""
    found = []
    for task in tasks:
        status = status_of(task)
        if status.get("state") not in (DONE, MERGED) or not status.get("startedAt"):
            continue
        began = status.get("boundAt") or status["startedAt"]
        took = seconds_between(began, status.get("finishedAt"))
        if took:
            found.append((task, took))
    return found


def _lag(tasks: Iterable[KiroTask]) -> float:
    """The usual seconds from the end of a task to its merge; 0 before the first.

    Where a person was asked between the two, that is most of the time and no work. The shortest
    such time is nearest to what a merge takes.
    """
    lags: list[float] = []
    asked: list[float] = []
    for task in tasks:
        status = status_of(task)
        if status.get("mergedAt") and status.get("finishedAt"):
            lag = seconds_between(status["finishedAt"], status["mergedAt"])
            (asked if task["spec"].get("approvedAttempt") else lags).append(lag)
    return median(lags) if lags else min(asked, default=0.0)


def _needed(task: KiroTask, numbers: dict[str, int]) -> list[int]:
    """Who waits for a task that does not exist is found by ``waits_for_nothing_known``."""
    return [numbers[i] for i in task["spec"].get("dependencies") or [] if i in numbers]


def _order(
    graph: TaskGraph,
    tasks: Sequence[KiroTask],
    estimates: Sequence[Estimate],
    instances: int,
) -> tuple[list[float], list[bool]]:
    """Ranks, and which tasks come last; both empty for a graph with a cycle."""
    optional = [bool(task["spec"].get("optional")) for task in tasks]
    spread = max((estimate.spread for estimate in estimates), default=0.0)
    try:
        if len(tasks) > MOST_TASKS:
            ranks = graph.upward_ranks()
        else:
            needed = tuple(tuple(row) for row in graph.dependencies)
            ranks = list(_plan(needed, tuple(graph.estimates), instances, spread))
        return ranks, graph.only_for_optional(optional)
    except CycleError:
        return [], []


@lru_cache(maxsize=_MOST_PLANS)
def _plan(
    needed: tuple[tuple[int, ...], ...],
    seconds: tuple[float, ...],
    instances: int,
    spread: float,
) -> tuple[float, ...]:
    return tuple(planned_ranks(TaskGraph(needed, seconds), instances, spread))


def waits_for_nothing_known(task: KiroTask, known: Mapping[str, int]) -> bool:
    """Whether a blocked task waits for one that does not exist."""
    status = status_of(task)
    return (status.get("state") or BLOCKED) == BLOCKED and any(
        needed not in known for needed in task["spec"].get("dependencies") or []
    )
