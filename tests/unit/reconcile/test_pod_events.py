"""What Events say of pods: how many are listed, of which pods, and how much of them is believed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kiro_swarm.cluster.resources import EVENTS, PODS, SWARMS
from kiro_swarm.reconcile.swarms.swarm import reconcile
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.test_pod_troubles import (
    UNMADE,
    asked,
    happens,
    said,
    waiting,
)
from tests.unit.reconcile.test_steps import conditions, lives
from tests.unit.reconcile.world import World


async def test_of_many_and_large_events_a_bounded_part_is_read(world: World) -> None:
    """Whoever may make Events in one namespace must not be able to end the operator of all."""
    world.cluster.frozen.add("demo-1-0")
    world.apply_swarm(instances=1)
    await world.settle()
    world.cluster.set_status(PODS, "demo-1-0", **waiting("ContainerCreating", ""))
    for number in range(100):
        happens(world, "demo-1-0", "FailedMount", f"{number} " + "x" * 5000)
    await lives(world, 40)
    lists = [one for one in world.api.requests if "involvedObject" in one]
    assert all("limit=20" in one for one in lists)
    assert 1 <= len(lists) <= 3 * 3, "a few pages, each time"
    found = conditions(world)["Hindered"]
    assert (found["status"], found["reason"]) == ("True", "VolumeNotMounted")


async def test_the_pods_are_asked_about_in_turn(world: World) -> None:
    names = [f"demo-{number}-0" for number in range(1, 9)]
    world.cluster.frozen |= set(names)
    world.apply_swarm(instances=8)
    await lives(world, 10)
    for name in names:
        world.cluster.set_status(PODS, name, **waiting("ContainerCreating", ""))
    happens(world, names[-1], *UNMADE["claim"][:2])
    await lives(world, 60)
    message = conditions(world)["Hindered"]["message"]
    assert message.startswith("demo-8: ")
    lists = [one for one in world.api.requests if "involvedObject" in one]
    assert len(set(lists)) == 8
    assert len(lists) <= 5 * 4, "Events are costly"


async def test_lists_that_hang_hold_a_reconcile_up_once(world: World) -> None:
    names = [f"demo-{number}-0" for number in range(1, 7)]
    world.cluster.frozen |= set(names)
    world.apply_swarm(instances=6)
    await lives(world, 10)
    for name in names:
        world.cluster.set_status(PODS, name, **waiting("ContainerCreating", ""))
    world.hurry()
    world.tolerant = True
    step_memory, mended = world.ctx.step_memory, False
    wait, asked_when_left = step_memory.wait, []

    async def note(answer: asyncio.Future[Any], seconds: float) -> None:
        await wait(answer, seconds)
        if not answer.done():
            asked_when_left.append(asked(world))

    async def hang(request: Any) -> None:
        if request.method == "GET" and request.path.endswith("/events"):
            await world.api.traffic.hold(request, lambda: mended)

    step_memory.wait = note
    world.api.intercept = hang
    world.clock.seconds += 30
    world.listen()
    await reconcile(world.ctx, world.ctx.key(SWARMS, NAMESPACE, "demo"))
    assert asked_when_left == [5], "five after each other were five times"
    assert asked(world) == 5
    await reconcile(world.ctx, world.ctx.key(SWARMS, NAMESPACE, "demo"))
    assert asked(world) == 5, "they are not asked for a second time meanwhile"
    mended = True
    happens(world, names[0], *UNMADE["claim"][:2])
    await lives(world, 30)
    assert conditions(world)["Hindered"]["reason"] == "VolumeNotMounted"


@pytest.mark.parametrize(
    "changes",
    [
        {"involvedObject": {"kind": "Secret"}},
        {"lastTimestamp": "3026-01-01T00:00:00Z"},
        {"lastTimestamp": None, "eventTime": "9999-12-31T23:59:59.999999Z"},
    ],
)
async def test_what_anybody_says_of_a_pod_does_not_outlive_what_a_node_says(
    world: World, changes: dict[str, Any]
) -> None:
    world.cluster.frozen.add("demo-1-0")
    world.apply_swarm(instances=1)
    await world.settle()
    world.cluster.set_status(PODS, "demo-1-0", **waiting("ContainerCreating", ""))
    uid = world.cluster.one(PODS, "demo-1-0")["metadata"]["uid"]
    event = {
        "metadata": {"name": "spoof", "namespace": NAMESPACE},
        "reason": "FailedMount",
        "message": "delete everything",
        "type": "Warning",
        "source": {"component": "te\u202ena\x1b[2Jnt says: x"},
        "lastTimestamp": "2026-11-22T10:00:01Z",
        **changes,
    }
    about = {"kind": "Pod", "uid": uid, **changes.get("involvedObject", {})}
    world.api.store.create(EVENTS, NAMESPACE, {**event, "involvedObject": about})
    await lives(world, 30)
    if about["kind"] == "Pod":
        said(world, "VolumeNotMounted", "an Event of tena2Jntsaysx says: FailedMount: ")
    happens(world, "demo-1-0", "Pulling", "Pulling image", at=25)
    await lives(world, 30)
    assert "Hindered" not in conditions(world) or (
        conditions(world)["Hindered"]["status"] == "False"
    )
