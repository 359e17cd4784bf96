"""Many tasks in one swarm: nothing is written more often than it has to be.

The operator, its API server and all objects are real; instances and merge train are
played (tests/support/many_tasks.py). What is asserted are orders and numbers of writes,
never speeds: those are in hack/bench tasks. Ten thousand tasks in hack/soak; in hack/test
fewer, with more text each, so that their graph is as well more than one object holds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, Iterator, List

import pytest

from kiro_swarm.policy.times import seconds_between
from kiro_swarm.reconcile.settings import OperatorSettings
from tests.bench.servers import fresh_server, running_operator
from tests.support.audit import OPERATOR, Write, created_twice
from tests.support.many_tasks import NAME, OPTIONS, Run, run
from tests.support.sizes import Figures, sized

COUNT = sized(500, 10_000)
INSTANCES = sized(16, 64)
#: Lines of text that a task has beside those of a large spec.
DETAIL = sized(70, 0)
#: Created; Ready, Bound; Running, Done; Merged.
OWN_WRITES = {"create": 1, OPERATOR: 2, "played-node": 3}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The swarm at its end, on an API server that nobody else uses."""
    folder = tmp_path_factory.mktemp("large")

    def whole() -> Run:
        with fresh_server() as server, running_operator(server, *OPTIONS) as operator:
            return asyncio.run(
                run(
                    *(server, operator, folder),
                    count=COUNT,
                    instances=INSTANCES,
                    detail=DETAIL,
                )
            )

    # A thread of its own: asyncio.run leaves none of its loop behind in this one.
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(whole).result()


def good(large: Run, what: str) -> List[Write]:
    return [write for write in large.writes if write.good and write.what == what]


def test_every_task_of_the_file_is_merged(large: Run, figures: Figures) -> None:
    figures(
        tasks=COUNT,
        instances=INSTANCES,
        seconds=round(large.finished),
        writes=len(large.writes),
        largest_mib=large.costs[-1].largest >> 20,
    )
    assert len(large.tasks) == COUNT
    assert {task["status"]["state"] for task in large.tasks.values()} == {"Merged"}
    status = large.status
    assert (status["phase"], status["progress"]) == ("Succeeded", f"{COUNT}/{COUNT}")
    assert status["tasks"]["merged"] == status["tasks"]["total"] == COUNT


def test_the_graph_is_more_than_one_config_map_holds(large: Run) -> None:
    parts = [one.name for one in good(large, "create configmaps")]
    assert len(parts) >= 2
    assert len(parts) == len(set(parts))


def test_no_task_began_before_all_that_it_waits_for_was_merged(large: Run) -> None:
    early = []
    for name, task in large.tasks.items():
        states = large.versions[name]
        began = min(states[s] for s in states if s not in ("Blocked", "Ready"))
        early += [
            (name, needed)
            for needed in task["spec"]["dependencies"]
            if large.versions[needed]["Merged"] >= began
        ]
    edges = sum(len(task["spec"]["dependencies"]) for task in large.tasks.values())
    assert edges > 2 * COUNT
    assert early == []


def test_a_task_costs_the_writes_of_its_own_states(large: Run) -> None:
    assert created_twice(large.writes) == {}
    counts: Dict[str, Counter[str]] = {}
    for write in large.writes:
        if write.good and write.resource == "kirotasks":
            who = write.verb if write.verb == "create" else write.agent
            counts.setdefault(write.name, Counter())[who] += 1
    assert len(counts) == COUNT
    for task in large.tasks.values():
        status, own = task["status"], counts[task["metadata"]["name"]]
        if status["attempt"] == 1 and not status.get("conditions"):
            assert own == OWN_WRITES, task
        else:
            # It was late, and that was written down and taken back; or it was moved.
            assert sum(own.values()) <= 8 * status["attempt"], task


def test_the_swarm_is_written_by_the_clock_and_not_by_its_tasks(large: Run) -> None:
    writes = [one.received for one in good(large, "patch kiroswarms/status")]
    shortest = OperatorSettings(image="x").status_interval_seconds
    lasted = seconds_between(min(writes), max(writes))
    while_preparing = 10
    assert len(writes) <= lasted / shortest + while_preparing


def test_an_instance_is_written_for_its_own_tasks_only(large: Run) -> None:
    had = Counter(task["status"]["instance"] for task in large.tasks.values())
    written = Counter(one.name for one in good(large, "patch kiroinstances/status"))
    assert len(had) == INSTANCES
    others = sum(task["status"]["attempt"] - 1 for task in large.tasks.values())
    until_ready = 4
    for name, count in written.items():
        assert count <= 2 * (had[name] + others) + until_ready, name


def test_nothing_else_is_written_but_what_time_asks_for(large: Run) -> None:
    ours = [one for one in large.writes if one.good and one.agent == OPERATOR]
    counts = Counter(write.what for write in ours)
    print("\n".join(f"{number:6} {what}" for what, number in counts.most_common()))
    assert counts["create kirotasks"] == COUNT
    assert counts["create kiroinstances"] == counts["create pods"] == INSTANCES
    kinds = ("kirotasks", "kiroinstances", "pods", "kiroswarms")
    rest = [write.what for write in ours if not write.resource.startswith(kinds)]
    # A merge train takes what is there and waits for more: a Job lasts two seconds at least.
    jobs = 2 * (large.finished / 2 + 1)
    foundations = 20
    assert len(rest) <= jobs + foundations, Counter(rest)


def test_nobody_gets_in_the_way_of_anybody(large: Run) -> None:
    lost = [write for write in large.writes if write.code == 409]
    assert len(lost) <= COUNT / 100, Counter(write.what for write in lost)
    refused = [
        write
        for write in large.writes
        if write.code >= 400 and write.code not in (404, 409)
    ]
    assert refused == []
    assert NAME in {write.namespace for write in large.writes}
