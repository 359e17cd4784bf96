"""Find what a sentence names, or say what is there instead. Used by every executor."""

from __future__ import annotations

import difflib
from typing import Optional, Union

from kiro_swarm.reconcile.executors.plan import Outcome, Request, failed
from kiro_swarm.reconcile.manifests import Object


def the_task(request: Request) -> Union[Object, Outcome]:
    """The KiroTask of the argument ``id``, or the answer that there is none."""
    view, wanted = request.view, request.argument("id")
    for task in view.tasks:
        if task["spec"]["id"] == wanted:
            return task
    hint = nearest(wanted, list(view.states))
    return failed(
        f"task {wanted} is not in swarm {view.name} ({len(view.tasks)} tasks{hint})"
    )


def the_instance(request: Request, argument: str = "name") -> Union[Object, Outcome]:
    """The KiroInstance of an argument, or the answer that there is none."""
    name = request.argument(argument)
    found = instance_named(request, name)
    if found is not None:
        return found
    names = [item["metadata"]["name"] for item in request.view.instances]
    hint = nearest(name, names)
    return failed(f"instance {name} is not in swarm {request.view.name}{hint}")


def instance_named(request: Request, name: str) -> Optional[Object]:
    """The KiroInstance of this name, or None."""
    for item in request.view.instances:
        if item["metadata"]["name"] == name:
            return item
    return None


def nearest(wanted: str, names: list[str]) -> str:
    """A hint with the most similar name, or an empty string."""
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.3)
    return f"; nearest: {near[0]}" if near else ""
