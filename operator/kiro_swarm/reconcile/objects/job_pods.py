"""The Jobs of a swarm: who holds which key, and for how long.

Pure builders, on top of ``pods.py``. ``main`` holds the service account token and, where
it talks to the git server, the git credentials; it runs no code of the repository. The Jobs
that merge have a ``gate`` beside it that runs the gates with neither. The inspect Job has no
credentials and sees the volume read-only.
"""

from __future__ import annotations

from typing import Optional

from kiro_swarm.api.kubernetes import Job, JobSpec, PodSpec, Volume, VolumeMount
from kiro_swarm.api.meta import (
    COMPONENT_INSPECT,
    COMPONENT_INTEGRATE,
    COMPONENT_PREPARE,
    COMPONENT_SYNC,
)
from kiro_swarm.api.repository import CaBundle, CaKey
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.api.task import KiroTask
from kiro_swarm.policy import naming
from kiro_swarm.reconcile.objects.manifests import metadata, swarm_labels
from kiro_swarm.reconcile.objects.pods import (
    MIRROR,
    TOKEN_PATH,
    container,
    mount,
    place,
    pod_spec,
    scratch,
    scratch_room,
    volumes_of,
)
from kiro_swarm.reconcile.settings import OperatorSettings

_KEPT_SECONDS = 3600
#: The inspect Job reads what an agent has written: it gets little of everything.
_INSPECT_SECONDS = 300
_INSPECT_KEPT_SECONDS = 600
_INSPECT_LIMITS = {"memory": "1Gi"}
# Enough to index the packs of a very large repository.
_JOB_MEMORY = "4Gi"
_SYNC_SECONDS = 3600


def prepare_job(
    swarm: KiroSwarm, spec: KiroSwarmSpec, attempt: int, settings: OperatorSettings
) -> Job:
    """The Job that mirrors the repository and publishes the task graph."""
    mounts, volumes = _credentials(spec)
    if spec.tasks.config_map:
        source = {"name": spec.tasks.config_map.name, "optional": True}
        volumes.append({"name": "tasks", "configMap": source})
        mounts.append(mount("tasks", "/swarm-tasks", read_only=True))
    mounts.append(mount("swarm", "/swarm"))
    name = naming.prepare_job(swarm["metadata"]["name"], attempt)
    pod = _pod(swarm, spec, ["prepare"], mounts, volumes, settings)
    return _job(swarm, name, COMPONENT_PREPARE, pod)


def integrate_job(
    swarm: KiroSwarm,
    spec: KiroSwarmSpec,
    batch: int,
    settings: OperatorSettings,
    *,
    evicted: bool = False,
) -> Job:
    """The Job that runs the merge train, with the gates in a container of their own.

    ``evicted``: the one before was ended for what its pod used itself.
    """
    name = naming.integrate_job(swarm["metadata"]["name"], batch)
    pod = _merging_pod(swarm, spec, ["integrate"], settings)
    if evicted:
        pod["containers"][0]["env"].append({"name": "KIRO_EVICTED", "value": "true"})
    return _job(swarm, name, COMPONENT_INTEGRATE, pod)


def sync_job(
    swarm: KiroSwarm,
    spec: KiroSwarmSpec,
    branch: Optional[str],
    command_uid: str,
    settings: OperatorSettings,
) -> Job:
    """The Job that merges what is new in the source repository, with the same gates.

    ``branch`` is one of the repository; None means ``spec.repository.ref``.
    """
    name = naming.sync_job(swarm["metadata"]["name"], command_uid)
    said = ["sync", f"--command-uid={command_uid}"]
    said += [] if branch is None else [f"--branch={branch}"]
    pod = _merging_pod(swarm, spec, said, settings)
    return _job(swarm, name, COMPONENT_SYNC, pod, seconds=_SYNC_SECONDS)


def inspect_job(
    swarm: KiroSwarm,
    spec: KiroSwarmSpec,
    what: str,
    task: KiroTask,
    command: str,
    command_uid: str,
    settings: OperatorSettings,
) -> Job:
    """The Job that writes ``what``, diff or log, of a task into the command's ConfigMap."""
    said = ["inspect", what, f"--task={task['metadata']['name']}"]
    said += [f"--command={command}", f"--command-uid={command_uid}"]
    mounts = [mount("swarm", "/swarm", read_only=True)]
    pod = _pod(swarm, spec, said, mounts, [], settings)
    pod["containers"][0]["resources"]["limits"] = _INSPECT_LIMITS
    name = naming.inspect_job(swarm["metadata"]["name"], command_uid)
    job = _job(swarm, name, COMPONENT_INSPECT, pod, seconds=_INSPECT_SECONDS)
    job["spec"]["ttlSecondsAfterFinished"] = _INSPECT_KEPT_SECONDS
    return job


def _merging_pod(
    swarm: KiroSwarm,
    spec: KiroSwarmSpec,
    arguments: list[str],
    settings: OperatorSettings,
) -> PodSpec:
    mounts, volumes = _credentials(spec)
    mounts.append(mount("swarm", "/swarm"))
    pod = _pod(swarm, spec, arguments, mounts, volumes, settings)
    gate = container(
        "gate",
        spec.template.image or settings.image,
        spec.template.image_pull_policy or settings.image_pull_policy,
        ["agent-entrypoint"],
        scratch("/gate"),
        [
            mount("swarm", MIRROR, sub_path="repo.git", read_only=True),
            mount("scratch", "/gate", sub_path="gate-work"),
        ],
    )
    # Gates build what an agent builds. Nothing is reserved for them: a Job whose pod finds no
    # place would hold up all merges.
    limits = {
        name: amount
        for name, amount in spec.template.resources.limits.items()
        if name in ("cpu", "memory", "ephemeral-storage")
    }
    if limits:
        gate["resources"] = {"requests": dict.fromkeys(limits, "0"), "limits": limits}
    # What gates fill is theirs alone to answer for, and never the node's.
    for volume in pod["volumes"]:
        if volume["name"] == "scratch":
            volume["emptyDir"] = {"sizeLimit": scratch_room(spec)}
    # A sidecar: it starts first and is stopped when the main container is done.
    gate["restartPolicy"] = "Always"
    pod["initContainers"] = [gate]
    return pod


def _credentials(spec: KiroSwarmSpec) -> tuple[list[VolumeMount], list[Volume]]:
    """Mounts and volumes for what git needs on the network; none when nothing is named."""
    mounts: list[VolumeMount] = []
    volumes: list[Volume] = []
    # Optional, so that a missing object is reported by us and not a stuck pod.
    secret, trusted = spec.repository.credentials_secret, spec.repository.ca_bundle
    if secret:
        source = {"secretName": secret.name, "optional": True, "defaultMode": 0o440}
        volumes.append({"name": "credentials", "secret": source})
        mounts.append(mount("credentials", "/credentials", read_only=True))
    if trusted:
        volumes.append(_authorities(trusted))
        mounts.append(mount("authorities", "/authorities", read_only=True))
    return mounts, volumes


def _authorities(trusted: CaBundle) -> Volume:
    """The one key, under a name of ours; whoever names a Secret for it gets no other key."""
    made: Volume = {"name": "authorities"}
    if trusted.secret:
        source = _one_key(trusted.secret)
        made["secret"] = {"secretName": trusted.secret.name, **source}
    elif trusted.config_map:
        source = _one_key(trusted.config_map)
        made["configMap"] = {"name": trusted.config_map.name, **source}
    return made


def _one_key(named: CaKey) -> dict[str, object]:
    return {"items": [{"key": named.key, "path": "ca.crt"}], "optional": True}


def _pod(
    swarm: KiroSwarm,
    spec: KiroSwarmSpec,
    arguments: list[str],
    mounts: list[VolumeMount],
    volumes: list[Volume],
    settings: OperatorSettings,
) -> PodSpec:
    name = swarm["metadata"]["name"]
    main = container(
        "main",
        settings.image,
        settings.image_pull_policy,
        arguments,
        {
            "KIRO_SWARM": name,
            "KIRO_SWARM_UID": swarm["metadata"]["uid"],
            "KIRO_NAMESPACE": swarm["metadata"]["namespace"],
        },
        [*mounts, mount("token", TOKEN_PATH, read_only=True)],
    )
    main["resources"] = {
        "requests": {"cpu": "50m", "memory": "96Mi"},
        "limits": {"memory": _JOB_MEMORY},
    }
    pod = pod_spec(naming.jobs_account(name), [*volumes_of(swarm), *volumes], [main])
    pod["restartPolicy"] = "Never"
    pod["terminationGracePeriodSeconds"] = 10
    place(pod, spec)
    return pod


def _job(
    swarm: KiroSwarm,
    name: str,
    component: str,
    pod: PodSpec,
    *,
    seconds: Optional[int] = None,
) -> Job:
    """``seconds``: the Job is stopped then; None: it takes the time that it needs."""
    pod["containers"][0]["env"].append({"name": "KIRO_JOB", "value": name})
    job: JobSpec = {
        # The operator tries again, with what it learned; Kubernetes must not.
        "backoffLimit": 0,
        "ttlSecondsAfterFinished": _KEPT_SECONDS,
        "template": {
            "metadata": {"labels": swarm_labels(swarm, component)},
            "spec": pod,
        },
    }
    if seconds is not None:
        job["activeDeadlineSeconds"] = seconds
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(swarm, name, component),
        "spec": job,
    }
