"""The end of a finished swarm whose time is up.

Called by the reconcile of a swarm after its status is written. Guarantees: it is deleted as it
was seen, and only where ``delivery`` says that it may go.
"""

from __future__ import annotations

from functools import partial
from typing import Final, Optional

from kiro_swarm.api.swarm_status import KiroSwarmStatus
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster.resources import SWARMS, TASKS
from kiro_swarm.policy.ownership import owned
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.swarms import delivery, integrate

#: What was seen is not what is there: the watch will tell, or a look soon.
_LOOK_AGAIN: Final = 1.0


async def expire(
    ctx: Context,
    view: View,
    steps: Steps,
    train: integrate.Train,
    status: KiroSwarmStatus,
) -> Optional[float]:
    """Delete a finished swarm whose time is up; else seconds until then."""
    when = delivery.expires_at(view, train, status)
    if when is None:
        return None
    ttl = view.spec.ttl_seconds_after_finished or 0
    left = ctx.elapsed.left(view.uid, status.get("finishedAt"), ttl, view.now)
    if left > 0:
        return left
    seen = partial(_is_as_seen, ctx, view)
    if not await steps.take("list its KiroTasks", seen, False):
        return _LOOK_AGAIN
    version = view.swarm["metadata"]["resourceVersion"]
    await steps.take(
        f"delete KiroSwarm {view.name}, whose time is up",
        partial(
            ctx.client.delete,
            SWARMS,
            view.namespace,
            view.name,
            uid=view.uid,
            version=version,
        ),
        None,
    )
    return None


async def _is_as_seen(ctx: Context, view: View) -> bool:
    """Whether no task has changed, by a read: a person may have asked for more work."""
    fields = f"spec.swarm={view.name}"
    tasks, _ = await ctx.client.list(TASKS, view.namespace, fields=fields)
    return _versions(owned(tasks, view.uid)) == _versions(view.tasks)


def _versions(tasks: list[KiroTask]) -> dict[str, str]:
    metadata = (task["metadata"] for task in tasks)
    return {one["uid"]: one["resourceVersion"] for one in metadata}
