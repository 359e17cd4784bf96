"""Find what a sentence names, or say what is there instead. Used by every executor.

Names match exactly or not at all: nothing is done to what was only nearly named.
"""

from __future__ import annotations

from typing import Iterable, Optional, Sequence, Union

from kiro_swarm.api.access import status_of
from kiro_swarm.api.instance import KiroInstance
from kiro_swarm.api.kubernetes import Pod
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster.resources import COMMANDS, INSTANCES, TASKS
from kiro_swarm.policy.nearest import nearest
from kiro_swarm.reconcile.commands.executors.plan import Outcome, Request, failed
from kiro_swarm.reconcile.instances.rollout import pod_ready
from kiro_swarm.reconcile.objects.manifests import is_owned
from kiro_swarm.reconcile.snapshot.view import View

_SHOWN_NAMES = 5


def the_task(request: Request) -> Union[KiroTask, Outcome]:
    """The KiroTask of the argument ``id``, or the answer that there is none."""
    wanted = request.argument("id")
    found = task_named(request.view, wanted)
    if found is not None:
        return found
    return not_there(request, "task", wanted, list(request.view.states))


def task_named(view: View, task_id: str) -> Optional[KiroTask]:
    """The KiroTask of this id, or None."""
    tasks: list[KiroTask] = view.tasks
    return next((task for task in tasks if task["spec"]["id"] == task_id), None)


def the_instance(
    request: Request, argument: str = "name"
) -> Union[KiroInstance, Outcome]:
    """The KiroInstance of an argument, or the answer that there is none."""
    name = request.argument(argument)
    found = instance_named(request.view, name)
    if found is not None:
        return found
    known = sorted(request.view.instances, key=lambda item: item["spec"]["index"])
    names = [item["metadata"]["name"] for item in known]
    return not_there(request, "instance", name, names)


def instance_named(view: View, name: str) -> Optional[KiroInstance]:
    """The KiroInstance of this name, or None."""
    instances: list[KiroInstance] = view.instances
    return next((one for one in instances if one["metadata"]["name"] == name), None)


def not_there(
    request: Request, kind: str, wanted: str, names: Iterable[str]
) -> Outcome:
    """The answer that the swarm has no such thing: the nearest name, or which ones there are.

    :param names: in the order in which people see them.
    """
    known = list(names)
    near = nearest(wanted, known)
    hint = f"; nearest: {near[0]}" if near else _which(kind, known)
    count = counted(len(known), kind)
    status = request.view.status
    why = ""
    if kind == "task" and not known and status.get("message"):
        # There are none yet, or will be none: what the swarm says is the reason.
        why = f"; the swarm is {status.get('phase', 'Pending')}: {status['message']}"
    return failed(
        f"{kind} {wanted} is not in swarm {request.view.name} ({count}{hint}){why}"
    )


def _which(kind: str, names: Sequence[str]) -> str:
    """Which names there are, where none is near: all of a few, or both ends of many."""
    if not names:
        return ""
    if len(names) <= _SHOWN_NAMES:
        return f": {', '.join(names)}"
    plurals = {"task": TASKS.plural, "instance": INSTANCES.plural}
    plural = plurals.get(kind, COMMANDS.plural)
    return f", {names[0]} to {names[-1]}; `kubectl get {plural}` shows them"


def pods_of(view: View, instance: KiroInstance) -> list[Pod]:
    """The pods of an instance, also those on their way out."""
    return [pod for pod in view.pods if is_owned(pod, instance)]


def live_pod(view: View, instance: KiroInstance) -> Optional[Pod]:
    """The pod of an instance that is not on its way out, or None."""
    for pod in pods_of(view, instance):
        if not pod["metadata"].get("deletionTimestamp"):
            return pod
    return None


def new_pod(view: View, instance: KiroInstance, old_uid: str) -> Optional[Pod]:
    """The pod with which an instance is back at work, None while there is none.

    The instance's own status has to know it: what people read then agrees.
    """
    status = status_of(instance)
    for pod in pods_of(view, instance):
        metadata = pod["metadata"]
        if (
            metadata["uid"] != old_uid
            and pod_ready(pod)
            and status.get("pod") == metadata["name"]
            and status.get("phase") in ("Ready", "Busy", "Paused")
        ):
            return pod
    return None


def task_of(view: View, instance: str) -> str:
    """Id of the task that an instance has now, or an empty string."""
    task = view.active.get(instance)
    return "" if task is None else str(task["spec"]["id"])


def counted(number: int, kind: str) -> str:
    """``1 task``, ``2 tasks``."""
    return f"{number} {kind}" if number == 1 else f"{number} {kind}s"


def listed(names: Iterable[str]) -> str:
    """``a, b, c``, and how many more there are."""
    known = list(names)
    shown = ", ".join(known[:_SHOWN_NAMES])
    more = len(known) - _SHOWN_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
