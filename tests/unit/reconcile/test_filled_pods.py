"""An agent that fills its pod is charged with it; a node without room is nobody's fault."""

from __future__ import annotations

import pytest

from kiro_swarm.cluster.resources import PODS
from tests.unit.reconcile.test_tasks import prepared
from tests.unit.reconcile.world import World


@pytest.mark.parametrize(
    ("message", "outcome", "failures"),
    [
        (
            'Usage of EmptyDir volume "scratch" exceeds the limit "20Gi". ',
            "ScratchFull",
            1,
        ),
        ("The node was low on resource: ephemeral-storage. ", "InstanceLost", 0),
    ],
)
async def test_who_fills_the_pod_is_charged_and_a_full_node_is_not(
    world: World, message: str, outcome: str, failures: int
) -> None:
    await prepared(world, {"id": "1"})
    world.cluster.set_status(
        PODS, "demo-1-0", phase="Failed", reason="Evicted", message=message
    )
    await world.settle()
    task = world.cluster.task("1")
    assert [one["outcome"] for one in task["history"]] == [outcome]
    assert task.get("failures", 0) == failures
    assert (message.strip() in task["brief"]) == bool(failures)
