"""What the runner needs of the Kubernetes API, and how it tells its own tasks.

The real ``TaskApi`` is made of the package ``cluster``; tests bring a small one of their own. The
runner's loop puts ``PatientApi`` around either: an API server that has just started answers
before it has read its own roles and accounts, and says 401 and 403 to everybody for some
seconds. A runner that ended then would throw away the work of its agent, so a refusal
counts as an outage until it has lasted for longer than any start takes.
"""

from __future__ import annotations

from typing import (
    AsyncIterator,
    Awaitable,
    NamedTuple,
    Optional,
    Protocol,
    TypeVar,
)

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import ACTIVE_STATES
from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.cluster import errors
from kiro_swarm.runner.clock import Clock

T = TypeVar("T")

#: Refusals that go on for this long are meant.
REFUSED_SECONDS = 60.0
#: Longer than the runner waits between two tries: after such a gap, something was allowed.
_GAP_SECONDS = 20.0


class TaskApi(Protocol):
    """KiroTasks bound to this instance, and its Lease.

    All methods raise the errors of ``kiro_swarm.cluster.errors``.
    """

    def watch_mine(self) -> AsyncIterator[tuple[str, KiroTask]]:
        """("SET", task) for each task bound to this instance, ("GONE", task) after.

        Begins with what is there; after a gap it says GONE for what went meanwhile.
        """
        ...

    async def list_mine(self) -> list[KiroTask]:
        """All tasks that name this instance, as they are now."""
        ...

    async def read(self, name: str) -> Optional[KiroTask]:
        """The task as it is now, None when there is none."""
        ...

    async def patch_status(
        self, name: str, patch: KiroTaskStatus, resource_version: str
    ) -> KiroTask:
        """Merge ``patch`` into the status; returns the new object.

        Raises Conflict: the task has moved on from ``resource_version``.
        """
        ...

    async def renew_lease(self, busy: bool) -> None:
        """Say that this instance is alive, and whether it works on a task."""
        ...


class Key(NamedTuple):
    """One attempt of one task. The attempt number is the fencing token."""

    uid: str
    attempt: int


def key_of(task: KiroTask) -> Key:
    """Which attempt a task object is at."""
    return Key(task["metadata"]["uid"], int(status_of(task).get("attempt", 0)))


class Identity(NamedTuple):
    """Who a runner is: the pod of that uid, which is the one of the instance.

    An instance has one pod after another, and the process of one that was given up for lost
    may live on, on a node that nobody reaches: it must not take what is the next one's.
    ``pod_uid`` is empty in a pod that an older release made. Its runner cannot tell, and goes
    by the instance alone.
    """

    instance: str
    pod_uid: str = ""


def is_bound_to(task: KiroTask, me: Identity) -> bool:
    """Whether this runner is to work, or works, on the task."""
    status = status_of(task)
    return (
        status.get("state") in ACTIVE_STATES
        and status.get("instance") == me.instance
        and (not me.pod_uid or status.get("podUid") == me.pod_uid)
        and "deletionTimestamp" not in task["metadata"]
    )


class PatientApi:
    """A ``TaskApi`` that says Unavailable for Forbidden until that has lasted too long."""

    def __init__(self, api: TaskApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._first: Optional[float] = None
        self._last = 0.0

    async def watch_mine(self) -> AsyncIterator[tuple[str, KiroTask]]:
        """See ``TaskApi.watch_mine``."""
        try:
            async for event in self._api.watch_mine():
                yield event
        except errors.Forbidden as error:
            raise self._judged(error) from error

    async def list_mine(self) -> list[KiroTask]:
        """See ``TaskApi.list_mine``."""
        return await self._ask(self._api.list_mine())

    async def read(self, name: str) -> Optional[KiroTask]:
        """See ``TaskApi.read``."""
        return await self._ask(self._api.read(name))

    async def patch_status(
        self, name: str, patch: KiroTaskStatus, resource_version: str
    ) -> KiroTask:
        """See ``TaskApi.patch_status``."""
        return await self._ask(self._api.patch_status(name, patch, resource_version))

    async def renew_lease(self, busy: bool) -> None:
        """See ``TaskApi.renew_lease``. A heartbeat that is refused ends nothing: no count."""
        await self._api.renew_lease(busy)

    async def _ask(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except errors.Forbidden as error:
            raise self._judged(error) from error

    def _judged(self, error: errors.Forbidden) -> errors.ClusterError:
        now = self._clock.monotonic()
        if self._first is None or now - self._last > _GAP_SECONDS:
            self._first = now
        self._last = now
        if now - self._first >= REFUSED_SECONDS:
            return error
        return errors.Unavailable(error.message, error.status, error.retry_after)
