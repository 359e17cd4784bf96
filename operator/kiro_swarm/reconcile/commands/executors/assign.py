"""Sentences about who works on what: assign, unassign, reassign."""

from __future__ import annotations

from kiro_swarm.api.meta import ACTIVE_STATES, DONE, MERGED
from kiro_swarm.api.task import KiroTask
from kiro_swarm.reconcile.commands.executors.find import (
    listed,
    task_of,
    the_instance,
    the_task,
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
    desired_of,
    take_back,
    task_spec,
    wanting,
)
from kiro_swarm.reconcile.snapshot.view import View, state_of


def assign_task(request: Request) -> Outcome:
    """``assign task ID to NAME``: no other instance gets its next attempt."""
    task = the_task(request)
    if isinstance(task, Outcome):
        return task
    instance = the_instance(request)
    if isinstance(instance, Outcome):
        return instance
    wanted, state = task["spec"]["id"], state_of(task)
    name = instance["metadata"]["name"]
    data = {"task": wanted, "state": state, "instance": name}
    if state in (MERGED, DONE):
        message = f"task {wanted} is {state.lower()}: nobody has to work on it"
        return failed(message, **data)
    message = f"task {wanted} is for {name} alone"
    if state in ACTIVE_STATES and task["status"].get("instance") != name:
        message += (
            f" from its next attempt on; {task['status'].get('instance')} works on it "
            f"now (`stop task {wanted}`, then `resume task {wanted}` moves it)"
        )
    desired = desired_of(instance)
    if desired != "Running":
        message += f"; {name} is {desired.lower()}: `resume instance {name}`"
    elif instance["spec"]["index"] > request.view.spec.instances:
        message += f"; {name} is leaving: the swarm was scaled down"
    message += f"; `unassign task {wanted}` undoes it"
    return done(message, *task_spec(task, assignedTo=name), **data)


def unassign_task(request: Request) -> Outcome:
    """``unassign task ID``: any instance may have it."""
    task = the_task(request)
    if isinstance(task, Outcome):
        return task
    wanted = task["spec"]["id"]
    message = f"task {wanted} may go to any instance"
    data = {"task": wanted, "state": state_of(task)}
    return done(message, *task_spec(task, assignedTo=""), **data)


def pin_reassign(request: Request) -> Data:
    """What the instance has now; afterwards nothing tells."""
    instance = the_instance(request, "instance")
    if isinstance(instance, Outcome):
        return {}
    name = instance["metadata"]["name"]
    assigned = [task["spec"]["id"] for task in _assigned_to(request.view, name)]
    return {"task": task_of(request.view, name), "assigned": assigned}


def reassign_tasks(request: Request) -> Outcome:
    """``reassign tasks from NAME``: its work goes to others, it gets no more."""
    instance = the_instance(request, "instance")
    if isinstance(instance, Outcome):
        return instance
    view, name = request.view, instance["metadata"]["name"]
    effects: tuple[Effect, ...] = ()
    if desired_of(instance) == "Running":
        effects += wanting(instance, "Paused")
    for task in _assigned_to(view, name):
        effects += task_spec(task, assignedTo="")
    at_work = view.active.get(name)
    if at_work is not None:
        effects += take_back(request, at_work, "Reassigned")
    had = request.pinned.text("task")
    moved = [had] if had else []
    moved += [item for item in request.pinned.names("assigned") if item not in moved]
    others = _takers(view, name)
    data = {"instance": name, "tasks": moved, "takers": others}
    if not moved:
        message = f"instance {name} has no task; it gets none"
    elif others:
        message = f"{listed(moved)} may go to {listed(others)}"
    else:
        message = f"{listed(moved)} wait: no other instance may take tasks"
    return done(
        f"{message}; `resume instance {name}` gives it work again", *effects, **data
    )


def _assigned_to(view: View, name: str) -> list[KiroTask]:
    """The tasks that a person gave to an instance and that are not merged."""
    return [
        task
        for task in view.tasks
        if task["spec"].get("assignedTo") == name and state_of(task) != MERGED
    ]


def _takers(view: View, but: str) -> list[str]:
    """The instances that may get tasks, without one."""
    return [
        item["metadata"]["name"]
        for item in view.instances
        if item["metadata"]["name"] != but
        and desired_of(item) == "Running"
        and item["spec"]["index"] <= view.spec.instances
    ]
