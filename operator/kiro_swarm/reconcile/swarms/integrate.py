"""When the merge train runs, and what it said: the integrate Jobs.

One Job at a time. It merges every Done task that a person need not approve first, waits a
little for more, and ends; what it merged is in the KiroTasks, the rest in the termination
message of its pod. A Job that dies half-way is simply followed by another: merged tasks are
found by their trailer. A sync Job (``git sync upstream``) may move the branch as well. Where
the branch is, and what of it was pushed, is in the ledger that all of them write.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Optional, Union

from typing_extensions import Literal

from kiro_swarm.api.kubernetes import Job
from kiro_swarm.api.meta import DONE, MERGED
from kiro_swarm.api.reports import IntegrateReport, PrepareReport, SyncReport
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster.resources import JOBS
from kiro_swarm.policy.approval import asks_person, may_merge
from kiro_swarm.policy.failing import Failing, after_jobs, next_try, pause_after
from kiro_swarm.policy.times import parse, stamp
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.owned import made_or_passed
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.objects.job_pods import integrate_job
from kiro_swarm.reconcile.settings import OperatorSettings
from kiro_swarm.reconcile.snapshot.reports import Failure, report_in, used_too_much
from kiro_swarm.reconcile.snapshot.view import View, job_number, job_outcome
from kiro_swarm.reconcile.swarms.tidying import finished_at, last_end, tidy_at

#: A Job names so many tasks at most: a list of that length may not be all of them.
_MOST_NAMED = 10
#: So many Jobs stay for people to look at, until they are an hour old.
_KEPT = 3

LedgerReport = Union[PrepareReport, IntegrateReport, SyncReport]


@dataclass(frozen=True)
class Train:
    """Where the merge train is, for the status."""

    batch: int
    running: bool
    ok: bool
    message: str = ""
    reason: str = ""
    retry_at: Optional[datetime] = None
    report: Optional[IntegrateReport] = None
    #: Ids of the tasks that alone made the last Job fail.
    held: tuple[str, ...] = ()
    #: The last Job could not push what it merged, which has hindered no merge.
    push: bool = False
    #: When a Job is to run for the volume alone.
    tidy_at: Optional[datetime] = None


def has_work(view: View, train: Train) -> bool:
    """Whether a Job would find something to merge or to push."""
    approval = view.spec.integration.approval
    if any(may_merge(task, approval) for task in view.task_index.by_state[DONE]):
        return True
    if is_syncing(view):
        return False  # it pushes what it has merged
    if MERGED in view.states.values() and view.finished and not train.ok:
        return True  # the last one did not end well; the next finds what it left
    return push_is_due(view) and not is_pushed(view)


def push_is_due(view: View) -> bool:
    """Whether the branch ought to be in the repository by now, as the swarm's policy says."""
    push = view.spec.integration.push
    return push == "Always" or (push == "OnComplete" and view.finished)


def is_pushed(view: View) -> bool:
    """Whether the ledger says that the repository has the branch as it is.

    Where merged work has no ledger, in a swarm of an earlier release, it does not say so: the
    next Job makes one and pushes, which does no harm to what is there.
    """
    ledger = view.ledger
    if not ledger.lines:
        return MERGED not in view.states.values()
    return not ledger.head or ledger.head == ledger.pushed


def approvals(view: View) -> list[KiroTask]:
    """The Done tasks that wait for a person, those that were finished first in front."""
    approval = view.spec.integration.approval
    done = view.task_index.by_state[DONE]
    waiting = [task for task in done if asks_person(task, approval)]
    return sorted(waiting, key=lambda task: str(task["status"].get("finishedAt") or ""))


def head_of(view: View, train: Train) -> str:
    """Commit that the integration branch points to: by the ledger, once it has a move."""
    return view.ledger.head or _told(view, train, "head")


def pushed_of(view: View, train: Train) -> str:
    """Commit that was pushed last: by the ledger, once it has an entry."""
    if view.ledger.lines:
        return view.ledger.pushed
    return _told(view, train, "pushed")


def _told(view: View, train: Train, what: Literal["head", "pushed"]) -> str:
    """What was said before there was a ledger.

    In a swarm of an earlier release that is what the last Job of it reported, or else what
    the status has; the first Job of this one makes the ledger of the branch. It is shown to
    people. Nothing is decided by what was said to be pushed: a status can be patched by hand.
    """
    before = view.status.get("integration") or {}
    told = train.report.get(what) if train.report else None
    return told or before.get(what) or ""


def is_syncing(view: View) -> bool:
    """Whether a sync Job runs."""
    return any(job_outcome(job) is None for job in view.sync_jobs)


def entries_told(report: Union[LedgerReport, Failure, None]) -> int:
    """How many entries the ledger had when a Job reported; 0 of an earlier release."""
    if report is None or isinstance(report, Failure):
        return 0
    return report.get("ledger") or 0


def counts_told(view: View) -> set[int]:
    """How many entries the ledger had when the last Job of each kind reported."""
    kinds: list[tuple[list[Job], type[LedgerReport]]] = [
        (view.prepare_jobs[:1], PrepareReport),
        (view.integrate_jobs[:1], IntegrateReport),
        (view.sync_jobs, SyncReport),
    ]
    return {
        entries_told(report_in(view.pod_of_job(job), kind))
        for jobs, kind in kinds
        for job in jobs
    }


def observe(view: View) -> Train:
    """Where the train is now. Pure.

    While a Job runs, what is known of the train is how the one before it ended: a Job that
    begins has not mended anything yet.
    """
    before = view.status.get("integration") or {}
    batch = int(before.get("batch") or 0)
    jobs = view.integrate_jobs
    if not jobs:
        return Train(batch, running=False, ok=True)
    batch = max(batch, job_number(jobs[0]))
    running = job_outcome(jobs[0]) is None
    ended = [job for job in jobs if job_outcome(job) is not None]
    if not ended:
        return Train(batch, running, ok=True)
    known = _ended(view, ended, batch)
    return replace(known, running=True, retry_at=None) if running else known


def _ended(view: View, jobs: list[Job], batch: int) -> Train:
    """What the last Job of these, the latest first, left."""
    latest = jobs[0]
    outcome = job_outcome(latest)
    left = report_in(view.pod_of_job(latest), IntegrateReport)
    failure = left if isinstance(left, Failure) else None
    report = None if isinstance(left, Failure) else left
    if outcome:
        message = (
            failure.message if failure else report.get("message", "") if report else ""
        )
        return Train(batch, False, True, message, report=report)
    return Train(
        batch,
        running=False,
        ok=False,
        message=failure.message if failure else "the integrate Job failed",
        reason=failure.reason if failure else "IntegrateFailed",
        retry_at=next_try(failing(view).failures, _end_of(view, latest), view.now),
        report=report,
        held=failure.tasks if failure else (),
        push=failure.push if failure else False,
    )


def paced(ctx: Context, view: View, train: Train) -> Train:
    """The same, with its next try by a clock that does not jump, counted since we saw the end.

    The end of a Job is told by a clock of others. By one that is ahead it never comes, and by
    one that is behind it is long ago.
    """
    age = _since_end(ctx, view)
    if train.retry_at is None:
        return train
    left = pause_after(failing(view).failures) - age
    return replace(train, retry_at=view.now + timedelta(seconds=left))


def _since_end(ctx: Context, view: View) -> float:
    """Seconds since the last Job ended, or since the swarm was made, as we have seen it."""
    when = last_end(view)
    for job in view.integrate_jobs:
        if job_outcome(job) is not None:
            # One that does not say when: it is the last all the same.
            when = when if finished_at(job) else _end_of(view, job)
            break
    return ctx.elapsed.since_end(view.uid, stamp(when), view.now)


def _end_of(view: View, job: Job) -> datetime:
    """When a Job has ended, as far as it says so."""
    created = parse(job["metadata"].get("creationTimestamp"))
    return finished_at(job) or created or view.now


def counted(view: View) -> Failing:
    """What the status has counted."""
    before = view.status.get("integration") or {}
    return Failing(before.get("counted") or 0, before.get("failures") or 0)


def failing(view: View) -> Failing:
    """How many Jobs have failed in a row, with those that the status has not counted yet."""
    outcomes = {job_number(job): job_outcome(job) for job in view.integrate_jobs}
    ended = {number: ok for number, ok in outcomes.items() if ok is not None}
    return after_jobs(counted(view), ended)


def others_wait(view: View, train: Train) -> bool:
    """Whether there is work which what made the last Job fail is not in the way of.

    That is the tasks which it held, and a push.
    """
    if not train.held and not train.push:
        return False
    approval = view.spec.integration.approval
    done = view.task_index.by_state[DONE]
    ready = {task["spec"]["id"] for task in done if may_merge(task, approval)}
    # Work that this Job saw and named is in its list; what came after it is not.
    return bool(ready.difference(train.held)) and len(train.held) < _MOST_NAMED


def next_job(view: View, batch: int, settings: OperatorSettings) -> Job:
    """The next integrate Job; it is told what the kubelet knows of the end of the last one."""
    last = view.integrate_jobs[:1]
    evicted = any(used_too_much(view.pod_of_job(job)) for job in last)
    return integrate_job(view.swarm, view.spec, batch, settings, evicted=evicted)


def superfluous(view: View) -> list[Job]:
    """The Jobs that nobody needs any more: older ones, and counted by the status."""
    known = counted(view).counted
    return [
        job
        for job in view.integrate_jobs[_KEPT:]
        if job_number(job) <= known
        and job_outcome(job) is not None
        and not job["metadata"].get("deletionTimestamp")
    ]


async def reconcile(ctx: Context, view: View, steps: Steps) -> Train:
    """Start the next Job when there is work, or the volume is to be tidied, and none runs.

    Drops the older ones that the status has counted.
    """
    train = paced(ctx, view, observe(view))
    ended = view.now - timedelta(seconds=_since_end(ctx, view))
    train = replace(train, tidy_at=tidy_at(view, train.retry_at, ended))
    due = train.tidy_at is not None and train.tidy_at <= view.now
    paused = train.retry_at is not None and view.now < train.retry_at
    waiting = paused and not others_wait(view, train)
    if not train.running and not waiting and (due or has_work(view, train)):
        batch = train.batch + 1
        body = next_job(view, batch, ctx.settings)
        made = await steps.take(
            f"create Job {body['metadata']['name']}",
            partial(made_or_passed, ctx, JOBS, view.namespace, body),
            None,
            weight="vital",
        )
        if made is not None:
            # A name that is somebody else's is passed over: the next has another number.
            train = replace(
                train, batch=batch, running=made, retry_at=None, tidy_at=None
            )
    for job in superfluous(view):
        meta = job["metadata"]
        await steps.take(
            f"delete Job {meta['name']}",
            partial(
                ctx.client.delete,
                JOBS,
                view.namespace,
                meta["name"],
                uid=meta["uid"],
                version=meta["resourceVersion"],
            ),
            None,
        )
    return train
