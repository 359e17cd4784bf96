"""kopf's handlers: what people see and write. What machines write in masses comes through
our own watch (``reconcile/engine/watches.py``); behind both is ``on_event``.
"""

from __future__ import annotations

from typing import Any

import kopf

from kiro_swarm.api.meta import GROUP, VERSION
from kiro_swarm.cluster.resources import COMMANDS, INSTANCES, SWARMS, AnyResource
from kiro_swarm.handlers import session
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.events import on_event


def register(registry: kopf.OperatorRegistry, ctx: Context) -> None:
    """Have kopf tell this operator of the kinds that people write."""

    @kopf.on.event(GROUP, VERSION, SWARMS.plural, registry=registry)
    async def kiroswarm(event: Any, **_: Any) -> None:
        take(ctx, SWARMS, event)

    @kopf.on.event(GROUP, VERSION, INSTANCES.plural, registry=registry)
    async def kiroinstance(event: Any, **_: Any) -> None:
        take(ctx, INSTANCES, event)

    @kopf.on.event(GROUP, VERSION, COMMANDS.plural, registry=registry)
    async def swarmcommand(event: Any, **_: Any) -> None:
        take(ctx, COMMANDS, event)


def take(ctx: Context, resource: AnyResource, event: Any) -> None:
    """What kopf tells of one object.

    A kind that kopf lists, at the start or anew after 410 Gone, comes into doubt, because
    kopf does not tell what vanished. Our session has seen to that, once a list; without it
    the objects of a list, of type None, are the only sign of one.
    """
    if event["type"] is None and not session.SUPPORTED:
        ctx.unheard.add(resource)
    on_event(ctx, resource, event["object"], gone=event["type"] == "DELETED")
