"""Sentences that try something out: test protocol parse, test failure simulate."""

from __future__ import annotations

from typing import Any, Mapping, Optional

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
    Effect,
    Outcome,
    Request,
    done,
    failed,
)
from kiro_swarm.reconcile.instances.decision import pod_ready
from kiro_swarm.reconcile.objects.manifests import Object


def try_parse(request: Request) -> Outcome:
    """``test protocol parse "SENTENCE"``: how it is understood, or why it is not."""
    try:
        action = parse(request.argument("sentence"))
    except SentenceError as error:
        return failed(error.message, **error.to_wire())
    message = f"understood as '{action.normalized}'; it needs '{action.permission}'"
    return done(message, **action.to_wire())


def pin_crash(request: Request) -> Mapping[str, Any]:
    """Whose pod crashes: a busy instance's if there is one."""
    view = request.view
    ready = [item for item in view.instances if _ready_pod(request, item)]
    ready.sort(key=lambda item: (not _task(request, item), item["spec"]["index"]))
    if not ready:
        return {}
    pod = _ready_pod(request, ready[0]) or {}
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
    name, task = str(pinned["instance"]), str(pinned["task"])
    data = {"instance": name, "pod": pinned["pod"], "task": task}
    instance = instance_named(view, name)
    if instance is None:
        return failed(f"instance {name} is gone: {view.name} was scaled down", **data)
    message = f"pod {pinned['pod']} of instance {name} is deleted"
    message += f" in the middle of task {task}" if task else ""
    pod = live_pod(view, instance)
    effects: tuple[Effect, ...] = ()
    if pod is not None and pod["metadata"]["uid"] == pinned["podUid"]:
        says = f"pod/{pinned['pod']}: deleted, as if it had crashed"
        effects = (Effect("delete", PODS, pod, says),)
    if not request.said("recovery-time"):
        return done(f"{message}; the swarm replaces it", *effects, **data)
    made = None if effects else new_pod(view, instance, str(pinned["podUid"]))
    if made is None:
        return Outcome(None, f"{message}; waiting for another", data, effects)
    seconds = round(seconds_between(pinned["begun"], stamp(view.now)), 3)
    data = {**data, "newPod": made["metadata"]["name"], "seconds": seconds}
    message += f"; {made['metadata']['name']} was ready {seconds:.1f} s later"
    return done(message, **data)


def _ready_pod(request: Request, instance: Object) -> Optional[Object]:
    pod = live_pod(request.view, instance)
    return pod if pod is not None and pod_ready(pod) else None


def _task(request: Request, instance: Object) -> str:
    return task_of(request.view, instance["metadata"]["name"])
