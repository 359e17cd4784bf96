"""Work that contradicts what was merged: ``resolve conflicts``, and how it is done again.

A task that conflicts goes back by itself, with the conflict in its brief, as long as it has
attempts left. These are about tasks that have none left: Failed, reason MergeConflict.
"""

from __future__ import annotations

from typing import Optional

from kiro_swarm.api.meta import FAILED, MERGED
from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.reconcile.commands.executors.find import task_named
from kiro_swarm.reconcile.commands.executors.plan import (
    Data,
    Effect,
    Outcome,
    Partial,
    Request,
    done,
    gathered,
)
from kiro_swarm.reconcile.commands.executors.writes import told_task
from kiro_swarm.reconcile.snapshot.view import View, state_of

_CONFLICT = "MergeConflict"
Fate = tuple[Partial, tuple[Effect, ...]]


def conflicting(view: View) -> list[KiroTask]:
    """The tasks that have failed for good because of a conflict."""
    return [
        task
        for task in view.tasks
        if state_of(task) == FAILED and task["status"].get("reason") == _CONFLICT
    ]


def pin(request: Request) -> Data:
    """Which attempts have conflicted."""
    found = conflicting(request.view)
    return {"conflicts": {t["spec"]["id"]: int(t["status"]["attempt"]) for t in found}}


def resolve(request: Request) -> Outcome:
    """``resolve conflicts [auto]``: each is done again; ``auto`` waits for the merges."""
    meant = request.pinned.numbers("conflicts")
    view = request.view
    if not meant:
        return done(f"no task of {view.name} has failed with a conflict", tasks=[])
    parts: list[Partial] = []
    effects: list[Effect] = []
    for task_id, attempt in meant.items():
        task = task_named(view, task_id)
        fate = task and fate_of_conflict(request, task, attempt)
        part, more = fate or (Partial(task_id, True, False, "the task is gone"), ())
        if not request.said("auto") and not part.done:
            part = Partial(task_id, True, True, part.message)
        parts.append(part)
        effects += more
    what = "merged after a conflict" if request.said("auto") else "done again"
    data = {"tasks": list(meant)}
    return gathered(parts, f"tasks {what}", effects=effects, data=data)


def fate_of_conflict(request: Request, task: KiroTask, attempt: int) -> Optional[Fate]:
    """What became of a task since this attempt of it conflicted; what is left to do.

    None when that attempt ended for another reason.
    """
    spec, status, state = task["spec"], task["status"], state_of(task)
    name, now = spec["id"], int(status.get("attempt") or 0)
    if state == MERGED:
        message = f"merged as {str(status.get('mergeCommit'))[:12]}"
        return Partial(name, True, True, message), ()
    if not _conflicted(status, attempt):
        return None
    if state != FAILED:
        return Partial(name, False, False, f"is done again: {state}"), ()
    asked = spec.get("runRequest") or ""
    if asked != (status.get("observedRunRequest") or ""):
        return Partial(name, False, False, "is done again"), ()
    if now > attempt or asked == request.uid:
        return Partial(name, True, False, str(status.get("message") or "failed")), ()
    says = "tried again, with its conflict"
    effect = told_task(task, says, runRequest=request.uid)
    return Partial(name, False, False, "is done again"), (effect,)


def _conflicted(status: KiroTaskStatus, attempt: int) -> bool:
    for record in status.get("history") or []:
        if record.get("attempt") == attempt:
            return bool(record.get("outcome") == _CONFLICT)
    return bool(status.get("reason") == _CONFLICT)
