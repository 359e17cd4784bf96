"""What fills the cache, as parts: our own watches, and the sweep that repairs them."""

from __future__ import annotations

import asyncio
import gc
import logging
from dataclasses import dataclass
from typing import Callable

from kiro_swarm.cluster.errors import ClusterError
from kiro_swarm.cluster.resources import MACHINES, WATCHED, AnyResource
from kiro_swarm.observe.health import Health, ReflectiveModule
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.watches import follow, list_all, list_kind

log = logging.getLogger(__name__)
#: Containers made and not freed before a collection; collections before an older one's.
_COLLECT = (20_000, 20, 100)
#: Seconds before a list that failed is tried again: twice as many each time.
_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 60.0


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
        gc.set_threshold(*_COLLECT)  # nor while they come
        await list_all(self._ctx)
        self._listing = False
        _spare_the_collector()
        begun()
        await asyncio.gather(*(follow(self._ctx, resource) for resource in MACHINES))


@dataclass(frozen=True)
class _Refused:
    """A kind that could not be listed, and when (loop's time) it is tried again."""

    why: str
    delay: float
    until: float


class Sweep(ReflectiveModule):
    """Lists everything again now and then, to repair what any watch has missed.

    A kind of which something may have vanished unheard is listed at once: kopf does not tell. One
    that cannot be listed is tried again, less and less often, and holds no other kind up.

    :param retry_seconds: the first pause before that.
    """

    def __init__(self, ctx: Context, retry_seconds: float = _RETRY_SECONDS) -> None:
        super().__init__("sweep")
        self._ctx, self._retry_seconds = ctx, retry_seconds
        self._refused: dict[AnyResource, _Refused] = {}

    def health(self) -> Health:
        """Well; says which kinds cannot be listed now, and why."""
        refused = self._refused.items()
        return self.judge(
            True, [f"cannot list {kind.plural}: {one.why}" for kind, one in refused]
        )

    async def run(self, begun: Callable[[], None]) -> None:
        """List every ``sweep_seconds``, and what ``unheard`` says, for ever."""
        begun()
        clock, seconds = (
            asyncio.get_running_loop().time,
            self._ctx.settings.sweep_seconds,
        )
        due = clock() + seconds
        while True:
            next_one = min([due, *(one.until for one in self._refused.values())])
            kinds = set(await self._ctx.unheard.take(max(0.0, next_one - clock())))
            now = clock()
            if now >= due:
                kinds.update(WATCHED)
                due = now + seconds
            for kind, refused in self._refused.items():
                if now >= refused.until:
                    kinds.add(kind)
                else:
                    kinds.discard(kind)  # its turn comes
            for kind in WATCHED:
                if kind in kinds:
                    await self._list(kind)
            if kinds.issuperset(WATCHED):
                self._ctx.drop_unknown()

    async def _list(self, kind: AnyResource) -> None:
        before = self._refused.get(kind)
        try:
            await list_kind(self._ctx, kind)
        except ClusterError as error:
            delay = self._retry_seconds
            if before is not None:
                delay = min(_LONGEST_RETRY_SECONDS, 2 * before.delay)
            pause = max(delay, error.retry_after or 0.0)
            until = asyncio.get_running_loop().time() + pause
            self._refused[kind] = _Refused(str(error), delay, until)
            log.warning("cannot list %s: %s", kind.plural, error)
        else:
            self._refused.pop(kind, None)


def _spare_the_collector() -> None:
    """Let garbage collection pass over what is here to stay.

    The cache is hundreds of thousands of containers without a cycle; looking through all
    of them takes tenths of a second, in which nobody gets an answer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
