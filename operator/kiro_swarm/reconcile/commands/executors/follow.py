"""A Job that a sentence needs: made once, followed to its end. Pure.

Used by the executors of sentences that need git, which the operator itself never runs. The
Job's name is made of the command's uid; its last words are the answer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Optional, Union

from kiro_swarm.policy.times import parse
from kiro_swarm.reconcile.commands.executors.plan import (
    Outcome,
    Request,
    failed,
)
from kiro_swarm.reconcile.commands.executors.writes import job_made
from kiro_swarm.reconcile.instances.decision import pod_trouble
from kiro_swarm.reconcile.objects.manifests import Object
from kiro_swarm.reconcile.snapshot.view import View, job_outcome
from kiro_swarm.reconcile.swarms.prepare import termination_report

Report = dict[str, Any]
#: The watch of Jobs may be ahead of the watch of Pods, which has the last words.
_PATIENCE_SECONDS = 10.0
_SILENT = {"reason": "JobFailed", "message": "it ended without an answer"}


def follow(request: Request, body: Object, doing: str) -> Union[Report, Outcome]:
    """The last words of the Job ``body`` when it succeeded; else what to say or do now.

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
    report = last_words(view, job)
    if report is None:
        return Outcome(None, doing, again_in=1.0)
    if succeeded and "reason" not in report:
        return report
    return failed(f"{report['message']} (job/{name})", reason=report["reason"])


def last_words(view: View, job: Object) -> Optional[Report]:
    """What a Job that ended has said; None while that may still be on its way.

    One that said nothing has a ``reason`` and a ``message`` all the same.
    """
    report = termination_report(view.pod_of_job(job))
    if report:
        failed_ = job_outcome(job) is False
        return {**_SILENT, **report} if failed_ else report
    if (view.now - _ended(job, view.now)).total_seconds() < _PATIENCE_SECONDS:
        return None
    return {**_SILENT, "message": _why(job) or _SILENT["message"]}


def _ended(job: Object, now: datetime) -> datetime:
    return parse((_end(job) or {}).get("lastTransitionTime")) or now


def _why(job: Object) -> str:
    """Kubernetes' own words for the end of a Job."""
    return str((_end(job) or {}).get("message") or "")


def _end(job: Object) -> Optional[Object]:
    conditions = (job.get("status") or {}).get("conditions") or []
    for item in conditions:
        if item.get("type") in ("Complete", "Failed") and item.get("status") == "True":
            return dict(item)
    return None
