"""A trouble of long ago makes no pod of an instance late."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.api.instance import KiroInstanceStatus
from kiro_swarm.cluster.resources import INSTANCES, PODS
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.instances.decision import decide
from tests.support.shapes import valid
from tests.unit.reconcile.surroundings import NAMESPACE, START
from tests.unit.reconcile.test_instance import READY, UP, pod, seen
from tests.unit.reconcile.world import World


@pytest.mark.parametrize(
    ("case", "status", "what", "counted"),
    [
        ("the first", {}, {}, 1),
        ("the second at once", {"restartsInARow": 1}, {}, 2),
        ("of an earlier release", {"restarts": 9}, {}, 10),
        ("of an earlier release, long well", {"restarts": 9}, {"well_for": 600.0}, 1),
        ("not well for long", {"restartsInARow": 7}, {"well_for": 599.0}, 8),
        ("well for long", {"restarts": 7, "restartsInARow": 7}, {"well_for": 600.0}, 1),
    ],
)
def test_a_pod_that_was_well_for_long_has_no_past(
    case: str, status: Any, what: Any, counted: int
) -> None:
    restarts = status.get("restarts", 0)
    pod = f"demo-1-{restarts}"
    gone = decide(seen({**UP, **status, "pod": pod}, **what)).status
    assert gone["restartsInARow"] == counted, case
    assert gone["restarts"] == restarts + 1, "its name is never used again"
    valid(KiroInstanceStatus, {**gone, "readyAt": stamp(START)})


def test_that_it_was_well_is_remembered_while_its_pod_ends() -> None:
    before = {**UP, "restarts": 7, "pod": "demo-1-7"}
    ends = decide(seen(before, pod({"phase": "Failed"}), well_for=600.0))
    assert ends.delete
    gone = decide(seen({**before, **ends.status}))
    assert (gone.status["restarts"], gone.status["restartsInARow"]) == (8, 1)


def test_a_changed_template_is_tried_at_once_and_health_alone_is_no_write() -> None:
    before: Any = {**UP, "restarts": 7, "pod": "demo-1-7"}
    rolled = decide(seen(before, pod(READY), outdated=True))
    assert rolled.status["restartsInARow"] == 0
    well = decide(seen(before, pod(READY))).status
    assert decide(seen(well, pod(READY), well_for=10**6)).status == well


async def test_a_trouble_of_long_ago_makes_no_pod_late(world: World) -> None:
    """Six pods lost in a row cost pauses; after ten minutes of health the next costs none."""
    world.cluster.graph = world.graph = {"1": []}
    world.apply_swarm(instances=1)
    await world.live(12)

    async def seconds_to_replace() -> int:
        number = world.cluster.status(INSTANCES, "demo-1").get("restarts", 0)
        world.api.store.remove(PODS, NAMESPACE, f"demo-1-{number}")
        for seconds in range(200):
            await world.settle()
            world.cluster.step()
            world.clock.seconds += 1.0
            if f"demo-1-{number + 1}" in world.cluster.names(PODS):
                await world.live(4)
                return seconds
        raise AssertionError("it is never replaced")

    assert [await seconds_to_replace() for _ in range(3)] == [0, 0, 0]
    late = [await seconds_to_replace() for _ in range(3)]
    assert late == sorted(late)
    assert late[0] >= 5
    world.clock.seconds += 601
    assert await seconds_to_replace() == 0
    assert world.cluster.status(INSTANCES, "demo-1")["restartsInARow"] == 1


async def test_a_failure_is_counted_once_wherever_the_operator_is_killed(
    world: World,
) -> None:
    for write in range(1, 100):
        world.begin_again()
        world.cluster.graph = world.graph = {"1": []}
        world.apply_swarm(instances=1)
        await world.live(12)
        world.api.store.remove(PODS, NAMESPACE, "demo-1-0")
        before = len(world.api.writes)
        await world.live_killed_after(write, 12)
        status = world.cluster.status(INSTANCES, "demo-1")
        assert (status["restarts"], status["restartsInARow"]) == (1, 1), write
        assert status["phase"] == "Ready"
        if len(world.api.writes) - before < write:
            break
    assert write > 2
