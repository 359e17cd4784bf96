"""kopf as a part: it brings what people write, see ``handlers``."""

from __future__ import annotations

import asyncio
from typing import Callable

import kopf

from kiro_swarm.handlers.registry import build_registry
from kiro_swarm.observe.health import ReflectiveModule
from kiro_swarm.reconcile.engine.context import Context


class Kopf(ReflectiveModule):
    """Runs kopf's operator, which also takes the signals of this process.

    :param stop: set when kopf begins to stop by itself, on SIGTERM or SIGINT. What runs
        beside it has to end then: kopf waits for it, five seconds at most.
    """

    def __init__(self, ctx: Context, stop: asyncio.Event) -> None:
        super().__init__("kopf")
        self._ctx, self._stop = ctx, stop

    async def run(self, begun: Callable[[], None]) -> None:
        """Run until cancelled or told to by a signal.

        kopf itself is never cancelled: it would skip its clean-up. It is asked to stop.
        """
        ready, leave = asyncio.Event(), asyncio.Event()
        starting = asyncio.ensure_future(ready.wait())
        working = asyncio.ensure_future(
            kopf.operator(
                registry=build_registry(self._ctx, on_stop=self._stop.set),
                clusterwide=True,
                standalone=True,
                stop_flag=leave,
                ready_flag=ready,
            )
        )
        try:
            await asyncio.wait({starting, working}, return_when=asyncio.FIRST_COMPLETED)
            if ready.is_set():
                begun()
            await asyncio.shield(working)
        finally:
            starting.cancel()
            leave.set()
            await working
