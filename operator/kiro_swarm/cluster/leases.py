"""Leases: the heartbeat of an instance and the leadership of an operator.

A Lease is judged by how long *we* have not seen it change, not by the times written in it:
the clocks of two nodes need not agree, only run at the same speed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import datetime, timezone
from typing import Callable, Optional

from typing_extensions import TypedDict

from kiro_swarm.api.kubernetes import Lease, LeaseSpec, OwnerReference
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import LEASES

log = logging.getLogger(__name__)


class Belongs(TypedDict):
    """Labels and owners of a Lease that must be made."""

    labels: dict[str, str]
    ownerReferences: list[OwnerReference]


def _stamp(now: datetime) -> str:
    return now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def renew(
    client: Client,
    namespace: str,
    name: str,
    *,
    holder: str,
    seconds: int,
    now: datetime,
    belongs: Belongs,
) -> None:
    """Renew a Lease that has one writer; make it when it is not there.

    One that somebody else has made becomes the writer's own: nobody goes by it otherwise.
    """
    spec: LeaseSpec = {
        "holderIdentity": holder,
        "leaseDurationSeconds": seconds,
        "renewTime": _stamp(now),
    }
    try:
        patch = {"metadata": dict(belongs), "spec": spec}
        await client.patch(LEASES, namespace, name, patch)
    except errors.NotFound:
        body: Lease = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {
                "name": name,
                "labels": belongs["labels"],
                "ownerReferences": belongs["ownerReferences"],
            },
            "spec": {**spec, "acquireTime": _stamp(now)},
        }
        with contextlib.suppress(errors.AlreadyExists):
            await client.create(LEASES, namespace, body)


class Leader:
    """Leadership by a Lease. ``acquire`` waits for it, ``hold`` keeps it.

    Every status write of a reconcile names the resourceVersion that it read, so a deposed
    leader that wakes up late cannot overwrite anything: its writes conflict.

    :param seconds: the leadership ends this long after the last renewal.
    """

    def __init__(
        self,
        client: Client,
        namespace: str,
        name: str,
        identity: str,
        *,
        seconds: int = 15,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._seconds = seconds
        self._clock = clock
        self._seen: tuple[Optional[str], float] = (None, clock())

    async def acquire(self) -> None:
        """Wait until this process is the leader."""
        while True:
            try:
                if await self._try():
                    return
            except errors.Unavailable as error:
                log.warning("leader lease not read: %s", error)
            await asyncio.sleep(self._seconds / 7)

    async def hold(self) -> None:
        """Renew until the leadership is lost; then return. The caller stops working.

        An API server that does not answer must not make us late: whoever waits for the
        Lease begins when its term is over, so we end at two thirds of it.
        """
        term = self._seconds * 2 / 3
        end = self._clock() + term
        while self._clock() < end:
            await asyncio.sleep(self._seconds / 5)
            asked = self._clock()
            try:
                if not await asyncio.wait_for(self._try(), end - asked):
                    return
                end = asked + term
            except (errors.ClusterError, asyncio.TimeoutError) as error:
                log.warning("leader lease not renewed: %r", error)

    async def release(self) -> None:
        """Give the leadership up, so that the next one need not wait for the expiry."""
        lease = await self._client.get(LEASES, self._namespace, self._name)
        if lease["spec"].get("holderIdentity") == self._identity:
            lease["spec"]["holderIdentity"] = ""
            with contextlib.suppress(errors.Conflict):
                await self._client.replace(LEASES, self._namespace, self._name, lease)

    async def _try(self) -> bool:
        now = datetime.now(timezone.utc)
        spec: LeaseSpec = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._seconds,
            "renewTime": _stamp(now),
        }
        try:
            lease = await self._client.get(LEASES, self._namespace, self._name)
        except errors.NotFound:
            body: Lease = {
                "apiVersion": LEASES.api_version,
                "kind": LEASES.kind,
                "metadata": {"name": self._name},
                "spec": {**spec, "acquireTime": _stamp(now), "leaseTransitions": 0},
            }
            with contextlib.suppress(errors.AlreadyExists):
                await self._client.create(LEASES, self._namespace, body)
                return True
            return False
        held = lease["spec"]
        holder = held.get("holderIdentity") or ""
        if held.get("renewTime") != self._seen[0]:
            self._seen = (held.get("renewTime"), self._clock())
        expired = self._clock() - self._seen[1] > float(
            held.get("leaseDurationSeconds") or self._seconds
        )
        if holder not in ("", self._identity) and not expired:
            return False
        if holder != self._identity:
            spec["acquireTime"] = _stamp(now)
            spec["leaseTransitions"] = int(held.get("leaseTransitions") or 0) + 1
        lease["spec"] = {**held, **spec}
        try:
            await self._client.replace(LEASES, self._namespace, self._name, lease)
        except errors.Conflict:
            return False
        return True
