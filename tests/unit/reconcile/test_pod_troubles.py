"""Pods that do not run: told on the KiroSwarm in time, with the object, the cause and the field."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from kiro_swarm.cluster.resources import EVENTS, INSTANCES, JOBS, PODS, TASKS
from tests.support.fake_store import Refused
from tests.unit.reconcile.rescuing import at_work, delete
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.test_steps import conditions, lives
from tests.unit.reconcile.world import World


def waiting(reason: str, message: str, name: str = "agent") -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    return {
        "phase": "Pending",
        "containerStatuses": [{"name": name, "state": state}],
    }


def never_begun(name: str, words: str) -> dict[str, Any]:
    """A sidecar whose program a container runtime cannot start: all others wait for it."""
    ended = {"reason": "StartError", "exitCode": 128, "message": words}
    waits = {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting"}
    sidecar = {"name": name, "state": {"waiting": waits}}
    main = {"name": "main", "state": {"waiting": {"reason": "PodInitializing"}}}
    return {
        "phase": "Pending",
        "initContainerStatuses": [{**sidecar, "lastState": {"terminated": ended}}],
        "containerStatuses": [main],
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
    "sub path": Sick(
        waiting("CreateContainerConfigError", 'failed to prepare subPath for "swarm"'),
        *("ContainerConfigInvalid", "spec.storage"),
    ),
    "no program": Sick(
        waiting("RunContainerError", 'exec: "kiro-swarm": executable file not found'),
        *("ContainerConfigInvalid", "spec.template.image"),
    ),
    "no gate": Sick(
        never_begun("gate", 'exec: "agent-entrypoint": executable file not found'),
        *("ContainerConfigInvalid", "spec.template.image"),
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
        world.cluster.set_status(
            PODS, name, containerStatuses=[], initContainerStatuses=[]
        )
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
            "source": {"component": "job-controller"},
            "reason": reason,
            "message": message,
        }
        world.api.store.create(EVENTS, NAMESPACE, event)
    words = "Job demo-prepare-1: its pod is refused: an Event of job-controller says: Error "
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


#: What only Events say of a pod that a node has taken, a word for it and the field.
UNMADE = {
    "claim": (
        "FailedMount",
        "Unable to attach or mount volumes: unmounted volumes=[swarm]: MountVolume.SetUp"
        ' failed for volume "pvc-1": mount failed: exit status 32',
        *("VolumeNotMounted", "spec.storage"),
    ),
    "attach": (
        "FailedAttachVolume",
        'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) x',
        *("VolumeNotMounted", "spec.storage"),
    ),
    "secret": (
        "FailedMount",
        'MountVolume.SetUp failed for volume "credentials" : secret "git" is forbidden',
        *("VolumeNotMounted", "spec.repository.credentialsSecret"),
    ),
    "network": (
        "FailedCreatePodSandBox",
        "Failed to create pod sandbox: plugin type calico failed",
        *("PodStuck", "plugin type calico failed"),
    ),
}


def happens(world: World, pod: str, reason: str, message: str, at: int = 1) -> None:
    """The kubelet posts an Event about a pod."""
    uid = world.cluster.one(PODS, pod)["metadata"]["uid"]
    normal = not reason.startswith("Failed")
    name = f"{pod}.{len(world.cluster.all(EVENTS))}"
    event = {
        "metadata": {"name": name, "namespace": NAMESPACE},
        "involvedObject": {"uid": uid, "kind": "Pod"},
        "reason": reason,
        "message": message,
        "type": "Normal" if normal else "Warning",
        "source": {"component": "kubelet"},
        "lastTimestamp": f"2026-11-22T10:00:{at:02}Z",
    }
    world.api.store.create(EVENTS, NAMESPACE, event)


def asked(world: World) -> int:
    return sum("involvedObject" in one for one in world.api.requests)


@pytest.mark.parametrize("case", UNMADE)
async def test_pods_of_instances_whose_volume_is_not_mounted(
    world: World, case: str
) -> None:
    event, message, reason, field = UNMADE[case]
    names = ("demo-1-0", "demo-2-0")
    world.cluster.frozen |= set(names)
    world.apply_swarm()
    await world.settle()
    for name in names:
        world.cluster.set_status(PODS, name, **waiting("ContainerCreating", ""))
        happens(world, name, event, message)
    await lives(world, 10)
    assert asked(world) == 0, "it is made, as pods are"
    await lives(world, 20)
    said(world, reason, f"demo-1, demo-2: an Event of kubelet says: {event}: ", field)
    await lives(world, 60)
    assert conditions(world)["Stalled"]["reason"] == reason
    assert asked(world) <= 2 * 7, "Events are costly"
    assert not any(
        one.get("status", {}).get("failures") for one in world.cluster.all(TASKS)
    )
    # It was mended, and its image is large: what was said is over.
    for name in names:
        happens(world, name, "Pulling", "Pulling image", at=2)
    await lives(world, 20)
    assert conditions(world)["Hindered"]["status"] == "False"


async def test_a_pod_of_a_job_whose_volume_is_not_mounted(world: World) -> None:
    event, message, reason, field = UNMADE["claim"]
    world.cluster.frozen.add("demo-prepare-1")
    world.apply_swarm()
    await lives(world, 2)
    world.cluster.start_job(world.cluster.one(JOBS, "demo-prepare-1"))
    pod = "demo-prepare-1-pod"
    world.cluster.set_status(PODS, pod, **waiting("ContainerCreating", "", "main"))
    happens(world, pod, event, message)
    await lives(world, 30)
    said(
        world, reason, f"Job demo-prepare-1: an Event of kubelet says: {event}: ", field
    )
    await lives(world, 60)
    assert conditions(world)["Stalled"]["reason"] == reason


async def test_a_pod_of_the_job_that_rescues(world: World) -> None:
    await at_work(world)
    world.cluster.frozen.add("demo-integrate-2")
    delete(world)
    await lives(world, 2)
    world.cluster.start_job(world.cluster.one(JOBS, "demo-integrate-2"))
    pod = "demo-integrate-2-pod"
    world.cluster.set_status(PODS, pod, **waiting("ContainerCreating", "", "main"))
    happens(world, pod, *UNMADE["claim"][:2])
    await lives(world, 30)
    found = conditions(world)["Hindered"]
    assert (found["status"], found["reason"]) == ("True", "VolumeNotMounted")
    assert (
        "Job demo-integrate-2: an Event of kubelet says: FailedMount: "
        in world.status()["message"]
    )


async def test_few_pods_are_asked_about(world: World) -> None:
    world.cluster.frozen |= {f"demo-{number}-0" for number in range(1, 31)}
    world.apply_swarm(instances=30)
    await lives(world, 10)
    for name in [name for name in world.cluster.names(PODS) if name.endswith("-0")]:
        world.cluster.set_status(PODS, name, **waiting("ContainerCreating", ""))
        happens(world, name, *UNMADE["claim"][:2])
    before = asked(world)
    await lives(world, 60)
    assert 1 <= asked(world) - before <= 25
    assert conditions(world)["Hindered"]["reason"] == "VolumeNotMounted"
