"""Which events reach us, and what is done with them: into the cache, key into the queue."""

from __future__ import annotations

from typing import Any, Callable

import kopf

from kiro_swarm.api.meta import GROUP, LABEL_MANAGED_BY, MANAGED_BY
from kiro_swarm.cluster.resources import BUSY, WATCHED, AnyResource
from kiro_swarm.handlers.settings import configure
from kiro_swarm.reconcile.engine.context import Context


def build_registry(
    ctx: Context, *, on_stop: Callable[[], None]
) -> kopf.OperatorRegistry:
    """A registry of its own, so that two operators in one process share nothing.

    :param on_stop: called when kopf begins to stop. Whatever runs beside kopf has to end
        then: kopf waits for it, five seconds at most.
    """
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    async def startup(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure(settings)

    @kopf.on.cleanup(registry=registry)
    async def cleanup(**_: Any) -> None:
        on_stop()

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> Any:
        return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(
            **kwargs
        )

    for resource in WATCHED:
        if resource not in BUSY:
            _register(registry, resource, ctx)
    return registry


def _register(
    registry: kopf.OperatorRegistry, resource: AnyResource, ctx: Context
) -> None:
    ours = resource.group == GROUP
    labels: Any = None if ours else {LABEL_MANAGED_BY: MANAGED_BY}
    handler_id = f"watch-{resource.plural}"

    @kopf.on.event(
        resource.group,
        resource.version,
        resource.plural,
        id=handler_id,
        registry=registry,
        labels=labels,
    )
    async def seen(event: Any, **_: Any) -> None:
        observe(ctx, resource, event)


def observe(ctx: Context, resource: AnyResource, event: Any) -> None:
    """Take one watch event: the cache learns it, whoever it concerns is queued."""
    item = dict(event["object"])
    item.setdefault("apiVersion", resource.api_version)
    item.setdefault("kind", resource.kind)
    if event["type"] == "DELETED":
        ctx.forget(resource, item)
    else:
        ctx.remember(resource, item)
