"""The CustomResourceDefinitions of the four kinds, as plain dicts.

Called by ``cli.crds`` (which writes them into ``crds/`` and the chart) and by tests
that install them on a real API server.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from kiro_swarm.api.command import SwarmCommandSpec, SwarmCommandStatus
from kiro_swarm.api.instance import KiroInstanceSpec, KiroInstanceStatus
from kiro_swarm.api.meta import GROUP, VERSION
from kiro_swarm.api.schema import structural, without_defaults
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.swarm_status import KiroSwarmStatus
from kiro_swarm.api.task import KiroTaskSpec, KiroTaskStatus

Column = tuple[str, str, str, int]  # name, type, JSON path, priority (1: -o wide only)


@dataclass(frozen=True)
class Kind:
    """What a CRD says beside its schema."""

    kind: str
    plural: str
    short_names: list[str]
    description: str
    spec: type[object]
    status: type[object]
    columns: list[Column]
    status_default: dict[str, Any]
    name_rule: tuple[str, str]
    scale: Optional[dict[str, str]] = None
    selectable: list[str] = field(default_factory=list)


_DNS_NAME = (
    "self.metadata.name.size() <= 40 && "
    "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    "metadata.name must be at most 40 characters of a-z, 0-9 and '-', and start with "
    "a letter: names of pods and branches are made from it",
)
_ANY_NAME = ("self.metadata.name.size() <= 253", "metadata.name is too long")
_LABEL_NAME = (
    "self.metadata.name.size() <= 63",
    "metadata.name must be at most 63 characters: it is used as a label",
)

KINDS: tuple[Kind, ...] = (
    Kind(
        kind="KiroSwarm",
        plural="kiroswarms",
        short_names=["swarm", "ks"],
        description="A swarm of coding agents that works through the tasks of a Kiro "
        "spec on one git repository.",
        spec=KiroSwarmSpec,
        status=KiroSwarmStatus,
        columns=[
            ("Phase", "string", ".status.phase", 0),
            ("Instances", "string", ".status.readiness", 0),
            ("Tasks", "string", ".status.progress", 0),
            ("Speedup", "number", ".status.speedup.ratio", 1),
            ("Finish", "string", ".status.forecast.finishAt", 1),
            ("Branch", "string", ".status.integration.branch", 1),
            ("Head", "string", ".status.integration.head", 1),
            ("Age", "date", ".metadata.creationTimestamp", 0),
            ("Message", "string", ".status.message", 0),
        ],
        status_default={"phase": "Pending"},
        name_rule=_DNS_NAME,
        scale={
            "specReplicasPath": ".spec.instances",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    ),
    Kind(
        kind="KiroInstance",
        plural="kiroinstances",
        short_names=["ki"],
        description="One agent pod of a swarm, with a worktree and a colour.",
        spec=KiroInstanceSpec,
        status=KiroInstanceStatus,
        columns=[
            ("Swarm", "string", ".spec.swarm", 0),
            ("Phase", "string", ".status.phase", 0),
            ("Colour", "string", ".spec.colour", 0),
            ("Task", "string", ".status.task", 0),
            ("Branch", "string", ".status.branch", 0),
            ("Restarts", "integer", ".status.restarts", 0),
            ("Pod", "string", ".status.pod", 1),
            ("Node", "string", ".status.node", 1),
            ("Age", "date", ".metadata.creationTimestamp", 0),
            ("Message", "string", ".status.message", 1),
        ],
        status_default={"phase": "Pending"},
        name_rule=_LABEL_NAME,
        selectable=[".spec.swarm"],
    ),
    Kind(
        kind="KiroTask",
        plural="kirotasks",
        short_names=["kt"],
        description="One task of a swarm's spec: a node of its task graph.",
        spec=KiroTaskSpec,
        status=KiroTaskStatus,
        columns=[
            ("Swarm", "string", ".spec.swarm", 1),
            ("State", "string", ".status.state", 0),
            ("Attempt", "integer", ".status.attempt", 0),
            ("Instance", "string", ".status.instance", 0),
            ("Branch", "string", ".status.branch", 1),
            ("Title", "string", ".spec.title", 0),
            ("Age", "date", ".metadata.creationTimestamp", 0),
            ("Message", "string", ".status.message", 0),
        ],
        status_default={"state": "Blocked"},
        name_rule=_ANY_NAME,
        selectable=[".spec.swarm", ".status.instance", ".status.state"],
    ),
    Kind(
        kind="SwarmCommand",
        plural="swarmcommands",
        short_names=["scmd"],
        description="One sentence that steers a swarm, and the answer to it.",
        spec=SwarmCommandSpec,
        status=SwarmCommandStatus,
        columns=[
            ("Swarm", "string", ".spec.swarm", 0),
            ("Command", "string", ".spec.command", 0),
            ("Phase", "string", ".status.phase", 0),
            ("Age", "date", ".metadata.creationTimestamp", 0),
            ("Message", "string", ".status.message", 0),
        ],
        status_default={"phase": "Pending"},
        name_rule=_ANY_NAME,
        selectable=[".spec.swarm"],
    ),
)


def crd(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind."""
    subresources: dict[str, Any] = {"status": {}}
    if kind.scale:
        subresources["scale"] = kind.scale
    status = {
        **without_defaults(structural(kind.status)),
        "default": kind.status_default,
    }
    rule, message = kind.name_rule
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [
            {"name": name, "type": type_, "jsonPath": path, "priority": priority}
            for name, type_, path, priority in kind.columns
        ],
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "description": kind.description,
                "required": ["spec"],
                "properties": {
                    "apiVersion": {"type": "string"},
                    "kind": {"type": "string"},
                    "metadata": {"type": "object"},
                    "spec": structural(kind.spec),
                    "status": status,
                },
                "x-kubernetes-validations": [{"rule": rule, "message": message}],
            }
        },
        "subresources": subresources,
    }
    if kind.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in kind.selectable]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{GROUP}",
            "labels": {"app.kubernetes.io/part-of": "kiro-swarm"},
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.kind.lower(),
                "shortNames": kind.short_names,
                "categories": ["kiro"],
            },
            "versions": [version],
        },
    }


def all_crds() -> list[dict[str, Any]]:
    """The four CustomResourceDefinitions, in a fixed order."""
    return [crd(kind) for kind in KINDS]
