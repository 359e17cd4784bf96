"""A Job that a sentence needs: made once, followed to its end. Pure.

Used by the executors of sentences that need git, which the operator itself never runs. The
Job's name is made of the command's uid; its termination message is the answer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Optional, Union

from kiro_swarm.api.access import status_of
from kiro_swarm.api.kubernetes import Job, PodCondition
from kiro_swarm.api.reports import ReportT
from kiro_swarm.policy.times import parse
from kiro_swarm.reconcile.commands.executors.plan import (
    Outcome,
    Request,
    failed,
)
from kiro_swarm.reconcile.commands.executors.writes import job_made
from kiro_swarm.reconcile.instances.decision import pod_trouble
from kiro_swarm.reconcile.snapshot.reports import Failure, report_in
from kiro_swarm.reconcile.snapshot.view import View, job_outcome

#: The watch of Jobs may be ahead of the watch of Pods, which has the termination message.
_PATIENCE_SECONDS = 10.0
_SILENT = "it ended without an answer"


def follow(
    request: Request, body: Job, doing: str, kind: type[ReportT]
) -> Union[ReportT, Outcome]:
    """The report of the Job ``body`` when it succeeded; else what to say or do now.

    :param doing: the progress while it runs, such as ``reading the repository``.
    """
    view, name = request.view, body["metadata"]["name"]
    job = next((job for job in view.jobs if job["metadata"]["name"] == name), None)
    if job is None:
        return Outcome(None, doing, effects=(job_made(body),))
    succeeded, pod = job_outcome(job), view.pod_of_job(job)
    if succeeded is None:
        trouble = pod_trouble(pod) if pod else ""
        waits = f"; its pod waits: {trouble}" if trouble else ""
        return Outcome(None, f"{doing}{waits}")
    left = left_by(view, job, kind)
    if left is None:
        return Outcome(None, doing, again_in=1.0)
    if succeeded and not isinstance(left, Failure):
        return left
    why = _failure(left)
    return failed(f"{why.message} (job/{name})", reason=why.reason)


def failure_of(view: View, job: Job, kind: type[ReportT]) -> Optional[Failure]:
    """Why a Job failed; None while that may still be on its way."""
    left = left_by(view, job, kind)
    return None if left is None else _failure(left)


def _failure(left: Union[ReportT, Failure]) -> Failure:
    """What a Job left that failed: a report and a bad end contradict each other."""
    return left if isinstance(left, Failure) else Failure("JobFailed", _SILENT)


def left_by(view: View, job: Job, kind: type[ReportT]) -> Union[ReportT, Failure, None]:
    """What a Job that ended has left; None while that may still be on its way."""
    left = report_in(view.pod_of_job(job), kind)
    if left is not None:
        return left
    if (view.now - _ended(job, view.now)).total_seconds() < _PATIENCE_SECONDS:
        return None
    return Failure("JobFailed", _why(job) or _SILENT)


def _ended(job: Job, now: datetime) -> datetime:
    end = _end(job)
    return (parse(end.get("lastTransitionTime")) if end else None) or now


def _why(job: Job) -> str:
    """Kubernetes' own words for the end of a Job."""
    end = _end(job)
    return (end.get("message") or "") if end else ""


def _end(job: Job) -> Optional[PodCondition]:
    for item in status_of(job).get("conditions") or []:
        if item.get("type") in ("Complete", "Failed") and item.get("status") == "True":
            return item
    return None
