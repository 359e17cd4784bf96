"""API writes of the operator: for each instance, for each task, and while nothing happens.

Counted from the API server's audit log, on a swarm with played nodes: the operator and its
objects are real, kubelet, runner and merge train are played by tests/support/played.py.
``run`` takes ``--instances 20``, ``--tasks 60`` and ``--idle-seconds 300``.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from typing import List, Sequence

from kiro_swarm.cluster.resources import SWARMS
from tests.bench.report import Measure
from tests.bench.servers import fresh_server, running_operator
from tests.support.audit import Write
from tests.support.cluster import Cluster
from tests.support.played import PlayedNode
from tests.support.swarms import independent, swarm
from tests.support.work import HeldWork
from tests.support.world import World

NAMESPACE = "bench"


def run(arguments: Sequence[str]) -> List[Measure]:
    """One swarm: its instances become ready, its tasks are merged, then it is idle."""
    parser = argparse.ArgumentParser(prog="hack/bench writes")
    parser.add_argument("--instances", type=int, default=20)
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--idle-seconds", type=float, default=300)
    chosen = parser.parse_args(list(arguments))
    with fresh_server() as server, running_operator(server):
        return asyncio.run(
            _measure(server, chosen.instances, chosen.tasks, chosen.idle_seconds)
        )


async def _measure(
    server: Cluster, instances: int, tasks: int, idle_seconds: float
) -> List[Measure]:
    assert server.audit_log is not None
    world = await World.make(server.kubeconfig, server.audit_log, NAMESPACE)
    node = await PlayedNode.open(str(server.kubeconfig), NAMESPACE)
    async with node:
        ready = await _instances(world, instances)
        run_of_tasks = await _tasks(world, node, instances, tasks)
        mark = world.audit.mark()
        await asyncio.sleep(idle_seconds)
        idle = world.audit.of_operator(NAMESPACE, mark)
    await world.end()
    made = ready["create kiroinstances"]
    beside = ready["create pods"] + ready["patch kiroinstances/status"]
    of_swarm = sum(run_of_tasks.values())
    return [
        Measure("writes for an instance, beside its creation", beside / made, "", 2),
        Measure("writes while idle", len(idle), "", 0),
        Measure("idle time measured", idle_seconds, "s"),
        Measure("writes for a task, all together", of_swarm / tasks, ""),
        *(
            Measure(f"  {what}, for a task", count / tasks, "")
            for what, count in run_of_tasks.most_common()
        ),
    ]


async def _instances(world: World, count: int) -> Counter[str]:
    """Writes until a swarm without work has all its instances ready."""
    body = swarm("still", "- [x] 1. Done before\n", instances=count)
    await world.create(SWARMS, body)
    await world.until(
        SWARMS,
        "still",
        lambda item: item.get("status", {}).get("readyReplicas") == count,
        120,
    )
    return _counted(world.audit.of_operator(NAMESPACE))


async def _tasks(
    world: World, node: PlayedNode, instances: int, tasks: int
) -> Counter[str]:
    """Writes from the first task to the last one merged, with the instances there."""
    work = HeldWork()
    node.script.work = work
    for number in range(1, tasks + 1):
        work.finish(str(number))
    mark = world.audit.mark()
    await world.create(SWARMS, swarm("busy", independent(tasks), instances=instances))
    await world.until_phase("busy", "Succeeded", 300)
    await asyncio.sleep(3)  # the last instances become idle
    counted = _counted(world.audit.of_operator(NAMESPACE, mark))
    return Counter(
        {
            what: number
            for what, number in counted.items()
            if what.split()[1].startswith(
                ("kirotasks", "kiroinstances/", "kiroswarms/", "jobs")
            )
        }
    )


def _counted(writes: List[Write]) -> Counter[str]:
    return Counter(write.what for write in writes if write.good)
