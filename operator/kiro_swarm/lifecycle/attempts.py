"""What becomes of a task when an attempt ends without a merge: the ways back. Pure.

Called by whoever sees the end: the runner (the agent failed), the operator (the instance
died or is slow, a person takes the task back), the integrate Job (conflict, red gate). One
rule for all of them, so that a task is never sent back in three different ways.
"""

from __future__ import annotations

from datetime import datetime

from kiro_swarm.api.meta import ACTIVE_STATES, DONE, FAILED, READY
from kiro_swarm.api.task import Attempt, KiroTaskSpec
from kiro_swarm.lifecycle.fields import (
    OF_THE_INSTANCE,
    Patch,
    Status,
    after,
    attempt_of,
    reset,
)
from kiro_swarm.lifecycle.reasons import (
    AGENT_PROGRAM_MISSING,
    CANCELLED,
    MOST_FORGIVEN,
    NO_FAULT,
    NO_FAULT_FACTOR,
    OF_THE_TEMPLATE,
    REJECTED,
    SLOW,
)
from kiro_swarm.lifecycle.steps import Place, bound
from kiro_swarm.policy.conflicts import without_prediction
from kiro_swarm.policy.times import seconds_between, stamp
from kiro_swarm.policy.words import one_line

_HISTORY = 10
_BRIEF = 16384
_MESSAGE = 1024


def after_failure(
    status: Status,
    spec: KiroTaskSpec,
    *,
    reason: str,
    message: str,
    brief: str,
    now: datetime,
) -> Patch:
    """The status merge patch that ends the current attempt: Ready again, or Failed.

    :param status: the task's status, in a state from Bound to Done.
    :param reason: one CamelCase word.
    :param message: one line for people.
    :param brief: what the next attempt has to know; may be empty.
    """
    attempt = attempt_of(status)
    failures = int(status.get("failures") or 0) + (0 if reason in NO_FAULT else 1)
    allowed = int(spec.get("maxAttempts") or 1)
    missing = int(status.get("programMissing") or 0)
    # An allowance of its own: what a person or a slow instance ended uses up nothing of it.
    allowance = reason == AGENT_PROGRAM_MISSING and missing < MOST_FORGIVEN
    forgive = reason in OF_THE_TEMPLATE or allowance
    forgiven = int(status.get("forgiven") or 0) + forgive
    innocent = attempt - forgiven
    spent = failures >= allowed or innocent >= allowed * NO_FAULT_FACTOR
    count = f" ({failures} of {allowed} attempts failed)" if spent else ""
    patch: Patch = {
        **_attempt_over(status, reason, message, now),
        "state": FAILED if spent else READY,
        "message": one_line(f"attempt {attempt}: {message}{count}", _MESSAGE),
        "brief": (brief or status.get("brief") or "")[:_BRIEF],
        "failures": failures,
        "finishedAt": stamp(now) if spent else None,
    }
    if allowance:
        patch["programMissing"] = missing + 1
    return {**patch, "forgiven": forgiven} if forgive else patch


def taken_back(status: Status, now: datetime, reason: str, message: str) -> Patch:
    """The patch for a task that is taken from its instance: Ready again.

    :param status: the task's status, in a state from Bound to Done.
    :param reason: ``Reassigned`` or ``Stopped`` by a person, or ``SLOW``.

    It keeps its place in line, and the attempt counts against no limit: a person may do
    this as often as they like.
    """
    return {
        **_attempt_over(status, reason, message, now),
        "state": READY,
        "message": one_line(f"attempt {attempt_of(status)}: {message}", _MESSAGE),
        "forgiven": int(status.get("forgiven") or 0) + 1,
        "finishedAt": None,
    }


def moved(
    status: Status, now: datetime, place: Place, request: str, message: str
) -> Patch:
    """The patch for a task that goes from a slow instance to another, in one write.

    It ends the attempt and begins the next one: nobody else can come between.
    """
    over = taken_back(status, now, SLOW, message)
    begins = bound(after(status, over), now, place, request)
    return {**over, **begins, "message": one_line(message, _MESSAGE)}


def rejected(status: Status, now: datetime, reason_text: str) -> Patch:
    """The patch for a Done task whose work a person does not want: Ready again.

    The person's words are the brief of the next attempt. A rejection does not count as a
    failure: who has had enough cancels the task, and nobody is surprised by a limit.
    """
    words = reason_text.strip() or "no reason was given"
    brief = (
        f"A person looked at the work of attempt {attempt_of(status)} and rejected it: "
        f"{words}"
    )
    message = f"rejected: {words}"
    patch = taken_back(status, now, REJECTED, message.splitlines()[0])
    return {**patch, "brief": brief[:_BRIEF]}


def cancelled(status: Status, spec: KiroTaskSpec, now: datetime, who: str) -> Patch:
    """The patch for a task that a person gives up: Failed, whatever attempts are left.

    :param status: the task's status, in any state but Merged.

    A runner that works on it finds that the task is no longer its own, and stops. A run
    request of before is answered by this; a later one begins anew.
    """
    message = f"cancelled by {who}"
    under_way = status.get("state") in ACTIVE_STATES | {DONE}
    over = _attempt_over(status, CANCELLED, message, now) if under_way else {}
    return {
        **over,
        "state": FAILED,
        "reason": CANCELLED,
        "message": one_line(message, _MESSAGE),
        "observedRunRequest": spec.get("runRequest") or "",
        "finishedAt": stamp(now),
    }


def _attempt_over(status: Status, reason: str, message: str, now: datetime) -> Patch:
    """What every end of an attempt has in common: its record, and no instance."""
    ended = stamp(now)
    started = status.get("startedAt")
    record: Attempt = {
        "attempt": attempt_of(status),
        "instance": status.get("instance") or "",
        "outcome": reason,
        "message": one_line(message, _MESSAGE),
        "finishedAt": ended,
    }
    if started:
        record["startedAt"] = started
    if status.get("podUid"):
        record["podUid"] = status["podUid"]
    if status.get("commit"):
        record["commit"] = status["commit"]
    worked = seconds_between(started, status.get("finishedAt") or ended)
    if status.get("state") == DONE:
        worked = 0.0  # counted when it became Done
    return {
        **reset(OF_THE_INSTANCE),
        "reason": reason,
        "history": [*(status.get("history") or []), record][-_HISTORY:],
        "runningSeconds": round(float(status.get("runningSeconds") or 0.0) + worked, 3),
        "readyAt": status.get("readyAt") or ended,
        **without_prediction(status),
    }
