"""A swarm of ten thousand tasks: CPU for a state change, memory, tasks a second.

First the decisions alone, in memory (tests/bench/in_memory.py), at several sizes: a state
change must not cost more because there are more tasks. Then a whole run on a real API
server (tests/support/many_tasks.py); instances and merge train are played beside it, so
tasks a second are those of the whole machine. ``run`` takes ``--tasks 10000``,
``--instances 64`` and ``--decisions-only``.
"""

from __future__ import annotations

import argparse
import asyncio
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import List, Sequence

from tests.bench.in_memory import milliseconds
from tests.bench.report import Measure
from tests.bench.servers import fresh_server, running_operator
from tests.support import many_tasks
from tests.support.audit import OPERATOR
from tests.support.many_tasks import OPTIONS, Run

_SIZES = (100, 1000, 10_000)
_CHANGES = 1500
_MIB = 1024 * 1024
#: Ready, Bound, Running, Done, Merged.
_STATES = 5


def run(arguments: Sequence[str]) -> List[Measure]:
    """The decisions at several sizes, then one whole swarm."""
    parser = argparse.ArgumentParser(prog="hack/bench tasks")
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--instances", type=int, default=64)
    parser.add_argument("--decisions-only", action="store_true")
    chosen = parser.parse_args(list(arguments))
    measures = _decisions(chosen.instances)
    if chosen.decisions_only:
        return measures
    return measures + _whole(_run(chosen.tasks, chosen.instances), chosen.tasks)


def _run(count: int, instances: int) -> Run:
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="kiro-swarm-bench-"))
        server = stack.enter_context(fresh_server())
        operator = stack.enter_context(running_operator(server, *OPTIONS))
        return asyncio.run(
            many_tasks.run(
                server, operator, Path(folder), count=count, instances=instances
            )
        )


def _decisions(instances: int) -> List[Measure]:
    costs = {size: milliseconds(size, instances, _CHANGES) for size in _SIZES}
    smallest, largest = costs[_SIZES[0]], costs[_SIZES[-1]]
    return [
        Measure("decision at 10000 tasks / at 100", largest / smallest, "x", 4),
        *(
            Measure(
                f"decision at {size} tasks, for a state change",
                cost,
                "ms",
                10 if size == _SIZES[-1] else None,
            )
            for size, cost in costs.items()
        ),
    ]


def _whole(finished: Run, tasks: int) -> List[Measure]:
    idle, created, ended = finished.costs
    worked = finished.finished - finished.created
    ours = [one for one in finished.writes if one.good and one.agent == OPERATOR]
    return [
        Measure("tasks created", tasks / finished.created, "/s"),
        Measure("tasks from Ready to Merged", tasks / worked, "/s"),
        Measure(
            "operator, CPU to create a task", _ms(idle.cpu, created.cpu, tasks), "ms"
        ),
        Measure(
            "operator, CPU for a state change, its writes included",
            _ms(created.cpu, ended.cpu, _STATES * tasks),
            "ms",
            5,
        ),
        Measure("operator, memory at most", ended.largest / _MIB, "MiB", 512),
        Measure("writes of the operator, for a task", len(ours) / tasks, ""),
        Measure(
            "writes of all, for a task",
            sum(one.good for one in finished.writes) / tasks,
            "",
        ),
    ]


def _ms(before: float, after: float, count: int) -> float:
    return 1000 * (after - before) / count
