"""All that an executor can write: the only place that makes an ``Effect``. Pure.

What is written is of the type of its kind, so that a field that is spelt wrong is found by
the type checker. A helper with a tuple gives no effect where things are as wanted already, which
is what makes a repeated decision harmless.
"""

from __future__ import annotations

import json
from typing import Mapping

from typing_extensions import Unpack

from kiro_swarm.api.command import SwarmCommand, SwarmCommandStatus
from kiro_swarm.api.instance import Desired, KiroInstance, KiroInstanceSpecPatch
from kiro_swarm.api.kubernetes import Job, KubernetesObject
from kiro_swarm.api.swarm_status import KiroSwarmSpecPatch
from kiro_swarm.api.task import KiroTask, KiroTaskSpecPatch, KiroTaskStatus
from kiro_swarm.cluster.resources import (
    COMMANDS,
    INSTANCES,
    JOBS,
    SWARMS,
    TASKS,
    ObjectT,
    Resource,
    StatusT,
)
from kiro_swarm.lifecycle.attempts import taken_back
from kiro_swarm.reconcile.commands.executors.plan import Effect, Request
from kiro_swarm.reconcile.snapshot.view import View, state_of

#: What a field means that is not there.
_DEFAULTS: Mapping[str, object] = {
    "desired": "Running",
    "mode": "Normal",
    "paused": False,
    "priority": 0,
    "approvedAttempt": 0,
}


def task_spec(
    task: KiroTask, **wanted: Unpack[KiroTaskSpecPatch]
) -> tuple[Effect, ...]:
    """The effect that gives fields of a KiroTask's spec these values, if they differ."""
    new = _differing(task["spec"], wanted)
    if not new:
        return ()
    says = f"kirotask/{task['metadata']['name']}: {_fields(task['spec'], new)}"
    return (Effect("patch", TASKS, task, says, {"spec": new}),)


def told_task(task: KiroTask, says: str, **wanted: Unpack[KiroTaskSpecPatch]) -> Effect:
    """The effect that writes fields of a KiroTask's spec, told in other words."""
    says = f"kirotask/{task['metadata']['name']}: {says}"
    return Effect("patch", TASKS, task, says, {"spec": wanted})


def wanting(instance: KiroInstance, desired: Desired) -> tuple[Effect, ...]:
    """The effect that says what is wanted of a KiroInstance, unless it says so."""
    patch: KiroInstanceSpecPatch = {"desired": desired}
    new = _differing(instance["spec"], patch)
    if not new:
        return ()
    name = instance["metadata"]["name"]
    says = f"kiroinstance/{name}: {_fields(instance['spec'], new)}"
    return (Effect("patch", INSTANCES, instance, says, {"spec": new}),)


def suspending(view: View, suspend: bool) -> tuple[Effect, ...]:
    """The effect that suspends a swarm or lets it go on."""
    if view.spec.suspend == suspend:
        return ()
    now, then = _shown(view.spec.suspend), _shown(suspend)
    return (swarm_spec(view, f"spec.suspend {now} -> {then}", suspend=suspend),)


def swarm_spec(view: View, says: str, **wanted: Unpack[KiroSwarmSpecPatch]) -> Effect:
    """The effect that writes fields of the KiroSwarm's spec."""
    says = f"kiroswarm/{view.name}: {says}"
    return Effect("patch", SWARMS, view.swarm, says, {"spec": wanted})


def annotated(view: View, says: str, name: str, value: str) -> tuple[Effect, ...]:
    """The effect that annotates the KiroSwarm, unless it has the annotation."""
    metadata = view.swarm["metadata"]
    if name in (metadata.get("annotations") or {}):
        return ()
    body = {"metadata": {"annotations": {name: value}}}
    says = f"kiroswarm/{view.name}: {says}"
    return (Effect("patch", SWARMS, view.swarm, says, body),)


def task_status(task: KiroTask, patch: KiroTaskStatus) -> Effect:
    """The effect that moves a task to another state."""
    name, before = task["metadata"]["name"], state_of(task)
    says = f"kirotask/{name}: {before} -> {patch['state']} ({patch['reason']})"
    return Effect("patch_status", TASKS, task, says, patch)


def command_status(
    command: SwarmCommand, says: str, patch: SwarmCommandStatus
) -> Effect:
    """The effect that answers another command."""
    says = f"swarmcommand/{command['metadata']['name']}: {says}"
    return Effect("patch_status", COMMANDS, command, says, patch)


def job_made(body: Job) -> Effect:
    """The effect that makes a Job."""
    name = body["metadata"]["name"]
    return Effect("create", JOBS, body, f"job/{name}: created", body)


def deleted(
    resource: Resource[ObjectT, StatusT], item: ObjectT, says: str = ""
) -> Effect:
    """The effect that deletes this very object."""
    name = f"{resource.kind.lower()}/{item['metadata']['name']}"
    return Effect("delete", resource, item, f"{name}: deleted{says}")


def take_back(request: Request, task: KiroTask, reason: str) -> tuple[Effect, ...]:
    """The effect that takes an active task from its instance.

    :param reason: ``Reassigned`` or ``Stopped``.
    """
    message = f"taken back by command {request.name}"
    now = request.view.now
    patch = taken_back(task["status"], now, reason, message)
    return (task_status(task, patch),)


def desired_of(instance: KiroInstance) -> Desired:
    """What is wanted of an instance."""
    return instance["spec"].get("desired") or "Running"


def generation_of(item: KubernetesObject) -> int:
    """How often the spec of an object was written; see ``overruled``."""
    return int(item["metadata"].get("generation") or 0)


def overruled(request: Request, item: KubernetesObject) -> bool:
    """Whether the spec of ``item`` was written since ``pin`` recorded its generation.

    Asked where the spec is not as a command that waits wants it: then a later sentence
    said otherwise, and the two must not fight.
    """
    return generation_of(item) > request.pinned.number("generation")


def _differing(
    spec: Mapping[str, object], wanted: Mapping[str, object]
) -> dict[str, object]:
    return {name: new for name, new in wanted.items() if _now(spec, name) != new}


def _fields(spec: Mapping[str, object], new: Mapping[str, object]) -> str:
    return ", ".join(
        f"spec.{name} {_shown(_now(spec, name))} -> {_shown(value)}"
        for name, value in new.items()
    )


def _now(spec: Mapping[str, object], name: str) -> object:
    return spec.get(name, _DEFAULTS.get(name, ""))


def _shown(value: object) -> str:
    return value if value and isinstance(value, str) else json.dumps(value)
