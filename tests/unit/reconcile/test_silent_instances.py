"""An instance whose own status may not be written: its pod ends all the same, the next one is made,
and the KiroSwarm tells what the instance cannot.
"""

from __future__ import annotations

from typing import Any, Callable

import pytest

from kiro_swarm.cluster.resources import EVENTS, INSTANCES, PODS, TASKS
from tests.support.fake_store import Refused
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.test_steps import ANSWERS, Server, conditions, lives
from tests.unit.reconcile.world import World

STATUS = r"PATCH .*/kiroinstances/demo-1/status$"
WHAT = "write the status of KiroInstance demo-1"


def pods_of(world: World, name: str = "demo-1") -> list[Any]:
    return [
        pod
        for pod in world.cluster.all(PODS)
        if pod["metadata"]["labels"].get("swarm.kiro.dev/instance") == name
    ]


def failed(world: World) -> None:
    world.cluster.end_pod("demo-1-0", message="Evicted: memory")


def stopped(world: World) -> None:
    spec = {"spec": {"desired": "Stopped"}}
    world.api.store.patch(INSTANCES, NAMESPACE, "demo-1", spec)


def lost(world: World) -> None:
    world.api.store.remove(PODS, NAMESPACE, "demo-1-0")


def suspended(world: World) -> None:
    world.edit_swarm(suspend=True)


#: What ends a pod, and whether another one follows.
ENDS: dict[str, tuple[Callable[[World], None], bool]] = {
    "it has failed": (failed, True),
    "a person stops it": (stopped, False),
    "it is lost": (lost, True),
    "the swarm is suspended": (suspended, False),
}


@pytest.fixture
async def idle(world: World) -> World:
    """Two instances that have nothing to do, for one task waits for an approval."""
    world.hurry()
    world.graph = world.cluster.graph = {"1": []}
    world.apply_swarm(integration={"approval": "Required"})
    await world.live(12)
    world.tolerant = True
    return world


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("case", ENDS)
async def test_a_refused_status_keeps_no_pod_and_is_told(
    idle: World, case: str, answer: str
) -> None:
    world, (due, follows) = idle, ENDS[case]
    (first,) = (pod["metadata"]["uid"] for pod in pods_of(world))
    server = Server(world, STATUS, ANSWERS[answer])
    due(world)
    most, told = 0, dict[str, str]()
    for _ in range(40):
        await lives(world, 1)
        most = max(most, len(pods_of(world)))
        said = conditions(world).get("Hindered", {"status": "False"})
        if said["status"] == "True" and WHAT in said["message"]:
            told = {**said, "whole": world.status()["message"]}
    assert server.met, "the write was never due"
    assert most <= 1, "never two pods of one instance"
    uids = [pod["metadata"]["uid"] for pod in pods_of(world)]
    if answer != "409":  # somebody else writes it all the time: it is decided anew
        assert first not in uids
    if answer in ("403", "422"):
        assert len(uids) == int(follows)
    # Where the next pod is ready at once there is nothing left that is not said.
    if told or not (follows and answer in ("403", "422")):
        assert WHAT in told["message"]
        assert WHAT in told["whole"]
        cause = ANSWERS[answer]
        assert cause is None or cause.message in told["message"]
        events = [event["message"] for event in world.cluster.all(EVENTS)]
        assert any(WHAT in text for text in events)
    server.mend()
    await lives(world, 90)
    assert conditions(world)["Hindered"]["status"] == "False"
    status = world.cluster.status(INSTANCES, "demo-1")
    assert status["phase"] == ("Ready" if follows else "Stopped")
    assert len(pods_of(world)) == int(follows)


async def test_pods_that_fail_at_once_are_made_with_pauses_all_the_same(
    idle: World,
) -> None:
    """The number of failures cannot be written; the pause is that of the refused write."""
    world, made = idle, set[str]()
    Server(world, STATUS, ANSWERS["403"])
    for _ in range(300):
        for pod in pods_of(world):
            made.add(pod["metadata"]["uid"])
            world.cluster.end_pod(pod["metadata"]["name"])
        await lives(world, 1)
    assert 2 < len(made) < 25


async def test_it_works_while_its_status_may_not_be_written(world: World) -> None:
    """Tasks are given to pods, whatever their instances can say."""
    world.hurry()
    world.graph = world.cluster.graph = {str(n): [] for n in range(1, 6)}
    world.tolerant = True
    world.apply_swarm(instances=1)
    await world.settle()
    Server(world, STATUS, ANSWERS["422"])
    await lives(world, 10)
    failed(world)
    await lives(world, 60)
    assert {one["status"]["state"] for one in world.cluster.all(TASKS)} == {"Merged"}
    assert WHAT in conditions(world)["Hindered"]["message"]


@pytest.mark.parametrize("case", ENDS)
async def test_it_comes_to_the_same_wherever_the_operator_is_killed(
    world: World, case: str
) -> None:
    due, follows = ENDS[case]
    for refused in (False, True):
        for write in range(1, 60):
            world.begin_again()
            world.tolerant = True
            world.graph = world.cluster.graph = {"1": []}
            world.apply_swarm(integration={"approval": "Required"})
            await world.live(12)
            (first,) = (pod["metadata"]["uid"] for pod in pods_of(world))
            if refused:
                world.api.intercept = _refuse
            due(world)
            before = len(world.api.writes)
            await world.live_killed_after(write, 8)
            world.api.revive()  # there may be fewer writes
            await lives(world, 8)
            found = pods_of(world)
            assert len(found) == int(follows), (refused, write)
            assert first not in [pod["metadata"]["uid"] for pod in found]
            world.api.intercept = None
            await lives(world, 40)
            phase = world.cluster.status(INSTANCES, "demo-1")["phase"]
            assert phase == ("Ready" if follows else "Stopped"), (refused, write)
            if len(world.api.writes) - before < write:
                break
        assert write > 2


async def _refuse(request: Any) -> None:
    if request.method == "PATCH" and request.path.endswith(
        "kiroinstances/demo-1/status"
    ):
        raise Refused(403, "Forbidden", "no status of ours is written")
