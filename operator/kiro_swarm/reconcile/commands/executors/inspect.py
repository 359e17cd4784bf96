"""Sentences about what a task has written: ``diff task``, ``log task``."""

from __future__ import annotations

from kiro_swarm.api.kubernetes import Job
from kiro_swarm.api.meta import MERGED, RUNNING
from kiro_swarm.api.reports import InspectReport
from kiro_swarm.policy import naming
from kiro_swarm.policy.work import work_of
from kiro_swarm.reconcile.commands.executors.find import counted, the_task
from kiro_swarm.reconcile.commands.executors.follow import follow
from kiro_swarm.reconcile.commands.executors.plan import Outcome, Request, failed
from kiro_swarm.reconcile.objects.job_pods import inspect_job
from kiro_swarm.reconcile.snapshot.view import job_outcome, state_of

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
    full = _too_many(request)
    if full:
        return Outcome(None, f"waits: {full}", again_in=_AGAIN_SECONDS)
    body = inspect_job(
        view.swarm,
        view.spec,
        what,
        task,
        request.name,
        request.uid,
        request.settings,
    )
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


def _too_many(request: Request) -> str:
    """Why no further Job is made now; empty where one may be, or is there.

    Each is a pod that reads the volume. Whoever may only look can ask for many: they are
    looked up a few at a time, and those of one person leave room for those of another.
    """
    view, whose = request.view, {}
    for item in request.commands:
        name = naming.inspect_job(view.name, item["metadata"]["uid"])
        whose[name] = str(item["spec"].get("requestedBy") or "")
    own = naming.inspect_job(view.name, request.uid)
    there = [name for job in view.jobs if (name := _running(job)) in whose]
    if own in [job["metadata"]["name"] for job in view.jobs]:
        return ""
    mine = [name for name in there if whose[name] == whose.get(own, "")]
    if len(mine) >= _MOST_EACH:
        return f"{len(mine)} things that the same person asked for are being looked up"
    if len(there) >= _MOST:
        return f"{len(there)} things that people asked for are being looked up"
    return ""


def _running(job: Job) -> str:
    """Name of a Job that runs; empty of one that has ended."""
    return job["metadata"]["name"] if job_outcome(job) is None else ""


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
