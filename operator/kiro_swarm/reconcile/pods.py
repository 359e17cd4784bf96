"""The pods of a swarm: two containers each, so that agent code holds no key to anything.

Pure builders. In an instance pod ``runner`` alone gets the service account token and
``agent`` runs whatever a language model or a repository can influence. In a Job pod
``main`` holds the token and the git credentials and runs no code of the repository; the
integrate Job has a ``gate`` beside it that runs the gates with neither.
Every pod passes Pod Security "restricted".
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Optional

from kiro_swarm.api.meta import (
    COMPONENT_INSTANCE,
    COMPONENT_INTEGRATE,
    COMPONENT_PREPARE,
    GROUP,
    LABEL_INSTANCE,
)
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.policy import naming
from kiro_swarm.reconcile.manifests import Object, metadata, owner, swarm_labels
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
_TOKEN_PATH = (
    "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a mount path
)
_MIRROR = "/swarm/repo.git"


def _mount(name: str, path: str, **more: Any) -> Object:
    return {"name": name, "mountPath": path, **more}


def _container(
    name: str,
    image: str,
    policy: str,
    arguments: list[str],
    env: dict[str, str],
    mounts: list[Object],
    **more: Any,
) -> Object:
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": policy,
        "args": arguments,
        "env": [{"name": key, "value": value} for key, value in env.items()],
        "volumeMounts": [
            *mounts,
            _mount("socket", "/run/kiro"),
            _mount("scratch", "/tmp", subPath=f"{name}-tmp"),  # noqa: S108
            _mount("scratch", "/home/kiro", subPath=f"{name}-home"),
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


def _volumes(swarm: Object) -> list[Object]:
    claim = naming.claim_name(swarm["metadata"]["name"])
    return [
        {"name": "swarm", "persistentVolumeClaim": {"claimName": claim}},
        {"name": "socket", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "scratch", "emptyDir": {}},
        _token_volume(),
    ]


def _pod_spec(account: str, volumes: list[Object], **more: Any) -> Object:
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
    template = spec.template
    config: Object = {
        "agent": template.agent.model_dump(by_alias=True, mode="json"),
        "integrationBranch": branch_of(swarm, spec),
        "heartbeatSeconds": spec.recovery.heartbeat_seconds,
    }
    if spec.verification:
        config["verification"] = spec.verification.model_dump(
            by_alias=True, mode="json"
        )
    return json.dumps(config, sort_keys=True)


def branch_of(swarm: Object, spec: KiroSwarmSpec) -> str:
    """Name of the integration branch."""
    name = swarm["metadata"]["name"]
    return spec.integration.branch or naming.integration_branch(name)


def template_hash(swarm: Object, spec: KiroSwarmSpec) -> str:
    """Changes when the pods of the swarm would be made differently."""
    template = spec.template.model_dump(by_alias=True, mode="json")
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
    runner = _container(
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
        [_mount("token", _TOKEN_PATH, readOnly=True)],
        ports=[{"name": "health", "containerPort": HEALTH_PORT}],
        readinessProbe=_probe("/readyz", period=2, failures=3),
        livenessProbe=_probe("/healthz", period=10, failures=3),
        resources={"requests": {"cpu": "10m", "memory": "64Mi"}},
    )
    agent = _container(
        "agent",
        template.image or settings.image,
        template.image_pull_policy or settings.image_pull_policy,
        ["agent-entrypoint"],
        env,
        [
            _mount("swarm", _MIRROR, subPath="repo.git", readOnly=True),
            _mount("swarm", f"/swarm/instances/{name}", subPath=f"instances/{name}"),
        ],
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
        "spec": _pod_spec(
            naming.runner_account(swarm_name),
            _volumes(swarm),
            containers=[runner, agent],
            restartPolicy="Always",
            terminationGracePeriodSeconds=30,
            **_placement(spec),
        ),
    }


def _probe(path: str, *, period: int, failures: int) -> Object:
    return {
        "httpGet": {"path": path, "port": HEALTH_PORT},
        "periodSeconds": period,
        "failureThreshold": failures,
        "timeoutSeconds": 5,
    }


def _placement(spec: KiroSwarmSpec) -> Object:
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


def prepare_job(
    swarm: Object, spec: KiroSwarmSpec, attempt: int, settings: OperatorSettings
) -> Object:
    """The Job that mirrors the repository and publishes the task graph."""
    mounts: list[Object] = []
    volumes: list[Object] = []
    if spec.tasks.config_map:
        source = {"name": spec.tasks.config_map.name, "optional": True}
        volumes.append({"name": "tasks", "configMap": source})
        mounts.append(_mount("tasks", "/swarm-tasks", readOnly=True))
    name = naming.prepare_job(swarm["metadata"]["name"], attempt)
    pod = _job_pod(swarm, spec, "prepare", mounts, volumes, settings)
    return _job(swarm, name, COMPONENT_PREPARE, pod)


def integrate_job(
    swarm: Object, spec: KiroSwarmSpec, batch: int, settings: OperatorSettings
) -> Object:
    """The Job that runs the merge train, with the gates in a container of their own."""
    pod = _job_pod(swarm, spec, "integrate", [], [], settings)
    gate = _container(
        "gate",
        spec.template.image or settings.image,
        spec.template.image_pull_policy or settings.image_pull_policy,
        ["agent-entrypoint"],
        {},
        [
            _mount("swarm", _MIRROR, subPath="repo.git", readOnly=True),
            _mount("scratch", "/gate", subPath="gate-work"),
        ],
        # A sidecar: it starts first and is stopped when the main container is done.
        restartPolicy="Always",
    )
    pod["initContainers"] = [gate]
    name = naming.integrate_job(swarm["metadata"]["name"], batch)
    return _job(swarm, name, COMPONENT_INTEGRATE, pod)


def _job_pod(
    swarm: Object,
    spec: KiroSwarmSpec,
    command: str,
    mounts: list[Object],
    volumes: list[Object],
    settings: OperatorSettings,
) -> Object:
    credentials = spec.repository.credentials_secret
    if credentials:
        # Optional, so that a missing Secret is reported by us and not a stuck pod.
        source = {
            "secretName": credentials.name,
            "optional": True,
            "defaultMode": 0o440,
        }
        volumes = [*volumes, {"name": "credentials", "secret": source}]
        mounts = [*mounts, _mount("credentials", "/credentials", readOnly=True)]
    name = swarm["metadata"]["name"]
    main = _container(
        "main",
        settings.image,
        settings.image_pull_policy,
        [command],
        {
            "KIRO_SWARM": name,
            "KIRO_SWARM_UID": swarm["metadata"]["uid"],
            "KIRO_NAMESPACE": swarm["metadata"]["namespace"],
        },
        [
            _mount("swarm", "/swarm"),
            _mount("token", _TOKEN_PATH, readOnly=True),
            *mounts,
        ],
        resources={"requests": {"cpu": "50m", "memory": "96Mi"}},
    )
    return _pod_spec(
        naming.jobs_account(name),
        [*_volumes(swarm), *volumes],
        containers=[main],
        restartPolicy="Never",
        terminationGracePeriodSeconds=10,
        **_placement(spec),
    )


def _job(swarm: Object, name: str, component: str, pod: Object) -> Object:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(swarm, name, component),
        "spec": {
            # The operator tries again, with what it learned; Kubernetes must not.
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": 3600,
            "template": {
                "metadata": {"labels": swarm_labels(swarm, component)},
                "spec": pod,
            },
        },
    }


def spec_of(swarm: Object) -> Optional[KiroSwarmSpec]:
    """The typed spec of a KiroSwarm, or None when it is of another version of us."""
    try:
        return KiroSwarmSpec.model_validate(swarm["spec"])
    except ValueError:
        return None
