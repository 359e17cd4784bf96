"""The tasks bound to one instance, as its runner sees them, and its heartbeat.

The runner's port (``runner.ports.TaskApi``) made of the real API: a watch that the API
server filters by ``status.instance``, so a runner receives the tasks of its instance and no
others; which of them are bound to its pod is asked by ``runner.ports.is_bound_to``.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import AsyncIterator, Optional

from kiro_swarm.api.kubernetes import OwnerReference
from kiro_swarm.api.meta import (
    API_VERSION,
    LABEL_INSTANCE,
    LABEL_MANAGED_BY,
    LABEL_SWARM,
    MANAGED_BY,
)
from kiro_swarm.api.swarm import LEASE_HEARTBEATS
from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.cluster import errors, leases
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.policy.ownership import owned


class BoundTasks:
    """KiroTasks bound to ``instance``."""

    def __init__(
        self,
        client: Client,
        *,
        namespace: str,
        swarm: str,
        instance: str,
        instance_uid: str,
        swarm_uid: str = "",
        heartbeat_seconds: int,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._instance = instance
        self._swarm_uid = swarm_uid
        self._mine = f"status.instance={instance}"
        self._seconds = heartbeat_seconds * LEASE_HEARTBEATS
        owner: OwnerReference = {
            "apiVersion": API_VERSION,
            "kind": "KiroInstance",
            "name": instance,
            "uid": instance_uid,
        }
        self._belongs: leases.Belongs = {
            "labels": {
                LABEL_SWARM: swarm,
                LABEL_INSTANCE: instance,
                LABEL_MANAGED_BY: MANAGED_BY,
            },
            "ownerReferences": [owner],
        }

    def watch_mine(self) -> AsyncIterator[tuple[str, KiroTask]]:
        """("SET", task) and ("GONE", task) for the tasks bound to this instance."""
        return self._client.watch(TASKS, self._namespace, fields=self._mine)

    async def list_mine(self) -> list[KiroTask]:
        """All tasks of its swarm that name this instance, as they are now.

        An earlier swarm of the name had an instance of this name, too; in a pod that an older
        release made its tasks cannot be told.
        """
        found, _ = await self._client.list(TASKS, self._namespace, fields=self._mine)
        return owned(found, self._swarm_uid) if self._swarm_uid else found

    async def read(self, name: str) -> Optional[KiroTask]:
        """The task as it is now, None when there is none."""
        try:
            return await self._client.get(TASKS, self._namespace, name)
        except errors.NotFound:
            return None

    async def patch_status(
        self, name: str, patch: KiroTaskStatus, resource_version: str
    ) -> KiroTask:
        """Merge ``patch`` into the status of the task at ``resource_version``."""
        return await self._client.patch_status(
            TASKS, self._namespace, name, patch, version=resource_version
        )

    async def renew_lease(self, busy: bool) -> None:
        """Renew the Lease of the instance; its holder says whether it works."""
        await leases.renew(
            self._client,
            self._namespace,
            self._instance,
            holder=self._instance if busy else f"{self._instance}/idle",
            seconds=self._seconds,
            now=datetime.now(timezone.utc),
            belongs=self._belongs,
        )
