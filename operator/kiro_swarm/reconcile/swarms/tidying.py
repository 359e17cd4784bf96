"""When an integrate Job is to run for the volume alone, by what one sees of a swarm. Pure.

Role: ``integrate`` asks for the moment, the status remembers what it goes by. Level-triggered:
what an earlier reconcile did not get written follows from the same Jobs again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.kubernetes import Job
from kiro_swarm.api.meta import COMPONENT_INSPECT
from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.policy.tidying import SOONEST, Tidied, after_job, next_tidy
from kiro_swarm.policy.times import parse
from kiro_swarm.policy.volume import FULL, is_filling
from kiro_swarm.reconcile.snapshot.reports import Failure, report_in
from kiro_swarm.reconcile.snapshot.view import View, component_of, job_outcome

#: The part of a volume that has to come free to count as more room.
_FREED = 0.01


def finished_at(job: Job) -> Optional[datetime]:
    """When a Job came to its end."""
    for item in status_of(job).get("conditions") or []:
        if item.get("type") in ("Complete", "Failed"):
            return parse(item.get("lastTransitionTime"))
    return None


def tidied(view: View) -> Tidied:
    """The last integrate Job, by the status, or by the Job if that is news."""
    before = view.status.get("integration") or {}
    known = Tidied(parse(before.get("endedAt")), before.get("tidyPauseSeconds") or 0)
    volume = view.status.get("volume") or {}
    used, size = volume.get("usedBytes", 0), volume.get("sizeBytes", 0)
    jobs = (job for job in view.integrate_jobs if job_outcome(job) is not None)
    job = next(jobs, None)
    ended = None if job is None else finished_at(job)
    if job is None or ended is None or ended == known.at:
        # Of a release that did not remember it.
        old = known.at is None and is_filling(used, size)
        return Tidied(None, SOONEST) if old else known
    left = report_in(view.pod_of_job(job), IntegrateReport)
    if left is None or isinstance(left, Failure):
        full = left is not None and left.reason == FULL
        return after_job(known, ended, full or is_filling(used, size), freed=False)
    now, size = left.get("volumeUsed", 0), left.get("volumeSize", 0)
    return after_job(known, ended, is_filling(now, size), now < used - _FREED * size)


def last_end(view: View) -> datetime:
    """When the last integrate Job ended, as its clock had it; before it when the swarm was made."""
    created = parse(view.swarm["metadata"].get("creationTimestamp"))
    return tidied(view).at or created or view.now


def tidy_at(
    view: View, retry_at: Optional[datetime], ended: datetime
) -> Optional[datetime]:
    """When the next Job is to run for the volume; None while one runs that may write.

    Nor where all is merged: nobody needs room there any more.

    :param retry_at: before that no Job is to run.
    :param ended: ``last_end``, by a clock that does not jump.
    """
    running = (job for job in view.jobs if job_outcome(job) is None)
    if view.complete or any(component_of(job) != COMPONENT_INSPECT for job in running):
        return None
    when = next_tidy(tidied(view).pause, view.task_index.use, ended, view.now)
    return when if when is None or retry_at is None else max(when, retry_at)
