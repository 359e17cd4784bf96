"""The event loop as a part: a probe that is answered late says so."""

from __future__ import annotations

import asyncio
import time
from typing import Callable

from kiro_swarm.observe.health import Health, ReflectiveModule

_LAG_LIMIT = 10.0


class Loop(ReflectiveModule):
    """Notices when nothing runs.

    :param limit: seconds without a beat after which only a restart helps.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        limit: float = _LAG_LIMIT,
    ) -> None:
        super().__init__("event loop")
        self._clock, self._limit = clock, limit
        self._beat = clock()

    def health(self) -> Health:
        """Not alive when nothing has run for a while."""
        lag = self._clock() - self._beat
        good = lag < self._limit
        reasons = () if good else (f"nothing ran for {lag:.0f} s",)
        return self.judge(good, reasons, alive=good)

    async def run(self, begun: Callable[[], None]) -> None:
        """Beat for ever."""
        begun()
        while True:
            self._beat = self._clock()
            await asyncio.sleep(1)
