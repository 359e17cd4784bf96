"""Nothing of an earlier swarm of the name, and nothing that looks like ours, is taken for ours."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kiro_swarm.api.access import spec_of
from kiro_swarm.cluster.resources import (
    COMMANDS,
    CONFIG_MAPS,
    EVENTS,
    INSTANCES,
    JOBS,
    LEASES,
    PODS,
    SWARMS,
    TASKS,
    AnyResource,
)
from kiro_swarm.reconcile.snapshot.view import look
from tests.unit.reconcile.surroundings import NAMESPACE, Object
from tests.unit.reconcile.world import World

#: Every kind that is read by a label or by the name of its swarm.
KINDS: tuple[AnyResource, ...] = (INSTANCES, TASKS, JOBS, PODS, LEASES, CONFIG_MAPS)
MANY = {"1": [], "2": ["1"], "3": ["1"]}


def put_in(world: World, resource: AnyResource, item: Object) -> None:
    """An object as somebody makes it who may do everything, status and all."""
    made = copy.deepcopy(item)
    status = made.get("status")
    made["metadata"].pop("resourceVersion", None)
    store = world.api.store
    if store.find(resource, NAMESPACE, made["metadata"]["name"]):
        return
    store.create(resource, NAMESPACE, made)
    if status and resource not in (LEASES, CONFIG_MAPS):
        name = made["metadata"]["name"]
        store.patch(resource, NAMESPACE, name, {"status": status}, "status")


def look_alikes(world: World, resource: AnyResource) -> None:
    """Beside each object of a kind one that differs by its name and its owner alone."""
    for item in world.cluster.all(resource):
        if item["metadata"]["name"].startswith("a-"):
            continue
        other = copy.deepcopy(item)
        other["metadata"]["name"] = f"a-{item['metadata']['name']}"
        # Alive, so that the garbage collector leaves it; not of this swarm.
        swarm = world.cluster.one(SWARMS, "other")["metadata"]["uid"]
        other["metadata"]["ownerReferences"] = [{"uid": swarm}]
        put_in(world, resource, other)


def what_is_said(world: World) -> dict[str, Any]:
    """All that is said of the swarm, and how its own tasks and instances are."""
    said = world.everything()
    kept = {key: said[key] for key in ("states", "phases", "status")}
    return {
        key: {name: value for name, value in found.items() if name.startswith("demo")}
        for key, found in kept.items()
    }


async def a_life(world: World, resource: Any = None) -> dict[str, Any]:
    """A swarm from its beginning to its end, among look-alikes of a kind."""
    world.begin_again()
    world.cluster.graph = MANY
    world.apply_swarm("other", suspend=True, instances=0)
    world.apply_swarm()
    for _ in range(6):
        await world.live(2)
        if resource is not None:
            look_alikes(world, resource)
    await world.live(20)
    if resource is not None:
        # And their end is not that of ours.
        for item in world.cluster.all(resource):
            if item["metadata"]["name"].startswith("a-"):
                world.api.store.remove(resource, NAMESPACE, item["metadata"]["name"])
    await world.live(8)
    return what_is_said(world)


@pytest.mark.parametrize("resource", KINDS, ids=lambda one: str(one.plural))
async def test_what_looks_like_ours_changes_nothing(
    world: World, resource: AnyResource
) -> None:
    alone = await a_life(world)
    assert alone["status"]["demo"]["progress"] == "3/3"
    assert await a_life(world, resource) == alone


async def end_without_collection(world: World) -> list[tuple[AnyResource, Object]]:
    """The swarm is gone, what it owned is there still; that."""
    left = [
        (resource, item)
        for resource in world.api.store.resources
        for item in world.cluster.all(resource)
        if resource is not SWARMS and item["metadata"]["name"].startswith("demo")
    ]
    world.api.store.remove(SWARMS, NAMESPACE, "demo")
    world.listen()
    return left


@pytest.mark.parametrize("steps", [2, 4, 7, 30])
async def test_a_swarm_made_again_begins_with_nothing_of_the_earlier(
    world: World, steps: int
) -> None:
    world.cluster.graph = MANY
    world.apply_swarm()
    await world.live(steps)
    for name in ("demo-1", "demo-2"):
        if name in world.cluster.names(INSTANCES):
            world.cluster.beat(name)
    left = await end_without_collection(world)
    of_before = {item["metadata"]["uid"] for _, item in left}
    version = world.api.store.version
    world.apply_swarm()
    await world.settle()
    swarm: Any = world.cluster.one(SWARMS, "demo")
    spec = spec_of(swarm)
    assert spec is not None
    seen = look(world.ctx.cache, swarm, spec, world.clock.now())
    for found in (seen.instances, seen.tasks, seen.jobs, seen.pods):
        assert not of_before & {item["metadata"]["uid"] for item in found}
    assert (seen.ledger.lines, seen.ledger.merged) == (0, {})
    assert "waiting until these are gone" in swarm["status"]["message"]
    # Nothing of before was written to, or deleted, by an operator that took it for its own.
    touched = [
        change.resource.plural
        for change in world.api.store.changes
        if change.version > version
        and change.resource is not EVENTS
        and (change.before or {}).get("metadata", {}).get("uid") in of_before
    ]
    assert touched == []
    # When the garbage is collected the swarm lives as if nobody had been there before.
    world.cluster.merged.clear()
    await world.live(40)
    assert world.status()["progress"] == "3/3"
    attempts = [world.cluster.task(one)["attempt"] for one in MANY]
    assert attempts == [1, 1, 1]


async def made_again(world: World, seconds: float) -> None:
    """The swarm is deleted and made again after so many seconds."""
    world.api.store.remove(SWARMS, NAMESPACE, "demo")
    world.listen()
    world.clock.seconds += seconds
    world.apply_swarm()
    await world.live(9)


async def test_a_sentence_to_the_earlier_swarm_is_not_carried_out(world: World) -> None:
    world.apply_swarm()
    await world.live(9)
    world.deaf = (COMMANDS,)
    world.say("scale instances 1")
    await world.settle()
    world.deaf = ()
    await made_again(world, 60)
    await world.restart()
    await world.live(9)
    assert world.answer()["phase"] == "Failed"
    assert world.answer()["reason"] == "SwarmReplaced"
    assert "another one than this was said to" in world.answer()["message"]
    assert world.cluster.one(SWARMS, "demo")["spec"]["instances"] == 2


async def test_a_sentence_that_waits_ends_with_its_swarm(world: World) -> None:
    world.cluster.tasks_run = False
    world.apply_swarm()
    await world.live(9)
    pods = {pod["metadata"]["uid"] for pod in world.cluster.all(PODS)}
    world.cluster.frozen.update(world.cluster.names(PODS))
    world.say("restart instance demo-1", "waits", timeoutSeconds=3600)
    await world.settle()
    status = world.answer("waits")
    assert status["phase"] == "Running"
    assert status["swarmUid"] == world.cluster.one(SWARMS, "demo")["metadata"]["uid"]
    world.cluster.frozen.clear()
    await made_again(world, 1)
    assert world.answer("waits")["reason"] == "SwarmReplaced"
    made = [
        pod for pod in world.cluster.all(PODS) if pod["metadata"]["uid"] not in pods
    ]
    assert made, "the new swarm has pods of its own, which nobody restarts"
    assert all("deletionTimestamp" not in pod["metadata"] for pod in made)


async def test_an_earlier_answer_is_none_to_what_is_said_now(world: World) -> None:
    world.apply_swarm()
    await world.live(9)
    world.say("scale instances 1", "first", correlationId="deploy-7")
    await world.live(3)
    assert world.answer("first")["phase"] == "Succeeded"
    await made_again(world, 60)
    world.say("scale instances 1", "again", correlationId="deploy-7")
    await world.live(3)
    assert world.answer("again")["phase"] == "Succeeded"
    assert "carried out once" not in world.answer("again")["message"]
    assert world.cluster.one(SWARMS, "demo")["spec"]["instances"] == 1


async def test_a_sentence_may_come_before_its_swarm(world: World) -> None:
    world.say("scale instances 1")
    await world.settle()
    world.clock.seconds += 5
    world.apply_swarm()
    await world.live(9)
    assert world.answer()["phase"] == "Succeeded"
