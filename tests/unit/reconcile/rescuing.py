"""A swarm that asks for a rescue, at its end: what the tests of that share."""

from __future__ import annotations

from typing import Any

from kiro_swarm.cluster.resources import EVENTS, JOBS, SWARMS
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.world import World

RESCUE = {"onDelete": "Rescue", "rescueSeconds": 600}


async def at_work(world: World, **integration: Any) -> None:
    world.cluster.graph = {"1": [], "2": []}
    world.apply_swarm(integration={**RESCUE, **integration})
    await world.live(20)
    assert world.status()["phase"] == "Succeeded"


def delete(world: World) -> None:
    world.api.store.delete(SWARMS, NAMESPACE, "demo")


def events(world: World) -> list[str]:
    return [e["reason"] for e in world.cluster.all(EVENTS) if "Rescue" in e["reason"]]


def jobs(world: World) -> list[str]:
    return [name for name in world.cluster.names(JOBS) if "integrate" in name]


async def end_rescue(world: World, name: str) -> None:
    """The Job that rescues says what it pushed."""
    report = {"head": "a" * 40, "message": "pushed it", "rescued": 2}
    world.cluster.end_job(name, report)
    world.clock.seconds += 10
    await world.live(3)
