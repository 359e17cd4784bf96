"""Sentences about giving up and trying again: retry task, retry failed tasks, cancel task."""

from __future__ import annotations

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import DONE, FAILED, MERGED, SKIPPED
from kiro_swarm.api.task import KiroTask
from kiro_swarm.lifecycle.attempts import cancelled
from kiro_swarm.policy.approval import asks_person
from kiro_swarm.reconcile.commands.executors.find import listed, the_task
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
from kiro_swarm.reconcile.commands.executors.tasks import ask
from kiro_swarm.reconcile.commands.executors.writes import task_status
from kiro_swarm.reconcile.snapshot.view import View, job_outcome, state_of


def retry_task(request: Request) -> Outcome:
    """``retry task ID``: only one that failed or was skipped."""
    task = the_task(request)
    if isinstance(task, Outcome):
        return task
    wanted, state = task["spec"]["id"], state_of(task)
    data = {"task": wanted, "state": state}
    asked = task["spec"].get("runRequest") == request.uid
    if state not in (FAILED, SKIPPED) and not asked:
        message = f"task {wanted} is {state.lower()}, not failed or skipped"
        return failed(f"{message}: there is nothing to try again", **data)
    return done(f"task {wanted} is tried again", *ask(request, task), **data)


def retry_failed(request: Request) -> Outcome:
    """``retry failed tasks``: every task that failed, each once."""
    meant = [
        task
        for task in request.view.tasks
        if state_of(task) == FAILED or task["spec"].get("runRequest") == request.uid
    ]
    if not meant:
        return done(f"no task of {request.view.name} has failed", tasks=[])
    effects: tuple[Effect, ...] = ()
    for task in meant:
        effects += ask(request, task)
    names = [task["spec"]["id"] for task in meant]
    parts = [Partial(name, True, True, "is tried again") for name in names]
    message = f"failed tasks of {request.view.name} are tried again"
    return gathered(parts, message, effects=effects, data={"tasks": names})


def pin_cancel(request: Request) -> Data:
    """The state of before: a task that has failed by itself is not cancelled."""
    task = the_task(request)
    return {} if isinstance(task, Outcome) else {"state": state_of(task)}


def cancel_task(request: Request) -> Outcome:
    """``cancel task ID``: Failed, whatever attempts are left."""
    task = the_task(request)
    if isinstance(task, Outcome):
        return task
    view, wanted, state = request.view, task["spec"]["id"], state_of(task)
    before = request.pinned.text("state")
    data: dict[str, object] = {"task": wanted, "state": before}
    if before in (FAILED, SKIPPED, MERGED):
        message = (
            f"task {wanted} is {state.lower()} already: there is nothing to cancel"
        )
        return failed(message, **data)
    if state == MERGED or (state == DONE and _may_be_merging(view, task)):
        message = f"task {wanted} is done and is merged at this moment"
        if state == DONE and job_outcome(view.integrate_jobs[0]) is False:
            message = (
                f"task {wanted} is done, and the last integrate Job failed and may have "
                "merged it; the next one knows"
            )
        return failed(f"{message}: it is too late to cancel it", **data)
    effects: tuple[Effect, ...] = ()
    if state != FAILED:
        by = f"command {request.name}"
        patch = cancelled(status_of(task), task["spec"], view.now, by)
        effects = (task_status(task, patch),)
    waiting = _waiting_for(view, wanted)
    message = f"task {wanted} is cancelled"
    if waiting:
        message += f"; {listed(waiting)} cannot start without it"
    data["waiting"] = waiting
    return done(f"{message}; `retry task {wanted}` undoes it", *effects, **data)


def _may_be_merging(view: View, task: KiroTask) -> bool:
    """Whether the merge train has a Done task in its hands, or died with it in them.

    A Job that failed may have moved the branch and told nobody: the next one finds out.
    """
    jobs = view.integrate_jobs
    unsure = bool(jobs) and job_outcome(jobs[0]) is not True
    return unsure and not asks_person(task, view.spec.integration.approval)


def _waiting_for(view: View, task_id: str) -> list[str]:
    """Ids of the tasks that directly depend on one."""
    return [
        task["spec"]["id"]
        for task in view.tasks
        if task_id in (task["spec"].get("dependencies") or [])
    ]
