"""The operator's own watches, for the kinds that change all the time.

Started by the operator process beside kopf, which watches the others. A swarm of a thousand
tasks makes five thousand events of KiroTasks, and its pods as many; for each of them kopf
keeps a queue, a worker and a memory of the object, and none of that is used here: an event
goes into the cache and wakes whom it concerns.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Optional

from kiro_swarm.api.meta import GROUP, LABEL_MANAGED_BY, MANAGED_BY
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import LEASES, Resource
from kiro_swarm.reconcile.engine.context import Context

log = logging.getLogger(__name__)
#: Seconds before a watch that cannot be begun is tried again.
_FIRST_DELAY = 0.2
_LONGEST_DELAY = 8.0


def selector_of(resource: Resource) -> Optional[str]:
    """Label selector of what concerns us: all of our own kinds, else what we made."""
    return None if resource.group == GROUP else f"{LABEL_MANAGED_BY}={MANAGED_BY}"


async def follow(ctx: Context, resource: Resource) -> None:
    """Keep the cache up to date with one kind, for ever, whatever the API server does."""
    delay = _FIRST_DELAY

    def listening() -> None:
        if resource is LEASES:
            ctx.listening_since = ctx.monotonic()

    while True:
        try:
            watch = ctx.client.watch(
                resource, None, labels=selector_of(resource), on_list=listening
            )
            async for kind, item in watch:
                delay = _FIRST_DELAY
                item.setdefault("apiVersion", resource.api_version)
                item.setdefault("kind", resource.kind)
                if kind == "GONE":
                    ctx.forget(resource, item)
                else:
                    ctx.remember(resource, item)
        except errors.ClusterError as error:
            log.info("watch of %s: %s", resource.plural, error)
            await asyncio.sleep(error.retry_after or delay)
            delay = min(_LONGEST_DELAY, 2 * delay)
