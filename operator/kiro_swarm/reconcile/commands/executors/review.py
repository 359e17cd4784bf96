"""Sentences of a person who was asked: approve task, reject task.

They are for one attempt, the one that is Done when the command begins: work that was done
anew is looked at anew.
"""

from __future__ import annotations

from typing import Union

from kiro_swarm.api.meta import DONE
from kiro_swarm.api.task import KiroTask
from kiro_swarm.lifecycle.attempts import rejected
from kiro_swarm.reconcile.commands.executors.find import the_task
from kiro_swarm.reconcile.commands.executors.plan import (
    Data,
    Outcome,
    Request,
    done,
    failed,
)
from kiro_swarm.reconcile.commands.executors.writes import task_spec, task_status
from kiro_swarm.reconcile.snapshot.view import state_of


def pin(request: Request) -> Data:
    """The attempt that the person has seen."""
    task = the_task(request)
    if isinstance(task, Outcome) or state_of(task) != DONE:
        return {}
    return {"attempt": int(task["status"]["attempt"])}


def approve_task(request: Request) -> Outcome:
    """``approve task ID``: the merge train may take its work."""
    task = _asked_about(request)
    if isinstance(task, Outcome):
        return task
    wanted, attempt = task["spec"]["id"], request.pinned.number("attempt")
    message = f"task {wanted}, attempt {attempt} is approved and is merged next"
    effects = task_spec(task, approvedAttempt=attempt) if _at(task, attempt) else ()
    return done(message, *effects, task=wanted, attempt=attempt)


def reject_task(request: Request) -> Outcome:
    """``reject task ID [reason=...]``: done again, and the reason is its brief."""
    task = _asked_about(request)
    if isinstance(task, Outcome):
        return task
    wanted, attempt = task["spec"]["id"], request.pinned.number("attempt")
    data = {"task": wanted, "attempt": attempt}
    reason = str(request.action.parameters.get("reason", ""))
    message = f"task {wanted}, attempt {attempt} is rejected and is done again"
    message += ", with your reason as its brief" if reason else ""
    if not _at(task, attempt):
        return done(message, **data)
    if task["spec"].get("approvedAttempt") == attempt:
        late = (
            f"task {wanted}, attempt {attempt} is approved already and is being merged"
        )
        return failed(late, **data)
    patch = rejected(task["status"], request.view.now, reason)
    return done(message, task_status(task, patch), **data)


def _asked_about(request: Request) -> Union[KiroTask, Outcome]:
    """The KiroTask, if a person is asked about it; else the answer that nobody asks."""
    task = the_task(request)
    if isinstance(task, Outcome):
        return task
    wanted, state = task["spec"]["id"], state_of(task)
    if request.view.spec.integration.approval != "Required":
        message = (
            f"nobody is asked about the tasks of {request.view.name}: "
            "spec.integration.approval is Never"
        )
        return failed(message, task=wanted, state=state)
    if not request.pinned:
        message = (
            f"task {wanted} is {state.lower()}: only work that is done is looked at"
        )
        return failed(message, task=wanted, state=state)
    return task


def _at(task: KiroTask, attempt: int) -> bool:
    """Whether a task is still Done with this attempt."""
    return state_of(task) == DONE and int(task["status"]["attempt"]) == attempt
