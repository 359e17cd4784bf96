"""Sentences about one instance: ``stop instance``."""

from __future__ import annotations

from typing import Any

from kiro_swarm.cluster.resources import INSTANCES
from kiro_swarm.reconcile.executors.find import the_instance
from kiro_swarm.reconcile.executors.plan import Effect, Outcome, Request, done
from kiro_swarm.reconcile.manifests import Object


def stop_instance(request: Request) -> Outcome:
    """``stop instance NAME [graceful]``."""
    instance = the_instance(request)
    if isinstance(instance, Outcome):
        return instance
    name, graceful = instance["metadata"]["name"], request.said("graceful")
    desired = "Drained" if graceful else "Stopped"
    task = request.view.active.get(name)
    data: dict[str, Any] = {"instance": name, "desired": desired}
    if task is None:
        message = f"instance {name} stops"
    else:
        data["task"] = at_work = task["spec"]["id"]
        if graceful:
            message = f"instance {name} stops after task {at_work}"
        else:
            message = f"instance {name} stops; task {at_work} goes to another"
    return done(message, *wanting(instance, desired), **data)


def wanting(instance: Object, desired: str) -> tuple[Effect, ...]:
    """The effect that sets what is wanted of an instance; none if it is wanted already."""
    name, before = instance["metadata"]["name"], instance["spec"].get("desired")
    if (before or "Running") == desired:
        return ()
    says = f"kiroinstance/{name}: spec.desired {before or 'Running'} -> {desired}"
    body = {"spec": {"desired": desired}}
    return (Effect("patch", INSTANCES, instance, says, body),)
