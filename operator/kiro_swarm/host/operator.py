"""The operator process: connect, become the leader, fill the cache, watch, work, stop.

Called by the command line and, in tests, inside the test's own process. The composition
root: the only place that knows every part.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Optional

import kopf

from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.errors import ClusterError
from kiro_swarm.cluster.leases import Leader
from kiro_swarm.cluster.resources import BUSY
from kiro_swarm.handlers.registry import build_registry
from kiro_swarm.observe.health import Health, ReflectiveModule, report, serve
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.queue import WorkQueue
from kiro_swarm.reconcile.engine.watches import follow
from kiro_swarm.reconcile.settings import OperatorSettings
from kiro_swarm.reconcile.worker import Workers, list_all, sweep

log = logging.getLogger(__name__)
_LAG_LIMIT = 10.0
#: Containers made and not freed before a collection; collections before an older one's.
_COLLECT = (20_000, 20, 100)


@dataclass(frozen=True)
class ProcessOptions:
    """How this process runs, apart from what it decides."""

    port: int = 8080
    """Port of the probes; 0 for none."""

    identity: str = "operator"
    """Name of this process in the leader Lease."""

    leader_namespace: Optional[str] = None
    """Namespace of the leader Lease; None: no election, this is the only operator."""

    lease_seconds: int = 15
    """The leadership ends this long after the last renewal."""


class Watches(ReflectiveModule):
    """The watches, kopf's and ours, and the cache that they fill."""

    def __init__(self) -> None:
        super().__init__("watches")
        self.synced = False

    def health(self) -> Health:
        """Ready once everything was listed."""
        return self.judge(self.synced, () if self.synced else ("listing objects",))


class Loop(ReflectiveModule):
    """The event loop: a probe that is answered late says so."""

    def __init__(self) -> None:
        super().__init__("event loop")
        self._beat = time.monotonic()

    def health(self) -> Health:
        """Not alive when nothing has run for a while."""
        lag = time.monotonic() - self._beat
        good = lag < _LAG_LIMIT
        reasons = () if good else (f"nothing ran for {lag:.0f} s",)
        return self.judge(good, reasons, alive=good)

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(1)


class Leadership(ReflectiveModule):
    """Whether this process is the one that decides. A standby is alive and ready."""

    def __init__(self) -> None:
        super().__init__("leadership")
        self.leading = False

    def health(self) -> Health:
        """A standby is well; it says that it stands by."""
        return self.judge(True, () if self.leading else ("standing by",))


async def run_operator(
    settings: OperatorSettings,
    options: ProcessOptions,
    *,
    stop: Optional[asyncio.Event] = None,
    ready: Optional[asyncio.Event] = None,
) -> None:
    """Run until ``stop`` is set, a signal comes, or the leadership is lost."""
    stop = stop or asyncio.Event()
    client = Client(await Connection.open(user_agent="kiro-swarm-operator"))
    ctx = Context(
        client=client,
        cache=Cache(),
        queue=WorkQueue(time.monotonic),
        settings=settings,
        now=lambda: datetime.now(timezone.utc),
        monotonic=time.monotonic,
    )
    watches, loop, workers = Watches(), Loop(), Workers(ctx)
    leadership = Leadership()
    modules = [loop, leadership, watches, workers]
    ctx.health = lambda: report(modules)
    probes = (
        await serve([loop, leadership, workers], options.port) if options.port else None
    )
    background = [asyncio.ensure_future(_supervised(loop.run(), stop))]
    leader: Optional[Leader] = None
    try:
        if options.leader_namespace:
            leader = Leader(
                client,
                options.leader_namespace,
                "kiro-swarm-operator",
                options.identity,
                seconds=options.lease_seconds,
                clock=time.monotonic,
            )
            await _first(leader.acquire(), stop.wait())
            if stop.is_set():
                return
            background.append(asyncio.ensure_future(_lead(leader, stop)))
        leadership.leading = True
        await list_all(ctx)
        _spare_the_collector()
        watches.synced = True
        background += [
            asyncio.ensure_future(_supervised(part, stop))
            for part in (
                workers.run(),
                sweep(ctx),
                *(follow(ctx, resource) for resource in BUSY),
            )
        ]
        await kopf.operator(
            registry=build_registry(ctx, on_stop=stop.set),
            clusterwide=True,
            standalone=True,
            stop_flag=stop,
            ready_flag=ready,
        )
    finally:
        stop.set()
        await asyncio.gather(*background, return_exceptions=True)
        if leader is not None and leadership.leading:
            with contextlib.suppress(ClusterError, asyncio.TimeoutError):
                await asyncio.wait_for(leader.release(), 5)
        if probes is not None:
            await probes.cleanup()
        await client.close()


def _spare_the_collector() -> None:
    """Let garbage collection pass over what is here to stay.

    The cache is hundreds of thousands of containers without a cycle; looking through all
    of them takes tenths of a second, in which nobody gets an answer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)


async def _lead(leader: Leader, stop: asyncio.Event) -> None:
    await _first(leader.hold(), stop.wait())
    if not stop.is_set():
        log.error("the leadership is lost: stopping, another operator has it")
        stop.set()


async def _supervised(part: Any, stop: asyncio.Event) -> None:
    """Run a part until the operator stops.

    One that ends by itself is a defect: stop, so that Kubernetes starts us anew.
    """
    work = asyncio.ensure_future(part)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not stop.is_set():
        error = None if work.cancelled() else work.exception()
        log.error("a part of the operator ended by itself: stopping", exc_info=error)
        stop.set()
    work.cancel()
    stopping.cancel()
    await asyncio.gather(work, stopping, return_exceptions=True)


async def _first(*parts: Any) -> None:
    """Wait for the first of several; the others are cancelled, its error is raised."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()
