"""What a Job makes for its swarm, and what it reads of it: this very one's, and no other's.

A name, and ``spec.swarm``, are those of an earlier swarm as well, of which something may be left,
and anybody can write them.
"""

from __future__ import annotations

from typing import Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.kubernetes import KubernetesObject, ObjectMeta, OwnerReference
from kiro_swarm.api.meta import (
    LABEL_COMPONENT,
    LABEL_MANAGED_BY,
    LABEL_SWARM,
    MANAGED_BY,
)
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.api.task import KiroTask, State
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import SWARMS, TASKS
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.policy.ownership import belongs_to, is_record, is_same, owned
from kiro_swarm.workspace.errors import WorkspaceError


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


async def swarm_of(client: Client, env: JobEnvironment) -> KiroSwarm:
    """The KiroSwarm that this Job was made for.

    Raises WorkspaceError: there is another one of its name by now.
    """
    swarm = await client.get(SWARMS, env.namespace, env.swarm)
    if not is_same(swarm, env.uid):
        raise WorkspaceError(
            f"KiroSwarm {env.swarm} is another one than this Job was made for",
            reason="SwarmReplaced",
        )
    return swarm


def has_begun(swarm: KiroSwarm) -> bool:
    """Whether it was prepared, so that its volume has an integration branch of its own."""
    return bool((status_of(swarm).get("integration") or {}).get("base"))


async def tasks_of(
    client: Client, env: JobEnvironment, state: Optional[State] = None
) -> list[KiroTask]:
    """The KiroTasks of the swarm, or those that are in a state."""
    fields = selector(env, state)
    found, _ = await client.list(TASKS, env.namespace, fields=fields)
    return owned(found, env.uid)


def selector(env: JobEnvironment, state: Optional[State] = None) -> str:
    """Field selector of the KiroTasks that say they are the swarm's."""
    fields = f"spec.swarm={env.swarm}"
    return fields if state is None else f"{fields},status.state={state}"


async def task_of(client: Client, env: JobEnvironment, name: str) -> Optional[KiroTask]:
    """The KiroTask of this name; None where that is not of the swarm.

    Raises errors.NotFound: there is none.
    """
    task = await client.get(TASKS, env.namespace, name)
    return task if belongs_to(task, env.uid) else None
