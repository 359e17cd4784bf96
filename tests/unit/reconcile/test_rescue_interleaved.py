"""A runner that finishes between any two requests of a swarm's end: its work goes to a Job.

Played is the runner, which can finish for as long as its pod is there; whatever it has finished
when the finalizer goes was Done when the last Job was made, so that it was pushed.
"""

from __future__ import annotations

from typing import Optional

from aiohttp import web

from kiro_swarm.cluster.resources import PODS, SWARMS, TASKS
from tests.unit.reconcile.rescuing import RESCUE, delete, end_rescue, events, jobs
from tests.unit.reconcile.world import World

POD = "demo-2-0"
NEVER = 10**6


class Runner:
    """One that finishes its task before a request, counted from 0, is answered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.at = NEVER
        self.requests = 0
        self.counts = False
        self.finished = False
        #: What was Done when the last Job was made.
        self.known: set[str] = set()
        #: What was Done when the swarm was let go, and the pods that were there then.
        self.let_go: Optional[tuple[set[str], list[str]]] = None
        world.api.intercept = self

    def done(self) -> set[str]:
        cluster = self.world.cluster
        return {
            task["metadata"]["name"]
            for task in cluster.all(TASKS)
            if task["status"]["state"] == "Done"
        }

    def pods(self) -> list[str]:
        """Of instances."""
        names = self.world.cluster.names(PODS)
        return [name for name in names if not name.endswith("-pod")]

    async def __call__(self, request: web.Request) -> Optional[web.StreamResponse]:
        if self.counts and self.requests == self.at and POD in self.pods():
            self.finished = True
            self.world.cluster.set_status(
                TASKS, "demo.2", state="Done", commit="d" * 40, baseCommit="b" * 40
            )
        self.requests += self.counts
        if request.method == "POST" and request.path.endswith("/jobs"):
            self.known = self.done()
        if request.method == "PATCH" and request.path.endswith("/kiroswarms/demo"):
            self.let_go = self.done(), self.pods()
        return None


async def ends(world: World, at: int) -> Runner:
    """A swarm with a busy instance to its end; the runner finishes before that request."""
    world.begin_again()
    world.cluster.graph = {"1": [], "2": []}
    world.cluster.frozen.update(
        {"demo-2", *(f"demo-integrate-{n}" for n in range(2, 9))}
    )
    world.apply_swarm(integration={**RESCUE, "push": "Never"})
    await world.live(8)
    assert world.cluster.task("1")["state"] == "Merged"
    world.cluster.set_status(TASKS, "demo.2", state="Running")
    await world.live(2)
    runner = Runner(world)
    delete(world)
    await world.live(4)
    assert POD in runner.pods(), "it is at work"
    runner.at, runner.counts = at, True
    for _ in range(4):
        if "demo" in world.cluster.names(SWARMS):
            await end_rescue(world, jobs(world)[-1])
    assert world.cluster.names(SWARMS) == []
    assert events(world) == ["Rescued"]
    return runner


async def test_what_is_finished_before_any_request_is_known_to_the_last_job(
    world: World,
) -> None:
    at, finished = 0, 0
    while at <= (runner := await ends(world, at)).requests:
        assert runner.let_go is not None
        done, pods = runner.let_go
        assert pods == [], f"finished before request {at}: a runner is there still"
        assert done <= runner.known, f"finished before request {at}, and lost"
        finished += runner.finished
        at += 1
    assert finished > 3, "not before the pod was gone"


async def test_a_pod_that_never_ends_keeps_nobody_and_is_named(world: World) -> None:
    """Of a node that is lost."""
    world.cluster.graph = {"1": [], "2": []}
    later = (f"demo-integrate-{number}" for number in range(2, 9))
    world.cluster.frozen.update({"demo-2", *later})
    world.apply_swarm(integration={**RESCUE, "push": "Never"})
    await world.live(8)
    world.cluster.frozen.add(POD)
    delete(world)
    await world.live(4)
    await end_rescue(world, jobs(world)[-1])
    assert world.cluster.names(SWARMS) == ["demo"]
    assert POD in world.status()["message"]
    while world.cluster.names(SWARMS) and world.clock.seconds < 900:
        world.clock.seconds += 50
        await world.live(3)
    assert 600 < world.clock.seconds < 900
    assert events(world) == ["Rescued"]
