"""Objects with a name that is made of their owner's: made once, and never taken for another's.

Called by whoever makes such an object and goes by it. Anybody may make an object of any name
before we do, so a name proves nothing: the uid of the owner that stands in it does.
"""

from __future__ import annotations

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import ObjectT, Resource, StatusT
from kiro_swarm.policy.ownership import same_owner
from kiro_swarm.reconcile.engine.context import Context


async def make_owned(
    ctx: Context,
    resource: Resource[ObjectT, StatusT],
    namespace: str,
    body: ObjectT,
) -> None:
    """Make ``body``; one that is there already is as good if it has the same owner.

    Raises errors.NameTaken: it is there and is somebody else's.
    Raises errors.NotFound: it was there, and is gone: try again.
    """
    if await ctx.create(resource, namespace, body) is not None:
        return
    name = body["metadata"]["name"]
    # A list, which the operator may read of everything that it makes.
    found, _ = await ctx.client.list(
        resource, namespace, fields=f"metadata.name={name}"
    )
    if not found:
        raise errors.NotFound(f"{resource.kind} {name} has gone")
    if not same_owner(found[0], body):
        raise errors.NameTaken(
            f"{resource.kind} {name} is there already and is somebody else's; delete it"
        )
