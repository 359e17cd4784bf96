"""What every reconcile gets: the cache, the client, the clock, the queue, the settings."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import (
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Optional,
    TypeVar,
    cast,
    overload,
)

from kiro_swarm.api.command import SwarmCommand, SwarmCommandStatus
from kiro_swarm.api.instance import KiroInstance, KiroInstanceStatus
from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.api.meta import LABEL_INSTANCE, LABEL_SWARM
from kiro_swarm.api.swarm_status import KiroSwarm, KiroSwarmStatus
from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.cache import Cache, swarm_of
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import (
    COMMANDS,
    CONFIG_MAPS,
    INSTANCES,
    LEASES,
    SWARMS,
    WATCHED,
    AnyResource,
    ObjectT,
    Resource,
    StatusT,
)
from kiro_swarm.observe.health import Report
from kiro_swarm.reconcile.engine.audit import AuditLog
from kiro_swarm.reconcile.engine.command_facts import flow_of, is_proof
from kiro_swarm.reconcile.engine.elapsed import Elapsed
from kiro_swarm.reconcile.engine.kept_parts import kept_parts
from kiro_swarm.reconcile.engine.queue import WorkQueue
from kiro_swarm.reconcile.engine.remembered import Remembered
from kiro_swarm.reconcile.engine.steps import StepMemory
from kiro_swarm.reconcile.settings import OperatorSettings

T = TypeVar("T")
#: Requests that a reconcile may have under way.
AT_ONCE = 64


@dataclass(frozen=True)
class Key:
    """What a worker reconciles: an object of one of our kinds. ``Context.key`` makes it."""

    cluster: str
    resource: AnyResource
    namespace: str
    name: str
    flow: str = field(default="", compare=False)
    """Whose work it is, for the queue; of an object of ours empty. See ``flow_of``."""


@dataclass
class Stored:
    """What is stored: the objects in one cluster, and what we know of them."""

    client: Client
    """Reads and writes the objects of the cluster."""

    cache: Cache
    """The last seen version of each. Says which cluster it is."""


@dataclass
class Alive:
    """What is alive: what moves this process. Several clusters may share it."""

    queue: WorkQueue
    """Whose turn it is."""

    settings: OperatorSettings
    """What the operator was told when it started."""

    now: Callable[[], datetime]
    """The time that people read."""

    monotonic: Callable[[], float]
    """The time that silence and delays are measured in."""

    health: Callable[[], list[Report]] = list
    """Health of every long-lived part of this process, for ``status swarm detailed``."""


@dataclass
class Context(Remembered, Alive, Stored):
    """One operator's means in one cluster: everything that a reconcile may touch.

    The three parts are its bases; who needs one of them may ask for no more. A second
    cluster is a second context, with the same queue.
    """

    def __post_init__(self) -> None:
        self.audit = AuditLog(self.client)
        self.step_memory = StepMemory(self.monotonic)
        self.elapsed = Elapsed(self.monotonic)

    @property
    def cluster(self) -> str:
        """Which cluster this is."""
        return self.cache.cluster

    def key(self, resource: AnyResource, namespace: str, name: str) -> Key:
        """The key of an object in this cluster."""
        flow = ""
        if resource is COMMANDS:
            known = self.cache.get(COMMANDS, namespace, name)
            flow = "" if known is None else flow_of(known)
        return Key(self.cache.cluster, resource, namespace, name, flow)

    async def create(
        self, resource: Resource[ObjectT, StatusT], namespace: str, body: ObjectT
    ) -> Optional[ObjectT]:
        """Create ``body`` and remember it. None when the name is taken: see ``owned``."""
        try:
            made = await self.client.create(resource, namespace, body)
        except errors.AlreadyExists:
            return None
        self.remember(resource, made)
        return made

    @overload
    async def patch_status(
        self,
        resource: Resource[KiroTask, KiroTaskStatus],
        item: KiroTask,
        status: KiroTaskStatus,
    ) -> KiroTask: ...

    @overload
    async def patch_status(
        self,
        resource: Resource[KiroInstance, KiroInstanceStatus],
        item: KiroInstance,
        status: KiroInstanceStatus,
    ) -> KiroInstance: ...

    @overload
    async def patch_status(
        self,
        resource: Resource[SwarmCommand, SwarmCommandStatus],
        item: SwarmCommand,
        status: SwarmCommandStatus,
    ) -> SwarmCommand: ...

    @overload
    async def patch_status(
        self,
        resource: Resource[KiroSwarm, KiroSwarmStatus],
        item: KiroSwarm,
        status: KiroSwarmStatus,
    ) -> KiroSwarm: ...

    async def patch_status(
        self, resource: AnyResource, item: KubernetesObject, status: object
    ) -> KubernetesObject:
        """Write a status, if the object still is as it was read.

        Raises errors.Conflict: somebody else wrote; the key is reconciled again when
        the watch brings that write, or after the queue's delay.
        """
        metadata = item["metadata"]
        # Of the four pairs above; which, was checked where this was called.
        made = await self.client.patch_status(
            cast("Resource[KiroTask, KiroTaskStatus]", resource),
            metadata["namespace"],
            metadata["name"],
            cast(KiroTaskStatus, status),
            version=metadata["resourceVersion"],
        )
        self.remember(resource, made)
        return made

    async def patch(
        self,
        resource: Resource[ObjectT, StatusT],
        item: ObjectT,
        patch: Mapping[str, object],
    ) -> ObjectT:
        """Merge-patch an object, if it still is as it was read."""
        metadata, wanted = item["metadata"], patch.get("metadata")
        changes = dict(wanted) if isinstance(wanted, Mapping) else {}
        changes["resourceVersion"] = metadata["resourceVersion"]
        body = {**patch, "metadata": changes}
        made = await self.client.patch(
            resource, metadata["namespace"], metadata["name"], body
        )
        self.remember(resource, made)
        return made

    async def delete(self, resource: Resource[ObjectT, StatusT], item: ObjectT) -> None:
        """Delete this very object as it was read, and know that it goes before the watch tells.

        Raises errors.Conflict: it has changed since, and so may what was decided by it.
        """
        metadata = item["metadata"]
        uid, version = metadata["uid"], metadata["resourceVersion"]
        named = metadata["namespace"], metadata["name"]
        with self.step_memory.going.asked(uid):
            leaving = await self.client.delete(
                resource, *named, uid=uid, version=version
            )
        if leaving is not None:
            self.remember(resource, leaving)
        else:
            self.forget(resource, item)

    def remember(self, resource: Resource[ObjectT, StatusT], item: ObjectT) -> None:
        """Put the answer to a write into the cache and wake who depends on it."""
        item = kept_parts(resource, item)
        metadata = item["metadata"]
        before = self.cache.get(resource, metadata["namespace"], metadata["name"])
        if not self.cache.put(resource, item):
            return
        if before is not None and before["metadata"]["uid"] != metadata["uid"]:
            # Its end was not heard of, or will be: a name has one object at a time.
            self.forget(resource, before)
        if resource is LEASES:
            self.last_seen(item)
        self.wake(resource, item)

    def last_seen(self, item: KubernetesObject) -> float:
        """When we saw this version of an object for the first time (monotonic)."""
        uid, version = item["metadata"]["uid"], item["metadata"].get("resourceVersion")
        known = self.heartbeats.get(uid)
        if known is None or known[0] != version:
            known = self.heartbeats[uid] = (version, self.monotonic())
        return known[1]

    def forget(self, resource: Resource[ObjectT, StatusT], item: ObjectT) -> None:
        """Drop an object that is gone, and all that was remembered of it."""
        metadata, uid = item["metadata"], item["metadata"]["uid"]
        known = self.cache.get(resource, metadata["namespace"], metadata["name"])
        if known is not None and known["metadata"]["uid"] == uid:
            item = known  # whoever tells of the end may know no more than the name
        self.cache.remove(resource, item)
        self.drop(uid)
        self.wake(resource, item)
        self._forget_line(resource, item)

    def drop_unknown(self) -> None:
        """Drop what is remembered of objects that are not there: a reconcile may have noted
        something of one that went while it waited for an answer."""
        there = (item for resource in WATCHED for item in self.cache.all(resource))
        self.drop_all_but({item["metadata"]["uid"] for item in there})

    def _forget_line(self, resource: AnyResource, item: KubernetesObject) -> None:
        """What is known of the commands to a swarm, once there is neither it nor any of them."""
        metadata, swarm = item["metadata"], swarm_of(item)
        if resource is SWARMS:
            swarm = metadata["name"]
        elif resource is not COMMANDS:
            return
        namespace = metadata["namespace"]
        there = self.cache.get(SWARMS, namespace, swarm)
        if there is None and not self.cache.has(COMMANDS, namespace, swarm):
            self.backlog.forget_line(namespace, swarm)

    def wake(self, resource: Resource[ObjectT, StatusT], item: ObjectT) -> None:
        """Queue the reconciles that a change of ``item`` concerns."""
        if resource is COMMANDS:
            self._line_up(cast(SwarmCommand, item))
        for key in concerned(self.cache.cluster, resource, item):
            self.queue.add(key)

    def _line_up(self, command: SwarmCommand) -> None:
        """Keep the backlog, and wake who is next when ``command`` no longer blocks."""
        metadata, swarm = command["metadata"], str(command["spec"].get("swarm"))
        namespace = metadata["namespace"]
        known = self.cache.get(COMMANDS, namespace, metadata["name"])
        if known is None or known["metadata"]["uid"] != metadata["uid"]:
            self.backlog.forget(command)  # its name may have another command by now
            self.answered.forget(command)
            too_many = None
        else:
            self.backlog.note(command, self.monotonic())
            too_many = self.answered.note(command)
        following = self.backlog.next(namespace, swarm)
        # What is overtaken is to say so while what overtook it is there to be found.
        late = self.backlog.overtaken(namespace, swarm) if is_proof(command) else []
        again = self.backlog.said_again(command)
        for name in {following, too_many, *again, *late}:
            if name is not None and name != metadata["name"]:
                self.queue.add(self.key(COMMANDS, namespace, name))


def concerned(
    cluster: str, resource: AnyResource, item: KubernetesObject
) -> Iterable[Key]:
    """The keys whose decision depends on ``item``: of a heartbeat none does.

    Who has been silent for too long is found by the clock; there are more heartbeats than
    all other changes together. After an entry of a ledger always comes who tells of it.
    """
    if resource in (LEASES, CONFIG_MAPS):
        return
    metadata = item["metadata"]
    namespace, labels = metadata["namespace"], metadata.get("labels") or {}
    spec = cast("Mapping[str, Mapping[str, str]]", item).get("spec") or {}
    if resource is COMMANDS:
        flow = flow_of(cast(SwarmCommand, item))
        yield Key(cluster, COMMANDS, namespace, metadata["name"], flow)
        return
    if resource is SWARMS:
        yield Key(cluster, SWARMS, namespace, metadata["name"])
        return
    if resource is INSTANCES:
        yield Key(cluster, INSTANCES, namespace, metadata["name"])
    elif labels.get(LABEL_INSTANCE):
        yield Key(cluster, INSTANCES, namespace, labels[LABEL_INSTANCE])
    swarm = spec.get("swarm") or labels.get(LABEL_SWARM)
    if swarm:
        yield Key(cluster, SWARMS, namespace, swarm)


async def side_by_side(calls: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Run calls at once, a bounded number at a time; the first error is raised last.

    What can be done is done: an error in one call does not keep the others from running.
    """
    waiting = enumerate(calls)
    good: dict[int, T] = {}
    bad: dict[int, BaseException] = {}

    async def work() -> None:
        # Taken one by one, so ten thousand calls are not ten thousand tasks at a time.
        for number, call in waiting:
            try:
                good[number] = await call()
            except Exception as error:  # noqa: BLE001 - raised below
                bad[number] = error

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    if bad:
        raise bad[min(bad)]
    return [good[number] for number in sorted(good)]
