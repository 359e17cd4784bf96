"""The writes that executors share: fields of a spec, and a task taken back. Pure.

Each helper gives no effect where things are as wanted already, which is what makes a
repeated decision harmless.
"""

from __future__ import annotations

import json
from typing import Any

from kiro_swarm.cluster.resources import INSTANCES, SWARMS, TASKS, AnyResource
from kiro_swarm.lifecycle.attempts import taken_back
from kiro_swarm.reconcile.commands.executors.plan import Effect, Request
from kiro_swarm.reconcile.objects.manifests import Object
from kiro_swarm.reconcile.snapshot.view import View, state_of

#: What a field means that is not there.
_DEFAULTS: dict[str, Any] = {
    "desired": "Running",
    "mode": "Normal",
    "paused": False,
    "priority": 0,
    "approvedAttempt": 0,
}


def change(resource: AnyResource, item: Object, **wanted: Any) -> tuple[Effect, ...]:
    """The effect that gives fields of ``item.spec`` these values, if they differ."""
    before = {name: item["spec"].get(name, _DEFAULTS.get(name, "")) for name in wanted}
    new = {name: value for name, value in wanted.items() if before[name] != value}
    if not new:
        return ()
    fields = ", ".join(
        f"spec.{name} {_shown(before[name])} -> {_shown(value)}"
        for name, value in new.items()
    )
    says = f"{resource.kind.lower()}/{item['metadata']['name']}: {fields}"
    return (Effect("patch", resource, item, says, {"spec": new}),)


def task_spec(task: Object, **wanted: Any) -> tuple[Effect, ...]:
    """``change`` of a KiroTask."""
    return change(TASKS, task, **wanted)


def wanting(instance: Object, desired: str) -> tuple[Effect, ...]:
    """``change`` of what is wanted of a KiroInstance."""
    return change(INSTANCES, instance, desired=desired)


def suspending(view: View, suspend: bool) -> tuple[Effect, ...]:
    """The effect that suspends a swarm or lets it go on."""
    if view.spec.suspend == suspend:
        return ()
    now, then = _shown(view.spec.suspend), _shown(suspend)
    says = f"kiroswarm/{view.name}: spec.suspend {now} -> {then}"
    body = {"spec": {"suspend": suspend}}
    return (Effect("patch", SWARMS, view.swarm, says, body),)


def task_status(task: Object, patch: dict[str, Any]) -> Effect:
    """The effect that moves a task to another state."""
    name, before = task["metadata"]["name"], state_of(task)
    says = f"kirotask/{name}: {before} -> {patch['state']} ({patch['reason']})"
    return Effect("patch_status", TASKS, task, says, patch)


def take_back(request: Request, task: Object, reason: str) -> tuple[Effect, ...]:
    """The effect that takes an active task from its instance.

    :param reason: ``Reassigned`` or ``Stopped``.
    """
    message = f"taken back by command {request.name}"
    now = request.view.now
    patch = taken_back(task["status"], now, reason, message)
    return (task_status(task, patch),)


def desired_of(instance: Object) -> str:
    """What is wanted of an instance."""
    return str(instance["spec"].get("desired") or "Running")


def generation_of(item: Object) -> int:
    """How often the spec of an object was written; see ``overruled``."""
    return int(item["metadata"].get("generation") or 0)


def overruled(request: Request, item: Object) -> bool:
    """Whether the spec of ``item`` was written since ``pin`` recorded its generation.

    Asked where the spec is not as a command that waits wants it: then a later sentence
    said otherwise, and the two must not fight.
    """
    return generation_of(item) > int(request.pinned["generation"])


def _shown(value: Any) -> str:
    return value if value and isinstance(value, str) else json.dumps(value)
