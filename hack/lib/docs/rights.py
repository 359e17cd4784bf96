"""The page of containers and rights, from the very builders that the operator uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Iterator, List, cast

import yaml

from hack.lib.docs.markdown import code, codes, page, table
from kiro_swarm.api.kubernetes import Role
from kiro_swarm.api.meta import API_VERSION
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.cluster.resources import ROLES
from kiro_swarm.reconcile.objects.job_pods import (
    inspect_job,
    integrate_job,
    prepare_job,
    sync_job,
)
from kiro_swarm.reconcile.objects.manifests import foundations
from kiro_swarm.reconcile.objects.pods import instance_pod
from kiro_swarm.reconcile.settings import OperatorSettings

Object = Any
OPERATOR = "manifests/base/operator.yaml"
_SWARM: Object = {
    "apiVersion": API_VERSION,
    "kind": "KiroSwarm",
    "metadata": {"name": "SWARM", "namespace": "NAMESPACE", "uid": ""},
}
_INSTANCE: Object = {
    "apiVersion": API_VERSION,
    "kind": "KiroInstance",
    "metadata": {"name": "INSTANCE", "uid": ""},
}
_SPEC = KiroSwarmSpec.model_validate(
    {
        "repository": {
            "url": "https://git.example.com/a.git",
            "credentialsSecret": {"name": "git"},
            "caBundle": {"configMap": {"name": "authorities"}},
        },
        "tasks": {"configMap": {"name": "tasks"}},
        "template": {"agent": {"command": ["agent"]}},
    }
)


def pages(root: Path) -> Dict[str, str]:
    """File name -> text."""
    roles = [
        (
            f"Service account {code(body['metadata']['name'])}",
            cast(Role, body)["rules"],
        )
        for resource, body in foundations(_SWARM, _SPEC.storage, network_policy=True)
        if resource is ROLES
    ]
    installed = yaml.safe_load_all((root / OPERATOR).read_text(encoding="utf-8"))
    cluster_roles = [
        (f"Cluster role {code(item['metadata']['name'])}", item["rules"])
        for item in installed
        if item and item["kind"] == "ClusterRole"
    ]
    parts: List[str] = []
    for title, rules in [*cluster_roles, *roles]:
        parts += [f"### {title}", table(["Group", "Resources", "Verbs"], _rules(rules))]
    return {
        "rights.md": page(
            f"operator/kiro_swarm/reconcile and {OPERATOR}",
            "Containers and rights",
            "What it means: [security](../security.md).",
            "## Containers",
            "`/tmp`, `/home/kiro` and `/run/kiro` (the socket) are in memory or on "
            "scratch space and go with the pod.",
            table(["Pod", "Container", "Mounts"], _mounts()),
            "## Rights",
            *parts,
        )
    }


def pods() -> Dict[str, Object]:
    """What it is -> the pod's spec, of a swarm with everything."""
    settings = OperatorSettings(image="kiro-swarm")
    jobs = {
        "prepare Job": prepare_job(_SWARM, _SPEC, 1, settings),
        "integrate Job": integrate_job(_SWARM, _SPEC, 1, settings),
        "sync Job": sync_job(_SWARM, _SPEC, None, "uid", settings),
        "inspect Job": inspect_job(
            _SWARM, _SPEC, "diff", _INSTANCE, "command", "uid", settings
        ),
    }
    instance = instance_pod(_SWARM, _SPEC, _INSTANCE, 0, settings)
    return {
        "instance pod": instance["spec"],
        **{name: job["spec"]["template"]["spec"] for name, job in jobs.items()},
    }


def containers(pod: Object) -> List[Object]:
    """All containers of a pod's spec; sidecars, too."""
    return [*pod["containers"], *pod.get("initContainers", [])]


def _mounts() -> Iterator[List[str]]:
    for name, pod in pods().items():
        for container in containers(pod):
            told = [
                f"{item['name']} on {code(item['mountPath'])}"
                + (" read-only" if item.get("readOnly") else "")
                for item in container["volumeMounts"]
                if not _passing(item)
            ]
            yield [name, code(container["name"]), "; ".join(told)]


def _passing(mount: Object) -> bool:
    """The socket, and the scratch space that every container has for itself."""
    scratch = str(mount.get("subPath", "")).endswith(("-tmp", "-home"))
    return bool(scratch or mount["name"] == "socket")


def _named(names: List[str]) -> str:
    """Names of objects; of a long row the first and the last."""
    if len(names) > 8:
        return f"{codes(names[:1])} to {codes(names[-1:])}"
    return codes(names)


def _rules(rules: List[Object]) -> Iterator[List[str]]:
    for rule in rules:
        groups = codes(group or "core" for group in rule["apiGroups"])
        what = codes(rule["resources"])
        if rule.get("resourceNames"):
            what += f", only {_named(rule['resourceNames'])}"
        yield [groups, what, codes(rule["verbs"])]
