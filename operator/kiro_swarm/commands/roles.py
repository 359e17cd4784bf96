"""Who may say what: the roles for people and the permissions that each holds. Pure.

A permission is an RBAC verb on kiroswarms; the first word of a sentence decides which one
it needs (``commands.table``). Read by ``admission`` and by the generator of the chart's roles
(hack/update-admission); nothing else in the project decides what a role may say.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple

from kiro_swarm.api.meta import GROUP

_LOOK = ("get",)
_OPERATE = (
    "run",
    "stop",
    "scale",
    "pause",
    "resume",
    "assign",
    "cancel",
    "retry",
    "restart",
    "reassign",
    "switch",
    "cleanup",
    "test",
)
_INTEGRATE = ("merge", "resolve", "rollback", "sync", "approve", "reject")

#: Role -> permissions, the smallest role first.
ROLES: dict[str, tuple[str, ...]] = {
    "viewer": _LOOK,
    "operator": (*_LOOK, *_OPERATE),
    "integrator": (*_LOOK, *_INTEGRATE),
    "admin": (*_LOOK, *_OPERATE, *_INTEGRATE),
}

_KINDS = ["kiroswarms", "kiroinstances", "kirotasks", "swarmcommands"]
_READ = ["get", "list", "watch"]
_WRITE = ["create", "update", "patch", "delete", "deletecollection"]
Rule = Dict[str, List[str]]

#: What `kubectl swarm` shows beside the four kinds: long answers and the audit log
#: (ConfigMaps), events, Jobs, logs and how busy pods are. The cluster's own role view
#: reads all of it, too.
_EXPLAINING: list[Rule] = [
    {
        "apiGroups": [""],
        "resources": ["configmaps", "events", "pods", "pods/log"],
        "verbs": _READ,
    },
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": _READ},
    {"apiGroups": ["metrics.k8s.io"], "resources": ["pods"], "verbs": _READ},
]


class ClusterRole(NamedTuple):
    """A ClusterRole of the chart; ``part_of`` names roles of the cluster itself."""

    description: str
    rules: list[Rule]
    part_of: tuple[str, ...] = ()


def role_of(permission: str) -> str:
    """The smallest role that has a permission; StopIteration when none has it."""
    return next(role for role, held in ROLES.items() if permission in held)


def cluster_roles() -> dict[str, ClusterRole]:
    """Ending of the name -> ClusterRole, of all roles for people.

    view and edit add the kinds to the roles that every cluster has. Whoever may edit a
    KiroSwarm itself can do with it what every sentence does, so edit may say everything.
    """
    found = {
        "view": ClusterRole(
            "Look at swarms. Part of the cluster's own role view.",
            [_rule(_KINDS, _READ)],
            ("view",),
        ),
        "edit": ClusterRole(
            "Make swarms and say everything to them. Part of the cluster's own roles "
            "edit and admin. No status: it is written by who measured it.",
            [
                _rule(_KINDS, [*_READ, *_WRITE]),
                _rule(["kiroswarms/scale"], ["get", "update", "patch"]),
                _rule(["kiroswarms"], _custom("admin")),
            ],
            ("edit", "admin"),
        ),
    }
    for role, permissions in ROLES.items():
        rules = [
            _rule(_KINDS, _READ),
            _rule(["swarmcommands"], ["create"]),
            *_EXPLAINING,
        ]
        if _custom(role):
            rules.append(_rule(["kiroswarms"], _custom(role)))
        found[role] = ClusterRole(
            f"Look at swarms, and say to them: {', '.join(permissions)}.", rules
        )
    return found


def _custom(role: str) -> list[str]:
    """The permissions of a role that are no verbs of Kubernetes itself."""
    return [verb for verb in ROLES[role] if verb not in _READ]


def _rule(resources: list[str], verbs: list[str]) -> Rule:
    return {"apiGroups": [GROUP], "resources": resources, "verbs": verbs}
