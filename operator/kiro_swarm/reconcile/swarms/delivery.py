"""Whether the work of a swarm is where it was asked to go, and what may not go before. Pure.

Role: the status asks it before it says Complete, the reconcile before it deletes a swarm.

Guarantees: where a push is wanted, nothing counts as delivered before the ledger says that the
repository has the branch as it is and no Job runs that could move it. What cannot be delivered
is kept, for as long as that takes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Optional

from kiro_swarm.api.swarm_status import KiroSwarmStatus
from kiro_swarm.policy.times import parse
from kiro_swarm.reconcile.snapshot.view import View, job_outcome
from kiro_swarm.reconcile.swarms.integrate import (
    Train,
    is_pushed,
    is_syncing,
    push_is_due,
)

PUSH_PENDING = "PushPending"


def undelivered(view: View, train: Train) -> str:
    """What delivery still waits for, in words; empty where nothing is to be delivered."""
    if not push_is_due(view):
        return ""
    if not is_pushed(view):
        return "the integration branch is not pushed yet"
    if view.finished and (train.running or is_syncing(view)):
        return "the Job that pushed has not ended"
    return "the last integrate Job failed" if view.finished and not train.ok else ""


def delivered_at(view: View, train: Train) -> Optional[str]:
    """When the last task came to its end and, where it is wanted, all of it was pushed."""
    last = last_end(view)
    if last is None or undelivered(view, train):
        return None
    return max(last, view.ledger.pushed_at) if push_is_due(view) else last


def last_end(view: View) -> Optional[str]:
    """When the last task came to its end; None while one is to be done."""
    if not view.finished:
        return None
    ends = (task.get("status") or {} for task in view.tasks)
    return (
        max(str(s.get("mergedAt") or s.get("finishedAt") or "") for s in ends) or None
    )


def kept_for(view: View, train: Train) -> str:
    """Why this swarm may not be deleted for its age, in words; empty when it may.

    Its volume goes with it, and with that whatever no repository has.
    """
    waiting = undelivered(view, train)
    if waiting:
        return waiting
    running = [job["metadata"]["name"] for job in view.jobs if job_outcome(job) is None]
    return f"Job {running[0]} has not ended" if running else ""


def expires_at(view: View, train: Train, status: KiroSwarmStatus) -> Optional[datetime]:
    """When a finished swarm is to be deleted; None: not as things are."""
    ttl = view.spec.ttl_seconds_after_finished
    finished = parse(status.get("finishedAt"))
    over = status["phase"] in ("Succeeded", "Failed")
    if ttl is None or finished is None or not over or kept_for(view, train):
        return None
    return finished + timedelta(seconds=ttl)
