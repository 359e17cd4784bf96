"""What holds a ready task: the instances, the line, files, a person. And how to say it.

Called by ``explain``. Pure: reads the view, writes nothing. The order of a line and the
choice of instances are those of ``tasks``, so what is said here is what happens there.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import ACTIVE_STATES
from kiro_swarm.api.task import KiroTask
from kiro_swarm.reconcile.snapshot.ready import files_of
from kiro_swarm.reconcile.snapshot.text import listed, short
from kiro_swarm.reconcile.snapshot.view import View, state_of
from kiro_swarm.reconcile.tasks.hand_out import (
    idle_instances,
    in_the_air,
    lacking,
)
from kiro_swarm.tasks.plan.overlap import Claims

_UNKNOWN = "the API server has not answered yet"


@dataclass(frozen=True)
class Reason:
    """One thing that holds a task, or that is going on with it.

    ``code`` is for programs, ``message`` for people; ``say``: sentences that change it.
    """

    code: str
    message: str
    say: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The message, and the sentences that a person can say."""
        said = " or ".join(f"`{sentence}`" for sentence in self.say)
        return f"{self.message}: say {said}" if said else self.message

    def to_wire(self) -> dict[str, object]:
        """As JSON."""
        return {"code": self.code, "message": self.message, "say": list(self.say)}


def suspended(view: View) -> list[Reason]:
    """That the whole swarm starts nothing."""
    if view.swarm["metadata"].get("deletionTimestamp"):
        return [Reason("swarm-deleted", "the swarm is being deleted")]
    if view.spec.suspend:
        return [Reason("swarm-suspended", "the swarm is suspended", ("resume swarm",))]
    return []


def handed_out(view: View, task: KiroTask) -> list[Reason]:
    """That it was given to an instance, as far as anybody knows."""
    name = view.promised.instance_of(task)
    if name is None:
        return []
    return [Reason("handed-out", f"it is given to {name}: {_UNKNOWN}")]


def paused(task: KiroTask) -> list[Reason]:
    """That a person paused the task."""
    if not task["spec"].get("paused"):
        return []
    begun = state_of(task) in ACTIVE_STATES
    message = "it is paused; this attempt goes on" if begun else "it is paused"
    return [Reason("task-paused", message, (f"resume task {task['spec']['id']}",))]


def assigned(view: View, task: KiroTask) -> list[Reason]:
    """Why the one instance that may have a task does not take it; empty if it does."""
    name, unassign = task["spec"]["assignedTo"], f"unassign task {task['spec']['id']}"
    known = {item["metadata"]["name"]: item for item in view.instances}
    is_its = f"it is assigned to {name}, which"
    if name not in known:
        message = f"{is_its} does not exist"
        return [Reason("instance-missing", message, (unassign,))]
    instance = known[name]
    desired = instance["spec"].get("desired") or "Running"
    if desired != "Running":
        say = (f"resume instance {name}", unassign)
        return [Reason("instance-held", f"{is_its} is {desired.lower()}", say)]
    index = instance["spec"]["index"]
    if index > view.spec.instances:
        message = f"{is_its} leaves: {view.spec.instances} instances are wanted"
        say = (f"scale instances {index}", unassign)
        return [Reason("instance-leaves", message, say)]
    if name in view.active:
        other = view.active[name]["spec"]["id"]
        message = f"{is_its} works on {other}"
        return [Reason("instance-busy", message, (unassign,))]
    given = view.promised.task_of(name)
    if given is not None:
        message = f"{is_its} may have {given['spec']['id']}: {_UNKNOWN}"
        return [Reason("instance-busy", message, (unassign,))]
    if not view.spec.suspend and name not in dict(idle_instances(view)):
        trouble = status_of(instance).get("message") or "its pod starts"
        message = f"{is_its} is not ready: {short(trouble)}"
        return [Reason("instance-starts", message)]
    return []


def nobody_idle(view: View) -> Reason:
    """How the wanted instances are, when none of them is idle."""
    wanted = view.spec.instances
    if wanted == 0:
        return Reason("no-instances", "no instance is wanted", ("scale instances 1",))
    mine = [item for item in view.instances if item["spec"]["index"] <= wanted]
    at_work = {name: task for task, name in view.promised.given} | view.active
    busy = [item for item in mine if item["metadata"]["name"] in at_work]
    held = [
        item
        for item in mine
        if item not in busy and item["spec"].get("desired", "Running") != "Running"
    ]
    working = [at_work[item["metadata"]["name"]]["spec"]["id"] for item in busy]
    starting = wanted - len(busy) - len(held)
    parts = [
        f"{len(busy)} busy with {listed(working)}" if busy else "",
        f"{starting} starting" if starting else "",
        f"{len(held)} paused or stopped" if held else "",
    ]
    message = f"no instance is idle: {', '.join(part for part in parts if part)}"
    if held:
        say = f"resume instance {held[0]['metadata']['name']}"
    else:
        say = "" if starting else "scale up instances 1"
    return Reason("no-idle-instance", message, (say,) if say else ())


def nobody_able(view: View, task: KiroTask) -> list[Reason]:
    """That no instance can do what the task asks for."""
    words = lacking(view, task)
    if not words:
        return []
    message = (
        f"no instance can do {listed(words)}: add it to spec.template.capabilities of the "
        "swarm, or to spec.capabilities of one KiroInstance"
    )
    assign = f"assign task {task['spec']['id']} to {view.name}-1"
    return [Reason("nobody-able", message, (assign,))]


def overlapping(view: View, task: KiroTask) -> list[Reason]:
    """Tasks under way that declare files of this one."""
    met = []
    for other in in_the_air(view):
        if other["spec"]["id"] == task["spec"]["id"]:
            continue
        claims = Claims()
        claims.add(files_of(other))
        if claims.overlap(files_of(task)):
            met.append(f"{other['spec']['id']} ({state_of(other)})")
    if not met:
        return []
    message = f"it touches files of {listed(met)}, and waits until that is merged"
    return [Reason("files-overlap", message)]


def place_in_line(view: View, task: KiroTask, *, alone: bool) -> list[Reason]:
    """Which ready tasks come first; ``alone``: nothing else holds this one."""
    if task["spec"].get("paused"):
        return []
    name = task["spec"]["id"]
    # Who is assigned elsewhere is in another line.
    assigned_to = str(task["spec"].get("assignedTo") or "")
    ids = [other.id for other in view.ready_queue().line(assigned_to)]
    given = {task["spec"]["id"] for task, _ in view.promised.given}
    before = [task_id for task_id in ids[: ids.index(name)] if task_id not in given]
    if before and (not alone or len(before) >= len(idle_instances(view))):
        message = f"number {len(before) + 1} in line, behind {listed(before)}"
        return [Reason("in-line", message, (f"run task {name}",))]
    if alone:
        return [Reason("soon", "an instance takes it in a moment")]
    return []
