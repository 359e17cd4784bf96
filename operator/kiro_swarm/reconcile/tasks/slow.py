"""Tasks that take longer than they should: flagged, and taken from a slow instance.

Called by ``swarm`` after tasks were handed out. Pure: takes a view, returns status patches.

A task is moved at most once, and only from an instance that was measured to be slow to one
that has nothing else to do: what it did so far is lost, which has to be worth it.
"""

from __future__ import annotations

from typing import Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.lifecycle.attempts import moved
from kiro_swarm.lifecycle.notes import observed
from kiro_swarm.lifecycle.reasons import SLOW
from kiro_swarm.policy.conditions import is_true
from kiro_swarm.reconcile.snapshot.ready import ready_task
from kiro_swarm.reconcile.snapshot.text import spoken
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.tasks.hand_out import (
    idle_instances,
    instance_of,
    place_of,
    request_of,
)
from kiro_swarm.reconcile.tasks.lateness import (
    LATE,
    elapsed,
    is_late,
    takes_too_long,
    with_late,
)
from kiro_swarm.reconcile.tasks.transitions import Patch
from kiro_swarm.tasks.plan.schedule import may_have
from kiro_swarm.tasks.plan.strategies import IdleInstance

#: An instance is much slower than one that is so many times as fast.
MUCH_FASTER = 1.5


def flags(view: View) -> list[Patch]:
    """The condition ``Late`` of every task, where it changes."""
    found = []
    told = {task["metadata"]["name"]: task for task in view.task_index.noted}
    told.update((task["metadata"]["name"], task) for task in view.task_index.active)
    for task in told.values():
        conditions = status_of(task).get("conditions") or []
        late = is_late(view, task)
        if late != is_true(conditions, LATE):
            found.append((task, observed(with_late(view, task, conditions))))
    return found


def moves(view: View) -> list[Patch]:
    """Late tasks that begin again on an idle instance that is much faster.

    Ends the attempt and binds the next one in a single write: nobody else can come
    between.
    """
    if view.spec.distribution.slow_instances != "Move":
        return []
    late = [task for task in view.active.values() if _may_move(view, task)]
    if not late:
        return []
    pods = dict(idle_instances(view))
    idle = [
        instance_of(view, item)
        for item in view.instances
        if item["metadata"]["name"] in pods
    ]
    found = []
    for task in sorted(late, key=lambda item: -elapsed(view, item)):
        target = _target(view, task, idle)
        if target is not None:
            idle.remove(target)
            found.append((task, _move(view, task, target.name, pods[target.name])))
    return found


def _may_move(view: View, task: KiroTask) -> bool:
    history = task["status"].get("history") or []
    return (
        takes_too_long(view, task)
        and not task["spec"].get("assignedTo")
        and not task["spec"].get("paused")
        and all(record.get("outcome") != SLOW for record in history)
    )


def _target(
    view: View, task: KiroTask, idle: list[IdleInstance]
) -> Optional[IdleInstance]:
    """The fastest idle instance, if it is much faster than the one that has the task."""
    speed = view.measured.speeds.get(task["status"]["instance"], 1.0)
    wanted = ready_task(task, view.measured)
    able = [
        one
        for one in idle
        if may_have(wanted, one) and one.speed >= MUCH_FASTER * speed
    ]
    return max(able, key=lambda one: (one.speed, -one.index), default=None)


def _move(view: View, task: KiroTask, instance: str, pod_uid: str) -> KiroTaskStatus:
    status = task["status"]
    message = (
        f"working for {spoken(elapsed(view, task))} on {status['instance']}, which is "
        f"slow: moved to {instance}"
    )
    place = place_of(view, task, instance, pod_uid)
    return moved(status, view.now, place, request_of(task), message)
