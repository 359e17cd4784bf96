"""Sentences about the whole swarm: stop all tasks, pause swarm, resume swarm."""

from __future__ import annotations

from kiro_swarm.api.meta import MERGED
from kiro_swarm.reconcile.commands.executors.find import (
    counted,
    instance_named,
    listed,
    pods_of,
    task_of,
)
from kiro_swarm.reconcile.commands.executors.plan import (
    Data,
    Effect,
    Outcome,
    Partial,
    Request,
    done,
    failed,
    gathered,
)
from kiro_swarm.reconcile.commands.executors.writes import (
    desired_of,
    generation_of,
    overruled,
    suspending,
    take_back,
)


def pin_stop_all(request: Request) -> Data:
    """Who works on what when the command begins."""
    view = request.view
    names = [item["metadata"]["name"] for item in view.instances]
    return {
        "instances": {name: task_of(view, name) for name in names},
        "generation": generation_of(view.swarm),
    }


def stop_all(request: Request) -> Outcome:
    """``stop all tasks [graceful]``: finished when no pod of an instance is left.

    The swarm is suspended, so that nothing new starts; ``resume swarm`` undoes it.
    """
    view, graceful = request.view, request.said("graceful")
    effects = suspending(view, True)
    if effects and overruled(request, view.swarm):
        return failed(f"{view.name} was resumed before everything had stopped")
    if not graceful:
        for task in view.active.values():
            effects += take_back(request, task, "Stopped")
    names = request.pinned.texts("instances")
    if not names:
        message = f"{view.name} has no instance; nothing starts until `resume swarm`"
        return done(message, *effects)
    parts = [_part(request, name, task, effects) for name, task in names.items()]
    message = f"instances of {view.name} stopped; `resume swarm` starts work again"
    return gathered(parts, message, effects=effects)


def _part(
    request: Request, name: str, task: str, effects: tuple[Effect, ...]
) -> Partial:
    """How far one instance is with stopping."""
    view, instance = request.view, instance_named(request.view, name)
    at_work = task_of(view, name)
    if instance is None:
        return Partial(name, True, True, "is gone")
    if at_work and request.said("graceful"):
        return Partial(name, False, False, f"ends task {at_work} first")
    if at_work or pods_of(view, instance) or effects:
        return Partial(name, False, False, "its pod stops")
    if not task:
        return Partial(name, True, True, "stopped; it had no task")
    word = "ended" if request.said("graceful") else "went back in line"
    return Partial(name, True, True, f"stopped; task {task} {word}")


def pause_swarm(request: Request) -> Outcome:
    """``pause swarm``: nothing new starts; what runs ends, then the pods go."""
    view = request.view
    at_work = sorted(task["spec"]["id"] for task in view.active.values())
    message = f"{view.name} is paused: no task starts"
    if at_work:
        message += f"; {counted(len(at_work), 'task')} ({listed(at_work)}) may end"
    message += "; `resume swarm` goes on"
    return done(message, *suspending(view, True), working=at_work)


def resume_swarm(request: Request) -> Outcome:
    """``resume swarm``: undoes ``pause swarm`` and ``stop all tasks``."""
    view = request.view
    merged = sum(state == MERGED for state in view.states.values())
    message = (
        f"{view.name} goes on with {counted(view.spec.instances, 'instance')}; "
        f"{merged} of {counted(len(view.tasks), 'task')} merged"
    )
    tasks = [item["spec"]["id"] for item in view.tasks if item["spec"].get("paused")]
    held = [
        item["metadata"]["name"]
        for item in view.instances
        if desired_of(item) != "Running"
    ]
    if tasks:
        message += f"; still paused: {counted(len(tasks), 'task')} ({listed(tasks)})"
    if held:
        word = counted(len(held), "instance")
        message += f"; still paused or stopped: {word} ({listed(held)})"
    data = {"pausedTasks": tasks, "heldInstances": held}
    return done(message, *suspending(view, False), **data)
