"""The resources this operator touches, and their paths at the API server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from kiro_swarm.api.meta import GROUP, VERSION


@dataclass(frozen=True)
class Resource:
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


SWARMS = Resource(GROUP, VERSION, "kiroswarms", "KiroSwarm")
INSTANCES = Resource(GROUP, VERSION, "kiroinstances", "KiroInstance")
TASKS = Resource(GROUP, VERSION, "kirotasks", "KiroTask")
COMMANDS = Resource(GROUP, VERSION, "swarmcommands", "SwarmCommand")
PODS = Resource("", "v1", "pods", "Pod")
JOBS = Resource("batch", "v1", "jobs", "Job")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")
ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDINGS = Resource(
    "rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"
)
NETWORK_POLICIES = Resource(
    "networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"
)
EVENTS = Resource("", "v1", "events", "Event")
#: Answered by metrics-server, where there is one.
POD_METRICS = Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics")

#: What changes all the time: watched without kopf, which does more for every event than we
#: need (``reconcile/engine/watches.py``).
BUSY = (INSTANCES, TASKS, COMMANDS, PODS, LEASES)
#: All that the operator watches, our kinds first.
WATCHED = (SWARMS, INSTANCES, TASKS, COMMANDS, PODS, JOBS, LEASES)
