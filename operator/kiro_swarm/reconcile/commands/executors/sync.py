"""Sentences about the source repository: ``sync upstream``, ``sync branch``."""

from __future__ import annotations

from typing import Optional

from kiro_swarm.api.reports import SyncReport
from kiro_swarm.reconcile.commands.executors.find import counted
from kiro_swarm.reconcile.commands.executors.follow import follow
from kiro_swarm.reconcile.commands.executors.plan import Outcome, Request, failed
from kiro_swarm.reconcile.objects.job_pods import sync_job
from kiro_swarm.reconcile.objects.pods import branch_of
from kiro_swarm.reconcile.swarms.status import was_prepared
from kiro_swarm.workspace.errors import InvalidRef
from kiro_swarm.workspace.refs import check_branch


def sync_upstream(request: Request) -> Outcome:
    """``sync upstream``: what is new on ``spec.repository.ref`` is merged by a Job."""
    return _sync(request, None)


def sync_branch(request: Request) -> Outcome:
    """``sync branch BRANCH``: the same with another branch of the repository."""
    branch = request.argument("branch")
    try:
        return _sync(request, check_branch(branch))
    except InvalidRef as error:
        return failed(error.message, branch=branch, reason=error.reason)


def _sync(request: Request, branch: Optional[str]) -> Outcome:
    view = request.view
    if not was_prepared(view.status):
        return failed(
            f"{view.name} is not prepared yet: it has no branch to merge into"
        )
    source = branch or view.spec.repository.ref or "the default branch"
    body = sync_job(view.swarm, view.spec, branch, request.uid, request.settings)
    into = branch_of(view.swarm, view.spec)
    report = follow(
        request, body, f"merging what is new on {source} into {into}", SyncReport
    )
    if isinstance(report, Outcome):
        return report
    return Outcome(True, _message(source, into, report), report)


def _message(source: str, into: str, report: SyncReport) -> str:
    at, head = report["source"][:12], report["head"][:12]
    if not report["commits"]:
        return f"{into} is up to date with {source} at {at}; it stays at {head}"
    message = (
        f"merged {counted(report['commits'], 'commit')} of {source} at {at} into {into}: "
        f"{report['before'][:12]} -> {head}"
    )
    if report.get("keptPlan"):
        message += "; both sides had changed the task file, the swarm's own was kept"
    return f"{message}; pushed" if report.get("pushed") else message
