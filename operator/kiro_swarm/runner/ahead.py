"""Looking ahead beside an attempt: would its work merge as it is now?

Made once for a runner; an attempt asks it with every heartbeat. Guarantees: the event
loop waits for nothing, one look at a time, and whatever goes wrong is a line in
the log and no answer: an attempt never depends on it.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Awaitable, Callable, Optional

from kiro_swarm.workspace.errors import WorkspaceError
from kiro_swarm.workspace.lookahead import Lookahead, Prediction

log = logging.getLogger(__name__)

#: Branch of the attempt -> what a merge would say; None: nothing new.
Look = Callable[[str], Awaitable[Optional[Prediction]]]


class Ahead:
    """Calls ``lookahead`` in a thread of its own; is a ``Look``."""

    def __init__(self, lookahead: Lookahead) -> None:
        self._lookahead = lookahead
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lookahead")
        self._last_error = ""

    async def __call__(self, branch: str) -> Optional[Prediction]:
        """See ``Look``; never raises."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(
                self._thread, self._lookahead.look, branch
            )
        except (WorkspaceError, OSError) as error:
            if str(error) != self._last_error:
                log.warning("%s: cannot look ahead: %s", branch, error)
            self._last_error = str(error)
        except Exception:
            log.exception("%s: cannot look ahead", branch)
        return None
