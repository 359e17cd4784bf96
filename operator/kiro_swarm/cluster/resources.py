"""The resources this operator touches, their paths at the API server, their types.

A resource carries the type of its objects and of their status, so whoever names it, at the
cache, the client or the context, gets and gives objects of that kind. That is for the type
checker alone: at run time an object is the dict that came over the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Optional, TypeVar

from kiro_swarm.api.claims import PersistentVolumeClaim
from kiro_swarm.api.command import SwarmCommand, SwarmCommandStatus
from kiro_swarm.api.instance import KiroInstance, KiroInstanceStatus
from kiro_swarm.api.kubernetes import (
    ConfigMap,
    Event,
    Job,
    JobStatus,
    KubernetesObject,
    Lease,
    NetworkPolicy,
    NoStatus,
    Pod,
    PodStatus,
    Role,
    RoleBinding,
    ServiceAccount,
)
from kiro_swarm.api.meta import GROUP, VERSION
from kiro_swarm.api.swarm_status import KiroSwarm, KiroSwarmStatus
from kiro_swarm.api.task import KiroTask, KiroTaskStatus

ObjectT = TypeVar("ObjectT", bound=KubernetesObject)
StatusT = TypeVar("StatusT")


@dataclass(frozen=True)
class Resource(Generic[ObjectT, StatusT]):
    """A resource type: where it lives and what its objects are called."""

    group: str
    version: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        """``group/version``, or ``version`` in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(
        self,
        namespace: Optional[str] = None,
        name: Optional[str] = None,
        subresource: Optional[str] = None,
    ) -> str:
        """URL path of the collection, an object or a subresource of it."""
        root = f"/apis/{self.group}" if self.group else "/api"
        parts = [root, self.version]
        if namespace is not None:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name is not None:
            parts.append(name)
        if subresource is not None:
            parts.append(subresource)
        return "/".join(parts)


#: A resource of any kind: its objects have metadata, and what else is not known.
AnyResource = Resource[Any, Any]

SWARMS = Resource[KiroSwarm, KiroSwarmStatus](GROUP, VERSION, "kiroswarms", "KiroSwarm")
INSTANCES = Resource[KiroInstance, KiroInstanceStatus](
    GROUP, VERSION, "kiroinstances", "KiroInstance"
)
TASKS = Resource[KiroTask, KiroTaskStatus](GROUP, VERSION, "kirotasks", "KiroTask")
COMMANDS = Resource[SwarmCommand, SwarmCommandStatus](
    GROUP, VERSION, "swarmcommands", "SwarmCommand"
)
PODS = Resource[Pod, PodStatus]("", "v1", "pods", "Pod")
JOBS = Resource[Job, JobStatus]("batch", "v1", "jobs", "Job")
LEASES = Resource[Lease, NoStatus]("coordination.k8s.io", "v1", "leases", "Lease")
CONFIG_MAPS = Resource[ConfigMap, NoStatus]("", "v1", "configmaps", "ConfigMap")
CLAIMS = Resource[PersistentVolumeClaim, NoStatus](
    "", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"
)
SERVICE_ACCOUNTS = Resource[ServiceAccount, NoStatus](
    "", "v1", "serviceaccounts", "ServiceAccount"
)
ROLES = Resource[Role, NoStatus]("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDINGS = Resource[RoleBinding, NoStatus](
    "rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"
)
NETWORK_POLICIES = Resource[NetworkPolicy, NoStatus](
    "networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"
)
EVENTS = Resource[Event, NoStatus]("", "v1", "events", "Event")
#: Answered by metrics-server, where there is one.
POD_METRICS: AnyResource = Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics")

#: What people see and write: comes through kopf's handlers (``handlers/events.py``).
PEOPLE: tuple[AnyResource, ...] = (SWARMS, INSTANCES, COMMANDS)
#: What machines write in masses: comes through our own watch (``reconcile/engine/watches.py``).
MACHINES: tuple[AnyResource, ...] = (TASKS, PODS, JOBS, LEASES, CONFIG_MAPS)
#: All that decisions are made from.
WATCHED: tuple[AnyResource, ...] = PEOPLE + MACHINES
