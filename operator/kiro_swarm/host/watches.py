"""What fills the cache, as parts: our own watches, and the sweep that repairs them."""

from __future__ import annotations

import asyncio
import gc
from typing import Callable, Sequence

from kiro_swarm.cluster.errors import ClusterError
from kiro_swarm.cluster.resources import MACHINES, WATCHED, AnyResource
from kiro_swarm.observe.health import Health, ReflectiveModule
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.watches import follow, list_all, list_kind

#: Containers made and not freed before a collection; collections before an older one's.
_COLLECT = (20_000, 20, 100)
#: Seconds before a list that failed is tried again.
_RETRY_SECONDS = 1.0


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
        await asyncio.gather(*(follow(self._ctx, resource) for resource in MACHINES))


class Sweep(ReflectiveModule):
    """Lists everything again now and then, to repair what any watch has missed.

    A kind in doubt is listed at once: kopf does not tell what vanished across a list.
    """

    def __init__(self, ctx: Context) -> None:
        super().__init__("sweep")
        self._ctx = ctx

    async def run(self, begun: Callable[[], None]) -> None:
        """List every ``sweep_seconds`` and whatever is in doubt, for ever."""
        begun()
        ctx = self._ctx
        due = ctx.monotonic() + ctx.settings.sweep_seconds
        while True:
            kinds = await ctx.doubts.take(max(0.0, due - ctx.monotonic()))
            if not kinds:
                kinds = WATCHED
                due = ctx.monotonic() + ctx.settings.sweep_seconds
            await self._list(kinds)

    async def _list(self, kinds: Sequence[AnyResource]) -> None:
        for place, resource in enumerate(kinds):
            try:
                await list_kind(self._ctx, resource)
            except ClusterError as error:
                for unlisted in kinds[place:]:
                    self._ctx.doubts.add(unlisted)
                await asyncio.sleep(error.retry_after or _RETRY_SECONDS)
                return


def _spare_the_collector() -> None:
    """Let garbage collection pass over what is here to stay.

    The cache is hundreds of thousands of containers without a cycle; looking through all
    of them takes tenths of a second, in which nobody gets an answer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
