"""One namespace of a real API server, with the verbs that a test needs.

Nothing here waits by the clock: ``until`` watches and judges every version it is shown.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.resources import (
    CLAIMS,
    COMMANDS,
    CONFIG_MAPS,
    INSTANCES,
    JOBS,
    LEASES,
    NETWORK_POLICIES,
    PODS,
    ROLE_BINDINGS,
    ROLES,
    SERVICE_ACCOUNTS,
    SWARMS,
    TASKS,
    AnyResource,
    Resource,
)
from tests.support.audit import AuditLog
from tests.support.shapes import Object
from tests.support.swarms import command as command_body

#: What a swarm leaves in a namespace where no garbage collector runs.
LEFT = (
    *(SWARMS, COMMANDS, INSTANCES, TASKS, JOBS, PODS, LEASES, CONFIG_MAPS, CLAIMS),
    *(SERVICE_ACCOUNTS, ROLES, ROLE_BINDINGS, NETWORK_POLICIES),
)
NAMESPACES: AnyResource = Resource("", "v1", "namespaces", "Namespace")
_PATIENCE = 30.0
Judge = Callable[[Object], Any]


class World:
    """A namespace, its API server and the audit log of it."""

    def __init__(
        self, connection: Connection, namespace: str, kubeconfig: Path, audit: AuditLog
    ) -> None:
        self._connection = connection
        self.client = Client(connection)
        self.namespace = namespace
        self.kubeconfig = kubeconfig
        self.audit = audit

    @classmethod
    async def make(cls, kubeconfig: Path, audit_log: Path, namespace: str) -> World:
        """The world of a namespace that is made for it."""
        connection = await Connection.open(
            kubeconfig=str(kubeconfig), user_agent="kiro-swarm-tests"
        )
        body = {"metadata": {"name": namespace}}
        await connection.json("POST", NAMESPACES.path(), body=body)
        return cls(connection, namespace, kubeconfig, AuditLog(audit_log))

    async def end(self) -> None:
        """Leave nothing that another operator would find; close the connection."""
        for resource in LEFT:
            await self._connection.json(
                "DELETE",
                resource.path(self.namespace),
                query={"gracePeriodSeconds": "0", "propagationPolicy": "Background"},
            )
        await self._connection.close()

    async def create(self, resource: AnyResource, body: Object) -> Object:
        """Create an object."""
        return await self.client.create(resource, self.namespace, body)

    async def swarm(self, name: str) -> Object:
        """The KiroSwarm as it is now."""
        return await self.client.get(SWARMS, self.namespace, name)

    async def change(self, name: str, **spec: Any) -> None:
        """Change fields of a swarm's spec."""
        await self.client.patch(SWARMS, self.namespace, name, {"spec": spec})

    async def tasks(self, swarm: str) -> Dict[str, Object]:
        """Task id -> KiroTask."""
        items, _ = await self.client.list(
            TASKS, self.namespace, fields=f"spec.swarm={swarm}"
        )
        return {item["spec"]["id"]: item for item in items}

    async def names(self, resource: AnyResource) -> List[str]:
        """Names of the objects of a resource, sorted."""
        items, _ = await self.client.list(resource, self.namespace)
        return sorted(item["metadata"]["name"] for item in items)

    async def say(self, name: str, swarm: str, sentence: str, **spec: Any) -> Object:
        """Apply a SwarmCommand and wait for its answer: its status."""
        await self.create(COMMANDS, command_body(name, swarm, sentence, **spec))
        answered = await self.until(
            COMMANDS, name, lambda item: item.get("status", {}).get("finishedAt")
        )
        status: Object = answered["status"]
        return status

    async def until(
        self, resource: AnyResource, name: str, good: Judge, patience: float = _PATIENCE
    ) -> Object:
        """The first version of an object that ``good`` holds for."""
        last: Optional[Object] = None

        async def wait() -> Object:
            nonlocal last
            watch = self.client.watch(
                resource, self.namespace, fields=f"metadata.name={name}"
            )
            async for kind, item in watch:
                last = item
                if kind == "SET" and good(item):
                    return item
            raise AssertionError("a watch does not end")

        try:
            return await asyncio.wait_for(wait(), patience)
        except asyncio.TimeoutError:
            status = None if last is None else last.get("status")
            raise AssertionError(
                f"{resource.kind} {name} is not as wanted after {patience:.0f} s: {status}"
            ) from None

    async def until_gone(
        self, resource: AnyResource, name: str, patience: float = _PATIENCE
    ) -> None:
        """Wait until there is no such object.

        Asks again and again: a watch that begins after the deletion never tells of it.
        """

        deadline = time.monotonic() + patience
        while name in await self.names(resource):
            assert time.monotonic() < deadline, f"{resource.kind} {name} is still there"
            await asyncio.sleep(0.1)

    async def until_phase(
        self, name: str, phase: str, patience: float = _PATIENCE
    ) -> Object:
        """Wait until a swarm is in a phase."""
        return await self.until(
            SWARMS,
            name,
            lambda item: item.get("status", {}).get("phase") == phase,
            patience,
        )
