"""An operator on a fake API server, with a clock that tests move.

``World`` is the operator: its context, its queue, its reconciles, one at a time. Its watch
is the store's own list of changes. ``surroundings.Cluster`` is everything else.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Optional, TypeVar

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import (
    COMMANDS,
    INSTANCES,
    SWARMS,
    TASKS,
    WATCHED,
    AnyResource,
)
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.engine.events import on_event
from kiro_swarm.reconcile.engine.queue import WorkQueue
from kiro_swarm.reconcile.engine.watches import list_all
from kiro_swarm.reconcile.settings import OperatorSettings
from kiro_swarm.reconcile.worker import RECONCILERS
from tests.support.fake_api import FakeApi, client_of, fake_api
from tests.unit.reconcile.surroundings import (
    NAMESPACE,
    Clock,
    Cluster,
    Object,
    body,
    swarm_spec,
)

T = TypeVar("T")
SETTINGS = OperatorSettings(image="kiro-swarm:test")
#: An edge of a diamond: 1 before 2 and 3, both before 4.
DIAMOND = {"1": [], "2": ["1"], "3": ["1"], "4": ["2", "3"]}


class World:
    """One operator process, and the cluster that it is in."""

    def __init__(
        self,
        api: FakeApi,
        client: Client,
        clock: Clock,
        graph: dict[str, list[str]],
        settings: OperatorSettings,
    ) -> None:
        self.api, self.client, self.clock = api, client, clock
        self.graph, self.settings = graph, settings
        #: What the watches say nothing about; a list at the start tells it all the same.
        self.deaf: tuple[AnyResource, ...] = ()
        #: Whether what is refused is tried again, as by the workers, and no defect.
        self.tolerant = False
        self._hurries = False
        self.begin_again()

    def hurry(self) -> None:
        """Have this operator not wait for answers that a test keeps back.

        It waits for all others, and the next second does not come before they are there, however
        slow the machine is.
        """
        self._hurries = True
        self.ctx.step_memory.wait = self._while_it_comes

    async def _while_it_comes(self, answer: asyncio.Future[T], seconds: float) -> None:
        stuck = asyncio.ensure_future(self.api.traffic.stuck())
        try:
            either: set[asyncio.Future[Any]] = {answer, stuck}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if stuck.done():
                stuck.result()
        finally:
            stuck.cancel()

    def begin_again(self) -> None:
        """An empty cluster, a new operator, the first second."""
        self.api.forget()
        self.clock.seconds = 0.0
        self.cluster = Cluster(self.api, self.clock, self.graph)
        self.ctx = self._context()
        self._seen = 0

    def _context(self) -> Context:
        ctx = Context(
            client=self.client,
            cache=Cache(),
            queue=WorkQueue(self.clock.monotonic),
            settings=self.settings,
            now=self.clock.now,
            monotonic=self.clock.monotonic,
        )
        if self._hurries:
            ctx.step_memory.wait = self._while_it_comes
        return ctx

    async def restart(self) -> None:
        """A new process: nothing is remembered, everything is listed."""
        self.ctx = self._context()
        self._seen = len(self.api.store.changes)
        await list_all(self.ctx)

    def another(self) -> World:
        """A second operator process in the same cluster; ``restart`` begins it."""
        other = copy.copy(self)
        other.ctx = self._context()
        return other

    def apply_swarm(self, name: str = "demo", **changes: Any) -> None:
        """A person applies a KiroSwarm."""
        swarm = body(SWARMS, name, swarm_spec(**changes))
        self.api.store.create(SWARMS, NAMESPACE, swarm)

    def edit_swarm(self, name: str = "demo", **changes: Any) -> None:
        """A person changes its spec."""
        self.api.store.patch(SWARMS, NAMESPACE, name, {"spec": changes})

    def say(self, sentence: str, name: str = "word", **spec: Any) -> None:
        """A person applies a SwarmCommand."""
        spec = {"swarm": "demo", "command": sentence, **spec}
        self.api.store.create(COMMANDS, NAMESPACE, body(COMMANDS, name, spec))

    def answer(self, name: str = "word") -> Object:
        """What became of a command."""
        return self.cluster.status(COMMANDS, name)

    def status(self, name: str = "demo") -> Object:
        """Status of the swarm."""
        return self.cluster.status(SWARMS, name)

    def conditions(self, name: str = "demo") -> dict[str, tuple[str, str]]:
        """Condition -> status and reason."""
        return {
            item["type"]: (item["status"], item["reason"])
            for item in self.status(name).get("conditions", [])
        }

    @property
    def heard(self) -> int:
        """Version of the last news that were delivered."""
        changes = self.api.store.changes[: self._seen]
        return changes[-1].version if changes else 0

    def listen(self) -> bool:
        """Deliver what the watches have to say; whether there was anything."""
        news = self.api.store.changes[self._seen :]
        self._seen += len(news)
        for change in news:
            if change.resource in WATCHED and change.resource not in self.deaf:
                item: Any = dict(change.after or change.before or {})
                gone = not change.after
                on_event(self.ctx, change.resource, item, gone=gone)
        return bool(news)

    async def settle(self) -> None:
        """Reconcile until nothing is left to be done at this moment."""
        for _ in range(1000):
            if self._hurries:
                await self.api.traffic.at_rest()
            self.listen()
            key = await self._next()
            if key is None:
                if not self.listen():
                    return
                continue
            await self._reconcile(key)
            if self.api.crashed:
                raise ConnectionError("the operator is dead")
        raise AssertionError("the operator never comes to rest")

    async def live(self, steps: int) -> None:
        """Let operator and cluster take turns, a second each, until nothing moves."""
        quiet = 0
        for _ in range(steps):
            before = self.api.store.version
            await self.settle()
            self.cluster.step()
            self.clock.seconds += 1.0
            quiet = quiet + 1 if self.api.store.version == before else 0
            if quiet == 3:
                break
        await self.settle()

    async def live_killed_after(self, write: int, steps: int) -> None:
        """Live; if the operator makes so many writes it dies, and a new one lives on."""
        self.api.crash_after(write)
        try:
            await self.live(steps)
        except ConnectionError:
            self.api.revive()
            await self.restart()
            await self.live(steps)

    async def _reconcile(self, key: Key) -> None:
        queue = self.ctx.queue
        try:
            await RECONCILERS[key.resource](self.ctx, key)
        except (errors.Conflict, errors.Unavailable, errors.NotFound) as error:
            queue.failed(key, error.retry_after)
        except errors.ClusterError as error:
            if not self.tolerant:
                raise
            queue.failed(key, error.retry_after)
        else:
            queue.succeeded(key)
        finally:
            queue.done(key)

    async def _next(self) -> Optional[Key]:
        """The next key that is due, without waiting for time to pass."""
        waiting = asyncio.ensure_future(self.ctx.queue.take())
        for _ in range(4):
            await asyncio.sleep(0)
        if not waiting.done():
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            return None
        key = waiting.result()
        assert isinstance(key, Key)
        return key

    def everything(self) -> dict[str, Any]:
        """All that matters, without uids, times and versions, to compare two worlds."""
        cluster = self.cluster
        found: dict[str, Any] = {
            resource.plural: sorted(
                item["metadata"]["name"] for item in cluster.all(resource)
            )
            for resource in cluster.store.resources
            if resource.plural != "events"  # a courtesy: lost when the operator dies
        }
        found["states"] = self._fields(
            TASKS, "state", "attempt", "branch", "failures", "instance"
        )
        found["phases"] = self._fields(INSTANCES, "phase", "restarts", "pod", "task")
        found["status"] = self._fields(
            SWARMS, "phase", "message", "progress", "readiness", "tasks", "prepare"
        )
        for swarm in cluster.names(SWARMS):
            found[f"conditions of {swarm}"] = self.conditions(swarm)
            integration = self.status(swarm).get("integration") or {}
            found[f"batch of {swarm}"] = integration.get("batch")
        return found

    def _fields(self, resource: AnyResource, *fields: str) -> Object:
        return {
            item["metadata"]["name"]: {
                field: (item.get("status") or {}).get(field) for field in fields
            }
            for item in self.cluster.all(resource)
        }


@contextlib.asynccontextmanager
async def a_world(
    folder: Path,
    graph: Optional[dict[str, list[str]]] = None,
    settings: OperatorSettings = SETTINGS,
) -> AsyncIterator[World]:
    """A world without any object yet."""
    clock = Clock()
    async with fake_api(clock.now) as api, client_of(api, folder) as client:
        yield World(api, client, clock, graph or DIAMOND, settings)
