"""``spec.storage.size`` may grow: the claim follows, and what is refused is told."""

from __future__ import annotations

from typing import Any, List, Optional

import pytest
from aiohttp import web

from kiro_swarm.cluster.resources import CLAIMS, EVENTS
from kiro_swarm.policy.conditions import find
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.world import World

CLAIM = "demo-workspace"


async def begun(world: World) -> None:
    world.apply_swarm(storage={"size": "1Gi"})
    await world.live(20)


def asked(world: World) -> str:
    claim = world.api.store.read(CLAIMS, NAMESPACE, CLAIM)
    return str(claim["spec"]["resources"]["requests"]["storage"])


def tell(world: World, **status: Any) -> None:
    """What the cluster's own controllers say of the claim."""
    world.api.store.patch(CLAIMS, NAMESPACE, CLAIM, {"status": status})


def patches(world: World) -> List[str]:
    return [
        one for one in world.api.requests if one.startswith("PATCH") and CLAIM in one
    ]


def refuse(world: World, status: int, words: str) -> None:
    async def answer(request: web.Request) -> Optional[web.Response]:
        if request.method == "PATCH" and request.path.endswith(CLAIM):
            return web.json_response(
                {"kind": "Status", "message": words}, status=status
            )
        return None

    world.api.intercept = answer


async def pass_time(world: World, seconds: float) -> None:
    world.clock.seconds += seconds
    await world.live(5)


async def test_a_swarm_that_never_grew_says_nothing_of_it_and_reads_no_claim(
    world: World,
) -> None:
    await begun(world)
    assert "VolumeResized" not in world.conditions()
    assert not [
        one for one in world.api.requests if one.startswith("GET") and CLAIM in one
    ]


async def test_the_claim_follows_once_and_its_way_is_told(world: World) -> None:
    await begun(world)
    tell(world, phase="Bound", capacity={"storage": "1Gi"})
    world.edit_swarm(storage={"size": "5Gi"})
    await pass_time(world, 10)
    assert asked(world) == "5Gi"
    assert world.conditions()["VolumeResized"] == ("False", "ResizePending")
    waiting = {"type": "FileSystemResizePending", "status": "True", "message": "soon"}
    tell(world, conditions=[waiting])
    await pass_time(world, 30)
    found = find(world.status()["conditions"], "VolumeResized")
    assert found is not None
    assert "FileSystemResizePending: soon" in found["message"]
    tell(world, capacity={"storage": "5Gi"}, conditions=[])
    await pass_time(world, 60)
    assert world.conditions()["VolumeResized"] == ("True", "Resized")
    assert len(patches(world)) == 1
    await world.restart()
    await pass_time(world, 600)
    assert world.conditions()["VolumeResized"] == ("True", "Resized")
    assert len(patches(world)) == 1


async def test_what_a_person_made_larger_stays(world: World) -> None:
    await begun(world)
    larger = {"resources": {"requests": {"storage": "9Gi"}}}
    world.api.store.patch(CLAIMS, NAMESPACE, CLAIM, {"spec": larger})
    tell(world, phase="Bound", capacity={"storage": "9Gi"})
    world.edit_swarm(storage={"size": "5Gi"})
    await pass_time(world, 10)
    await world.restart()
    await pass_time(world, 10)
    assert (asked(world), patches(world)) == ("9Gi", [])
    assert world.conditions()["VolumeResized"] == ("True", "Resized")


@pytest.mark.parametrize(
    ("status", "words", "remedy"),
    [
        (
            403,
            "only dynamically provisioned pvc can be resized and the storageclass that"
            " provisions the pvc must support resize",
            "its StorageClass needs allowVolumeExpansion: true",
        ),
        (403, "exceeded quota: small", "raise the ResourceQuota"),
        (422, "spec is immutable after creation", "the operator needs the verb patch"),
    ],
)
async def test_a_refusal_is_told_and_stops_nothing(
    world: World, status: int, words: str, remedy: str
) -> None:
    world.apply_swarm(storage={"size": "1Gi"}, instances=0)
    await world.live(8)
    tell(world, phase="Bound", capacity={"storage": "1Gi"})
    refuse(world, status, words)
    world.edit_swarm(storage={"size": "5Gi"}, instances=2)
    await world.live(30)
    assert world.status()["phase"] == "Succeeded"
    found = find(world.status()["conditions"], "VolumeResized")
    assert found is not None
    assert (found["status"], found["reason"]) == ("False", "ResizeRefused")
    assert found["message"].startswith("spec.storage.size: claim demo-workspace cannot")
    assert remedy in found["message"]
    for _ in range(12):
        await pass_time(world, 60)
    assert len(patches(world)) < 10, "it is asked less and less often"
    told = [
        one
        for one in world.api.store.select(EVENTS, NAMESPACE)
        if one["reason"] == "ResizeRefused"
    ]
    assert len(told) == 1
    world.api.intercept = None
    await pass_time(world, 400)
    assert asked(world) == "5Gi"


async def test_a_claim_without_a_volume_waits_for_it(world: World) -> None:
    await begun(world)
    tell(world, phase="Pending")
    refuse(world, 422, "spec is immutable after creation")
    world.edit_swarm(storage={"size": "5Gi"})
    await pass_time(world, 10)
    assert world.conditions()["VolumeResized"] == ("False", "ResizePending")


async def test_a_claim_that_is_gone_is_told(world: World) -> None:
    await begun(world)
    world.api.store.remove(CLAIMS, NAMESPACE, CLAIM)
    world.edit_swarm(storage={"size": "5Gi"})
    await pass_time(world, 10)
    found = find(world.status()["conditions"], "VolumeResized")
    assert found is not None
    assert "is gone" in found["message"]


@pytest.mark.parametrize("write", range(1, 3))
async def test_killed_at_any_write_the_next_process_finishes(
    world: World, write: int
) -> None:
    await begun(world)
    tell(world, phase="Bound", capacity={"storage": "1Gi"})
    world.edit_swarm(storage={"size": "5Gi"})
    world.clock.seconds += 10
    await world.live_killed_after(write, 10)
    tell(world, capacity={"storage": "5Gi"})
    await pass_time(world, 30)
    await pass_time(world, 30)
    assert asked(world) == "5Gi"
    assert world.conditions()["VolumeResized"] == ("True", "Resized")


@pytest.mark.parametrize("status", [401, 403, 409, 410, 429, 500, 503])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_whatever_a_claim_answers_the_status_is_written(
    world: World, status: int, method: str
) -> None:
    world.cluster.graph = {"1": [], "2": ["1"]}
    world.apply_swarm(storage={"size": "1Gi"}, instances=0)
    await world.live(8)
    tell(world, phase="Bound", capacity={"storage": "1Gi"})

    async def answer(request: web.Request) -> Optional[web.Response]:
        if request.method == method and request.path.endswith(CLAIM):
            said = {"kind": "Status", "message": "the storage is away"}
            return web.json_response(said, status=status)
        return None

    world.api.intercept = answer
    world.edit_swarm(storage={"size": "5Gi"}, instances=2)
    await world.live(40)
    assert world.status()["phase"] == "Succeeded"
    found = find(world.status()["conditions"], "VolumeResized")
    assert found is not None
    assert found["status"] == "False"
    world.api.intercept = None
    await pass_time(world, 400)
    assert asked(world) == "5Gi"
