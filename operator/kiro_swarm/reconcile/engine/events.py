"""The one way of an event, whoever brings it: into the cache, and keys into the queue.

Called by kopf's handlers and by our own watches.
"""

from __future__ import annotations

from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.cluster.resources import AnyResource
from kiro_swarm.reconcile.engine.context import Context


def on_event(
    ctx: Context, resource: AnyResource, item: KubernetesObject, *, gone: bool
) -> None:
    """An object is new, is now like this, or is gone. Late and repeated news are no news.

    :param item: the object as it came over the wire; it is kept.
    """
    item.setdefault("apiVersion", resource.api_version)
    item.setdefault("kind", resource.kind)
    if gone:
        ctx.forget(resource, item)
    else:
        ctx.remember(resource, item)
