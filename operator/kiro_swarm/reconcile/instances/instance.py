"""KiroInstance -> Pod: keeps one pod alive for each instance and says how it is.

Two writes from nothing to Ready beside the instance's own creation: the pod, and the
status once the pod is ready. ``decide`` is pure; ``reconcile`` carries it out.

The pod's name carries the number of replacements. It goes up, in the status, before the
next pod is made, so a crash in between makes the same next pod and never two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Optional

from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.cluster.resources import INSTANCES, PODS, SWARMS
from kiro_swarm.policy import naming
from kiro_swarm.policy.conditions import condition, find
from kiro_swarm.policy.times import parse, stamp
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.objects.manifests import Object, is_owned
from kiro_swarm.reconcile.objects.pods import (
    TEMPLATE_HASH,
    instance_pod,
    spec_of,
    template_hash,
)
from kiro_swarm.reconcile.snapshot.board import board_of

#: After this many replacements of its pod an instance waits before the next one.
_FREE_RESTARTS = 3
_LONGEST_WAIT = 300.0


@dataclass(frozen=True)
class Observed:
    """What ``decide`` looks at."""

    instance: Object
    pod: Optional[Object]
    task: Optional[Object]
    wanted: bool
    stop_now: bool
    outdated: bool
    now: datetime
    paused: bool = False


@dataclass(frozen=True)
class Decision:
    """What is to be done: at most one of the pod actions, and the status after it."""

    status: dict[str, Any]
    create: bool = False
    delete: bool = False
    again_in: Optional[float] = None


def pod_ready(pod: Object) -> bool:
    """Whether a pod is ready and not on its way out."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    return any(
        item.get("type") == "Ready" and item.get("status") == "True"
        for item in (pod.get("status") or {}).get("conditions") or []
    )


def pod_trouble(pod: Object) -> str:
    """Why a pod that is not ready is stuck, in the words of the kubelet; else empty."""
    status = pod.get("status") or {}
    for item in status.get("containerStatuses") or []:
        waiting = (item.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return f"{item['name']}: {waiting['reason']} {waiting.get('message', '')}"
    for item in status.get("conditions") or []:
        # Other reasons, such as SchedulerError, pass by themselves in a moment.
        if item.get("type") == "PodScheduled" and item.get("reason") == "Unschedulable":
            return f"Unschedulable: {item.get('message', '')}"
    return ""


def decide(seen: Observed) -> Decision:
    """What an instance needs next. Pure: a table of observations and answers."""
    status = dict(seen.instance.get("status") or {})
    name = seen.instance["metadata"]["name"]
    restarts = _restarts(seen.instance)
    current = naming.pod_name(name, restarts)
    idle = seen.task is None
    if seen.pod is None:
        if not seen.wanted:
            return Decision(_status(seen, "Stopped", "no pod is wanted", restarts))
        if status.get("pod") == current:
            message = f"pod {current} is gone; it is replaced"
            return Decision(_status(seen, "Restarting", message, restarts + 1, pod=""))
        wait = _wait_before(status, restarts, seen.now)
        if wait > 0:
            message = f"the pod failed {restarts} times; next try in {wait:.0f} s"
            return Decision(
                _status(seen, "Restarting", message, restarts), again_in=wait
            )
        return Decision(status, create=True)
    if seen.pod["metadata"].get("deletionTimestamp"):
        return Decision(
            _status(seen, "Restarting", "its pod is being deleted", restarts)
        )
    failed = (seen.pod.get("status") or {}).get("phase") in ("Failed", "Succeeded")
    if failed:
        why = (seen.pod.get("status") or {}).get("message") or "its pod ended"
        return Decision(
            _status(seen, "Restarting", why, restarts, pod=current), delete=True
        )
    if not seen.wanted and (idle or seen.stop_now):
        return Decision(
            _status(seen, "Stopped", "stopping", restarts, pod=""), delete=True
        )
    if seen.outdated and idle:
        message = "the template changed; its pod is replaced"
        return Decision(
            _status(seen, "Restarting", message, restarts, pod=current), delete=True
        )
    if not pod_ready(seen.pod):
        trouble = pod_trouble(seen.pod)
        if not trouble and _on_its_way_up(seen.instance):
            return Decision(status)  # on its way up: the first write is "Ready"
        phase = "Restarting" if status.get("readyAt") else "Pending"
        message = trouble or "its pod is not ready"
        return Decision(_status(seen, phase, message, restarts, pod=current))
    phase, message = _at_work(seen)
    return Decision(_status(seen, phase, message, restarts, pod=current))


def _on_its_way_up(instance: Object) -> bool:
    """Whether nothing was ever said of it: nobody waits for a change of that yet."""
    return not (instance.get("status") or {}).get("observedGeneration")


def _at_work(seen: Observed) -> tuple[str, str]:
    """Phase and message of an instance whose pod is ready."""
    if not seen.wanted:
        return "Draining", ""
    if seen.paused and seen.task is not None:
        task = seen.task["spec"]["id"]
        return "Paused", f"finishes task {task} and takes no further one"
    if seen.paused:
        name = seen.instance["metadata"]["name"]
        return "Paused", f"takes no task until `resume instance {name}`"
    return ("Ready" if seen.task is None else "Busy"), ""


def _wait_before(status: Object, restarts: int, now: datetime) -> float:
    """Seconds until the next pod may be made: none at first, then doubling."""
    if restarts <= _FREE_RESTARTS:
        return 0.0
    changed = find(status.get("conditions") or [], "Ready")
    since = parse(changed["lastTransitionTime"]) if changed else None
    if since is None:
        return 0.0
    pause = min(_LONGEST_WAIT, 5.0 * 2.0 ** min(restarts - _FREE_RESTARTS, 10))
    return max(0.0, pause - (now - since).total_seconds())


def _status(
    seen: Observed,
    phase: str,
    message: str,
    restarts: int,
    pod: Optional[str] = None,
) -> dict[str, Any]:
    before = seen.instance.get("status") or {}
    generation = int(seen.instance["metadata"].get("generation") or 0)
    task = (seen.task or {}).get("spec", {}).get("id", "")
    ready = phase in ("Ready", "Busy")
    status: dict[str, Any] = {
        **before,
        "observedGeneration": generation,
        "phase": phase,
        "restarts": restarts,
        "task": task,
        "branch": (seen.task or {}).get("status", {}).get("branch", "") if task else "",
        "message": message[:1024],
        "pod": before.get("pod", "") if pod is None else pod,
    }
    if seen.pod is not None:
        status["node"] = (seen.pod.get("spec") or {}).get("nodeName") or ""
    if (ready or phase == "Paused") and not before.get("readyAt"):
        status["readyAt"] = stamp(seen.now)
    status["conditions"] = [
        condition(
            before.get("conditions") or [],
            "Ready",
            ready,
            phase,
            message or f"the instance is {phase.lower()}",
            generation=generation,
            now=seen.now,
        )
    ]
    return status


async def reconcile(ctx: Context, key: Key) -> None:
    """Bring one instance a step nearer to what is wanted."""
    instance = ctx.cache.get(INSTANCES, key.namespace, key.name)
    if instance is None or instance["metadata"].get("deletionTimestamp"):
        return
    swarm = ctx.cache.get(SWARMS, key.namespace, instance["spec"]["swarm"])
    if swarm is None or not is_owned(instance, swarm):
        return  # garbage collection takes it along
    if swarm["metadata"]["uid"] in ctx.filling and _on_its_way_up(instance):
        return  # whoever fills the swarm makes its pod, and wakes it at the end
    spec = spec_of(swarm)
    if spec is None:
        return
    seen = observe(ctx, swarm, spec, instance)
    if seen is None:
        ctx.queue.add_after(key, 2.0)  # a namesake of before is on its way out
        return
    decision = decide(seen)
    if decision.create and not await make_pod(ctx, swarm, spec, instance):
        ctx.queue.add_after(key, 1.0)  # the watch brings it, or it goes away
    if decision.status != (instance.get("status") or {}):
        await ctx.patch_status(INSTANCES, instance, decision.status)
    if decision.delete and seen.pod is not None:
        await ctx.delete(PODS, seen.pod)
    if decision.again_in is not None:
        ctx.queue.add_after(key, decision.again_in)


def observe(
    ctx: Context, swarm: Object, spec: KiroSwarmSpec, instance: Object
) -> Optional[Observed]:
    """What the cache knows of an instance; None while another one's pod has its name."""
    namespace, name = instance["metadata"]["namespace"], instance["metadata"]["name"]
    pod = ctx.cache.get(PODS, namespace, naming.pod_name(name, _restarts(instance)))
    if pod is not None and not is_owned(pod, instance):
        return None
    desired = instance["spec"].get("desired", "Running")
    extra = instance["spec"]["index"] > spec.instances
    return Observed(
        instance=instance,
        pod=pod,
        task=board_of(ctx.cache, swarm).active().get(name),
        wanted=not (extra or spec.suspend or desired in ("Drained", "Stopped"))
        and not swarm["metadata"].get("deletionTimestamp"),
        stop_now=desired == "Stopped",
        outdated=pod is not None and _outdated(pod, swarm, spec),
        now=ctx.now(),
        paused=desired == "Paused",
    )


def _outdated(pod: Object, swarm: Object, spec: KiroSwarmSpec) -> bool:
    """Whether a pod was made of another template than the swarm has now."""
    made_of = (pod["metadata"].get("annotations") or {}).get(TEMPLATE_HASH)
    return made_of is not None and made_of != template_hash(swarm, spec)


async def make_pod(
    ctx: Context, swarm: Object, spec: KiroSwarmSpec, instance: Object
) -> bool:
    """Make the pod that an instance is to have now; False when its name is taken."""
    body = instance_pod(swarm, spec, instance, _restarts(instance), ctx.settings)
    namespace = instance["metadata"]["namespace"]
    return await ctx.create(PODS, namespace, body) is not None


def _restarts(instance: Object) -> int:
    return int((instance.get("status") or {}).get("restarts") or 0)
