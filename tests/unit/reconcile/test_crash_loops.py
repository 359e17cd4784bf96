"""What an agent left in its pod and keeps its container from coming up goes with the pod."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from kiro_swarm.cluster.resources import PODS
from kiro_swarm.reconcile.instances.decision import decide
from tests.unit.reconcile.test_instance import UP, pod, seen
from tests.unit.reconcile.world import World


def looping(
    restarts: int, reason: str = "CrashLoopBackOff", name: str = "agent"
) -> dict[str, Any]:
    """The status of a pod whose container has ended so often."""
    words = "back-off 5m0s restarting failed container"
    state = {"waiting": {"reason": reason, "message": words}}
    return {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [{"name": name, "restartCount": restarts, "state": state}],
    }


@pytest.mark.parametrize(
    ("status", "at", "replaced"),
    [
        (looping(5), None, True),
        (looping(9), "Bound", True),
        # It may come up again by itself, and its runner says what becomes of a task.
        (looping(4), None, False),
        (looping(9), "Running", False),
        # Another pod would have no other image, and nothing is left by foreign code.
        (looping(9, "ImagePullBackOff"), None, False),
        (looping(9, name="runner"), None, False),
    ],
)
def test_whose_pod_is_replaced(
    status: dict[str, Any], at: Optional[str], replaced: bool
) -> None:
    held = None if at is None else {"spec": {"id": "1"}, "status": {"state": at}}
    decision = decide(seen(UP, pod(status), task=held))
    assert decision.delete == replaced
    if replaced:
        message = decision.status["message"]
        assert message.startswith(f"its agent container ended {_times(status)} times")
        assert "CrashLoopBackOff back-off 5m0s" in message


def _times(status: dict[str, Any]) -> int:
    count: int = status["containerStatuses"][0]["restartCount"]
    return count


async def test_an_instance_has_another_pod_then(world: World) -> None:
    world.cluster.tasks_run = False
    world.apply_swarm(instances=1)
    await world.live(20)
    world.cluster.frozen.add("demo-1-0")
    world.cluster.set_status(PODS, "demo-1-0", **looping(9))
    await world.live(20)
    world.cluster.frozen.clear()  # the kubelet ends it
    await world.live(20)
    assert "demo-1-1" in world.cluster.names(PODS)
    assert "demo-1-0" not in world.cluster.names(PODS)
