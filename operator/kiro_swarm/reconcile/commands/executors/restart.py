"""``restart instance NAME [graceful]``: another pod for an instance.

The pod of the beginning is recorded, so that its successor is never taken for it.
"""

from __future__ import annotations

from typing import Optional, cast

from kiro_swarm.api.instance import Desired, KiroInstance
from kiro_swarm.api.kubernetes import Pod
from kiro_swarm.cluster.resources import PODS
from kiro_swarm.policy.times import seconds_between, stamp
from kiro_swarm.reconcile.commands.executors.find import (
    live_pod,
    new_pod,
    task_of,
    the_instance,
)
from kiro_swarm.reconcile.commands.executors.plan import (
    Data,
    Effect,
    Outcome,
    Request,
    done,
    failed,
)
from kiro_swarm.reconcile.commands.executors.writes import (
    deleted,
    desired_of,
    generation_of,
    overruled,
    take_back,
    wanting,
)


def pin(request: Request) -> Data:
    """Which pod goes, what the instance was told before, and what it works on."""
    instance = the_instance(request)
    if isinstance(instance, Outcome):
        return {}
    pod = live_pod(request.view, instance)
    return {
        "podUid": "" if pod is None else pod["metadata"]["uid"],
        "desired": desired_of(instance),
        "generation": generation_of(instance),
        "task": task_of(request.view, instance["metadata"]["name"]),
        "begun": stamp(request.view.now),
    }


def restart_instance(request: Request) -> Outcome:
    """Finished when another pod is ready; graceful waits for the task first."""
    instance = the_instance(request)
    if isinstance(instance, Outcome):
        return instance
    view, pinned, name = request.view, request.pinned, instance["metadata"]["name"]
    graceful = request.said("graceful")
    before = (
        wanting(instance, cast(Desired, pinned.text("desired"))) if graceful else ()
    )
    task = pinned.text("task")
    data: Data = {"instance": name, "task": task}
    if desired_of(instance) in ("Drained", "Stopped"):
        message = f"instance {name} is stopped; `resume instance {name}` starts it"
        return failed(message, **data)
    if view.spec.suspend:
        message = f"{view.name} is paused and gets no new pod; say `resume swarm` first"
        return Outcome(False, message, data, before)
    old = _old_pod(request, instance)
    if old is not None:
        return _let_go(request, instance, old, graceful)
    made = new_pod(view, instance, pinned.text("podUid"))
    if made is None:
        message = f"instance {name} waits for its new pod"
        return Outcome(None, message, data, (*_rest(request, instance), *before))
    seconds = round(seconds_between(pinned.text("begun"), stamp(view.now)), 3)
    pod = made["metadata"]["name"]
    data = {**data, "pod": pod, "seconds": seconds}
    message = f"instance {name} is back with pod {pod} after {seconds:.1f} s"
    if task:
        word = "was finished first" if graceful else "went back in line"
        message += f"; task {task} {word}"
    return done(message, *_rest(request, instance), *before, **data)


def _old_pod(request: Request, instance: KiroInstance) -> Optional[Pod]:
    """The pod of the beginning, while nobody has told it to go; else None."""
    pod = live_pod(request.view, instance)
    same = pod is not None and pod["metadata"]["uid"] == request.pinned.text("podUid")
    return pod if same else None


def _let_go(
    request: Request, instance: KiroInstance, pod: Pod, graceful: bool
) -> Outcome:
    """Delete the old pod: at once, or when its task is finished."""
    name = instance["metadata"]["name"]
    data = {"instance": name, "task": request.pinned.text("task")}
    goes = deleted(PODS, pod, ", another follows")
    if not graceful:
        # The pod first: one on its way out gets no further task.
        effects = (goes, *_rest(request, instance))
        return Outcome(None, f"instance {name} gets another pod", data, effects)
    pausing = wanting(instance, "Paused")
    if pausing and overruled(request, instance):
        message = f"instance {name} was resumed before its task ended; not restarted"
        return failed(message, **data)
    task = task_of(request.view, name)
    if not pausing and not task:
        return Outcome(None, f"instance {name} gets another pod", data, (goes,))
    message = f"instance {name} is paused and gets another pod"
    if task:
        message += f" after task {task}; `resume instance {name}` calls it off"
    return Outcome(None, message, data, pausing)


def _rest(request: Request, instance: KiroInstance) -> tuple[Effect, ...]:
    """Takes back what is still bound to the pod of the beginning."""
    task = request.view.active.get(instance["metadata"]["name"])
    if task is None or task["status"].get("podUid") != request.pinned.text("podUid"):
        return ()
    return take_back(request, task, "Reassigned")
