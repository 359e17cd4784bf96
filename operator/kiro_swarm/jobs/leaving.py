"""Work of a Job that ends soon when its swarm is being deleted.

Called for every Job that moves the branch: while one runs, no other can save what goes with
the volume. Guarantees: what the Job is at gets a moment to end; then it is left as if the Job
had been killed there, which the next one can go on from.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.errors import ClusterError, NotFound
from kiro_swarm.cluster.resources import SWARMS
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.policy.ownership import is_same
from kiro_swarm.workspace.errors import WorkspaceError

log = logging.getLogger(__name__)
T = TypeVar("T")


class SwarmDeletedError(WorkspaceError):
    """The swarm is being deleted: nothing more is done for it but to save its work."""

    reason = "SwarmDeleted"


async def unless_deleted(client: Client, env: JobEnvironment, work: Awaitable[T]) -> T:
    """What the work answers. Raises SwarmDeletedError, and as the work does."""
    at_work = asyncio.ensure_future(work)
    seen = asyncio.ensure_future(_deleted(client, env))
    try:
        await asyncio.wait({at_work, seen}, return_when=asyncio.FIRST_COMPLETED)
        if not at_work.done():
            log.info("the swarm is being deleted")
            await asyncio.wait({at_work}, timeout=env.limits.leave_seconds)
        if at_work.done():
            return at_work.result()
        raise SwarmDeletedError("the swarm is being deleted: the Job ends as it is")
    finally:
        for task in (seen, at_work):
            task.cancel()
        await asyncio.gather(seen, at_work, return_exceptions=True)


async def is_deleted(client: Client, env: JobEnvironment) -> bool:
    """Whether the swarm is on its way out, or another one of its name is there."""
    try:
        swarm = await client.get(SWARMS, env.namespace, env.swarm)
    except NotFound:
        return True
    leaving = bool(swarm["metadata"].get("deletionTimestamp"))
    return leaving or not is_same(swarm, env.uid)


async def _deleted(client: Client, env: JobEnvironment) -> None:
    """Return when the swarm is being deleted; an API server that is away says nothing."""
    while True:
        await asyncio.sleep(env.limits.look_seconds)
        try:
            if await is_deleted(client, env):
                return
        except ClusterError as error:
            log.info("cannot see whether the swarm is being deleted: %s", error)
