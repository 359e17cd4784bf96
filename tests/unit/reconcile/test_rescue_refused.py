"""What is in the way of a rescue is told by its name, and does not end it."""

from __future__ import annotations

from datetime import timedelta
from typing import Optional

from aiohttp import web

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import CLAIMS, EVENTS, JOBS, SWARMS
from tests.unit.reconcile.rescuing import at_work, delete, end_rescue, events, jobs
from tests.unit.reconcile.surroundings import NAMESPACE, Object, body
from tests.unit.reconcile.world import World


async def test_jobs_of_somebody_else_are_named_and_passed_over(world: World) -> None:
    """Left by a deletion that orphans, or by a backup."""
    await at_work(world)
    pod: Object = {"template": {"metadata": {"labels": {}}, "spec": {}}}
    for number in (2, 3):
        name = f"demo-integrate-{number}"
        world.cluster.frozen.add(name)
        label = {"swarm.kiro.dev/component": "x"}
        world.api.store.create(JOBS, NAMESPACE, body(JOBS, name, pod, labels=label))
    world.cluster.frozen.add("demo-integrate-4")
    delete(world)
    await world.live(3)
    assert jobs(world)[-1] == "demo-integrate-4"
    told = [
        e["message"] for e in world.cluster.all(EVENTS) if e["reason"] == "NameTaken"
    ]
    assert len(told) == 1
    assert "demo-integrate-2, demo-integrate-3" in told[0]
    await end_rescue(world, "demo-integrate-4")
    assert events(world) == ["Rescued"]


async def test_a_finalizer_that_may_not_be_taken_away_is_told(world: World) -> None:
    """By a change freeze."""
    await at_work(world)
    world.cluster.frozen.add("demo-integrate-2")
    delete(world)
    await world.live(3)

    async def refused(request: web.Request) -> Optional[web.StreamResponse]:
        if request.method == "PATCH" and request.path.endswith("/kiroswarms/demo"):
            wrong = {"kind": "Status", "reason": "Forbidden", "message": "a freeze"}
            return web.json_response({**wrong, "code": 403}, status=403)
        return None

    world.api.intercept = refused
    for _ in range(3):
        try:
            await end_rescue(world, "demo-integrate-2")
        except errors.Forbidden:
            world.ctx.queue.add(world.ctx.key(SWARMS, NAMESPACE, "demo"))
    assert "a freeze" in world.status()["message"]
    assert world.conditions()["Stalled"] == ("True", "ChangeRefused")
    told = [e for e in world.cluster.all(EVENTS) if e["reason"] == "ChangeRefused"]
    assert len(told) == 1
    world.api.intercept = None
    world.clock.seconds += 30  # the longest pause between two tries
    await world.live(3)
    assert world.cluster.names(SWARMS) == []
    assert events(world) == ["Rescued"]


async def test_a_volume_can_grow_for_the_last_job(world: World) -> None:
    """Also for an operator that has started since; one that may not grow keeps nobody."""
    await at_work(world)
    world.cluster.frozen.add("demo-integrate-2")
    delete(world)
    await world.live(3)
    await world.restart()
    world.edit_swarm(storage={"size": "7Gi"})
    await world.live(3)
    claim = world.api.store.read(CLAIMS, NAMESPACE, "demo-workspace")
    assert claim["spec"]["resources"]["requests"]["storage"] == "7Gi"
    assert world.conditions()["VolumeResized"] == ("True", "Resized")

    async def refused(request: web.Request) -> Optional[web.StreamResponse]:
        if request.method == "PATCH" and request.path.endswith("/demo-workspace"):
            wrong = {
                "kind": "Status",
                "reason": "Forbidden",
                "message": "exceeded quota",
            }
            return web.json_response({**wrong, "code": 403}, status=403)
        return None

    world.api.intercept = refused
    world.edit_swarm(storage={"size": "9Gi"})
    await world.live(3)
    assert "raise the ResourceQuota" in world.status()["message"]
    for _ in range(5):
        world.clock.seconds += 60
        await world.live(3)
    told = [e for e in world.cluster.all(EVENTS) if e["reason"] == "ResizeRefused"]
    assert len(told) == 1
    await end_rescue(world, "demo-integrate-2")
    assert world.cluster.names(SWARMS) == []
    assert events(world) == ["Rescued"]


async def test_a_preparation_is_tried_again_when_the_clock_is_right_again(
    world: World,
) -> None:
    away = {"reason": "RemoteUnavailable", "message": "away"}
    world.cluster.failing = {"demo-prepare-1": away}
    world.ctx.now = lambda: world.clock.now() + timedelta(days=3650)
    world.apply_swarm()
    await world.live(5)
    world.ctx.now = world.clock.now
    for _ in range(8):
        world.clock.seconds += 60
        await world.live(6)
    assert world.status()["phase"] == "Succeeded"
