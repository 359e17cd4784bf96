"""Objects with a name that is made of their owner's: never taken for another's.

Called by whoever makes such an object, finds its name taken (``Context.create``) and goes by what
is there. Anybody may make an object of any name before we do, so a name proves nothing: the uid
of the owner that stands in it does.
"""

from __future__ import annotations

from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import SWARMS, ObjectT, Resource, StatusT
from kiro_swarm.policy.ownership import all_of_kind, same_owner
from kiro_swarm.reconcile.engine.context import Context


async def must_be_ours(
    ctx: Context, resource: Resource[ObjectT, StatusT], namespace: str, body: ObjectT
) -> None:
    """Nothing where what stands in the place of ``body`` has the same owner.

    Raises errors.NameTaken: it is somebody else's.
    Raises errors.NotFound: it is gone: try again.
    """
    name = body["metadata"]["name"]
    there = await ctx.client.find(resource, namespace, name)
    if there is None:
        raise errors.NotFound(f"{resource.kind} {name} has gone")
    if not same_owner(there, body):
        raise errors.NameTaken(
            f"{resource.kind} {name} is there already and is somebody else's; delete it"
        )


async def make_ours(
    ctx: Context, resource: Resource[ObjectT, StatusT], namespace: str, body: ObjectT
) -> bool:
    """Make ``body``, or find it made; False: one of an earlier swarm is about to go.

    Raises errors.NameTaken: what is there is somebody else's, and stays.
    """
    if await ctx.create(resource, namespace, body) is not None:
        return True
    name = body["metadata"]["name"]
    there = await ctx.client.find(resource, namespace, name)
    if there is None:
        raise errors.NotFound(f"{resource.kind} {name} has gone")
    if same_owner(there, body):
        ctx.remember(resource, there)
        return True
    if is_leaving(ctx, there):
        return False
    raise errors.NameTaken(
        f"{resource.kind} {name} is there already and is somebody else's; delete it"
    )


async def made_or_passed(
    ctx: Context, resource: Resource[ObjectT, StatusT], namespace: str, body: ObjectT
) -> bool:
    """Make ``body``, or find it made; False: the name is another's, for whom it may be.

    For names that go by a number, of which there are others.
    """
    try:
        return await make_ours(ctx, resource, namespace, body)
    except errors.NameTaken:
        return False


def is_leaving(ctx: Context, item: KubernetesObject) -> bool:
    """Whether an object is about to go: its end has begun, or its swarm is gone."""
    metadata = item["metadata"]
    if metadata.get("deletionTimestamp"):
        return True
    swarms = all_of_kind(item, SWARMS.kind)
    there = {
        uid: ctx.cache.get(SWARMS, metadata["namespace"], name)
        for uid, name in swarms.items()
    }
    return bool(swarms) and not any(
        swarm is not None and swarm["metadata"]["uid"] == uid
        for uid, swarm in there.items()
    )
