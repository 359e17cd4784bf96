"""The pods of instances: two containers, so that agent code holds no key to anything.

Pure builders. ``runner`` alone gets the service account token and ``agent`` runs whatever a
language model or a repository can influence; of the volume the runner may read what its
agent sees, to look ahead, and writes where finished work is kept. What every pod of a swarm
is made of is here too; the pods of Jobs are in ``job_pods.py``. All pass Pod Security
"restricted".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

from kiro_swarm.api.instance import KiroInstance
from kiro_swarm.api.kubernetes import (
    Container,
    EnvSource,
    Pod,
    PodSpec,
    Probe,
    Volume,
    VolumeMount,
)
from kiro_swarm.api.meta import (
    COMPONENT_INSTANCE,
    GROUP,
    LABEL_INSTANCE,
)
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.api.work_settings import POD_UID, SCRATCH, WorkSettings
from kiro_swarm.policy import naming
from kiro_swarm.policy.annotations import refused
from kiro_swarm.reconcile.objects.manifests import owner, swarm_labels
from kiro_swarm.reconcile.settings import OperatorSettings

USER = 65532
TEMPLATE_HASH = f"{GROUP}/template-hash"
HEALTH_PORT = 8080
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
TOKEN_PATH = (
    "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a mount path
)
MIRROR = "/swarm/repo.git"
# Where template.resources does not limit it.
_ROOM = "20Gi"
# All that a process of ours can write in its container, beside a swarm's volume.
_WRITABLE = (
    *("/tmp", "/home/kiro", "/run/kiro", "/dev/shm", "/dev/mqueue"),  # noqa: S108
    "/dev/termination-log",
)


def mount(
    name: str, path: str, *, sub_path: str = "", read_only: bool = False
) -> VolumeMount:
    """A volume's place in a container."""
    made: VolumeMount = {"name": name, "mountPath": path}
    if sub_path:
        made["subPath"] = sub_path
    if read_only:
        made["readOnly"] = True
    return made


def container(
    name: str,
    image: str,
    policy: str,
    arguments: list[str],
    env: dict[str, str],
    mounts: list[VolumeMount],
) -> Container:
    """A container that may do nothing but run; its own /tmp and home are writable."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": policy,
        "args": arguments,
        "env": [{"name": key, "value": value} for key, value in env.items()],
        "volumeMounts": [
            *mounts,
            mount("socket", "/run/kiro"),
            mount("scratch", "/tmp", sub_path=f"{name}-tmp"),  # noqa: S108
            mount("scratch", "/home/kiro", sub_path=f"{name}-home"),
        ],
        "securityContext": _RESTRICTED,
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def scratch(*more: str) -> dict[str, str]:
    """What process 1 of a container that runs foreign code is told of its places."""
    return {SCRATCH: ":".join((*_WRITABLE, *more))}


def _token_volume() -> Volume:
    """What automounting would mount, for one container instead of all."""
    return {
        "name": "token",
        "projected": {
            "sources": [
                {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
                {
                    "configMap": {
                        "name": "kube-root-ca.crt",
                        "items": [{"key": "ca.crt", "path": "ca.crt"}],
                    }
                },
                {
                    "downwardAPI": {
                        "items": [
                            {
                                "path": "namespace",
                                "fieldRef": {"fieldPath": "metadata.namespace"},
                            }
                        ]
                    }
                },
            ]
        },
    }


def scratch_room(spec: KiroSwarmSpec) -> str:
    """What home, ``/tmp`` and tree of foreign code may hold, so that the node is safe."""
    return spec.template.resources.limits.get("ephemeral-storage", _ROOM)


def volumes_of(swarm: KiroSwarm, room: str = "") -> list[Volume]:
    """The volumes that every pod of a swarm has; ``room`` bounds what is written beside it."""
    claim = naming.claim_name(swarm["metadata"]["name"])
    return [
        {"name": "swarm", "persistentVolumeClaim": {"claimName": claim}},
        {"name": "socket", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "scratch", "emptyDir": {"sizeLimit": room} if room else {}},
        _token_volume(),
    ]


def pod_spec(
    account: str, volumes: list[Volume], containers: list[Container]
) -> PodSpec:
    """A pod of nobody's privileges; the token is mounted where it is asked for."""
    return {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": volumes,
        "containers": containers,
    }


def runner_config(swarm: KiroSwarm, spec: KiroSwarmSpec) -> str:
    """What a runner has to know, as JSON: KIRO_CONFIG of the runner container."""
    settings = WorkSettings(
        agent=spec.template.agent,
        verification=spec.verification,
        integration_branch=branch_of(swarm, spec),
        spec_path=spec.tasks.spec_path,
        heartbeat_seconds=spec.recovery.heartbeat_seconds,
        max_file_size=spec.integration.max_file_size,
    )
    return settings.to_json()


def branch_of(swarm: KiroSwarm, spec: KiroSwarmSpec) -> str:
    """Name of the integration branch."""
    name = swarm["metadata"]["name"]
    return spec.integration.branch or naming.integration_branch(name)


def template_hash(swarm: KiroSwarm, spec: KiroSwarmSpec) -> str:
    """Changes when the pods of the swarm would be made differently."""
    # What an instance can do is for handing out tasks; it is not in the pod. Patterns and
    # a profile, where there are any, are among the runner's settings.
    template = spec.template.model_dump(
        by_alias=True,
        mode="json",
        exclude={"capabilities": True, "agent": {"exclude": True, "profile": True}},
    )
    text = json.dumps(template, sort_keys=True) + runner_config(swarm, spec)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_outdated(pod: Pod, template: str) -> bool:
    """Whether the pod of an instance was made of another template than that of this hash."""
    made_of = (pod["metadata"].get("annotations") or {}).get(TEMPLATE_HASH)
    return made_of is not None and made_of != template


def alike(pods: Iterable[Pod], template: str) -> Iterator[str]:
    """Uids of the pods of instances that are made of the template of this hash."""
    for pod in pods:
        if (pod["metadata"].get("annotations") or {}).get(TEMPLATE_HASH) == template:
            yield pod["metadata"]["uid"]


def instance_pod(
    swarm: KiroSwarm,
    spec: KiroSwarmSpec,
    instance: KiroInstance,
    restarts: int,
    settings: OperatorSettings,
) -> Pod:
    """The pod of an instance after ``restarts`` replacements."""
    swarm_name = swarm["metadata"]["name"]
    name = instance["metadata"]["name"]
    template = spec.template
    env = {"KIRO_SWARM": swarm_name, "KIRO_INSTANCE": name}
    mirror = mount("swarm", MIRROR, sub_path="repo.git", read_only=True)
    folder = mount("swarm", f"/swarm/instances/{name}", sub_path=f"instances/{name}")
    finished = naming.finished_folder(name)
    runner = container(
        "runner",
        settings.image,
        settings.image_pull_policy,
        ["runner"],
        {
            **env,
            "KIRO_NAMESPACE": swarm["metadata"]["namespace"],
            "KIRO_INSTANCE_UID": instance["metadata"]["uid"],
            "KIRO_SWARM_UID": swarm["metadata"]["uid"],
            "KIRO_CONFIG": runner_config(swarm, spec),
        },
        [
            mount("token", TOKEN_PATH, read_only=True),
            mirror,
            {**folder, "readOnly": True},
            mount("swarm", f"/swarm/{finished}", sub_path=finished),
        ],
    )
    # Not in the template hash: a pod without it is as good as before, and stays.
    of_the_pod: EnvSource = {"fieldRef": {"fieldPath": "metadata.uid"}}
    runner["env"].append({"name": POD_UID, "valueFrom": of_the_pod})
    runner["ports"] = [{"name": "health", "containerPort": HEALTH_PORT}]
    # On a node that is busy an interpreter may take half a minute to begin; to end it for that
    # makes it begin anew, and it hears nothing of its end until it listens.
    runner["startupProbe"] = _probe("/healthz", period=1, failures=180)
    runner["readinessProbe"] = _probe("/readyz", period=2, failures=3)
    runner["livenessProbe"] = _probe("/healthz", period=10, failures=3)
    runner["resources"] = {
        "requests": {"cpu": "10m", "memory": "64Mi"},
        # It looks ahead and keeps work: git that reads what an agent has made.
        "limits": {"memory": "2Gi"},
    }
    agent = container(
        "agent",
        template.image or settings.image,
        template.image_pull_policy or settings.image_pull_policy,
        ["agent-entrypoint"],
        {**env, **scratch()},
        [mirror, folder],
    )
    agent["resources"] = {
        "requests": dict(template.resources.requests),
        "limits": dict(template.resources.limits),
    }
    overrides = template.pod_overrides
    widening = refused(overrides.labels, settings.pod_annotations, labels=True)
    labels = {
        **{k: v for k, v in overrides.labels.items() if k not in widening},
        **swarm_labels(swarm, COMPONENT_INSTANCE),
        LABEL_INSTANCE: name,
    }
    harmful = refused(overrides.annotations, settings.pod_annotations)
    annotations = {
        **{k: v for k, v in overrides.annotations.items() if k not in harmful},
        "kubectl.kubernetes.io/default-container": "agent",
        TEMPLATE_HASH: template_hash(swarm, spec),
    }
    pod = pod_spec(
        naming.runner_account(swarm_name),
        volumes_of(swarm, scratch_room(spec)),
        [runner, agent],
    )
    pod["restartPolicy"] = "Always"
    pod["terminationGracePeriodSeconds"] = 30
    place(pod, spec)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": naming.pod_name(name, restarts),
            "namespace": swarm["metadata"]["namespace"],
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [owner(instance)],
        },
        "spec": pod,
    }


def _probe(path: str, *, period: int, failures: int) -> Probe:
    return {
        "httpGet": {"path": path, "port": HEALTH_PORT},
        "periodSeconds": period,
        "failureThreshold": failures,
        "timeoutSeconds": 5,
    }


def place(pod: PodSpec, spec: KiroSwarmSpec) -> None:
    """Say where a pod of a swarm may run, as its template says."""
    template, overrides = spec.template, spec.template.pod_overrides
    if template.node_selector:
        pod["nodeSelector"] = template.node_selector
    if template.tolerations:
        pod["tolerations"] = [
            item.model_dump(by_alias=True, exclude_none=True, mode="json")
            for item in template.tolerations
        ]
    if template.affinity:
        pod["affinity"] = template.affinity
    if template.runtime_class_name:
        pod["runtimeClassName"] = template.runtime_class_name
    if overrides.priority_class_name:
        pod["priorityClassName"] = overrides.priority_class_name
    if overrides.scheduler_name:
        pod["schedulerName"] = overrides.scheduler_name
    if overrides.image_pull_secrets:
        pod["imagePullSecrets"] = [
            {"name": item.name} for item in overrides.image_pull_secrets
        ]
