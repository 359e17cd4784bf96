"""What a Job makes for its swarm: it goes with the swarm, and is known to be this one's."""

from __future__ import annotations

from kiro_swarm.api.kubernetes import KubernetesObject, ObjectMeta, OwnerReference
from kiro_swarm.api.meta import (
    LABEL_COMPONENT,
    LABEL_MANAGED_BY,
    LABEL_SWARM,
    MANAGED_BY,
)
from kiro_swarm.cluster.resources import SWARMS
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.policy.ownership import is_record


def metadata_of(env: JobEnvironment, name: str, component: str = "") -> ObjectMeta:
    """Metadata of an object that the swarm of this Job owns."""
    labels = {LABEL_SWARM: env.swarm, LABEL_MANAGED_BY: MANAGED_BY}
    if component:
        labels[LABEL_COMPONENT] = component
    owner: OwnerReference = {
        "apiVersion": SWARMS.api_version,
        "kind": SWARMS.kind,
        "name": env.swarm,
        "uid": env.uid,
    }
    return {"name": name, "labels": labels, "ownerReferences": [owner]}


def belongs_to_swarm(item: KubernetesObject, env: JobEnvironment) -> bool:
    """Whether a record is this very swarm's, not that of an earlier one of its name."""
    return is_record(item, env.uid, env.swarm)
