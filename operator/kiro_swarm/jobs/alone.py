"""One integrate Job at a time on one volume.

Called by ``integrate``, for merges and for a rescue. The operator makes one Job at a time, and the
Job controller makes a second pod of it when a node is lost, while the first may still run there.
Guarantees: what both would write without git (doubts.py, gate_memory.py), and what one tidies that
the other is about to take, is one's alone; the other waits, and says so when that takes too long.
A Job that is asked to end keeps it until its process ends, for threads are still at work then.
Jobs that prepare and sync do not take it: they write nothing but by git, under the mirror's lock.
Where the volume cannot even be opened for that, what follows says why.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Optional

from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.workspace.errors import RepositoryBusy
from kiro_swarm.workspace.locks import beside, taken

log = logging.getLogger(__name__)

# Earlier releases had theirs in the mirror, where any agent can hold it: it is not asked for.
_ABOUT = ".train"
_POLL_SECONDS = 0.1


@asynccontextmanager
async def alone(env: JobEnvironment) -> AsyncIterator[None]:
    """Hold the volume of the Job for it.

    Raises RepositoryBusy, AnotherJobRuns, when another one holds it for longer than
    ``Limits.other_seconds``.
    """
    descriptor = _opened(env)
    if descriptor is None:
        yield
        return
    try:
        await _locked(env, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    try:
        yield
    except asyncio.CancelledError:
        # What threads are at goes on until the process ends, which gives the lock back.
        raise
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)


def _opened(env: JobEnvironment) -> Optional[int]:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(beside(env.mirror, _ABOUT), flags, 0o660)
    except OSError as error:
        log.warning("whether another Job is at work cannot be told: %s", error)
        return None


async def _locked(env: JobEnvironment, descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    deadline, told = loop.time() + env.limits.other_seconds, False
    while not taken(descriptor):
        if loop.time() > deadline:
            raise RepositoryBusy(
                "another integrate Job is still at work on the volume of the swarm, perhaps"
                " on a node that was lost; nothing was begun beside it",
                reason="AnotherJobRuns",
            )
        if not told:
            log.info("another integrate Job is at work on the volume: it is waited for")
            told = True
        await asyncio.sleep(_POLL_SECONDS)
