"""kopf's handlers: what people see and write. What machines write in masses comes through
our own watch (``reconcile/engine/watches.py``); behind both is ``on_event``.
"""

from __future__ import annotations

from typing import Any

import kopf

from kiro_swarm.api.meta import GROUP, VERSION
from kiro_swarm.cluster.resources import COMMANDS, INSTANCES, SWARMS, AnyResource
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.events import on_event


def register(registry: kopf.OperatorRegistry, ctx: Context) -> None:
    """Have kopf tell this operator of the kinds that people write."""

    @kopf.on.event(GROUP, VERSION, SWARMS.plural, registry=registry)
    async def kiroswarm(event: Any, **_: Any) -> None:
        _take(ctx, SWARMS, event)

    @kopf.on.event(GROUP, VERSION, INSTANCES.plural, registry=registry)
    async def kiroinstance(event: Any, **_: Any) -> None:
        _take(ctx, INSTANCES, event)

    @kopf.on.event(GROUP, VERSION, COMMANDS.plural, registry=registry)
    async def swarmcommand(event: Any, **_: Any) -> None:
        _take(ctx, COMMANDS, event)


def _take(ctx: Context, resource: AnyResource, event: Any) -> None:
    if event["type"] is None:
        # kopf lists: at the start, or anew after 410 Gone. It does not tell what vanished.
        ctx.doubts.add(resource)
    on_event(ctx, resource, event["object"], gone=event["type"] == "DELETED")
