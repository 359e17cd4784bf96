"""The probes as a part: /healthz and /readyz, in which every part speaks."""

from __future__ import annotations

import asyncio
from typing import Callable, Sequence

from kiro_swarm.observe.health import ReflectiveModule, Speaks, serve


class Probes(ReflectiveModule):
    """Serves the health of parts.

    :param parts: who is asked; may still grow.
    :param port: 0: nothing is served.
    """

    def __init__(self, parts: Sequence[Speaks], port: int) -> None:
        super().__init__("probes")
        self._parts, self._port = parts, port

    async def run(self, begun: Callable[[], None]) -> None:
        """Serve until cancelled."""
        server = await serve(self._parts, self._port) if self._port else None
        begun()
        try:
            await asyncio.Event().wait()
        finally:
            if server is not None:
                await server.cleanup()
