"""What is to be expected of the rest of a swarm's work, and what holds it up.

Called when a swarm's status is written. A pure function of the graph, the states of its
tasks, what each may take, and how many instances work: the rest is run through a few
times with durations drawn from the estimates, the same ones every time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from statistics import NormalDist, fmean, pstdev
from typing import Final

from kiro_swarm.api.meta import (
    ACTIVE_STATES,
    BLOCKED,
    DONE,
    FAILED,
    READY,
    SATISFIED_STATES,
)
from kiro_swarm.api.pieces import Pieces, whole
from kiro_swarm.tasks.plan.chance import Chance
from kiro_swarm.tasks.plan.estimates import Estimate
from kiro_swarm.tasks.plan.graph import TaskGraph
from kiro_swarm.tasks.plan.simulate import simulate

#: Simulated tasks that a forecast may cost, and how many runs that makes.
_WORK: Final = 30_000
_FEWEST_RUNS: Final = 2
_MOST_RUNS: Final = 100
#: What finishes this near to the critical path would not finish sooner with more.
_NEAR: Final = 1.01
_NORMAL: Final = NormalDist()
_LOW_TO_HIGH: Final = 1.2816
_OVER: Final = SATISFIED_STATES | {DONE}


@dataclass(frozen=True)
class Forecast:
    """Tasks are numbers of the graph; times are seconds from now.

    ``critical_path``: the longest chain of what is left, in order, ``critical_seconds``
    long. ``usable_now``: how many instances have or could have a task at this moment.
    ``useful``: with more instances than this the rest is not finished sooner.
    ``seconds``: when the rest is finished, as likely later as sooner; four times of five
    between ``low`` and ``high``; infinite without an instance. ``late``: running tasks of
    the critical path that take longer than nine of ten would. ``stuck``: what cannot go on
    before a person acts; it is in none of the other numbers.
    """

    critical_path: list[int]
    critical_seconds: float
    usable_now: int
    useful: int
    instances: int
    seconds: float
    low: float
    high: float
    late: list[int]
    stuck: list[int]

    @property
    def more_instances_help(self) -> bool:
        """Whether one more instance would finish the rest sooner."""
        return self.instances < self.useful


def forecast(
    graph: TaskGraph,
    states: Sequence[str],
    estimates: Sequence[Estimate],
    elapsed: Sequence[float],
    instances: int,
    *,
    lag: float = 0.0,
    seed: int = 0,
) -> Forecast:
    """Look ahead from one moment, at once; see ``forecasting``."""
    return whole(
        forecasting(graph, states, estimates, elapsed, instances, lag=lag, seed=seed)
    )


def forecasting(
    graph: TaskGraph,
    states: Sequence[str],
    estimates: Sequence[Estimate],
    elapsed: Sequence[float],
    instances: int,
    *,
    lag: float = 0.0,
    seed: int = 0,
) -> Pieces[Forecast]:
    """Look ahead from one moment, with turns for others between its steps.

    ``states[i]`` is the KiroTask state of task ``i``; pass Failed for one that waits for
    a person: that is paused, or finished and not approved. ``elapsed[i]`` are the seconds that
    it has been running for, 0 if it does not run. ``instances``: those that work or could.
    ``lag``: seconds from the end of a task to its merge, which others wait for; its instance
    does not. Raises CycleError, and ValueError for lists of another length.
    """
    count = len(graph.dependencies)
    if not count == len(states) == len(estimates) == len(elapsed):
        raise ValueError("there must be one state, estimate and elapsed time per task")
    stuck = _stuck(graph, states)
    kept_out = set(stuck)
    left = [
        task
        for task in range(count)
        if states[task] not in _OVER and task not in kept_out
    ]
    number = {task: at for at, task in enumerate(left)}
    yield
    middles = [_middle(estimates[task], elapsed[task]) for task in left]
    rest = TaskGraph(
        [[number[n] for n in graph.dependencies[t] if n in number] for t in left],
        [seconds + lag for seconds in middles],
    )
    active = [at for at, task in enumerate(left) if states[task] in ACTIVE_STATES]
    instances = max(instances, len(active))
    yield
    ranks = rest.upward_ranks()
    critical = rest.critical_path(ranks)
    critical_seconds = max(ranks, default=0.0)
    for at in active:
        ranks[at] = math.inf  # they have their instances already
    ends = yield from _ends(
        rest,
        ranks,
        [estimates[t] for t in left],
        [elapsed[t] for t in left],
        instances,
        lag,
        seed,
    )
    yield
    ready = sum(not needed for needed in rest.dependencies)
    useful = yield from _useful(rest, middles, ranks, critical_seconds, instances, lag)
    return Forecast(
        critical_path=[left[at] for at in critical],
        critical_seconds=critical_seconds,
        usable_now=ready,
        useful=useful,
        instances=instances,
        seconds=ends[1],
        low=ends[0],
        high=ends[2],
        late=[
            left[at]
            for at in critical
            if states[left[at]] in ACTIVE_STATES
            and elapsed[left[at]] > estimates[left[at]].high
        ],
        stuck=stuck,
    )


def _stuck(graph: TaskGraph, states: Sequence[str]) -> list[int]:
    """Failed tasks and everything that waits for them."""
    found = {task for task, state in enumerate(states) if state == FAILED}
    pending = sorted(found)
    while pending:
        for other in graph.dependents[pending.pop()]:
            if other not in found and states[other] in (BLOCKED, READY):
                found.add(other)
                pending.append(other)
    return sorted(found)


def _middle(estimate: Estimate, elapsed: float) -> float:
    """Seconds that are left, as likely more as less."""
    return _left(estimate, elapsed, 0.0, 0.0)


def _left(estimate: Estimate, elapsed: float, doubt: float, noise: float) -> float:
    """Seconds that are left of a log-normal time when a part of it has passed.

    ``doubt`` and ``noise`` say by how many deviations it is off its middle.
    """
    middle = estimate.seconds * math.exp(estimate.doubt * doubt)
    if elapsed <= 0:
        return middle * math.exp(estimate.spread * noise)
    spread = max(estimate.spread, 0.01)
    passed = _NORMAL.cdf(math.log(elapsed / middle) / spread)
    # Far beyond what was expected nothing is known: it is taken as nearly done then.
    at = min(passed + _NORMAL.cdf(noise) * (1 - passed), 1 - 1e-9)
    return max(0.0, middle * math.exp(spread * _NORMAL.inv_cdf(at)) - elapsed)


def _ends(
    rest: TaskGraph,
    ranks: Sequence[float],
    estimates: Sequence[Estimate],
    elapsed: Sequence[float],
    instances: int,
    lag: float,
    seed: int,
) -> Pieces[tuple[float, float, float]]:
    """Low, middle and high of when everything is done."""
    if not estimates or not instances:
        never = math.inf if estimates else 0.0
        return never, never, never
    chance = Chance(seed)
    runs = min(_MOST_RUNS, max(_FEWEST_RUNS, _WORK // len(estimates)))
    # Every run begins one further on in the same noise: drawing takes longer than using.
    noise = [chance.normal() for _ in range(len(estimates) + runs)]
    ends = []
    for run, doubt in enumerate(_evenly(runs)):
        yield
        seconds = list(
            map(_left, estimates, elapsed, repeat(doubt), islice(noise, run, None))
        )
        run_through = simulate(
            rest.dependencies, rest.dependents, seconds, ranks, instances, lag
        )
        ends.append(math.log(max(run_through.makespan, 1e-3)))
    middle, deviation = fmean(ends), pstdev(ends)
    return (
        math.exp(middle - _LOW_TO_HIGH * deviation),
        math.exp(middle),
        math.exp(middle + _LOW_TO_HIGH * deviation),
    )


def _evenly(runs: int) -> list[float]:
    """What all tasks have in common goes evenly through its range; the deviation is 1."""
    points = [_NORMAL.inv_cdf((run + 0.5) / runs) for run in range(runs)]
    deviation = pstdev(points)
    return [point / deviation for point in points]


def _useful(
    rest: TaskGraph,
    seconds: Sequence[float],
    ranks: Sequence[float],
    critical_seconds: float,
    instances: int,
    lag: float,
) -> Pieces[int]:
    """The fewest instances that finish as soon as any number would, nearly.

    Found by halving, beginning with the present number; where that would take too long
    the answer is too high rather than too low.
    """
    if not ranks:
        return 0
    low = max(1, math.ceil(sum(seconds) / max(critical_seconds * _NEAR, 1e-9)))
    high = max(low, rest.width())
    # One look at the present number always, unless it is too low for all the work.
    steps = max(int(instances >= low), _WORK // (4 * len(ranks)))
    middle = min(max(instances, low), high - 1)
    while low < high and steps:
        yield
        run = simulate(rest.dependencies, rest.dependents, seconds, ranks, middle, lag)
        if run.makespan <= critical_seconds * _NEAR:
            high = middle
        else:
            low = middle + 1
        middle = (low + high) // 2
        steps -= 1
    return high
