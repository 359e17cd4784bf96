"""Objects with a name that is made of their owner's: never taken for another's.

Called by whoever makes such an object, finds its name taken (``Context.create``) and goes by what
is there. Anybody may make an object of any name before we do, so a name proves nothing: the uid
of the owner that stands in it does.
"""

from __future__ import annotations

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import ObjectT, Resource, StatusT
from kiro_swarm.policy.ownership import same_owner
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
