"""Each write of a reconcile of a swarm, refused in each way: the others go on, people are told
what and why, and it heals by itself.

The table is what a reconcile writes and reads x what an API server may answer. A swarm is at work
while it happens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple, Optional

import pytest
from aiohttp import web

from kiro_swarm.api.condition_reasons import fits
from kiro_swarm.cluster.resources import (
    EVENTS,
    INSTANCES,
    JOBS,
    TASKS,
    AnyResource,
)
from tests.support.fake_store import Refused
from tests.support.sizes import every
from tests.unit.reconcile.surroundings import NAMESPACE, body
from tests.unit.reconcile.world import World

WIDE: dict[str, list[str]] = {str(n): [] for n in range(1, 7)} | {"7": ["6"]}
QUOTA = "is forbidden: exceeded quota: small, requested: 1, used: 3, limited: 3"
INVALID = "is invalid: metadata.labels: Invalid value"
#: What an API server may answer; None: not at all, until the request is given up.
ANSWERS: dict[str, Optional[Refused]] = {
    "403": Refused(403, "Forbidden", QUOTA),
    "422": Refused(422, "Invalid", INVALID),
    "409": Refused(409, "Conflict", "the object has been modified"),
    "500": Refused(500, "InternalError", "etcdserver: no leader"),
    "hang": None,
}


class Kind(NamedTuple):
    """A write, what makes it due, and what people are told to be hindered."""

    request: str
    due: Callable[[World], None]
    told: str
    made: Optional[tuple[AnyResource, str]] = None
    """What is made, which somebody else's may stand in the place of."""
    held: frozenset[str] = frozenset()
    """Tasks that depend on it."""


def nothing(world: World) -> None:
    """It is due as things are."""


def edited(**spec: Any) -> Callable[[World], None]:
    return lambda world: world.edit_swarm(**spec)


def deleted_task(world: World) -> None:
    world.api.store.remove(TASKS, NAMESPACE, "demo.5")


def a_silent_one(world: World) -> None:
    """The runner of one instance is never heard of again."""
    world.cluster.frozen.add("demo-2")


def asked(world: World) -> None:
    world.say("status swarm")


KINDS = {
    "finalizer": Kind(
        r"PATCH .*/kiroswarms/demo$",
        edited(integration={"onDelete": "Rescue"}),
        "set the finalizers of KiroSwarm demo",
    ),
    "instance": Kind(
        r"POST .*/kiroinstances$",
        edited(instances=3),
        "create KiroInstance demo-3",
        (INSTANCES, "demo-3"),
    ),
    "no instance": Kind(
        r"DELETE .*/kiroinstances/demo-2$",
        edited(instances=1),
        "delete KiroInstance demo-2",
    ),
    "prepare Job": Kind(
        r"POST .*/jobs$ .*prepare",
        deleted_task,
        "create Job demo-prepare-2",
        (JOBS, "demo-prepare-2"),
        frozenset("5"),
    ),
    "integrate Job": Kind(
        r"POST .*/jobs$ .*integrate",
        nothing,
        "create Job demo-integrate-1",
        (JOBS, "demo-integrate-1"),
        frozenset("7"),
    ),
    "no Job": Kind(
        r"DELETE .*/jobs/demo-integrate-1$",
        nothing,
        "delete Job demo-integrate-1",
    ),
    "task again": Kind(
        r"POST .*/kirotasks$",
        deleted_task,
        "create KiroTask demo.5",
        (TASKS, "demo.5"),
        frozenset("5"),
    ),
    "graph": Kind(
        r"GET .*/configmaps/demo-graph$",
        deleted_task,
        "read ConfigMap demo-graph",
        held=frozenset("5"),
    ),
    "status of a task": Kind(
        r"PATCH .*/kirotasks/demo.4/status$",
        nothing,
        "write the status of KiroTask demo.4",
        held=frozenset("4"),
    ),
    "silent pod": Kind(
        r"DELETE .*/pods/demo-2-0$",
        a_silent_one,
        "delete Pod demo-2-0",
    ),
    "leases": Kind(
        r"GET .*/leases\?",
        a_silent_one,
        "list the Leases of its instances",
    ),
    "claim": Kind(
        r"(GET|PATCH) .*/persistentvolumeclaims/demo-workspace$",
        edited(storage={"size": "20Gi"}),
        "claim demo-workspace",
    ),
    "events": Kind(r"POST .*/events$", nothing, ""),
    "audit log": Kind(
        r"GET .*/configmaps\?.*audit",
        asked,
        "read its audit log",
    ),
}
#: What is told in a condition of its own.
ELSEWHERE = {
    ("claim", answer): "VolumeResized" for answer in ANSWERS if answer != "hang"
}
#: Answers after which it is done all the same, or which are none: there is nothing to tell.
UNTOLD = {
    *(("events", answer) for answer in ANSWERS),
    # A number is passed over where its name is somebody else's.
    *((job, "409") for job in ("prepare Job", "integrate Job")),
    # Whoever was faster is to be read first: that is no trouble.
    ("status of a task", "409"),
}


class Server:
    """Answers requests of one kind as it is told, until it is mended."""

    def __init__(self, world: World, request: str, answer: Optional[Refused]) -> None:
        self.met = 0
        self._pattern = request.replace("$ ", " ").replace("s$", "s( |$)")
        self._answer = answer
        self._mended = False
        self._world = world
        world.api.intercept = self._serve

    async def _serve(self, request: web.Request) -> Optional[web.Response]:
        text = f"{request.method} {request.path_qs}"
        if request.method == "POST":
            text += f" {(await request.json())['metadata']['name']}"
        if self._mended or not re.match(self._pattern, text):
            return None
        self.met += 1
        if self._answer is not None:
            raise self._answer
        await self._world.api.traffic.hold(request, lambda: self._mended)
        if request.transport is not None:
            request.transport.abort()  # given up
        return web.Response(status=503)

    def mend(self) -> None:
        self._mended = True
        self._world.api.intercept = None


@pytest.fixture
async def at_work(world: World) -> World:
    """Two instances and seven tasks, of which one waits for another."""
    world.hurry()
    world.graph = world.cluster.graph = WIDE
    world.cluster.tasks_run = False
    world.apply_swarm(
        recovery={"lostAfterSeconds": 30, "maxAttempts": 9}, storage={"size": "10Gi"}
    )
    await world.live(6)
    assert world.status()["tasks"]["bound"] == 2
    world.cluster.tasks_run = True
    return world


def counted(world: World) -> dict[str, int]:
    """How many tasks there really are in each state."""
    states = [
        (task.get("status") or {}).get("state", "Blocked").lower()
        for task in world.cluster.all(TASKS)
    ]
    return {state: states.count(state) for state in {*states, "merged"}}


def conditions(world: World) -> dict[str, Any]:
    found = world.status()["conditions"]
    assert all(
        fits("KiroSwarm", one["type"], one["status"], one["reason"]) for one in found
    )
    return {one["type"]: one for one in found}


async def lives(world: World, seconds: int) -> None:
    """Time passes, though nothing may move; who works is heard of."""
    for _ in range(seconds):
        await world.settle()
        for name in world.cluster.names(INSTANCES):
            if name not in world.cluster.frozen:
                world.cluster.beat(name)
        world.cluster.step()
        world.clock.seconds += 1
    await world.settle()


def rows() -> Iterator[tuple[str, str]]:
    for kind, row in KINDS.items():
        for answer in ANSWERS:
            if answer != "409" or row.made or not row.request.startswith("GET"):
                yield kind, answer


@pytest.mark.parametrize(("kind", "answer"), every(2, rows()))
async def test_a_step_that_is_not_taken_holds_up_no_other_one(
    at_work: World, kind: str, answer: str
) -> None:
    world, row = at_work, KINDS[kind]
    if answer == "409" and row.made:
        resource, name = row.made
        foreign = body(resource, name, {"swarm": "demo", "index": 3, "id": "x"})
        world.cluster.frozen.add(name)
        row.due(world)
        if resource is not TASKS or world.cluster.store.find(*_at(row)) is None:
            world.api.store.create(resource, NAMESPACE, foreign)
        server = None
    else:
        server = Server(world, row.request, ANSWERS[answer])
        row.due(world)
    await lives(world, 75 if row.due is a_silent_one else 40)
    assert server is None or server.met, "the write was never due"
    states = {
        task["spec"]["id"]: (task.get("status") or {}).get("state")
        for task in world.cluster.all(TASKS)
    }
    done = {"Merged"} if kind != "integrate Job" or answer == "409" else {"Done"}
    passed = answer == "409" and kind.endswith("Job")
    waits = set() if passed else row.held
    slow = {"silent pod": 1, "leases": 1}.get(kind, 0)
    late = [t for t in sorted(WIDE) if t not in waits and states.get(t) not in done]
    assert len(late) <= slow, states
    if (kind, answer) not in UNTOLD:
        told = ELSEWHERE.get((kind, answer), "Hindered")
        said = conditions(world)[told]
        assert row.told in said["message"]
        cause = ANSWERS[answer]
        if cause is not None and server is not None and said["reason"] != "NameTaken":
            assert cause.message in said["message"]
        if told == "Hindered":
            assert said["status"] == "True"
            assert said["message"] in world.status()["message"]
            assert any(
                row.told in event["message"] for event in world.cluster.all(EVENTS)
            )
    else:
        assert conditions(world).get("Hindered", {}).get("status") != "True"
    real = counted(world)
    if server is not None:
        assert {k: world.status()["tasks"][k] for k in real} == real
    if server is not None:
        server.mend()
    elif (kind, answer) not in UNTOLD:
        world.api.store.remove(*_at(row))
    world.cluster.frozen.discard("demo-2")
    await lives(world, 45)
    assert world.status()["phase"] == "Succeeded", world.status()["message"]
    assert conditions(world).get("Hindered", {}).get("status") != "True"
    assert conditions(world)["Stalled"]["status"] == "False"


def _at(row: Kind) -> tuple[AnyResource, str, str]:
    assert row.made is not None
    return row.made[0], NAMESPACE, row.made[1]
