"""A clock that tests move, and a small API server for the tasks of one instance."""

from __future__ import annotations

import asyncio
import copy
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any, AsyncIterator, Optional

from kiro_swarm.cluster import errors

START = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
BASE = "b" * 40
COMMIT = "c" * 40
#: The uid of the pod that tasks are bound to.
POD = "pod-uid"


def uid(name: str) -> str:
    """The uid of the task of that name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


class FakeClock:
    """Time passes when ``advance`` says so; sleepers wake in order."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.seconds + seconds, waiting))
        await waiting

    async def advance(self, seconds: float) -> None:
        until = self.seconds + seconds
        while True:
            await settle()
            due = [entry for entry in self._sleepers if entry[0] <= until]
            if not due:
                break
            first = min(due, key=lambda entry: entry[0])
            self._sleepers.remove(first)
            self.seconds = max(self.seconds, first[0])
            if not first[1].done():
                first[1].set_result(None)
        self.seconds = until
        await settle()


async def settle() -> None:
    """Let everything that can run without time passing run."""
    for _ in range(50):
        await asyncio.sleep(0)


class FakeApi:
    """KiroTasks with resource versions, conflicts and a watch, as the server has them.

    ``outage`` makes all calls fail, ``refusing`` forbids them; ``writes`` are the accepted
    status patches.
    """

    def __init__(self, instance: str) -> None:
        self.instance = instance
        self.tasks: dict[str, Any] = {}
        self.writes: list[tuple[str, Any]] = []
        self.leases: list[bool] = []
        self.outage = False
        self.refusing = False
        self.conflicts = 0
        self._version = 0
        self._events: Optional[asyncio.Queue[tuple[str, Any]]] = None

    def put(self, name: str, **status: Any) -> None:
        """What the operator or a person writes: a status, merged."""
        task = self.tasks.get(name) or {
            "metadata": {"name": name, "uid": uid(name)},
            "spec": {"id": name, "title": "Title", "maxAttempts": 3},
            "status": {},
        }
        self._store(name, {**task, "status": _merged(task["status"], status)})

    def bind(self, name: str, attempt: int = 1, **status: Any) -> None:
        place = {"state": "Bound", "instance": self.instance, "podUid": POD}
        self.put(name, **{**place, "attempt": attempt, **status})

    def delete(self, name: str) -> None:
        self._tell("GONE", self.tasks.pop(name))

    def status(self, name: str) -> Any:
        status: Any = self.tasks[name]["status"]
        return status

    def replay(self, task: Any) -> None:
        """Deliver an event that is older than what was seen already."""
        self._tell("SET", task)

    def deafen_watch(self) -> None:
        """From now on the watch is open and says nothing."""
        self._events = None

    def break_watch(self) -> None:
        """End the watch as a server does that goes away."""
        self.outage = True
        if self._events is not None:
            self._events.put_nowait(("CUT", {}))

    async def watch_mine(self) -> AsyncIterator[tuple[str, Any]]:
        self._check()
        events = self._events = asyncio.Queue()
        for task in list(self.tasks.values()):
            if task["status"].get("instance") == self.instance:
                yield "SET", copy.deepcopy(task)
        while True:
            kind, task = await events.get()
            if kind == "CUT":
                raise errors.Unavailable("connection refused")
            yield kind, task

    async def list_mine(self) -> list[Any]:
        """The tasks that name the instance."""
        self._check()
        mine = self.instance
        return [t for t in self.tasks.values() if t["status"].get("instance") == mine]

    async def read(self, name: str) -> Optional[Any]:
        self._check()
        return copy.deepcopy(self.tasks.get(name))

    async def patch_status(self, name: str, patch: Any, resource_version: str) -> Any:
        self._check()
        if name not in self.tasks:
            raise errors.NotFound(name)
        task = self.tasks[name]
        if self.conflicts or task["metadata"]["resourceVersion"] != resource_version:
            self.conflicts = max(0, self.conflicts - 1)
            raise errors.Conflict("the object has been modified")
        self.writes.append((name, patch))
        self._store(name, {**task, "status": _merged(task["status"], patch)})
        return copy.deepcopy(self.tasks[name])

    async def renew_lease(self, busy: bool) -> None:
        self._check()
        self.leases.append(busy)

    def _check(self) -> None:
        if self.outage:
            raise errors.Unavailable("connection refused")
        if self.refusing:
            raise errors.Forbidden("RBAC: clusterrole not found", 403)

    def _store(self, name: str, task: Any) -> None:
        self._version += 1
        metadata = {**task["metadata"], "resourceVersion": str(self._version)}
        before = (self.tasks.get(name) or {}).get("status", {}).get("instance")
        self.tasks[name] = {**task, "metadata": metadata}
        if task["status"].get("instance") == self.instance:
            self._tell("SET", self.tasks[name])
        elif before == self.instance:
            # A field selector says DELETED for what no longer matches.
            self._tell("GONE", self.tasks[name])

    def _tell(self, kind: str, task: Any) -> None:
        if self._events is not None:
            self._events.put_nowait((kind, copy.deepcopy(task)))


def _merged(old: Any, patch: Any) -> Any:
    merged = {**old, **patch}
    return {key: value for key, value in merged.items() if value is not None}
