"""Sentences that try something out: test protocol parse, test failure simulate."""

from __future__ import annotations

from typing import Optional

from kiro_swarm.api.instance import KiroInstance
from kiro_swarm.api.kubernetes import Pod
from kiro_swarm.cluster.resources import PODS
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import parse
from kiro_swarm.policy.times import seconds_between, stamp
from kiro_swarm.reconcile.commands.executors.find import (
    instance_named,
    live_pod,
    new_pod,
    task_of,
)
from kiro_swarm.reconcile.commands.executors.plan import (
    Data,
    Effect,
    Outcome,
    Request,
    done,
    failed,
)
from kiro_swarm.reconcile.commands.executors.writes import deleted
from kiro_swarm.reconcile.instances.rollout import pod_ready


def try_parse(request: Request) -> Outcome:
    """``test protocol parse "SENTENCE"``: how it is understood, or why it is not."""
    try:
        action = parse(request.argument("sentence"))
    except SentenceError as error:
        return failed(error.message, **error.to_wire())
    message = f"understood as '{action.normalized}'; it needs '{action.permission}'"
    return done(message, **action.to_wire())


def pin_crash(request: Request) -> Data:
    """Whose pod crashes: a busy instance's if there is one."""
    view = request.view
    ready = [item for item in view.instances if _ready_pod(request, item)]
    ready.sort(key=lambda item: (not _task(request, item), item["spec"]["index"]))
    if not ready:
        return {}
    pod = _ready_pod(request, ready[0])
    if pod is None:
        return {}
    return {
        "instance": ready[0]["metadata"]["name"],
        "pod": pod["metadata"]["name"],
        "podUid": pod["metadata"]["uid"],
        "task": _task(request, ready[0]),
        "begun": stamp(view.now),
    }


def simulate_failure(request: Request) -> Outcome:
    """``test failure simulate instance-crash [recovery-time]``.

    With ``recovery-time`` finished when the instance has another pod that is ready.
    """
    view, pinned = request.view, request.pinned
    if not pinned:
        return failed(f"{view.name} has no instance with a ready pod that could crash")
    name, task = pinned.text("instance"), pinned.text("task")
    old, old_uid = pinned.text("pod"), pinned.text("podUid")
    data: Data = {"instance": name, "pod": old, "task": task}
    instance = instance_named(view, name)
    if instance is None:
        return failed(f"instance {name} is gone: {view.name} was scaled down", **data)
    message = f"pod {old} of instance {name} is deleted"
    message += f" in the middle of task {task}" if task else ""
    pod = live_pod(view, instance)
    effects: tuple[Effect, ...] = ()
    if pod is not None and pod["metadata"]["uid"] == old_uid:
        effects = (deleted(PODS, pod, ", as if it had crashed"),)
    if not request.said("recovery-time"):
        return done(f"{message}; the swarm replaces it", *effects, **data)
    made = None if effects else new_pod(view, instance, old_uid)
    if made is None:
        return Outcome(None, f"{message}; waiting for another", data, effects)
    seconds = round(seconds_between(pinned.text("begun"), stamp(view.now)), 3)
    data = {**data, "newPod": made["metadata"]["name"], "seconds": seconds}
    message += f"; {made['metadata']['name']} was ready {seconds:.1f} s later"
    return done(message, **data)


def _ready_pod(request: Request, instance: KiroInstance) -> Optional[Pod]:
    pod = live_pod(request.view, instance)
    return pod if pod is not None and pod_ready(pod) else None


def _task(request: Request, instance: KiroInstance) -> str:
    return task_of(request.view, instance["metadata"]["name"])
