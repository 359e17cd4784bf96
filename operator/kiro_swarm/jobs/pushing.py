"""The push of the branch, beside the merges: however long a server takes, none waits for it.

Called by the integrate Job (integrate.py). Guarantees: one push at a time; what was merged while
one was under way is pushed after it, and where nothing was, no server is asked again; what failed
is known, and what is merged is safe in the mirror meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Awaitable, Callable, Optional

from kiro_swarm.workspace.errors import WorkspaceError

log = logging.getLogger(__name__)


class Pushing:
    """The pushes of one Job. Made inside the running event loop.

    :param send: pushes what the branch has; the commit that the remote has then.
    :param note: has the ledger tell of it.
    :param head: the commit that the branch has.
    """

    def __init__(
        self,
        send: Callable[[], Awaitable[str]],
        note: Callable[[], Awaitable[None]],
        head: Callable[[], str],
    ) -> None:
        self._send = send
        self._head = head
        self._note = note
        self._wanted = False
        self._work: Optional[asyncio.Task[None]] = None
        #: The commit that the remote has, by the last push that went well.
        self.pushed = ""
        #: Why the last push failed.
        self.error: Optional[WorkspaceError] = None

    @property
    def under_way(self) -> Optional[asyncio.Task[None]]:
        """The push that is not over yet."""
        return None if self._work is None or self._work.done() else self._work

    def begin(self) -> None:
        """Push what the branch has now; when one is under way, after that."""
        self._wanted = True
        if self.under_way is None:
            self._work = asyncio.ensure_future(self._pushes())

    async def settled(self) -> None:
        """Wait for it. Raises what is no trouble with the push."""
        if self._work is not None:
            await self._work

    async def leave(self) -> None:
        """Leave it as it is, as when the Job is killed."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)

    async def _pushes(self) -> None:
        while self._wanted:
            self._wanted = False
            try:
                if self.error is None and self.pushed == self._head():
                    continue
                self.pushed = await self._send()
            except WorkspaceError as error:
                log.warning("the push failed: %s: %s", error.reason, error.message)
                self.error = error
            else:
                self.error = None
                await self._note()
