"""What the runner needs of the Kubernetes API, and how it tells its own tasks.

The real `TaskApi` is made of the cluster room; tests bring a small one of their own.
"""

from __future__ import annotations

from typing import Any, AsyncIterator, Mapping, NamedTuple, Optional, Protocol

from kiro_swarm.api.meta import ACTIVE_STATES

Task = Mapping[str, Any]


class TaskApi(Protocol):
    """KiroTasks bound to this instance, and its Lease.

    All methods raise the errors of `kiro_swarm.cluster.errors`.
    """

    def watch_mine(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """("SET", task) for each task bound to this instance, ("GONE", task) after.

        Begins with what is there; after a gap it says GONE for what went meanwhile.
        """
        ...

    async def read(self, name: str) -> Optional[dict[str, Any]]:
        """The task as it is now, None when there is none."""
        ...

    async def patch_status(
        self, name: str, patch: dict[str, Any], resource_version: str
    ) -> dict[str, Any]:
        """Merge `patch` into the status; returns the new object.

        :raises Conflict: the task has moved on from `resource_version`.
        """
        ...

    async def renew_lease(self, busy: bool) -> None:
        """Say that this instance is alive, and whether it works on a task."""
        ...


class Key(NamedTuple):
    """One attempt of one task. The attempt number is the fencing token."""

    uid: str
    attempt: int


def key_of(task: Task) -> Key:
    """Which attempt a task object is at."""
    return Key(
        task["metadata"]["uid"], int((task.get("status") or {}).get("attempt", 0))
    )


def is_bound_to(task: Task, instance: str) -> bool:
    """Whether `instance` is to work, or works, on the task."""
    status = task.get("status") or {}
    return (
        status.get("state") in ACTIVE_STATES
        and status.get("instance") == instance
        and "deletionTimestamp" not in task["metadata"]
    )
