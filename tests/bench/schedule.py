"""Scheduling: plan and next choice in time, makespan beside the optimum, waves and FIFO.

* A plan (graph, ranks, order) beside rustworkx's topological sort of a graph that it holds
  already, its answer as a list: our time has the building of the graph in it.
* The next choice: from a completion to the pair that is bound, at 100,000 pending tasks.
* A binding as the operator makes it: from the view of a swarm with 5,000 ready tasks, of
  which one has just gone, to the status patch.
* The forecast that a swarm's status shows.
* Makespans of 500 seeded small graphs (task_graphs.py) as the product's queue works them
  off, against the optimum that CP-SAT proves within its limit, then with times off by up
  to half and one attempt in twenty that dies with its instance, against an oracle that
  knows both beforehand (the best of our schedules made from the true times).

``--quick`` measures every eleventh graph; ``--limit S`` gives CP-SAT S seconds a graph.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from multiprocessing import get_context
from statistics import fmean
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from kiro_swarm.api.meta import BLOCKED, MERGED, READY
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.reconcile.snapshot.board import Board
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.tasks.hand_out import bindings
from kiro_swarm.tasks.plan.estimates import Estimate, Estimates, Observation
from kiro_swarm.tasks.plan.forecast import forecast
from kiro_swarm.tasks.plan.graph import TaskGraph
from kiro_swarm.tasks.plan.ranks import planned_ranks
from kiro_swarm.tasks.plan.strategies import ROUND_ROBIN, IdleInstance
from tests.bench.optimum import optimum
from tests.bench.report import Measure
from tests.bench.task_graphs import Edges, many, problem
from tests.bench.worked import (
    Tasks,
    as_it_goes,
    as_planned,
    in_waves,
    known,
    makespan,
)

SIZES = (1_000, 10_000, 100_000)
GRAPHS = 500
CHOICES = 20_000
READY_TASKS = 5_000
BINDINGS = 300
SEED = 20_261
_SPEC = {
    "repository": {"url": "https://git.example.org/demo.git", "ref": "main"},
    "tasks": {"specPath": ".kiro/specs/demo/tasks.md"},
    "instances": 1,
    "template": {"agent": {"command": ["agent"]}},
}
PASSES = 7


def run(arguments: Sequence[str]) -> List[Measure]:
    """Measures; exit status by the targets."""
    parser = argparse.ArgumentParser(prog="hack/bench schedule")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--limit", type=float, default=4.0)
    options = parser.parse_args(list(arguments))
    seeds = range(0, GRAPHS, 11 if options.quick else 1)
    measures: List[Measure] = []
    for size in SIZES:
        measures += _planning(size)
    measures += _choosing(SIZES[-1])
    measures += _binding(READY_TASKS)
    measures.append(_forecasting(SIZES[1]))
    # Spawned, not forked: the pool must not share what the measures above left behind.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        worked = list(pool.map(partial(_worked, limit=options.limit), seeds))
    return [*measures, *_makespans(worked)]


# ------------------------------------------------------------------ time


def _planning(size: int) -> Iterator[Measure]:
    import rustworkx

    draw = random.Random(SEED)
    needed = many(draw, size)
    seconds = [float(draw.randint(60, 7200)) for _ in needed]
    held = rustworkx.PyDiGraph()
    held.add_nodes_from(range(size))
    held.add_edges_from_no_data(
        [(other, task) for task, others in enumerate(needed) for other in others]
    )
    ours: List[float] = []
    theirs: List[float] = []
    shuffled: List[float] = []
    mixed, mixed_seconds = _shuffle(draw, needed, seconds)
    gc.collect()
    gc.disable()
    try:
        for _ in range(PASSES):
            begin = time.process_time()
            list(rustworkx.topological_sort(held))
            theirs.append(time.process_time() - begin)
            ours.append(_plan(needed, seconds))
            shuffled.append(_plan(mixed, mixed_seconds))
    finally:
        gc.enable()
    best, other = min(ours), min(theirs)
    name = f"plan {size:,} tasks"
    large = size == SIZES[-1]
    yield Measure(f"{name} / rustworkx sort", best / other, "x", 4 if large else None)
    yield Measure(name, best, "s", 0.4 if large else None)
    yield Measure(f"{name}, in no order", min(shuffled), "s")
    yield Measure(f"rustworkx sort {size:,}", other, "s")


def _plan(needed: Edges, seconds: Sequence[float]) -> float:
    """Processor time of building, ranking and ordering; checks nothing, prints nothing."""
    begin = time.process_time()
    ranks = TaskGraph(needed, seconds).upward_ranks()
    sorted(range(len(ranks)), key=ranks.__getitem__, reverse=True)
    return time.process_time() - begin


def _shuffle(
    draw: random.Random, needed: Edges, seconds: Sequence[float]
) -> Tuple[Edges, List[float]]:
    """The same graph with its tasks numbered at random."""
    at = list(range(len(needed)))
    draw.shuffle(at)
    moved: Edges = [[] for _ in at]
    times = [0.0] * len(at)
    for task, others in enumerate(needed):
        moved[at[task]] = [at[other] for other in others]
        times[at[task]] = seconds[task]
    return moved, times


def _choosing(size: int) -> Iterator[Measure]:
    draw = random.Random(SEED)
    needed = many(draw, size)
    graph = TaskGraph(needed, [float(draw.randint(60, 7200)) for _ in needed])
    tasks = Tasks(graph, graph.upward_ranks())
    queue = tasks.queue
    instances = [IdleInstance(f"i-{number}", number) for number in range(50)]
    out = [task.order for task, _ in queue.choose(instances)]
    for number in out:
        queue.remove(str(number))
    times: List[int] = []
    while out and len(times) < CHOICES:
        number = out.pop(draw.randrange(len(out)))
        begin = time.perf_counter_ns()
        tasks.satisfy(number, float(len(times)))
        pairs = queue.choose(instances[:1], turn=len(times), now=float(len(times)))
        for task, _ in pairs:
            queue.remove(task.id)
        times.append(time.perf_counter_ns() - begin)
        out += [task.order for task, _ in pairs]
    times.sort()
    yield Measure("next choice, p95", times[len(times) * 95 // 100] / 1e3, "us", 50)
    yield Measure("next choice, p50", times[len(times) // 2] / 1e3, "us")


def _binding(size: int) -> Iterator[Measure]:
    draw = random.Random(SEED)
    now, board = datetime(2026, 11, 29, tzinfo=timezone.utc), Board("")
    for number in range(size):
        board.put(_ready(number, draw))
    swarm: Any = {"metadata": {"name": "demo", "namespace": "team", "uid": "u"}}
    instance: Any = {
        "metadata": {"name": "demo-1", "uid": "i"},
        "spec": {"swarm": "demo", "index": 1},
    }
    pod: Any = {
        "metadata": {"name": "demo-1-0", "uid": "p", "ownerReferences": [{"uid": "i"}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    spec = KiroSwarmSpec.model_validate(_SPEC)
    times: List[float] = []
    for _ in range(BINDINGS):
        index = board.task_index()
        view = View(swarm, spec, [instance], index.tasks, [], [pod], now, index)
        begin = time.process_time()
        ((task, _patch),) = bindings(view)
        times.append(time.process_time() - begin)
        merged: Any = {**task, "status": {"state": MERGED}}
        board.put(merged)
    times.sort()
    name = f"binding, {size:,} ready tasks"
    yield Measure(f"{name}, p50", times[len(times) // 2] * 1e3, "ms", 1)
    yield Measure(f"{name}, p95", times[len(times) * 95 // 100] * 1e3, "ms")


def _ready(number: int, draw: random.Random) -> Any:
    return {
        "metadata": {"name": f"demo.{number}"},
        "spec": {
            "swarm": "demo",
            "id": str(number),
            "order": number,
            "priority": draw.randrange(3),
            "files": [f"src/{number}.py"],
        },
        "status": {"state": READY, "readyAt": "2026-11-28T12:00:00.000000Z"},
    }


def _forecasting(size: int) -> Measure:
    draw = random.Random(SEED)
    graph = TaskGraph(many(draw, size))
    estimates = [Estimate(draw.uniform(60, 7200), 0.4, 0.2) for _ in range(size)]
    times: List[float] = []
    for _ in range(PASSES):
        begin = time.process_time()
        forecast(graph, [BLOCKED] * size, estimates, [0.0] * size, 20)
        times.append(time.process_time() - begin)
    return Measure(f"forecast of {size:,} tasks", min(times) * 1e3, "ms", 100)


# ------------------------------------------------------------------ makespan


@dataclass(frozen=True)
class Worked:
    """Of one problem: each way's makespan over the optimum, if proven, and the oracle's."""

    as_planned: Optional[Dict[str, float]]
    as_it_goes: Dict[str, float]


def _worked(seed: int, limit: float) -> Worked:
    case = problem(seed)
    graph = TaskGraph(case.needed, case.seconds)
    chains = graph.upward_ranks()
    planned = planned_ranks(graph, case.instances)
    truth = as_planned(case)
    ways = {
        "ours": makespan(case, planned, truth),
        "longest chain": makespan(case, chains, truth),
        "FIFO": makespan(case, chains, truth, ROUND_ROBIN),
        "waves": in_waves(case, truth),
    }
    best = optimum(case, limit, min(ways.values()))
    truth = as_it_goes(case, seed)
    # What a swarm knows of its times is what it measured: here, of the problem before.
    before = problem(seed + 1)
    seen = as_it_goes(before, seed + 1).seconds
    learned = Estimates(map(Observation, seen, map(float, before.seconds)))
    ranks = planned_ranks(graph, case.instances, learned.of(60.0).spread)
    going = {
        "ours": makespan(case, ranks, truth),
        "FIFO": makespan(case, chains, truth, ROUND_ROBIN),
        "waves": in_waves(case, truth),
    }
    told = planned_ranks(TaskGraph(case.needed, known(truth)), case.instances)
    oracle = min(makespan(case, told, truth), *going.values())
    return Worked(
        {way: end / best.seconds for way, end in ways.items()} if best.proven else None,
        {way: end / oracle for way, end in going.items()},
    )


def _makespans(worked: Sequence[Worked]) -> Iterator[Measure]:
    proven = [one.as_planned for one in worked if one.as_planned is not None]
    yield Measure("graphs", len(worked), "graphs")
    yield Measure("proven optimal", len(proven), "graphs")
    yield from _ratios("optimum", proven, 1.003, 1.05)
    going = [one.as_it_goes for one in worked]
    yield from _ratios("oracle, times off and deaths", going, 1.10, None)


def _ratios(
    than: str,
    found: Sequence[Dict[str, float]],
    mean: float,
    most: Optional[float],
) -> Iterator[Measure]:
    for way in found[0]:
        ratios = [one[way] for one in found]
        ours = way == "ours"
        name = f"{way} / {than}"
        yield Measure(f"{name}, mean", fmean(ratios), "x", mean if ours else None)
        yield Measure(f"{name}, max", max(ratios), "x", most if ours else None)
