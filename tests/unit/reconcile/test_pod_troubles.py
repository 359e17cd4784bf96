"""Pods that do not run: told on the KiroSwarm in time, with the object, the cause and the field."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from kiro_swarm.cluster.resources import EVENTS, INSTANCES, JOBS, PODS
from tests.support.fake_store import Refused
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.test_steps import conditions, lives
from tests.unit.reconcile.world import World


def waiting(reason: str, message: str, name: str = "agent") -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return {
        "phase": "Pending",
        "containerStatuses": [{"name": name, "state": state}],
    }


def unplaced(message: str) -> dict[str, Any]:
    said = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return {"phase": "Pending", "conditions": [{**said, "message": message}]}


class Sick(NamedTuple):
    """What a kubelet or scheduler says of a pod, and what a person is told."""

    status: dict[str, Any]
    reason: str
    field: str


PODS_THAT_DO_NOT_RUN = {
    "image": Sick(
        waiting("ImagePullBackOff", 'Back-off pulling image "no/such"'),
        *("ImageUnavailable", "spec.template.image"),
    ),
    "image name": Sick(
        waiting("InvalidImageName", 'Failed to apply default image tag "A B"'),
        *("ImageUnavailable", "spec.template.image"),
    ),
    "claim": Sick(
        unplaced("0/1 nodes: pod has unbound immediate PersistentVolumeClaims"),
        *("Unschedulable", "spec.storage"),
    ),
    "room": Sick(
        unplaced("0/3 nodes are available: 3 Insufficient cpu"),
        *("Unschedulable", "spec.template.resources"),
    ),
    "taint": Sick(
        unplaced("0/3 nodes are available: 3 node(s) had untolerated taint {a: b}"),
        *("Unschedulable", "spec.template.tolerations"),
    ),
    "selector": Sick(
        unplaced("0/3 nodes: 3 node(s) didn't match Pod's node affinity/selector"),
        *("Unschedulable", "spec.template.nodeSelector"),
    ),
    "secret": Sick(
        waiting("CreateContainerConfigError", 'secret "nope" not found'),
        *("ContainerConfigInvalid", 'secret "nope" not found'),
    ),
    "crash": Sick(
        waiting("CrashLoopBackOff", "back-off 10s restarting failed container"),
        *("PodStuck", "restarting failed"),
    ),
}
#: What the API server says to whoever makes a pod, and the field that it is about.
REFUSALS = {
    'pods "x" is forbidden: exceeded quota: small, requested: pods=1': "ResourceQuota",
    'pods "x" is forbidden: violates PodSecurity "restricted:latest"': "Pod Security",
    'pods "x" is forbidden: maximum cpu usage per Container is 1, but limit is 2': (
        "LimitRange"
    ),
    'pods "x" is forbidden: pod rejected: RuntimeClass "kata" not found': (
        "spec.template.runtimeClassName"
    ),
    'pods "x" is forbidden: no PriorityClass with name high was found': (
        "spec.template.podOverrides.priorityClassName"
    ),
    'Pod "x" is invalid: spec.nodeSelector: Invalid value: "a b"': (
        "spec.template.nodeSelector"
    ),
    'Pod "x" is invalid: spec.containers[0].resources.requests: Invalid value: "2": '
    "must be less than or equal to cpu limit of 1": "spec.template.resources",
}


def said(world: World, reason: str, *words: str) -> None:
    found = conditions(world)["Hindered"]
    assert (found["status"], found["reason"]) == ("True", reason)
    for word in words:
        assert word in found["message"]
        assert word in world.status()["message"]
    assert conditions(world)["Ready"]["status"] == "False"


async def in_time(world: World, reason: str, *words: str) -> None:
    """Told within ten seconds, stalled after a minute."""
    await lives(world, 10)
    said(world, reason, *words)
    assert conditions(world)["Stalled"]["status"] == "False"
    assert any(words[0] in event["message"] for event in world.cluster.all(EVENTS))
    await lives(world, 55)
    assert conditions(world)["Stalled"]["reason"] == reason
    writes = len(world.api.writes)
    await lives(world, 20)
    assert [one for one in world.api.writes[writes:] if "events" in one] == []


@pytest.mark.parametrize("case", PODS_THAT_DO_NOT_RUN)
async def test_pods_of_instances_that_do_not_run(world: World, case: str) -> None:
    status, reason, field = PODS_THAT_DO_NOT_RUN[case]
    world.cluster.frozen |= {"demo-1-0", "demo-2-0"}
    world.apply_swarm()
    await world.settle()
    for name in ("demo-1-0", "demo-2-0"):
        world.cluster.set_status(PODS, name, **status)
    await in_time(world, reason, "demo-1, demo-2: ", field)
    world.cluster.frozen.clear()
    for name in ("demo-1-0", "demo-2-0"):
        world.cluster.set_status(PODS, name, containerStatuses=[])
        world.cluster.make_ready(name)
    await lives(world, 20)
    assert world.status()["phase"] == "Succeeded"
    assert conditions(world)["Hindered"]["status"] == "False"


@pytest.mark.parametrize("case", PODS_THAT_DO_NOT_RUN)
async def test_a_pod_of_a_job_that_does_not_run(world: World, case: str) -> None:
    status, reason, field = PODS_THAT_DO_NOT_RUN[case]
    world.cluster.frozen.add("demo-prepare-1")
    world.apply_swarm()
    await lives(world, 2)
    world.cluster.start_job(world.cluster.one(JOBS, "demo-prepare-1"))
    world.cluster.set_status(PODS, "demo-prepare-1-pod", **status)
    await in_time(world, reason, "Job demo-prepare-1: ", field)


@pytest.mark.parametrize("text", REFUSALS)
async def test_pods_of_instances_that_are_refused(world: World, text: str) -> None:
    async def refuse(request: Any) -> None:
        if request.method == "POST" and request.path.endswith("/pods"):
            raise Refused(403, "Forbidden", text)

    world.apply_swarm(instances=1)
    world.tolerant = True
    world.api.intercept = refuse
    await lives(world, 10)
    said(world, "CreateRefused", "demo-1: its pod is refused: ", REFUSALS[text])
    assert "its pod is refused" in world.cluster.status(INSTANCES, "demo-1")["message"]
    await lives(world, 70)
    assert conditions(world)["Stalled"]["reason"] == "CreateRefused"
    world.api.intercept = None
    await lives(world, 90)
    assert world.status()["phase"] == "Succeeded"
    assert conditions(world)["Hindered"]["status"] == "False"


@pytest.mark.parametrize("text", REFUSALS)
async def test_pods_of_a_job_that_are_refused(world: World, text: str) -> None:
    """Nothing but an Event says so; those of others, and of another reason, are not it."""
    world.cluster.frozen.add("demo-prepare-1")
    world.apply_swarm()
    await world.settle()
    job = world.cluster.one(JOBS, "demo-prepare-1")
    for number, (uid, reason, message) in enumerate(
        [
            (job["metadata"]["uid"], "FailedCreate", f"Error creating: {text}"),
            (job["metadata"]["uid"], "Other", "no"),
            ("other", "FailedCreate", "nor this"),
        ]
    ):
        event = {
            "metadata": {"name": f"event-{number}", "namespace": NAMESPACE},
            "involvedObject": {"uid": uid, "kind": "Job"},
            "reason": reason,
            "message": message,
        }
        world.api.store.create(EVENTS, NAMESPACE, event)
    words = "Job demo-prepare-1: its pod is refused: Error creating: "
    await lives(world, 10)
    said(world, "CreateRefused", words, REFUSALS[text])
    await lives(world, 55)
    assert conditions(world)["Stalled"]["reason"] == "CreateRefused"
    listed = sum("involvedObject" in one for one in world.api.requests)
    assert 1 <= listed <= 6, "Events are costly"
    world.cluster.frozen.clear()
    await lives(world, 25)
    assert world.status()["phase"] == "Succeeded"
    assert conditions(world)["Hindered"]["status"] == "False"
