"""Kinds of which something may have vanished unheard: they are to be listed soon.

kopf's handlers and session put kinds in, when kopf lists one anew; the sweep takes them out.
"""

from __future__ import annotations

import asyncio

from kiro_swarm.cluster.resources import AnyResource


class Unheard:
    """A set that can be waited for. Make it inside the running event loop."""

    def __init__(self) -> None:
        self._kinds: dict[AnyResource, None] = {}
        self._some = asyncio.Event()

    def add(self, resource: AnyResource) -> None:
        """Something of this kind may have vanished unheard."""
        self._kinds[resource] = None
        self._some.set()

    async def take(self, seconds: float) -> tuple[AnyResource, ...]:
        """All such kinds, as soon as there is one; none after so many seconds."""
        # Not `wait_for`: before Python 3.12 it can lose a cancellation.
        waiting = asyncio.ensure_future(self._some.wait())
        try:
            await asyncio.wait({waiting}, timeout=seconds)
        finally:
            waiting.cancel()
        kinds = tuple(self._kinds)
        self._kinds.clear()
        self._some.clear()
        return kinds
