"""Sentences about instances: how many there are; of one: stop, pause, resume."""

from __future__ import annotations

from kiro_swarm.api.access import status_of
from kiro_swarm.api.instance import Desired, KiroInstance
from kiro_swarm.commands.table import MAX_INSTANCES
from kiro_swarm.reconcile.commands.executors.find import pods_of, task_of, the_instance
from kiro_swarm.reconcile.commands.executors.plan import (
    Data,
    Outcome,
    Request,
    done,
    failed,
)
from kiro_swarm.reconcile.commands.executors.writes import (
    desired_of,
    generation_of,
    overruled,
    swarm_spec,
    take_back,
    wanting,
)

_SIGN = {"scale up instances": 1, "scale down instances": -1}
_NO_POD = ("Drained", "Stopped")


def pin_scale(request: Request) -> Data:
    """``scale up instances 3`` done twice would add six: the target is pinned once."""
    now, count = request.view.spec.instances, int(request.argument("count"))
    sign = _SIGN.get(request.action.command.name)
    return {"from": now, "target": count if sign is None else now + sign * count}


def scale(request: Request) -> Outcome:
    """Set spec.instances to the target."""
    view, named = request.view, request.argument("name")
    if named not in ("", view.name):
        return failed(
            f"this command is to swarm {view.name} (spec.swarm), and its sentence says "
            f"{named}; nothing is scaled"
        )
    before, target = request.pinned.number("from"), request.pinned.number("target")
    if target < 0:
        return failed(
            f"{view.name} has {before} instances wanted, that is not as many as "
            f"{before - target} to take away; spec.instances takes 0 to {MAX_INSTANCES}"
        )
    if target > MAX_INSTANCES:
        return failed(
            f"that would be {target} instances; spec.instances takes 0 to "
            f"{MAX_INSTANCES}, now it is {before}"
        )
    data = {"from": before, "to": target}
    if before == target:
        return done(f"{view.name} has {target} instances wanted", **data)
    message = f"scaled {view.name} from {before} to {target} instances"
    if view.spec.instances == target:
        return done(message, **data)
    says = f"spec.instances {view.spec.instances} -> {target}"
    return done(message, swarm_spec(view, says, instances=target), **data)


def pin_stop(request: Request) -> Data:
    """The task that it has now is another's by the time of the answer."""
    instance = the_instance(request)
    if isinstance(instance, Outcome):
        return {}
    task = task_of(request.view, instance["metadata"]["name"])
    return {"task": task, "generation": generation_of(instance)}


def stop_instance(request: Request) -> Outcome:
    """``stop instance NAME [graceful]``: finished when its pod is gone."""
    instance, name = the_instance(request), request.argument("name")
    graceful = request.said("graceful")
    if isinstance(instance, Outcome):
        if not request.pinned:
            return instance
        return done(f"instance {name} is gone: {request.view.name} was scaled down")
    desired = desired_of(instance)
    wanted: Desired = "Drained" if graceful and desired != "Stopped" else "Stopped"
    task = request.pinned.text("task")
    rest = ""
    if task:
        rest = f" after task {task}" if graceful else f"; task {task} goes to another"
    data = {"instance": name, "desired": wanted, "task": task}
    if desired not in _NO_POD and overruled(request, instance):
        message = f"instance {name} was resumed before it had stopped"
        return failed(message, **data)
    effects = wanting(instance, wanted)
    at_work = request.view.active.get(name)
    if at_work is not None and not graceful:
        effects += take_back(request, at_work, "Stopped")
    if effects or at_work is not None or not _stopped(request, instance):
        return Outcome(None, f"instance {name} stops{rest}", data, effects)
    message = f"instance {name} is stopped{rest}; `resume instance {name}` starts it"
    return done(message, **data)


def _stopped(request: Request, instance: KiroInstance) -> bool:
    phase = status_of(instance).get("phase")
    return phase == "Stopped" and not pods_of(request.view, instance)


def pause_instance(request: Request) -> Outcome:
    """``pause instance NAME``: no further task; the pod stays."""
    instance = the_instance(request)
    if isinstance(instance, Outcome):
        return instance
    name = instance["metadata"]["name"]
    if desired_of(instance) in _NO_POD:
        return failed(
            f"instance {name} is stopped, not running; "
            f"`resume instance {name}` starts it"
        )
    task = task_of(request.view, name)
    first = (
        f"finishes task {task} and takes no further one" if task else "takes no task"
    )
    message = f"instance {name} {first} until `resume instance {name}`"
    data = {"instance": name, "desired": "Paused", "task": task}
    return done(message, *wanting(instance, "Paused"), **data)


def resume_instance(request: Request) -> Outcome:
    """``resume instance NAME``: undoes pause, stop, drain and reassign."""
    instance, view = the_instance(request), request.view
    if isinstance(instance, Outcome):
        return instance
    name = instance["metadata"]["name"]
    stopped = desired_of(instance) in _NO_POD
    message = f"instance {name} {'starts again' if stopped else 'takes tasks'}"
    if view.spec.suspend:
        message += f", once {view.name} is resumed: `resume swarm`"
    data = {"instance": name, "desired": "Running"}
    return done(message, *wanting(instance, "Running"), **data)
