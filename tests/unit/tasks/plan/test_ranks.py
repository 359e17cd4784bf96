"""Plans: no order of a graph is broken, none is longer than the longest chain first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.tasks.plan.chance import Chance
from kiro_swarm.tasks.plan.graph import CycleError, TaskGraph
from kiro_swarm.tasks.plan.ranks import MOST_TASKS, planned_ranks
from kiro_swarm.tasks.plan.simulate import Run, simulate
from tests.bench.task_graphs import longest_chain, problem
from tests.unit.tasks.plan.random_graphs import graphs


def run_of(graph: TaskGraph, ranks: list[float], instances: int) -> Run:
    return simulate(
        graph.dependencies, graph.dependents, graph.estimates, ranks, instances
    )


def in_waves(graph: TaskGraph, instances: int) -> float:
    """Makespan when a level begins only after the whole level before it."""
    level: list[int] = [0] * len(graph.dependencies)
    for task in graph.topological_order():
        level[task] = max((level[n] + 1 for n in graph.dependencies[task]), default=0)
    total = 0.0
    for wave in range(max(level) + 1):
        seconds = [s for s, at in zip(graph.estimates, level) if at == wave]
        alone = TaskGraph([[]] * len(seconds), seconds)
        total += run_of(alone, seconds, instances).makespan
    return total


@given(graphs(), st.integers(1, 5))
def test_a_run_keeps_every_edge_and_nobody_idle_beside_a_ready_task(
    graph: TaskGraph, instances: int
) -> None:
    run = run_of(graph, planned_ranks(graph, instances), instances)
    tasks = range(len(run.starts))
    for task in tasks:
        could = max((run.ends[n] for n in graph.dependencies[task]), default=0.0)
        assert run.ends[task] == run.starts[task] + graph.estimates[task]
        assert run.starts[task] >= could
        for moment in {could, *(e for e in run.ends if could <= e < run.starts[task])}:
            if moment < run.starts[task]:
                busy = sum(run.starts[n] <= moment < run.ends[n] for n in tasks)
                assert busy == instances
        at_once = sum(run.starts[n] <= run.starts[task] < run.ends[n] for n in tasks)
        assert at_once <= instances
    assert run.makespan == max(run.ends)


@given(graphs(), st.integers(1, 5))
def test_a_plan_is_never_longer_than_the_longest_chain_first(
    graph: TaskGraph, instances: int
) -> None:
    ranks = planned_ranks(graph, instances)
    assert ranks == planned_ranks(graph, instances)
    plain = run_of(graph, graph.upward_ranks(), instances).makespan
    planned = run_of(graph, ranks, instances).makespan
    least = max(max(graph.upward_ranks()), sum(graph.estimates) / instances)
    assert least - 1e-9 <= planned <= plain


@pytest.mark.parametrize("seed", range(0, 100, 5))
def test_a_plan_is_never_longer_than_waves(seed: int) -> None:
    case = problem(seed)
    graph = TaskGraph(case.needed, case.seconds)
    ranks = planned_ranks(graph, case.instances)
    planned = run_of(graph, ranks, case.instances).makespan
    assert planned <= in_waves(graph, case.instances)
    assert max(graph.upward_ranks()) == longest_chain(case.needed, case.seconds)


def test_a_plan_finds_what_the_longest_chain_first_misses() -> None:
    # Two instances: 3+3 beside 2+2+2 is 6 long, the longest first gives 3+2+2 = 7.
    graph = TaskGraph([[]] * 5, [3.0, 3.0, 2.0, 2.0, 2.0])
    assert run_of(graph, graph.upward_ranks(), 2).makespan == 7.0
    assert run_of(graph, planned_ranks(graph, 2), 2).makespan == 6.0
    # With times that are anybody's guess there is nothing to be planned so finely.
    assert planned_ranks(graph, 2, spread=0.3) == graph.upward_ranks()


@pytest.mark.parametrize(("count", "instances"), [(3, 3), (3, 1), (MOST_TASKS + 1, 2)])
def test_where_nothing_can_be_gained_the_chains_stand(
    count: int, instances: int
) -> None:
    graph = TaskGraph([[]] * count, [float(3 + n % 5) for n in range(count)])
    assert planned_ranks(graph, instances) == graph.upward_ranks()


def test_a_cycle_and_a_swarm_without_instances_are_refused() -> None:
    with pytest.raises(CycleError):
        planned_ranks(TaskGraph([[1], [0]]), 2)
    with pytest.raises(ValueError, match="must be an instance"):
        simulate([[]], [[]], [1.0], [1.0], 0)


def test_chance_is_even_and_the_same_every_time() -> None:
    one, same, other = Chance(1), Chance(1), Chance(2)
    numbers = [one.fraction() for _ in range(2000)]
    assert numbers == [same.fraction() for _ in range(2000)]
    assert numbers[:9] != [other.fraction() for _ in range(9)]
    for tenth in range(10):
        assert 150 < sum(tenth <= 10 * n < tenth + 1 for n in numbers) < 250
    normal = [other.normal() for _ in range(2000)]
    assert abs(sum(normal)) < 150
    assert 0.64 < sum(abs(n) < 1 for n in normal) / 2000 < 0.73
