"""The instances of a swarm: as many KiroInstances as are wanted, drained before they go."""

from __future__ import annotations

from functools import partial
from typing import Optional

from kiro_swarm.api.instance import KiroInstance
from kiro_swarm.cluster.resources import INSTANCES, LEASES, SWARMS
from kiro_swarm.policy import naming
from kiro_swarm.policy.colours import colour_of
from kiro_swarm.reconcile.engine.context import Context, side_by_side
from kiro_swarm.reconcile.engine.owned import make_ours
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.instances.decision import decide
from kiro_swarm.reconcile.instances.instance import make_pod, observe_instance
from kiro_swarm.reconcile.objects.manifests import is_owned, metadata
from kiro_swarm.reconcile.snapshot.view import View


def missing(view: View) -> list[int]:
    """Numbers of the instances that are wanted and not there."""
    there = {instance["spec"]["index"] for instance in view.instances}
    return [index for index in range(1, view.spec.instances + 1) if index not in there]


def leaving(view: View) -> list[KiroInstance]:
    """Instances beyond the wanted number that have nothing left to do.

    A busy one stays until its task is done; it gets no further one (see ``bind``).
    """
    return [
        instance
        for instance in view.instances
        if instance["spec"]["index"] > view.spec.instances
        and instance["metadata"]["name"] not in view.active
        and not instance["metadata"].get("deletionTimestamp")
    ]


def manifest(view: View, index: int) -> KiroInstance:
    """The KiroInstance number ``index``."""
    colour = colour_of(index)
    return {
        "apiVersion": INSTANCES.api_version,
        "kind": INSTANCES.kind,
        "metadata": metadata(view.swarm, naming.instance_name(view.name, index)),
        "spec": {
            "swarm": view.name,
            "index": index,
            "colour": colour.code,
            "colourName": colour.name,
        },
    }


async def reconcile(ctx: Context, view: View, steps: Steps) -> None:
    """Make the missing instances, let the idle ones beyond the number go."""
    absent = missing(view)
    if absent:
        await _fill(ctx, view, steps, absent)
    given = {one.instance for one in steps.bindings.open(ctx.cache)}
    for instance in leaving(view):
        meta = instance["metadata"]
        if meta["name"] in given:
            continue  # it may have a task: that is not known yet
        left: Optional[KiroInstance] = await steps.take(
            f"delete KiroInstance {meta['name']}",
            partial(ctx.delete, INSTANCES, instance),
            instance,
        )
        if left is not instance:
            gone = partial(_drop_lease, ctx, instance)
            await steps.take(f"delete Lease {meta['name']}", gone, None)


async def _drop_lease(ctx: Context, instance: KiroInstance) -> None:
    """Of an instance that was deleted: garbage collection would take its time."""
    meta = instance["metadata"]
    lease = ctx.cache.get(LEASES, meta["namespace"], meta["name"])
    if lease is not None and is_owned(lease, instance):
        uid = lease["metadata"]["uid"]
        await ctx.client.delete(LEASES, meta["namespace"], meta["name"], uid=uid)


async def _fill(ctx: Context, view: View, steps: Steps, absent: list[int]) -> None:
    """Make instances, each with its pod, before the first word about any of them."""
    ctx.filling.add(view.uid)
    try:
        made = await side_by_side(
            partial(_make, ctx, view, steps, index) for index in absent
        )
    finally:
        ctx.filling.discard(view.uid)
        for instance in ctx.cache.of_swarm(INSTANCES, view.namespace, view.name):
            name = instance["metadata"]["name"]
            ctx.queue.add(ctx.key(INSTANCES, view.namespace, name))
    if not all(made):
        # A namesake of an earlier swarm is still on its way out.
        ctx.queue.add_after(ctx.key(SWARMS, view.namespace, view.name), 1.0)


async def _make(ctx: Context, view: View, steps: Steps, index: int) -> bool:
    """Make one instance, and its pod if it is to have one; False: the name is taken."""
    body = manifest(view, index)
    name = body["metadata"]["name"]
    make = partial(make_ours, ctx, INSTANCES, view.namespace, body)
    if not await steps.take(f"create KiroInstance {name}", make, True, weight="vital"):
        return False
    made = ctx.cache.get(INSTANCES, view.namespace, name)
    if made is None or not is_owned(made, view.swarm):
        return True  # refused: the step says so
    seen = observe_instance(ctx, view.swarm, view.spec, made)
    if seen is not None and decide(seen).create:
        # A pod that is refused, by a quota for one, is the trouble of that instance: its
        # own reconcile tries again and tells.
        pod = partial(make_pod, ctx, view.swarm, view.spec, made)
        await steps.take(f"create the pod of {name}", pod, True, weight="quiet")
    return True
