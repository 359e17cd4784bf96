"""KiroInstance -> Pod: keeps one pod alive for each instance and says how it is.

Two writes from nothing to Ready beside the instance's own creation: the pod, and the
status once the pod is ready. What is to be done is decided in ``decision``.
"""

from __future__ import annotations

from typing import Final, Optional

from kiro_swarm.api.access import spec_of, status_of
from kiro_swarm.api.instance import (
    InstancePhase,
    KiroInstance,
    KiroInstanceStatus,
)
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import INSTANCES, PODS, SWARMS
from kiro_swarm.policy import naming
from kiro_swarm.policy.conditions import find
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.engine.turns import in_turns
from kiro_swarm.reconcile.instances.decision import (
    Observed,
    decide,
    on_its_way_up,
    pod_ready,
    restarts_of,
    status_after,
)
from kiro_swarm.reconcile.objects.manifests import is_owned
from kiro_swarm.reconcile.objects.pods import (
    instance_pod,
    is_outdated,
    template_hash,
)
from kiro_swarm.reconcile.snapshot.board import board_of, filling

#: As what a swarm is told what is refused of its other objects (swarms/refusals.py).
REFUSED: Final = "CreateRefused"
#: How the message of an instance begins, of which the swarm tells.
POD_REFUSED: Final = "its pod is refused: "


async def reconcile(ctx: Context, key: Key) -> None:
    """Bring one instance a step nearer to what is wanted."""
    instance = ctx.cache.get(INSTANCES, key.namespace, key.name)
    if instance is None:
        ctx.queue.forget(key)
        return
    swarm = ctx.cache.get(SWARMS, key.namespace, instance["spec"]["swarm"])
    if swarm is not None:
        await in_turns(filling(ctx.cache, swarm))
    await _bring_on(ctx, key)


async def _bring_on(ctx: Context, key: Key) -> None:
    instance = ctx.cache.get(INSTANCES, key.namespace, key.name)
    if instance is None or instance["metadata"].get("deletionTimestamp"):
        return
    swarm = ctx.cache.get(SWARMS, key.namespace, instance["spec"]["swarm"])
    if swarm is None or not is_owned(instance, swarm):
        return  # garbage collection takes it along
    if swarm["metadata"]["uid"] in ctx.filling and on_its_way_up(instance):
        return  # whoever fills the swarm makes its pod, and wakes it at the end
    spec = spec_of(swarm)
    if spec is None:
        return
    seen = observe_instance(ctx, swarm, spec, instance)
    if seen is None:
        ctx.queue.add_after(key, 2.0)  # a namesake of before is on its way out
        return
    decision = decide(seen)
    if decision.create:
        try:
            if not await make_pod(ctx, swarm, spec, instance):
                ctx.queue.add_after(key, 1.0)  # the watch brings it, or it goes away
        except (errors.Forbidden, errors.Invalid) as error:
            await _report_refusal(ctx, swarm, seen, error)
            raise
    if decision.delete and seen.pod is not None:
        given = ctx.hindrances.of(swarm["metadata"]["uid"]).bindings.open(ctx.cache)
        promised = any(one.instance == key.name for one in given)
        if promised and seen.task is None and pod_ready(seen.pod):
            ctx.queue.add_after(key, 1.0)  # it may have a task: that is not known yet
            return
        # From here on nobody gives it one.
        with ctx.hindrances.going.asked(seen.pod["metadata"]["uid"]):
            await _write(ctx, instance, decision.status)
            await ctx.delete(PODS, seen.pod)
    else:
        await _write(ctx, instance, decision.status)
    if decision.again_in is not None:
        ctx.queue.add_after(key, decision.again_in)


async def _write(
    ctx: Context, instance: KiroInstance, status: KiroInstanceStatus
) -> None:
    if status != status_of(instance):
        await ctx.patch_status(INSTANCES, instance, status)


def observe_instance(
    ctx: Context, swarm: KiroSwarm, spec: KiroSwarmSpec, instance: KiroInstance
) -> Optional[Observed]:
    """What the cache knows of an instance; None while another one's pod has its name."""
    namespace, name = instance["metadata"]["namespace"], instance["metadata"]["name"]
    pod = ctx.cache.get(PODS, namespace, naming.pod_name(name, restarts_of(instance)))
    if pod is not None and not is_owned(pod, instance):
        return None
    desired = instance["spec"].get("desired", "Running")
    extra = instance["spec"]["index"] > spec.instances
    board = board_of(ctx.cache, swarm)
    return Observed(
        instance=instance,
        pod=pod,
        task=board.active().get(name),
        wanted=not (extra or spec.suspend or desired in ("Drained", "Stopped"))
        and not swarm["metadata"].get("deletionTimestamp"),
        stop_now=desired == "Stopped",
        outdated=pod is not None and is_outdated(pod, template_hash(swarm, spec)),
        now=ctx.now(),
        failed_for=_failed_for(ctx, instance),
        paused=desired == "Paused",
        unfit="" if pod is None else board.faults.unfit(pod["metadata"]["uid"]),
    )


def _failed_for(ctx: Context, instance: KiroInstance) -> Optional[float]:
    """For how long an instance is not ready, or was not asked about yet."""
    changed = find(status_of(instance).get("conditions") or [], "Ready")
    if changed is None:
        return None
    uid, since = instance["metadata"]["uid"], changed["lastTransitionTime"]
    return ctx.elapsed.age(uid, since, ctx.now())


async def make_pod(
    ctx: Context, swarm: KiroSwarm, spec: KiroSwarmSpec, instance: KiroInstance
) -> bool:
    """Make the pod that an instance is to have now; False when its name is taken."""
    body = instance_pod(swarm, spec, instance, restarts_of(instance), ctx.settings)
    namespace = instance["metadata"]["namespace"]
    return await ctx.create(PODS, namespace, body) is not None


async def _report_refusal(
    ctx: Context, swarm: KiroSwarm, seen: Observed, error: errors.ClusterError
) -> None:
    """Say why there is no pod: a quota, a policy, a field that the API server refuses."""
    before = status_of(seen.instance)
    phase: InstancePhase = "Restarting" if before.get("readyAt") else "Pending"
    message = f"{POD_REFUSED}{error.message}"
    status = status_after(seen, phase, message, restarts_of(seen.instance))
    if status != before:
        await emit(
            *(ctx.client, SWARMS, swarm),
            reason=REFUSED,
            message=f"{seen.instance['metadata']['name']}: {message}",
            now=ctx.now(),
            warning=True,
        )
        await ctx.patch_status(INSTANCES, seen.instance, status)
