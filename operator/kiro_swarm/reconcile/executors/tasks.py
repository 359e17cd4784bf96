"""Sentences about one task: ``run task``."""

from __future__ import annotations

from kiro_swarm.api.meta import ACTIVE_STATES, DONE, FAILED, MERGED, SKIPPED
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.reconcile.executors.find import the_task
from kiro_swarm.reconcile.executors.plan import Effect, Outcome, Request, done, failed
from kiro_swarm.reconcile.tasks import waiting_for
from kiro_swarm.reconcile.view import state_of

#: Priority of a task that a person asked for: before everything a file can say.
ASKED_PRIORITY = 1000


def run_task(request: Request) -> Outcome:
    """``run task ID``: first in line; a failed or skipped one is tried again."""
    task = the_task(request)
    if isinstance(task, Outcome):
        return task
    wanted, state, status = task["spec"]["id"], state_of(task), task.get("status") or {}
    if state == MERGED:
        return failed(f"task {wanted} is merged already", task=wanted, state=state)
    if state in ACTIVE_STATES:
        where = status.get("instance", "")
        message = f"task {wanted} is with {where} already"
        return done(message, task=wanted, state=state)
    if state == DONE:
        message = f"task {wanted} is done and waits for its merge"
        return done(message, task=wanted, state=state)
    waits = waiting_for(request.view, task)
    if waits:
        message = f"task {wanted} starts as soon as {', '.join(waits)} is merged"
    elif state in (FAILED, SKIPPED):
        message = f"task {wanted} was {state.lower()}; it is tried again"
    else:
        message = f"task {wanted} is next"
    data = {"task": wanted, "state": state, "waitsFor": waits}
    if task["spec"].get("runRequest") == request.uid:
        return done(message, **data)
    effect = Effect(
        "patch",
        TASKS,
        task,
        f"kirotask/{task['metadata']['name']}: first in line",
        {"spec": {"priority": ASKED_PRIORITY, "runRequest": request.uid}},
    )
    return done(message, effect, **data)
