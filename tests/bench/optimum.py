"""The shortest possible schedule of a small task graph, by OR-tools CP-SAT.

Used by tests/bench/schedule.py as the measure of our own schedules, in processes of its
own: ortools is imported here only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.bench.task_graphs import Problem, longest_chain


@dataclass(frozen=True)
class Optimum:
    """What was found: ``seconds`` is the shortest, or the best known when not ``proven``."""

    seconds: float
    proven: bool


def optimum(problem: Problem, limit: float, known: float) -> Optimum:
    """Solve with one thread within ``limit`` seconds; ``known`` is a makespan that is possible.

    One that is as short as the longest chain, or as all work shared evenly, is the shortest.
    """
    shared = -(-sum(problem.seconds) // problem.instances)
    bound = max(shared, int(longest_chain(problem.needed, problem.seconds)))
    if known <= bound:
        return Optimum(known, True)
    # Here, not above: it takes a second, and only the processes of the pool need it.
    from ortools.sat.python import cp_model

    model: Any = cp_model.CpModel()
    count = len(problem.seconds)
    hint = int(known)
    starts = [model.new_int_var(0, hint, f"s{task}") for task in range(count)]
    intervals = []
    end = model.new_int_var(bound, hint, "end")
    for task, seconds in enumerate(problem.seconds):
        intervals.append(
            model.new_fixed_size_interval_var(starts[task], seconds, f"i{task}")
        )
        model.add(starts[task] + seconds <= end)
        for other in problem.needed[task]:
            model.add(starts[other] + problem.seconds[other] <= starts[task])
    model.add_cumulative(intervals, [1] * count, problem.instances)
    model.minimize(end)
    solver: Any = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = limit
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    status = solver.solve(model)
    if status == cp_model.OPTIMAL:
        return Optimum(float(solver.objective_value), True)
    return Optimum(float(solver.best_objective_bound), False)
