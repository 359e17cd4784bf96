"""Lists of everything, and the operator's own watches of what machines write in masses.

Started by the operator process beside kopf, which watches what people see and write. A swarm
of a thousand tasks makes five thousand events of KiroTasks, and its pods as many. kopf does
about thirty times the work of our watch for each, with which an event goes into the cache and
wakes whom it concerns; the figures are in docs/decisions.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Optional

from kiro_swarm.api.meta import (
    COMPONENT_LEDGER,
    GROUP,
    LABEL_COMPONENT,
    LABEL_MANAGED_BY,
    MANAGED_BY,
)
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import CONFIG_MAPS, LEASES, WATCHED, AnyResource
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.events import on_event
from kiro_swarm.reconcile.engine.kept_parts import kept_parts

log = logging.getLogger(__name__)
#: Seconds before a watch that cannot be begun is tried again.
_FIRST_DELAY = 0.2
_LONGEST_DELAY = 8.0
#: Listed objects that are looked at before others get the event loop: of commands each may
#: be a text that takes some milliseconds to be understood.
_AT_A_TIME = 10


def selector_of(resource: AnyResource) -> Optional[str]:
    """Label selector of what concerns us: all of our own kinds, else what we made.

    Of ConfigMaps only the integration ledgers: the others are read when they are needed.
    """
    if resource.group == GROUP:
        return None
    ours = f"{LABEL_MANAGED_BY}={MANAGED_BY}"
    if resource is CONFIG_MAPS:
        return f"{ours},{LABEL_COMPONENT}={COMPONENT_LEDGER}"
    return ours


async def list_all(ctx: Context) -> None:
    """Fill the cache from the API server, and forget what is gone.

    At the start, so that the first decision is made on everything; then now and then, to
    repair what a watch has missed.
    """
    for resource in WATCHED:
        await list_kind(ctx, resource)
    ctx.drop_unknown()


async def list_kind(ctx: Context, resource: AnyResource) -> None:
    """The same for one kind.

    An object that appeared meanwhile is not forgotten: it is newer than the list.
    """
    before = {item["metadata"]["uid"]: item for item in ctx.cache.all(resource)}
    items, version = await ctx.client.list(
        resource, labels=selector_of(resource), keep=partial(kept_parts, resource)
    )
    for item in items:
        before.pop(item["metadata"]["uid"], None)
    # First what is gone: another may have its name by now.
    for gone in before.values():
        if int(gone["metadata"]["resourceVersion"]) <= int(version):
            ctx.forget(resource, gone)
    for number, item in enumerate(items):
        if number % _AT_A_TIME == 0:
            await asyncio.sleep(0)  # whatever the objects are, the loop turns
        ctx.remember(resource, item)


async def follow(ctx: Context, resource: AnyResource) -> None:
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
                on_event(ctx, resource, item, gone=kind == "GONE")
        except errors.ClusterError as error:
            log.info("watch of %s: %s", resource.plural, error)
            await asyncio.sleep(error.retry_after or delay)
            delay = min(_LONGEST_DELAY, 2 * delay)
