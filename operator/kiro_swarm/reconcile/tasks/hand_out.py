"""Which task goes to which instance: what the queue of ``tasks/plan/ready`` chooses, as patches.

Called by ``swarm``, and by ``holds`` to say what will happen. Pure: takes a view, returns
status patches. A binding carries the attempt number, which is the fencing token for
everything that happens afterwards.
"""

from __future__ import annotations

from typing import Callable

from kiro_swarm.api.access import status_of
from kiro_swarm.api.instance import KiroInstance
from kiro_swarm.api.kubernetes import Pod
from kiro_swarm.api.meta import DONE, READY
from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.lifecycle.fields import attempt_of
from kiro_swarm.lifecycle.steps import Place, bound
from kiro_swarm.policy import naming
from kiro_swarm.reconcile.instances.decision import POD_KEPT
from kiro_swarm.reconcile.instances.rollout import pod_ready
from kiro_swarm.reconcile.objects.pods import alike, is_outdated
from kiro_swarm.reconcile.snapshot.ready import capabilities, files_of
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.tasks.transitions import Patch
from kiro_swarm.tasks.plan.strategies import IdleInstance


def _nobody(_: KiroTask) -> bool:
    return False


def again(view: View) -> list[Patch]:
    """The bindings that were not answered once more, as they were: whichever of the two
    requests comes first, the other one finds another version of the task.
    """
    pods = dict(free_instances(view))
    ready = {task["metadata"]["uid"]: task for task in view.task_index.by_state[READY]}
    found: dict[str, Patch] = {}
    for before, name in view.promised.given:
        uid = before["metadata"]["uid"]
        if uid in ready and name in pods:
            found[uid] = ready[uid], bind(view, ready[uid], name, pods[name])
    return list(found.values())


def bindings(view: View, barred: Callable[[KiroTask], bool] = _nobody) -> list[Patch]:
    """A task for every idle instance that may have one, as the strategy says.

    :param barred: whether a task cannot be written now: nobody is given it.
    """
    pods = dict(idle_instances(view))
    ready = view.task_index.by_state[READY]
    if not pods or not ready:
        return []
    free = ready if barred is _nobody else [task for task in ready if not barred(task)]
    queue = view.ready_queue(None if len(free) == len(ready) else free)
    chosen = queue.choose(
        [
            instance_of(view, item)
            for item in view.instances
            if item["metadata"]["name"] in pods
        ],
        [files_of(task) for task in in_the_air(view)],
        turn=view.task_index.load.turn,
        now=view.now.timestamp(),
    )
    return [
        (found, bind(view, found, one.name, pods[one.name]))
        for found, one in ((queue.task(task.id), one) for task, one in chosen)
    ]


def idle_instances(view: View) -> list[tuple[str, str]]:
    """Name and pod uid of every instance that may get a task.

    None of which it is not known whether it has one, or goes.
    """
    taken = view.promised.instances
    return [(name, uid) for name, uid in free_instances(view) if name not in taken]


def free_instances(view: View) -> list[tuple[str, str]]:
    """The same with those of which that is not known.

    None whose pod is about to be replaced: where tasks have failed on it, what it is given is
    lost; and one of an older template goes as soon as it has none, if only it is given none.
    One that may not be deleted works on until it may.
    """
    if view.spec.suspend or view.swarm["metadata"].get("deletionTimestamp"):
        return []
    pods = {
        reference["uid"]: pod
        for pod in view.pods
        if pod_ready(pod)
        for reference in pod["metadata"].get("ownerReferences") or []
    }
    found = []
    for instance in sorted(wanted(view), key=lambda item: item["spec"]["index"]):
        metadata = instance["metadata"]
        pod = pods.get(metadata["uid"])
        if pod is None or metadata["name"] in view.active:
            continue
        if not goes(view, instance, pod):
            found.append((metadata["name"], pod["metadata"]["uid"]))
    return found


def goes(view: View, instance: KiroInstance, pod: Pod) -> bool:
    """Whether a pod is replaced as soon as it has no task, as far as that is allowed."""
    others = alike(view.pods, view.template)
    if view.task_index.faults.unfit(pod["metadata"]["uid"], others):
        return True
    # Said since the last task: that it is kept gives way to what else is said while it has one.
    kept = (status_of(instance).get("message") or "").startswith(POD_KEPT)
    return not kept and is_outdated(pod, view.template)


def wanted(view: View) -> list[KiroInstance]:
    """The instances that may have tasks, now or when their pods are ready."""
    return [
        item
        for item in view.instances
        if item["spec"]["index"] <= view.spec.instances
        and (item["spec"].get("desired") or "Running") == "Running"
        and not item["metadata"].get("deletionTimestamp")
    ]


def instance_of(view: View, instance: KiroInstance) -> IdleInstance:
    """A KiroInstance as the scheduling sees it."""
    name, load = instance["metadata"]["name"], view.task_index.load
    return IdleInstance(
        name=name,
        index=instance["spec"]["index"],
        assigned=load.assigned[name],
        load=load.seconds.get(name, 0.0),
        capabilities=capabilities_of(view, instance),
        speed=view.measured.speeds.get(name, 1.0),
    )


def capabilities_of(view: View, instance: KiroInstance) -> frozenset[str]:
    """What an instance can do: what all of the swarm can, and what it alone can."""
    own = capabilities(instance["spec"].get("capabilities"))
    return own | capabilities(view.spec.template.capabilities)


def lacking(view: View, task: KiroTask) -> list[str]:
    """What a task asks for, if no instance that may have it can do all of that."""
    asked = capabilities(task["spec"].get("capabilities"))
    if not asked or task["spec"].get("assignedTo"):
        return []
    able = [capabilities_of(view, item) for item in wanted(view)]
    if not able:
        return []  # there is nobody at all, which is another trouble
    best = max(able, key=lambda words: len(words & asked))
    return sorted(asked - best)


def in_the_air(view: View) -> list[KiroTask]:
    """The tasks that change files and are not on the integration branch yet."""
    given = [task for task, _ in view.promised.given]
    return [*view.task_index.active, *view.task_index.by_state[DONE], *given]


def bind(view: View, task: KiroTask, instance: str, pod_uid: str) -> KiroTaskStatus:
    """The status patch that gives a task to an instance: its next attempt."""
    place = place_of(view, task, instance, pod_uid)
    return bound(status_of(task), view.now, place, request_of(task))


def place_of(view: View, task: KiroTask, instance: str, pod_uid: str) -> Place:
    """Where the next attempt of a task is to be made."""
    attempt = attempt_of(status_of(task)) + 1
    branch = naming.task_branch(view.name, task["spec"]["id"], attempt)
    return Place(instance, pod_uid, branch)


def request_of(task: KiroTask) -> str:
    """The last sentence that asked to run a task; its next attempt answers it."""
    return str(task["spec"].get("runRequest") or "")
