"""The status patches of the way forward: ready, given away, begun, done, merged. Pure.

Called by the operator (until an attempt begins), the runner (begun, done) and the integrate
Job (merged). Each is an edge of ``edges``; ``attempts`` has the ways back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kiro_swarm.api.meta import (
    BLOCKED,
    BOUND,
    DONE,
    MERGED,
    READY,
    RUNNING,
    SKIPPED,
)
from kiro_swarm.lifecycle.fields import PER_ATTEMPT, Patch, Status, attempt_of, reset
from kiro_swarm.lifecycle.reasons import (
    AGENT_STARTED,
    CHECKED,
    DEFERRED,
    MERGED_BEFORE,
    OPTIONAL,
    RUN_REQUESTED,
    TICKED,
)
from kiro_swarm.policy.conflicts import without_prediction
from kiro_swarm.policy.times import seconds_between, stamp
from kiro_swarm.policy.words import one_line

_MESSAGE = 1024


@dataclass(frozen=True)
class Place:
    """Where an attempt is made: the instance, the pod of it that is there, the branch."""

    instance: str
    pod_uid: str
    branch: str


def ready(now: datetime) -> Patch:
    """All that the task depends on is there."""
    return {"state": READY, "reason": "", "message": "", "readyAt": stamp(now)}


def ticked(now: datetime) -> Patch:
    """The task file says that it is done."""
    return {
        "state": MERGED,
        "reason": TICKED,
        "message": "was ticked in the task file",
        "finishedAt": stamp(now),
    }


def recognised(commit: str, at: str) -> Patch:
    """The ledger has a merge of the task; ``at``: when that was.

    It was merged for a KiroTask that somebody deleted, of which this is the next.
    """
    return {
        "state": MERGED,
        "reason": MERGED_BEFORE,
        "message": f"was merged as {commit[:12]} before this KiroTask was made",
        "mergeCommit": commit,
        "mergedAt": at,
    }


def skipped(now: datetime, *, deferred: bool) -> Patch:
    """A mark in the task file leaves it out: ``[~]``, or ``*``."""
    reason = DEFERRED if deferred else OPTIONAL
    return {
        "state": SKIPPED,
        "reason": reason,
        "message": f"{reason.lower()} in the task file; `run task` runs it",
        "finishedAt": stamp(now),
    }


def asked_again(
    status: Status, now: datetime, request: str, *, satisfied: bool
) -> Patch:
    """A person wants another try of a Failed or Skipped task: all limits begin anew.

    :param request: ``spec.runRequest``, which is answered by this.
    :param satisfied: whether all that it depends on is there.
    """
    patch: Patch = {
        "state": READY if satisfied else BLOCKED,
        "reason": RUN_REQUESTED,
        "message": "a person asked for another try",
        "observedRunRequest": request,
        "failures": 0,
        "forgiven": attempt_of(status),
        "readyAt": stamp(now),
        "finishedAt": None,
    }
    if status.get("programMissing"):
        patch["programMissing"] = 0
    return patch


def bound(status: Status, now: datetime, place: Place, request: str) -> Patch:
    """The next attempt is given to an instance; nothing of the one before is left in it.

    :param request: ``spec.runRequest``, which is answered by this.
    """
    at = stamp(now)
    return {
        **reset(PER_ATTEMPT),
        "state": BOUND,
        "attempt": attempt_of(status) + 1,
        "instance": place.instance,
        "podUid": place.pod_uid,
        "branch": place.branch,
        "reason": "",
        "message": f"given to {place.instance}",
        "readyAt": status.get("readyAt") or at,
        "boundAt": at,
        "observedRunRequest": request,
    }


def started(now: datetime, *, branch: str, base: str) -> Patch:
    """The branch is cut and the agent starts."""
    return {
        "state": RUNNING,
        "reason": AGENT_STARTED,
        "message": "",
        "branch": branch,
        "baseCommit": base,
        "startedAt": stamp(now),
        "progress": None,
    }


def done(
    status: Status, now: datetime, *, branch: str, base: str, commit: str, message: str
) -> Patch:
    """The work is there and checked."""
    ended = stamp(now)
    worked = seconds_between(status.get("startedAt"), ended)
    before = float(status.get("runningSeconds") or 0.0)
    return {
        "state": DONE,
        "reason": CHECKED,
        "message": one_line(message, _MESSAGE),
        "branch": branch,
        "baseCommit": base,
        "commit": commit,
        "finishedAt": ended,
        "runningSeconds": round(before + worked, 3),
        "progress": None,
    }


def merged_after_all(status: Status, now: datetime, commit: str) -> Patch:
    """A person ended the attempt while it was merged: what is on the branch stays there.

    :param status: the task's status, Ready or Failed, still with the attempt that was merged.

    The attempt did not end without a merge, so it leaves the history again.
    """
    history = [
        record
        for record in status.get("history") or []
        if record["attempt"] != attempt_of(status)
    ]
    return {**merged(status, now, commit), "history": history}


def merged(status: Status, now: datetime, commit: str, said: str = "") -> Patch:
    """The work is on the integration branch, with this merge.

    :param said: what a person should know of it.
    """
    message = f"merged as {commit[:12]}"
    patch: Patch = {
        "state": MERGED,
        "mergeCommit": commit,
        "mergedAt": stamp(now),
        "reason": "",
        "message": one_line(f"{message}; {said}" if said else message, _MESSAGE),
    }
    return {**patch, **without_prediction(status)}
