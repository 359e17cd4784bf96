"""Each request of the end of a swarm that asks for a rescue, answered in each way.

Guarantees that are judged: it is told what is in the way, time counts on, nobody is kept for
ever, and nobody is let go before what is finished is safe or the time for that is over.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

import pytest

from kiro_swarm.cluster.resources import EVENTS, JOBS, SWARMS
from tests.support.fake_store import Refused
from tests.support.sizes import every
from tests.unit.reconcile.rescuing import at_work, delete, events
from tests.unit.reconcile.test_late_answers import LateServer
from tests.unit.reconcile.test_steps import ANSWERS, Server
from tests.unit.reconcile.world import World

BUSY = Refused(429, "TooManyRequests", "the server has received too many requests")
HOW: dict[str, Optional[Refused]] = {
    **{name: answer for name, answer in ANSWERS.items() if name != "409"},
    "429": BUSY,
    "late": None,
}


class Row(NamedTuple):
    """A request, what is told of it, and what it keeps from going on."""

    request: str
    told: str
    made: bool = True
    """Whether the Job that rescues can be made."""
    rescued: bool = True
    """Whether what it says can be seen."""


ROWS = {
    "pods": Row(r"GET .*/pods\?", "list the Pods of its instances"),
    "end of a pod": Row(r"DELETE .*/pods/demo-[12]-0$", "delete Pod demo-1-0"),
    "tasks": Row(r"GET .*/kirotasks\?", "list its KiroTasks"),
    "Job": Row(r"POST .*/jobs$", "the Job", made=False),
    "claim": Row(r"(GET|PATCH) .*/persistentvolumeclaims/demo-workspace$", ""),
    "finalizer": Row(r"PATCH .*/kiroswarms/demo$", "its finalizer"),
    "status": Row(r"PATCH .*/kiroswarms/demo/status$", ""),
    "events": Row(r"POST .*/events$", ""),
}


async def passes(world: World, seconds: int) -> None:
    """Time, until it is gone."""
    until = world.clock.seconds + seconds
    while world.cluster.names(SWARMS) and world.clock.seconds < until:
        world.clock.seconds += 8
        await world.live(2)


@pytest.mark.parametrize(
    ("kind", "answer"), every(3, ((kind, answer) for answer in HOW for kind in ROWS))
)
async def test_a_request_that_is_not_granted_keeps_nobody_for_ever(
    world: World, kind: str, answer: str
) -> None:
    world.hurry()
    world.tolerant = True
    row = ROWS[kind]
    await at_work(world)
    world.cluster.frozen.add("demo-integrate-2")
    server: Optional[Server] = None
    if answer == "late":
        late = LateServer(world, row.request, heard=True)
    else:
        server = Server(world, row.request, HOW[answer])
    if kind == "claim":
        world.edit_swarm(storage={"size": "30Gi"})
    delete(world)
    await passes(world, 70)
    made = "demo-integrate-2" in world.cluster.names(JOBS)
    assert made is (row.made or answer == "late")
    assert world.cluster.names(SWARMS), "it went before anything was safe"
    if made:
        report = {"head": "a" * 40, "message": "pushed it", "rescued": 2}
        world.cluster.end_job("demo-integrate-2", report)
    await passes(world, 130)
    met = server.met if server is not None else late.met
    assert met, "the request was never made"
    stays = kind in ("pods", "end of a pod", "tasks", "Job", "finalizer")
    if stays and answer != "late":
        assert world.cluster.names(SWARMS), "it went before it was known to be safe"
        assert row.told in world.status()["message"]
        cause = HOW[answer]
        if cause is not None:
            assert cause.message in world.status()["message"]
        if kind not in ("Job", "finalizer"):
            assert any(row.told in one["message"] for one in world.cluster.all(EVENTS))
            assert world.conditions()["Hindered"][0] == "True"
    if stays and answer != "late":
        assert world.status()["rescue"]["waitedSeconds"] >= 120
    await passes(world, 1500)
    if kind == "finalizer" and server is not None:
        assert world.cluster.names(SWARMS)
        server.mend()
        await passes(world, 100)
    assert world.cluster.names(SWARMS) == [], world.status()["message"]
    if kind != "events":
        end = "Rescued" if made else "RescueGivenUp"
        assert end in events(world)
    if server is not None:
        server.mend()
    world.clock.seconds += 60
    await world.settle()  # what is still under way ends
