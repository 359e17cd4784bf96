"""Sentences about what a task has written: ``diff task``, ``log task``."""

from __future__ import annotations

from hashlib import sha256

from kiro_swarm.api.kubernetes import Job
from kiro_swarm.api.meta import (
    ANNOTATION_ASKED_BY,
    COMPONENT_INSPECT,
    MERGED,
    RUNNING,
)
from kiro_swarm.api.reports import InspectReport
from kiro_swarm.policy.work import work_of
from kiro_swarm.reconcile.commands.executors.find import counted, the_task
from kiro_swarm.reconcile.commands.executors.follow import follow
from kiro_swarm.reconcile.commands.executors.plan import Outcome, Request, failed
from kiro_swarm.reconcile.objects.job_pods import inspect_job
from kiro_swarm.reconcile.snapshot.view import (
    View,
    component_of,
    job_outcome,
    state_of,
)

#: Jobs that look something up at a time: for one person, and for all.
_MOST_EACH, _MOST = 2, 8
_AGAIN_SECONDS = 5.0


def show(request: Request) -> Outcome:
    """``diff task ID`` and ``log task ID``: the text is put into a ConfigMap by a Job."""
    view, what = request.view, request.action.verb
    task = the_task(request)
    if isinstance(task, Outcome):
        return task
    name, state = task["spec"]["id"], state_of(task)
    if work_of(task) is None:
        return failed(
            f"task {name} is {state} and has no commit yet", task=name, state=state
        )
    body = inspect_job(
        view.swarm,
        view.spec,
        what,
        task,
        request.name,
        request.uid,
        request.settings,
    )
    body["metadata"]["annotations"] = {ANNOTATION_ASKED_BY: _hash(request.requester)}
    full = _too_many(view, body)
    if full:
        return Outcome(None, f"waits: {full}", again_in=_AGAIN_SECONDS)
    report = follow(request, body, f"reading the {what} of task {name}", InspectReport)
    if isinstance(report, Outcome):
        return report
    data = {key: value for key, value in report.items() if key != "dataRef"}
    return Outcome(
        True,
        f"task {name} ({_whose(state, report)}): {_size(what, report)}",
        {"task": name, "state": state, **data},
        data_ref=report.get("dataRef"),
    )


def _too_many(view: View, body: Job) -> str:
    """Why a Job is not made now; empty where it may be, or is there.

    Each is a pod that reads the volume. Whoever may only look can ask for many: they are
    looked up a few at a time, and those of one person leave room for those of another. Only
    the Jobs are looked at: all who wait ask this again and again, and commands are many.
    """
    name = body["metadata"]["name"]
    there = [job for job in view.jobs if component_of(job) == COMPONENT_INSPECT]
    if any(job["metadata"]["name"] == name for job in there):
        return ""
    running = [_asked_by(job) for job in there if job_outcome(job) is None]
    mine = running.count(_asked_by(body))
    if mine >= _MOST_EACH:
        return f"{mine} things that the same person asked for are being looked up"
    if len(running) >= _MOST:
        return f"{len(running)} things that people asked for are being looked up"
    return ""


def _asked_by(job: Job) -> str:
    """Hash of who asked for a Job; empty of one of an older release."""
    notes = job["metadata"].get("annotations") or {}
    return str(notes.get(ANNOTATION_ASKED_BY) or "")


def _hash(requester: str) -> str:
    return sha256(requester.encode(errors="replace")).hexdigest()[:32]


def _whose(state: str, report: InspectReport) -> str:
    if state == MERGED:
        return f"merged as {report['commit'][:12]}"
    now = ", still at work" if state == RUNNING else ""
    return f"attempt {report['attempt']}{now}"


def _size(what: str, report: InspectReport) -> str:
    if not report["commits"]:
        return "nothing is committed yet"
    changed = (
        f"{counted(report['files'], 'file')} changed, "
        f"{counted(report['insertions'], 'insertion')}, "
        f"{counted(report['deletions'], 'deletion')}"
    )
    commits = f"{counted(report['commits'], 'commit')}, " if what == "log" else ""
    shown = report.get("dataRef")
    cut = "; cut, it is too long" if shown and shown.get("truncated") else ""
    return f"{commits}{changed}{cut}"
