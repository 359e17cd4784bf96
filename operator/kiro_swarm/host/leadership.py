"""Leadership as a part: what comes after it in the list runs in the leader only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Callable, Optional

from kiro_swarm.cluster.errors import ClusterError
from kiro_swarm.cluster.leases import Leader
from kiro_swarm.observe.health import Health, ReflectiveModule

log = logging.getLogger(__name__)
_RELEASE_SECONDS = 5


class Leadership(ReflectiveModule):
    """Whether this process is the one that decides. A standby is alive and ready.

    Ends by itself when the leadership is lost.

    :param leader: None: no election, this is the only operator.
    """

    def __init__(self, leader: Optional[Leader]) -> None:
        super().__init__("leadership")
        self._leader = leader
        self._leading = False

    def health(self) -> Health:
        """A standby is well; it says that it stands by."""
        return self.judge(True, () if self._leading else ("standing by",))

    async def run(self, begun: Callable[[], None]) -> None:
        """Wait for the leadership, keep it, and give it up at the end.

        By then everything that decides has stopped, so the next leader need not wait.
        """
        if self._leader is not None:
            await self._leader.acquire()
        self._leading = True
        begun()
        if self._leader is None:
            await asyncio.Event().wait()
            return
        try:
            await self._leader.hold()
            log.error("the leadership is lost: another operator has it")
        finally:
            self._leading = False
            with contextlib.suppress(ClusterError, asyncio.TimeoutError):
                await asyncio.wait_for(self._leader.release(), _RELEASE_SECONDS)
