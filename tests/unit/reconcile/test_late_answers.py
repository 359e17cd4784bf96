"""Writes that are carried out later than anybody waits for the answer, or without one.

The table of ``test_steps`` once more. Nothing of what a reconcile does meanwhile may go by the
write being undone: an instance has one task at most, nothing is made twice or lost, and it heals.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Optional

import pytest
from aiohttp import web

from kiro_swarm.api.meta import ACTIVE_STATES
from kiro_swarm.cluster.resources import INSTANCES, JOBS, PODS, TASKS
from tests.support.sizes import every
from tests.unit.reconcile.surroundings import Object
from tests.unit.reconcile.test_steps import (
    KINDS,
    WIDE,
    Server,
    at_work,
    conditions,
    edited,
    lives,
    nothing,
)
from tests.unit.reconcile.world import World

__all__ = ["at_work"]
#: Seconds until a request is carried out.
_LATE = 4


class LateServer:
    """Carries out requests of a kind, late: and answers, or hangs up before.

    :param heard: whether whoever asked is answered.
    """

    def __init__(self, world: World, request: str, *, heard: bool) -> None:
        self.met = 0
        self._pattern = request.replace("$ ", " ").replace("s$", "s( |$)")
        self._heard, self._world = heard, world
        self._tasks: set[asyncio.Task[None]] = set()
        world.api.intercept = self._serve

    async def _serve(self, request: web.Request) -> Optional[web.StreamResponse]:
        text = f"{request.method} {request.path_qs}"
        said = await request.read()
        if request.method == "POST":
            text += f" {(await request.json())['metadata']['name']}"
        if not re.match(self._pattern, text):
            return None
        self.met += 1
        if self._heard:
            await self._later(request)
            return None
        assert said is not None  # it is read: the connection is not needed any more
        late = asyncio.ensure_future(self._carry_out(request))
        self._tasks.add(late)
        late.add_done_callback(self._tasks.discard)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=503)

    async def _later(self, request: Optional[web.Request]) -> None:
        due = self._world.clock.seconds + _LATE
        traffic = self._world.api.traffic
        await traffic.hold(request, lambda: self._world.clock.seconds >= due)

    async def _carry_out(self, request: web.Request) -> None:
        await self._later(None)
        await self._world.api.carry_out(request)


class Judge:
    """Follows all that was ever stored."""

    def __init__(self, world: World) -> None:
        self.faults: list[str] = []
        tasks: dict[str, Object] = {}
        pods: dict[str, Object] = {}
        jobs: dict[str, Object] = {}
        for change in world.api.store.changes:
            for resource, known in ((TASKS, tasks), (PODS, pods), (JOBS, jobs)):
                if change.resource is resource:
                    item = change.after or change.before or {}
                    if change.after:
                        known[item["metadata"]["name"]] = change.after
                    else:
                        known.pop(item["metadata"]["name"], None)
            self._judge(tasks, "task", self._instance_of_task)
            self._judge(pods, "pod", self._instance_of_pod)
            self._judge(jobs, "Job", self._train)

    @staticmethod
    def _instance_of_task(task: Object) -> Optional[str]:
        status = task.get("status") or {}
        active = status.get("state") in ACTIVE_STATES
        return status["instance"] if active else None

    @staticmethod
    def _instance_of_pod(pod: Object) -> Optional[str]:
        labels = pod["metadata"].get("labels") or {}
        name = labels.get("swarm.kiro.dev/instance")
        return None if name is None else str(name)

    @staticmethod
    def _train(job: Object) -> Optional[str]:
        kind = job["metadata"]["labels"]["swarm.kiro.dev/component"]
        return None if job.get("status") else str(kind)

    def _judge(self, known: dict[str, Object], what: str, place_of: object) -> None:
        assert callable(place_of)
        places: dict[str, str] = {}
        for name, item in known.items():
            place = place_of(item)
            if place is not None and place in places:
                self.faults.append(f"{place} has {what} {places[place]} and {name}")
            if place is not None:
                places[place] = name


def lost(world: World) -> list[str]:
    """The tasks of which an attempt failed for nothing."""
    return [
        task["metadata"]["name"]
        for task in world.cluster.all(TASKS)
        if (task.get("status") or {}).get("history")
    ]


BIND = r"PATCH .*/kirotasks/demo\.[0-9]+/status$"
ROWS = {kind: (row.request, row.due) for kind, row in KINDS.items()} | {
    "every task": (BIND, nothing),
    "status": (r"PATCH .*/kiroswarms/demo/status$", nothing),
    "instances": (r"(POST|DELETE) .*/kiroinstances", edited(instances=4)),
}


def rows() -> Iterator[tuple[str, bool]]:
    kinds = [*ROWS, "every task"]  # an odd number: each of them with either
    for heard in (True, False):
        for kind in kinds:
            yield kind, heard


@pytest.mark.parametrize(("kind", "heard"), every(2, rows()))
async def test_what_is_carried_out_late_is_done_once(
    at_work: World, kind: str, heard: bool
) -> None:
    world, (request, due) = at_work, ROWS[kind]
    server = LateServer(world, request, heard=heard)
    due(world)
    silent = kind in ("silent pod", "leases")
    await lives(world, 75 if silent else 60)
    assert server.met, "the write was never due"
    world.cluster.frozen.discard("demo-2")
    world.api.intercept = None
    await lives(world, 30)
    assert Judge(world).faults == []
    assert silent or lost(world) == []
    assert len(world.cluster.names(INSTANCES)) <= 4
    assert world.status()["phase"] == "Succeeded", world.status()["message"]
    assert conditions(world).get("Hindered", {}).get("status") != "True"
    assert {
        (task.get("status") or {}).get("state") for task in world.cluster.all(TASKS)
    } == {"Merged"}
    assert len(world.cluster.all(TASKS)) == len(WIDE)


@pytest.mark.parametrize("heard", [True, False])
async def test_nobody_gets_a_task_whose_pod_may_be_about_to_go(
    at_work: World, heard: bool
) -> None:
    """A runner that was silent is heard of again while its pod is being deleted."""
    world = at_work
    world.cluster.tasks_run = False
    server = LateServer(world, r"DELETE .*/pods/demo-2-0$", heard=heard)
    world.cluster.frozen.add("demo-2")
    for _ in range(60):
        if not server.met:
            await lives(world, 1)
    assert server.met
    world.cluster.frozen.discard("demo-2")
    world.cluster.tasks_run = True
    await lives(world, 60)
    assert lost(world) == []
    assert Judge(world).faults == []
    assert world.status()["phase"] == "Succeeded", world.status()["message"]


async def test_people_hear_of_a_task_that_an_instance_may_have(at_work: World) -> None:
    """Nobody is told that an instance is idle which is given nothing."""
    world = at_work
    server = Server(world, r"PATCH .*/kirotasks/demo.3/status$", None)
    for _ in range(20):
        if not server.met:
            await lives(world, 1)
    world.say("explain task 3", name="three")
    world.say("status swarm detailed", name="detailed")
    await lives(world, 1)
    one, other = (world.answer(n)["message"] for n in ("three", "detailed"))
    given = re.search(r"is given to (\S+): the API server has not answered", one)
    assert given is not None, one
    assert f"{given[1]} perhaps on 3" in other
    server.mend()
