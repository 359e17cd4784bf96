"""The Kubernetes objects a swarm is made of, beside its pods: accounts, volume, policy.

Pure builders. Everything is owned by the KiroSwarm, so deleting it deletes them, and has a
name made of the swarm's, so making one twice makes it once.
"""

from __future__ import annotations

from kiro_swarm.api.claims import ClaimSpec, PersistentVolumeClaim
from kiro_swarm.api.kubernetes import (
    KubernetesObject,
    NetworkPolicy,
    ObjectMeta,
    OwnerReference,
    PolicyRule,
    Role,
    RoleBinding,
    ServiceAccount,
)
from kiro_swarm.api.meta import (
    GROUP,
    LABEL_MANAGED_BY,
    LABEL_SWARM,
    MANAGED_BY,
)
from kiro_swarm.api.swarm import Storage
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.cluster.resources import (
    CLAIMS,
    CONFIG_MAPS,
    NETWORK_POLICIES,
    ROLE_BINDINGS,
    ROLES,
    SERVICE_ACCOUNTS,
    AnyResource,
)
from kiro_swarm.policy import naming
from kiro_swarm.policy.ledger import MOST_SEGMENTS
from kiro_swarm.policy.ownership import belongs_to

#: An object that is to be made is one of its resource.
Made = tuple[AnyResource, KubernetesObject]


def owner(item: KubernetesObject) -> OwnerReference:
    """The owner reference to put into what ``item`` owns."""
    return {
        "apiVersion": item["apiVersion"],
        "kind": item["kind"],
        "name": item["metadata"]["name"],
        "uid": item["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": False,
    }


def is_owned(item: KubernetesObject, by: KubernetesObject) -> bool:
    """Whether ``item`` belongs to this very object, not to an earlier namesake."""
    return belongs_to(item, by["metadata"]["uid"])


def swarm_labels(swarm: KiroSwarm, component: str = "") -> dict[str, str]:
    """Labels of everything that belongs to a swarm."""
    labels = {LABEL_SWARM: swarm["metadata"]["name"], LABEL_MANAGED_BY: MANAGED_BY}
    if component:
        labels[f"{GROUP}/component"] = component
    return labels


def metadata(swarm: KiroSwarm, name: str, component: str = "") -> ObjectMeta:
    """Metadata of an object that the swarm owns."""
    return {
        "name": name,
        "namespace": swarm["metadata"]["namespace"],
        "labels": swarm_labels(swarm, component),
        "ownerReferences": [owner(swarm)],
    }


def foundations(
    swarm: KiroSwarm, storage: Storage, *, network_policy: bool
) -> list[Made]:
    """What has to be there before the first pod of a swarm."""
    name = swarm["metadata"]["name"]
    claim: PersistentVolumeClaim = {
        "apiVersion": CLAIMS.api_version,
        "kind": CLAIMS.kind,
        "metadata": metadata(swarm, naming.claim_name(name)),
        "spec": _claim(storage),
    }
    made: list[Made] = [
        *_account(swarm, naming.runner_account(name), _RUNNER_RULES),
        *_account(swarm, naming.jobs_account(name), _jobs_rules(name)),
        (CONFIG_MAPS, _named(swarm, CONFIG_MAPS, naming.graph_name(name))),
        (CLAIMS, claim),
    ]
    if network_policy:
        policy: NetworkPolicy = {
            **_named(swarm, NETWORK_POLICIES, name),
            "spec": _no_ingress(swarm),
        }
        made.append((NETWORK_POLICIES, policy))
    return made


def _named(swarm: KiroSwarm, resource: AnyResource, name: str) -> KubernetesObject:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": metadata(swarm, name),
    }


def _claim(storage: Storage) -> ClaimSpec:
    claim: ClaimSpec = {
        "accessModes": [storage.access_mode],
        "resources": {"requests": {"storage": storage.size}},
    }
    if storage.storage_class_name:
        claim["storageClassName"] = storage.storage_class_name
    return claim


def _no_ingress(swarm: KiroSwarm) -> dict[str, object]:
    """Nothing connects to a swarm's pods; kubelet probes are not subject to policies."""
    name = swarm["metadata"]["name"]
    return {
        "podSelector": {"matchLabels": {LABEL_SWARM: name}},
        "policyTypes": ["Ingress"],
        "ingress": [],
    }


_RUNNER_RULES: list[PolicyRule] = [
    {
        "apiGroups": [GROUP],
        "resources": ["kirotasks"],
        "verbs": ["get", "list", "watch"],
    },
    {"apiGroups": [GROUP], "resources": ["kirotasks/status"], "verbs": ["patch"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["create", "patch"],
    },
]


def _jobs_rules(swarm: str) -> list[PolicyRule]:
    return [
        {
            "apiGroups": [GROUP],
            "resources": ["kiroswarms"],
            "resourceNames": [swarm],
            "verbs": ["get"],
        },
        {
            "apiGroups": [GROUP],
            "resources": ["kirotasks"],
            "verbs": ["get", "list", "watch"],
        },
        {"apiGroups": [GROUP], "resources": ["kirotasks/status"], "verbs": ["patch"]},
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "resourceNames": [naming.graph_name(swarm)],
            "verbs": ["patch"],
        },
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "resourceNames": [
                naming.ledger_segment(swarm, number)
                for number in range(1, MOST_SEGMENTS + 1)
            ],
            "verbs": ["get", "patch"],
        },
        # What a person asked to see, parts of a long graph and of the ledger: new
        # ConfigMaps, never one that is there.
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]},
    ]


def _account(swarm: KiroSwarm, name: str, rules: list[PolicyRule]) -> list[Made]:
    account: ServiceAccount = {
        **_named(swarm, SERVICE_ACCOUNTS, name),
        "automountServiceAccountToken": False,
    }
    role: Role = {**_named(swarm, ROLES, name), "rules": rules}
    binding: RoleBinding = {
        **_named(swarm, ROLE_BINDINGS, name),
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": name,
        },
        "subjects": [
            {
                "kind": "ServiceAccount",
                "name": name,
                "namespace": swarm["metadata"]["namespace"],
            }
        ],
    }
    return [(SERVICE_ACCOUNTS, account), (ROLES, role), (ROLE_BINDINGS, binding)]
