"""Ranks of tasks that make a short schedule on a given number of instances.

Called when a graph, its estimates or the number of instances change; the decisions in
between (``schedule``, ``ready``) only compare the ranks. The longest chain first is nearly
always as good as it gets. Where it is not (a small graph, and a bound says that there may
be something shorter), orders are tried out in simulation and the best becomes the ranks:
each order is scheduled forwards, then backwards from its end, then forwards again, which
closes gaps; then the best one is shaken a little, and so on, a bounded number of times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kiro_swarm.tasks.plan.chance import Chance
from kiro_swarm.tasks.plan.graph import TaskGraph
from kiro_swarm.tasks.plan.simulate import Run, simulate

#: With more tasks than this the longest chain first is within 0.2 % of the best.
MOST_TASKS: Final = 300
#: Simulated tasks that a plan may cost; about a microsecond and a half each.
_WORK: Final = 20_000
#: Deviation of ln(time) up to which a plan is worth following. Where times are off by more
#: than a fifth, the longest chain first does better (hack/bench schedule).
TRUSTED_SPREAD: Final = 0.12
_SHAKES: Final = (0.02, 0.05, 0.1, 0.2)
_NEAR: Final = 1e-9


def planned_ranks(graph: TaskGraph, instances: int, spread: float = 0.0) -> list[float]:
    """Seconds of each task before the end of a short schedule: the highest goes first.

    Never longer, in simulation with the same estimates, than with
    ``TaskGraph.upward_ranks``; those are returned where nothing better was found, and where
    the estimates are too uncertain for more: ``spread`` as in ``Estimate``. Raises CycleError.
    """
    ranks = graph.upward_ranks()
    if spread > TRUSTED_SPREAD or not 2 <= instances < len(ranks) <= MOST_TASKS:
        return ranks
    bound = max(max(ranks), sum(graph.estimates) / instances) * (1 + _NEAR)
    best = _forwards(graph, ranks, instances)
    if best.makespan <= bound:
        return ranks
    first = best.makespan
    found, chance = ranks, Chance(len(ranks))
    for turn in range(max(1, _WORK // (3 * len(ranks)))):
        shake = _SHAKES[turn % len(_SHAKES)] * best.makespan if turn else 0.0
        tried = [rank + shake * (2 * chance.fraction() - 1) for rank in found]
        run = _back_and_forth(graph, _forwards(graph, tried, instances), instances)
        if run.makespan < best.makespan * (1 - _NEAR):
            best = run
            found = [best.makespan - start for start in best.starts]
        if best.makespan <= bound:
            break
    return found if best.makespan < first else ranks


def _forwards(graph: TaskGraph, ranks: Sequence[float], instances: int) -> Run:
    return simulate(
        graph.dependencies, graph.dependents, graph.estimates, ranks, instances
    )


def _back_and_forth(graph: TaskGraph, run: Run, instances: int) -> Run:
    """The same order pushed against the end, then against the start again."""
    mirrored = simulate(
        graph.dependents, graph.dependencies, graph.estimates, run.ends, instances
    )
    again = _forwards(graph, mirrored.ends, instances)
    return again if again.makespan < run.makespan else run
