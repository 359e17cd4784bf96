"""What Jobs left when they ended: their pods and the ledger, where no watch has told of it yet.

Called by the reconcile of a swarm before it decides anything.
"""

from __future__ import annotations

from functools import partial

from kiro_swarm.api.kubernetes import Job
from kiro_swarm.api.reports import IntegrateReport, PrepareReport, SyncReport
from kiro_swarm.cluster.resources import PODS
from kiro_swarm.policy.ownership import owned
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.snapshot.ledger import refresh
from kiro_swarm.reconcile.snapshot.reports import report_in
from kiro_swarm.reconcile.snapshot.view import View, job_outcome
from kiro_swarm.reconcile.swarms import integrate


async def fetch_what_jobs_left(ctx: Context, view: View, steps: Steps) -> bool:
    """Fetch the pod of a Job that ended, and the ledger that it left, where they are not
    in the cache yet; False where that could not be done.

    The watch of Jobs may be ahead of the others by a moment.
    """
    kinds: list[tuple[list[Job], type[integrate.LedgerReport]]] = [
        (view.prepare_jobs[:1], PrepareReport),
        (view.integrate_jobs[:1], IntegrateReport),
        (view.sync_jobs, SyncReport),
    ]
    known = True
    for job, kind in ((job, kind) for jobs, kind in kinds for job in jobs):
        if job_outcome(job) is not None and job["metadata"]["uid"] not in ctx.ensured:
            what = f"read what Job {job['metadata']['name']} left"
            fetch = partial(_fetch, ctx, view, job, kind)
            known &= await steps.take(what, fetch, False, weight="vital")
    return known


async def _fetch(
    ctx: Context, view: View, job: Job, kind: type[integrate.LedgerReport]
) -> bool:
    uid = job["metadata"]["uid"]
    report = report_in(view.pod_of_job(job), kind)
    if report is None:
        label = f"batch.kubernetes.io/controller-uid={uid}"
        pods, _ = await ctx.client.list(PODS, view.namespace, labels=label)
        for pod in pods:
            ctx.remember(PODS, pod)
        ctx.ensured.add(uid)
        report = report_in(next(iter(owned(pods, uid)), None), kind)
    # A Job that died says no number: what it merged is there all the same.
    died = job_outcome(job) is False
    if died or integrate.entries_told(report) > view.ledger.lines:
        ctx.ensured.discard(uid)
        await refresh(ctx, view.swarm)
        ctx.ensured.add(uid)
    return True
