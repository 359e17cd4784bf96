"""Sentences about merging: ``merge completed branches``, ``merge branch``.

The merge train runs in the integrate Job; these start it now, also while it waits for its
next try, and say of each task what became of it.
"""

from __future__ import annotations

from typing import Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import DONE, MERGED
from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.policy.approval import asks_person, may_merge
from kiro_swarm.reconcile.commands.executors.conflicts import (
    conflicting,
    fate_of_conflict,
)
from kiro_swarm.reconcile.commands.executors.find import listed, task_named
from kiro_swarm.reconcile.commands.executors.follow import failure_of
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
from kiro_swarm.reconcile.commands.executors.tasks import ASKED_PRIORITY
from kiro_swarm.reconcile.commands.executors.writes import job_made, task_spec
from kiro_swarm.reconcile.objects.pods import branch_of
from kiro_swarm.reconcile.snapshot.view import View, job_number, job_outcome, state_of
from kiro_swarm.reconcile.swarms.integrate import approvals, next_job, observe


def pin_completed(request: Request) -> Data:
    """Which attempts are meant, and which integrate Job is the first that counts."""
    view = request.view
    approval = view.spec.integration.approval
    ready = [task for task in view.tasks if may_merge(task, approval)]
    again = conflicting(view) if request.said("conflict-resolve") else []
    return {
        "job": _first_job(view),
        "done": _attempts(ready),
        "conflicts": _attempts(again),
    }


def merge_completed(request: Request) -> Outcome:
    """``merge completed branches [conflict-resolve]``: finished when every task is.

    A task that goes back is finished for this sentence; with ``conflict-resolve`` one that
    went back for a conflict is waited for until it is merged or has failed for good.
    """
    pinned = request.pinned
    meant = {**pinned.numbers("conflicts"), **pinned.numbers("done")}
    if not meant:
        return _nothing(request)
    parts: list[Partial] = []
    effects: list[Effect] = []
    for task_id, attempt in meant.items():
        part, more = _fate(request, task_id, attempt)
        parts.append(part)
        effects += more
    return _with_train(request, parts, effects, {"tasks": list(meant)})


def pin_branch(request: Request) -> Data:
    """Which attempt has the branch."""
    task = _of_branch(request.view, request.argument("branch"))
    meant = {} if task is None or state_of(task) != DONE else _attempts([task])
    return {"job": _first_job(request.view), "done": meant}


def merge_branch(request: Request) -> Outcome:
    """``merge branch BRANCH [into BRANCH]``: the Done task that has it goes first."""
    view, branch = request.view, request.argument("branch")
    into, target = branch_of(view.swarm, view.spec), request.argument("target")
    if target and target != into:
        return failed(f"work is merged into {into} only; leave 'into {target}' out")
    for task_id, attempt in request.pinned.numbers("done").items():
        task = task_named(view, task_id)
        effects: list[Effect] = []
        if task is not None and state_of(task) == DONE:
            if asks_person(task, view.spec.integration.approval):
                return failed(_asks([task_id]), task=task_id)
            effects += task_spec(task, priority=ASKED_PRIORITY)
        part, _ = _fate(request, task_id, attempt)
        return _with_train(request, [part], effects, {"tasks": [task_id]})
    return _not_done(view, branch)


def _fate(
    request: Request, task_id: str, attempt: int
) -> tuple[Partial, tuple[Effect, ...]]:
    """What has become of a task that was Done, or had conflicted, with this attempt."""
    task = task_named(request.view, task_id)
    if task is None:
        return Partial(task_id, True, False, "the task is gone"), ()
    status, state = task["status"], state_of(task)
    if state == MERGED:
        message = f"merged as {str(status.get('mergeCommit'))[:12]}"
        return Partial(task_id, True, True, message), ()
    if state == DONE and int(status.get("attempt") or 0) == attempt:
        if asks_person(task, request.view.spec.integration.approval):
            return Partial(task_id, True, False, _asks([task_id])), ()
        return Partial(task_id, False, False, "waits for its merge"), ()
    if request.said("conflict-resolve"):
        fate = fate_of_conflict(request, task, attempt)
        if fate is not None:
            return fate
    return Partial(task_id, True, False, f"went back: {_why(status, attempt)}"), ()


def _why(status: KiroTaskStatus, attempt: int) -> str:
    """Why an attempt was not merged."""
    for record in status.get("history") or []:
        if record.get("attempt") == attempt:
            return str(record.get("message") or record.get("outcome"))
    return str(status.get("message") or "")


def _with_train(
    request: Request, parts: list[Partial], effects: list[Effect], data: Data
) -> Outcome:
    """The outcome of these parts; starts the merge train where one waits for it."""
    view, into = request.view, branch_of(request.view.swarm, request.view.spec)
    waiting = [part for part in parts if _waits_for_train(view, part)]
    again_in = None
    if waiting:
        first = request.pinned.number("job")
        jobs = [job for job in view.integrate_jobs if job_number(job) >= first]
        if not jobs:
            effects.append(_start(request))
        elif job_outcome(jobs[0]) is False:
            failure = failure_of(view, jobs[0], IntegrateReport)
            if failure is None:
                again_in = 1.0
            else:
                why = f"the merge train failed: {failure.message}"
                stuck = {part.target for part in waiting}
                parts = [
                    Partial(p.target, True, False, why) if p.target in stuck else p
                    for p in parts
                ]
                data = {**data, "reason": failure.reason}
    message = f"merged into {into}"
    asked = [task["spec"]["id"] for task in approvals(view)]
    if asked:
        message += f"; {_asks(asked)}"
    return gathered(parts, message, effects=effects, data=data, again_in=again_in)


def _waits_for_train(view: View, part: Partial) -> bool:
    task = task_named(view, part.target)
    return not part.done and task is not None and state_of(task) == DONE


def _first_job(view: View) -> int:
    """Number of the integrate Job that runs, or of the next."""
    train = observe(view)
    return train.batch if train.running else train.batch + 1


def _start(request: Request) -> Effect:
    view, batch = request.view, request.pinned.number("job")
    return job_made(next_job(view, batch, request.settings))


def _nothing(request: Request) -> Outcome:
    view = request.view
    asked = [task["spec"]["id"] for task in approvals(view)]
    if asked:
        return failed(f"nothing can be merged: {_asks(asked)}", waiting=asked)
    also = " or has a conflict" if request.said("conflict-resolve") else ""
    return done(f"nothing to merge: no task of {view.name} is done{also}", tasks=[])


def _asks(task_ids: list[str]) -> str:
    wait = "waits" if len(task_ids) == 1 else "wait"
    return f"{listed(task_ids)} {wait} for a person: 'approve task {task_ids[0]}'"


def _attempts(tasks: list[KiroTask]) -> dict[str, int]:
    return {task["spec"]["id"]: int(task["status"]["attempt"]) for task in tasks}


def _of_branch(view: View, branch: str) -> Optional[KiroTask]:
    """The task whose last attempt has this branch."""
    tasks: list[KiroTask] = view.tasks
    for task in tasks:
        if branch and status_of(task).get("branch") == branch:
            return task
    return None


def _not_done(view: View, branch: str) -> Outcome:
    """The answer about a branch that cannot be merged now."""
    task = _of_branch(view, branch)
    if task is not None:
        name, state = task["spec"]["id"], state_of(task)
        if state == MERGED:
            commit = str(task["status"].get("mergeCommit"))[:12]
            return done(f"task {name} is merged already, as {commit}", task=name)
        message = f"task {name} is {state}: its branch is merged when it is Done"
        return failed(message, task=name, state=state)
    there = [task["status"]["branch"] for task in view.tasks if state_of(task) == DONE]
    known = f"branches of done tasks: {listed(there)}" if there else "no task is done"
    return failed(
        f"no task of {view.name} has branch {branch} ({known}); "
        f"'sync branch {branch}' merges a branch of the repository",
        branches=there,
    )
