"""The pods of instances: two containers, so that agent code holds no key to anything.

Pure builders. ``runner`` alone gets the service account token and ``agent`` runs whatever a
language model or a repository can influence; of the volume the runner may only read what
its agent sees, to look ahead. What every pod of a swarm is made of is here too; the pods of
Jobs are in ``job_pods.py``. All pass Pod Security "restricted".
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from kiro_swarm.api.meta import (
    COMPONENT_INSTANCE,
    GROUP,
    LABEL_INSTANCE,
)
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.work_settings import WorkSettings
from kiro_swarm.policy import naming
from kiro_swarm.reconcile.objects.manifests import Object, owner, swarm_labels
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


def mount(name: str, path: str, **more: Any) -> Object:
    """A volume's place in a container."""
    return {"name": name, "mountPath": path, **more}


def container(
    name: str,
    image: str,
    policy: str,
    arguments: list[str],
    env: dict[str, str],
    mounts: list[Object],
    **more: Any,
) -> Object:
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
            mount("scratch", "/tmp", subPath=f"{name}-tmp"),  # noqa: S108
            mount("scratch", "/home/kiro", subPath=f"{name}-home"),
        ],
        "securityContext": _RESTRICTED,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        **more,
    }


def _token_volume() -> Object:
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


def volumes_of(swarm: Object) -> list[Object]:
    """The volumes that every pod of a swarm has."""
    claim = naming.claim_name(swarm["metadata"]["name"])
    return [
        {"name": "swarm", "persistentVolumeClaim": {"claimName": claim}},
        {"name": "socket", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "scratch", "emptyDir": {}},
        _token_volume(),
    ]


def pod_spec(account: str, volumes: list[Object], **more: Any) -> Object:
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
        **more,
    }


def runner_config(swarm: Object, spec: KiroSwarmSpec) -> str:
    """What a runner has to know, as JSON: KIRO_CONFIG of the runner container."""
    settings = WorkSettings(
        agent=spec.template.agent,
        verification=spec.verification,
        integration_branch=branch_of(swarm, spec),
        spec_path=spec.tasks.spec_path,
        heartbeat_seconds=spec.recovery.heartbeat_seconds,
    )
    return settings.to_json()


def branch_of(swarm: Object, spec: KiroSwarmSpec) -> str:
    """Name of the integration branch."""
    name = swarm["metadata"]["name"]
    return spec.integration.branch or naming.integration_branch(name)


def template_hash(swarm: Object, spec: KiroSwarmSpec) -> str:
    """Changes when the pods of the swarm would be made differently."""
    # What an instance can do is for handing out tasks; it is not in the pod.
    template = spec.template.model_dump(
        by_alias=True, mode="json", exclude={"capabilities"}
    )
    text = json.dumps(template, sort_keys=True) + runner_config(swarm, spec)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def instance_pod(
    swarm: Object,
    spec: KiroSwarmSpec,
    instance: Object,
    restarts: int,
    settings: OperatorSettings,
) -> Object:
    """The pod of an instance after ``restarts`` replacements."""
    swarm_name = swarm["metadata"]["name"]
    name = instance["metadata"]["name"]
    template = spec.template
    env = {"KIRO_SWARM": swarm_name, "KIRO_INSTANCE": name}
    mirror = mount("swarm", MIRROR, subPath="repo.git", readOnly=True)
    folder = mount("swarm", f"/swarm/instances/{name}", subPath=f"instances/{name}")
    runner = container(
        "runner",
        settings.image,
        settings.image_pull_policy,
        ["runner"],
        {
            **env,
            "KIRO_NAMESPACE": swarm["metadata"]["namespace"],
            "KIRO_INSTANCE_UID": instance["metadata"]["uid"],
            "KIRO_CONFIG": runner_config(swarm, spec),
        },
        [
            mount("token", TOKEN_PATH, readOnly=True),
            mirror,
            {**folder, "readOnly": True},
        ],
        ports=[{"name": "health", "containerPort": HEALTH_PORT}],
        readinessProbe=_probe("/readyz", period=2, failures=3),
        livenessProbe=_probe("/healthz", period=10, failures=3),
        resources={"requests": {"cpu": "10m", "memory": "64Mi"}},
    )
    agent = container(
        "agent",
        template.image or settings.image,
        template.image_pull_policy or settings.image_pull_policy,
        ["agent-entrypoint"],
        env,
        [mirror, folder],
        resources=template.resources.model_dump(mode="json"),
    )
    overrides = template.pod_overrides
    labels = {
        **overrides.labels,
        **swarm_labels(swarm, COMPONENT_INSTANCE),
        LABEL_INSTANCE: name,
    }
    annotations = {
        **overrides.annotations,
        "kubectl.kubernetes.io/default-container": "agent",
        TEMPLATE_HASH: template_hash(swarm, spec),
    }
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
        "spec": pod_spec(
            naming.runner_account(swarm_name),
            volumes_of(swarm),
            containers=[runner, agent],
            restartPolicy="Always",
            terminationGracePeriodSeconds=30,
            **placement(spec),
        ),
    }


def _probe(path: str, *, period: int, failures: int) -> Object:
    return {
        "httpGet": {"path": path, "port": HEALTH_PORT},
        "periodSeconds": period,
        "failureThreshold": failures,
        "timeoutSeconds": 5,
    }


def placement(spec: KiroSwarmSpec) -> Object:
    """Where a swarm's pods may run, as its template says."""
    template, overrides = spec.template, spec.template.pod_overrides
    placement: Object = {
        "nodeSelector": template.node_selector,
        "tolerations": [
            item.model_dump(by_alias=True, exclude_none=True, mode="json")
            for item in template.tolerations
        ],
        "affinity": template.affinity,
        "runtimeClassName": template.runtime_class_name,
        "priorityClassName": overrides.priority_class_name,
        "schedulerName": overrides.scheduler_name,
        "imagePullSecrets": [
            {"name": item.name} for item in overrides.image_pull_secrets
        ],
    }
    return {key: value for key, value in placement.items() if value}
