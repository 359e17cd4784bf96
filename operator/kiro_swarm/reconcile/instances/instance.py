"""KiroInstance -> Pod: keeps one pod alive for each instance and says how it is.

Two writes from nothing to Ready beside the instance's own creation: the pod, and the
status once the pod is ready. What is to be done is decided in ``decision``. Each request is a
step (``engine/steps``): what is refused is in the status, and the swarm tells of it.
"""

from __future__ import annotations

from functools import partial
from typing import Callable, Final, Optional

from kiro_swarm.api.access import spec_of, status_of
from kiro_swarm.api.common import Condition
from kiro_swarm.api.instance import (
    InstancePhase,
    KiroInstance,
    KiroInstanceStatus,
)
from kiro_swarm.api.kubernetes import Pod
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import INSTANCES, PODS, SWARMS
from kiro_swarm.policy import naming
from kiro_swarm.policy.conditions import find, is_true
from kiro_swarm.policy.ownership import owned
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.engine.steps import NoAnswer, Steps
from kiro_swarm.reconcile.engine.turns import in_turns
from kiro_swarm.reconcile.engine.unanswered import is_over
from kiro_swarm.reconcile.instances.decision import (
    POD_KEPT,
    POD_REFUSED,
    Decision,
    Observed,
    decide,
    on_its_way_up,
    restarts_of,
    status_after,
)
from kiro_swarm.reconcile.instances.rollout import Turn, pod_ready, rollout
from kiro_swarm.reconcile.objects.manifests import is_owned
from kiro_swarm.reconcile.objects.pods import (
    alike,
    instance_pod,
    is_outdated,
    template_hash,
)
from kiro_swarm.reconcile.snapshot.board import board_of, filling

#: As what a swarm is told what is refused of its other objects (swarms/hindered.py).
CREATE_REFUSED: Final = "CreateRefused"
CHANGE_REFUSED: Final = "ChangeRefused"
STATUS_OF: Final = "write the status of KiroInstance "


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
    steps = Steps(
        ctx.step_memory,
        instance["metadata"]["uid"],
        # After an edit of either everything is tried at once.
        sum(item["metadata"].get("generation", 0) for item in (swarm, instance)),
        lambda: ctx.queue.add(key),
    )
    await _carry_out(ctx, key, swarm, spec, seen, steps)
    troubles = steps.told()  # what nobody asked for any more is over
    if steps.speaks(f"{one.what}: {one.error}" for one in troubles):
        # It tells what the instance itself may not.
        ctx.queue.add(ctx.key(SWARMS, key.namespace, swarm["metadata"]["name"]))
    again = steps.close()
    if again < float("inf"):
        ctx.queue.add_after(key, again)
    for error in steps.ours():
        raise error


async def _carry_out(
    ctx: Context,
    key: Key,
    swarm: KiroSwarm,
    spec: KiroSwarmSpec,
    seen: Observed,
    steps: Steps,
) -> None:
    """Do what is to be done; what the API server refuses of it is told."""
    decision, instance = decide(seen), seen.instance
    status = decision.status
    if status != status_of(instance):
        steps.want(_status_step(instance))
    if decision.create:
        what = f"create the pod of {key.name}"
        make = partial(make_pod, ctx, swarm, spec, instance)
        made = await steps.take(what, make, None)
        if made is False:
            ctx.queue.add_after(key, 1.0)  # the watch brings it, or it goes away
        phase: InstancePhase
        phase = "Restarting" if status.get("readyAt") else "Pending"
        status = _with_trouble(seen, steps, what, POD_REFUSED, status, phase)
    elif decision.delete and seen.pod is not None:
        promised = partial(_promised, ctx, key, swarm, seen)
        if promised():
            ctx.queue.add_after(key, 1.0)  # it may have a task: that is not known yet
            return
        what = f"delete Pod {seen.pod['metadata']['name']}"
        known = status_of(instance)
        said = (known.get("message") or "").startswith(POD_KEPT)
        told = known if said else status
        if said and decision.durable:
            told = {**known, "rolling": True}
        # From here on nobody gives it a task.
        with ctx.step_memory.going.meant(seen.pod["metadata"]["uid"]):
            if await _may_end(ctx, seen, decision, told, what, steps):
                end = partial(_end_pod, ctx, seen.pod, promised)
                await steps.take(what, end, None)
            else:
                steps.want(what)
        phase = status.get("phase") or "Restarting"
        status = _with_trouble(seen, steps, what, POD_KEPT, status, phase)
    if ctx.cache.get(INSTANCES, key.namespace, key.name) is not instance:
        ctx.queue.add(key)  # it was written meanwhile: what it says is decided by that
    elif status != status_of(instance):
        tried = steps.may(_status_step(instance))
        await _tell(ctx, swarm, instance, status, steps)
        if decision.replaces and tried:
            await _without_number(ctx, swarm, spec, seen, steps)
    if decision.again_in is not None:
        ctx.queue.add_after(key, decision.again_in)


def _promised(ctx: Context, key: Key, swarm: KiroSwarm, seen: Observed) -> bool:
    """Whether an instance may have a task of which it is not known yet."""
    given = ctx.step_memory.of(swarm["metadata"]["uid"]).bindings.open(ctx.cache)
    free = seen.task is None and seen.pod is not None and pod_ready(seen.pod)
    return free and any(one.instance == key.name for one in given)


async def _may_end(
    ctx: Context,
    seen: Observed,
    decision: Decision,
    status: KiroInstanceStatus,
    what: str,
    steps: Steps,
) -> bool:
    """Say which pod goes, and whether it goes now.

    A status that is refused keeps no pod, for what is said is for people: the swarm tells of it.
    But how many pods a template has cost is to be known before the next one goes; and one
    that somebody else has written meanwhile is decided anew.
    """
    instance = seen.instance
    if status == status_of(instance) or not steps.may(what):
        return True
    await _write(ctx, instance, status, steps)
    error = steps.error(_status_step(instance))
    kept = decision.durable or isinstance(error, (errors.Conflict, errors.NotFound))
    return error is None or not kept


async def _end_pod(ctx: Context, pod: Pod, promised: Callable[[], bool]) -> None:
    """Let a pod go, if it has no task yet."""
    if promised():
        raise errors.Conflict("it was given a task meanwhile")
    await ctx.delete(PODS, pod)


def _with_trouble(
    seen: Observed,
    steps: Steps,
    what: str,
    why: str,
    status: KiroInstanceStatus,
    phase: InstancePhase,
) -> KiroInstanceStatus:
    """A status that says why a step cannot be taken: a quota, a policy, a field, or a webhook
    that has been in trouble for a while; else the status as it is."""
    error = next((one.error for one in steps.told() if one.what == what), None)
    if error is None or isinstance(error, (errors.Conflict, NoAnswer)):
        return status
    restarts = restarts_of(seen.instance)
    message = f"{why}{error.message}"
    return status_after(seen, phase, message, restarts, status.get("pod"))


async def _tell(
    ctx: Context,
    swarm: KiroSwarm,
    instance: KiroInstance,
    status: KiroInstanceStatus,
    steps: Steps,
) -> None:
    """Write the status of an instance; a pod that is refused is an Event of its swarm."""
    name, message = instance["metadata"]["name"], status.get("message") or ""
    if message.startswith(POD_REFUSED):
        post = partial(
            emit,
            *(ctx.client, SWARMS, swarm),
            reason=CREATE_REFUSED,
            message=f"{name}: {message}",
            now=ctx.now(),
            warning=True,
        )
        what = f"post an Event: {name}: {message}"
        await steps.take(what, post, None, weight="quiet")
    await _write(ctx, instance, status, steps)


async def _write(
    ctx: Context, instance: KiroInstance, status: KiroInstanceStatus, steps: Steps
) -> None:
    write = partial(ctx.patch_status, INSTANCES, instance, status)
    await steps.take(_status_step(instance), write, None)


def _status_step(instance: KiroInstance) -> str:
    return f"{STATUS_OF}{instance['metadata']['name']}"


async def _without_number(
    ctx: Context, swarm: KiroSwarm, spec: KiroSwarmSpec, seen: Observed, steps: Steps
) -> None:
    """Make the next pod of an instance whose status is refused, as often as that is tried.

    It has the name of the last one, which is gone, so there are never two. Where the status may
    still be written it is waited for: the next pod would have another name.
    """
    error = steps.error(_status_step(seen.instance))
    if error is not None and is_over(error) and not isinstance(error, errors.Conflict):
        make = partial(make_pod, ctx, swarm, spec, seen.instance)
        name = seen.instance["metadata"]["name"]
        await steps.take(f"create the pod of {name}", make, None)


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
    board, template = board_of(ctx.cache, swarm), template_hash(swarm, spec)
    pods = ctx.cache.of_swarm(PODS, namespace, swarm["metadata"]["name"])
    unfit = partial(board.faults.unfit, alike=alike(pods, template))
    why = "" if pod is None else unfit(pod["metadata"]["uid"])
    outdated = pod is not None and is_outdated(pod, template)
    turn: Turn = "any"
    if outdated and pod is not None and pod_ready(pod) and not why:
        kept = (status_of(instance).get("message") or "").startswith(POD_KEPT)
        others = owned(
            ctx.cache.of_swarm(INSTANCES, namespace, swarm["metadata"]["name"]),
            swarm["metadata"]["uid"],
        )
        busy, wanted = board.active(), spec.instances
        state = rollout(others, pods, template, wanted, busy, POD_KEPT)
        turn = state.turn(name, kept)
    age = _age(ctx, instance)
    return Observed(
        instance=instance,
        pod=pod,
        task=board.active().get(name),
        wanted=not (extra or spec.suspend or desired in ("Drained", "Stopped"))
        and not swarm["metadata"].get("deletionTimestamp"),
        stop_now=desired == "Stopped",
        outdated=outdated,
        turn=turn,
        now=ctx.now(),
        failed_for=age,
        well_for=age if age and is_true(_conditions(instance), "Ready") else 0.0,
        paused=desired == "Paused",
        unfit=why,
    )


def _conditions(instance: KiroInstance) -> list[Condition]:
    return status_of(instance).get("conditions") or []


def _age(ctx: Context, instance: KiroInstance) -> Optional[float]:
    """For how long it is as ready as it is; None: it was not asked about yet."""
    changed = find(_conditions(instance), "Ready")
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
