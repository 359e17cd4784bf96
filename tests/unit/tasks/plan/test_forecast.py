"""What a forecast says of the rest of the work, and what it leaves out."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.api.meta import BLOCKED, BOUND, DONE, FAILED, MERGED, READY, RUNNING
from kiro_swarm.tasks.plan.estimates import Estimate
from kiro_swarm.tasks.plan.forecast import Forecast, forecast
from kiro_swarm.tasks.plan.graph import CycleError, TaskGraph
from kiro_swarm.tasks.plan.simulate import simulate
from tests.bench.task_graphs import problem
from tests.unit.tasks.plan.random_graphs import graphs

#   0 -> 1 -> 3      4      (the chain 0 1 3 is critical)
#    \-> 2 --^
TIMES = [100.0, 200.0, 50.0, 100.0, 60.0]
FIVE = TaskGraph([[], [0], [0], [1, 2], []])


def look(
    states: list[str],
    instances: int = 2,
    elapsed: tuple[float, ...] = (0.0,) * 5,
    spread: float = 0.2,
    graph: TaskGraph = FIVE,
) -> Forecast:
    estimates = [Estimate(seconds, spread) for seconds in TIMES]
    return forecast(graph, states, estimates, elapsed, instances)


def test_at_the_start_the_critical_path_and_the_finish_are_known() -> None:
    found = look([BLOCKED] * 5)
    assert found.critical_path == [0, 1, 3]
    assert found.critical_seconds == 400
    assert found.usable_now == 2
    assert found.useful == 2
    assert found.low < found.seconds < found.high
    assert 380 < found.seconds < 460
    assert found.late == found.stuck == []


@pytest.mark.parametrize(
    ("instances", "help_", "seconds"),
    [(1, True, 510), (2, False, 400), (9, False, 400)],
)
def test_it_says_whether_more_instances_help(
    instances: int, help_: bool, seconds: float
) -> None:
    found = look([BLOCKED] * 5, instances, spread=0.0)
    assert found.more_instances_help is help_
    assert found.low == pytest.approx(found.seconds) == pytest.approx(seconds)


def test_two_short_chains_need_no_second_instance_beside_a_long_one() -> None:
    # ASAP three run at once, but two finish just as soon.
    graph = TaskGraph([[], [], [], [], []])
    estimates = [Estimate(seconds, 0.0) for seconds in (100.0, 50.0, 50.0, 0.0, 0.0)]
    found = forecast(graph, [READY] * 5, estimates, [0.0] * 5, 3)
    assert graph.width() == 5
    assert found.useful == 2


def test_what_is_done_or_merged_is_over_and_what_runs_has_less_left() -> None:
    states = [MERGED, RUNNING, DONE, BLOCKED, MERGED]
    found = look(states, elapsed=(0.0, 150.0, 0.0, 0.0, 0.0))
    assert found.critical_path == [1, 3]
    assert 140 < found.seconds < 200
    assert found.usable_now == found.useful == 1


def test_a_running_task_that_takes_too_long_is_late_on_the_critical_path_only() -> None:
    states = [MERGED, RUNNING, RUNNING, BLOCKED, BOUND]
    found = look(states, elapsed=(0.0, 300.0, 51.0, 0.0, 500.0))
    assert found.critical_path == [1, 3]
    assert found.late == [1]
    assert found.instances == 3
    assert look(states, elapsed=(0.0, 210.0, 51.0, 0.0, 0.0)).late == []


def test_far_beyond_every_expectation_it_still_says_something() -> None:
    states = [RUNNING, BLOCKED, BLOCKED, BLOCKED, MERGED]
    found = look(states, elapsed=(1e9, 0.0, 0.0, 0.0, 0.0))
    assert all(math.isfinite(n) for n in (found.low, found.seconds, found.high))
    assert found.late == [0]


def test_what_waits_for_a_failed_task_is_stuck_and_in_no_other_number() -> None:
    found = look([MERGED, FAILED, READY, BLOCKED, READY])
    assert found.stuck == [1, 3]
    assert found.critical_path == [4]
    assert 55 < found.seconds < 70


def test_when_all_is_over_nothing_is_left() -> None:
    found = look([MERGED] * 5, 0)
    assert found == Forecast([], 0.0, 0, 0, 0, 0.0, 0.0, 0.0, [], [])
    assert not found.more_instances_help


def test_without_instances_nothing_finishes() -> None:
    found = look([BLOCKED] * 5, 0)
    assert found.low == found.seconds == found.high == math.inf
    assert found.more_instances_help
    assert found.useful == 2


def test_a_cycle_and_lists_of_another_length_are_refused() -> None:
    with pytest.raises(CycleError):
        look([BLOCKED] * 5, graph=TaskGraph([[1], [0], [], [], []]))
    with pytest.raises(ValueError, match="one state, estimate and elapsed"):
        look([BLOCKED] * 4)


def test_common_doubt_widens_what_chance_alone_would_even_out() -> None:
    count = 60
    graph = TaskGraph([[]] * count)
    widths = []
    for spread, doubt in ((0.5, 0.0), (0.4, 0.3)):
        one = [Estimate(100.0, spread, doubt)] * count
        found = forecast(graph, [BLOCKED] * count, one, [0.0] * count, 4)
        widths.append(found.high / found.low)
    assert widths[0] < 1.4 < widths[1]


@given(graphs(), st.data())
def test_a_forecast_is_the_same_every_time_and_keeps_its_bounds(
    graph: TaskGraph, data: st.DataObject
) -> None:
    count = len(graph.dependencies)
    state = st.sampled_from([BLOCKED, BLOCKED, MERGED, FAILED, RUNNING])
    states = data.draw(st.lists(state, min_size=count, max_size=count))
    instances = data.draw(st.integers(1, 5))
    estimates = [Estimate(seconds, 0.3, 0.1) for seconds in graph.estimates]
    elapsed = [float(s == RUNNING) for s in states]
    found = forecast(graph, states, estimates, elapsed, instances)
    assert found == forecast(graph, states, estimates, elapsed, instances)
    assert found.low <= found.seconds <= found.high
    path = found.critical_path
    assert all(one in graph.dependencies[two] for one, two in zip(path, path[1:]))
    assert not set(path) & set(found.stuck)
    assert found.useful <= count
    assert set(found.late) <= set(path)


def test_four_of_five_swarms_finish_between_low_and_high() -> None:
    draw = random.Random(3)
    inside = below = 0
    for seed in range(200):
        case = problem(seed)
        graph = TaskGraph(case.needed, case.seconds)
        count = len(case.seconds)
        estimates = [Estimate(seconds, 0.5, 0.3) for seconds in case.seconds]
        found = forecast(
            graph, [BLOCKED] * count, estimates, [0.0] * count, case.instances
        )
        doubt = draw.gauss(0, 0.3)
        seconds = [one * math.exp(doubt + draw.gauss(0, 0.5)) for one in case.seconds]
        ranks = graph.upward_ranks()
        end = simulate(
            graph.dependencies, graph.dependents, seconds, ranks, case.instances
        ).makespan
        inside += found.low <= end <= found.high
        below += end < found.seconds
    assert 0.72 < inside / 200 < 0.88
    assert 0.4 < below / 200 < 0.6


@pytest.mark.parametrize(
    ("needed", "instances", "finish", "useful"),
    [
        ([[], [0], [1]], 1, 330, 1),  # a chain waits for each of its merges
        ([[], [], [], []], 2, 210, 4),  # instances do not: only the last merge counts
        ([[], [], [], []], 4, 110, 4),
        ([[], [], [0]], 1, 310, 2),  # the merge of one while another is worked on
    ],
)
def test_merges_take_their_time(
    needed: list[list[int]], instances: int, finish: float, useful: int
) -> None:
    graph, states = TaskGraph(needed), [READY] * len(needed)
    estimates = [Estimate(100.0, 0.0)] * len(needed)
    still = [0.0] * len(needed)
    found = forecast(graph, states, estimates, still, instances, lag=10.0)
    assert found.seconds == pytest.approx(finish)
    assert found.useful == useful
