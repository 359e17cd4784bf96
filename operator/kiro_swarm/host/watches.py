"""What fills the cache, as parts: our own watches, and the sweep that repairs them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from typing import Callable

from kiro_swarm.cluster.errors import ClusterError
from kiro_swarm.cluster.resources import BUSY
from kiro_swarm.observe.health import Health, ReflectiveModule
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.watches import follow, list_all

#: Containers made and not freed before a collection; collections before an older one's.
_COLLECT = (20_000, 20, 100)


class Watches(ReflectiveModule):
    """Lists everything, so that the first decision is made on everything; then watches."""

    def __init__(self, ctx: Context) -> None:
        super().__init__("watches")
        self._ctx = ctx
        self._listing = False

    def health(self) -> Health:
        """Ready once everything was listed; a standby has nothing to list."""
        busy = self._listing
        return self.judge(not busy, ("listing objects",) if busy else ())

    async def run(self, begun: Callable[[], None]) -> None:
        """Keep the cache up to date with what changes all the time, for ever."""
        self._listing = True
        await list_all(self._ctx)
        self._listing = False
        _spare_the_collector()
        begun()
        await asyncio.gather(*(follow(self._ctx, resource) for resource in BUSY))


class Sweep(ReflectiveModule):
    """Lists everything again now and then, to repair what any watch has missed."""

    def __init__(self, ctx: Context) -> None:
        super().__init__("sweep")
        self._ctx = ctx

    async def run(self, begun: Callable[[], None]) -> None:
        """List every ``sweep_seconds``, for ever."""
        begun()
        while True:
            await asyncio.sleep(self._ctx.settings.sweep_seconds)
            with contextlib.suppress(ClusterError):
                await list_all(self._ctx)


def _spare_the_collector() -> None:
    """Let garbage collection pass over what is here to stay.

    The cache is hundreds of thousands of containers without a cycle; looking through all
    of them takes tenths of a second, in which nobody gets an answer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
