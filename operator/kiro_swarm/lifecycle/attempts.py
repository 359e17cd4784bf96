"""What becomes of a task when an attempt ends without a merge.

Called by whoever sees the end: the runner (the agent failed), the operator (the instance
died, a person takes the task back), the integrate Job (conflict, red gate). One rule for
all of them, so that a task is never sent back in three different ways. Everything here is
pure and returns a merge patch of the task's status.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Mapping

from kiro_swarm.api.meta import ACTIVE_STATES, DONE, FAILED, READY
from kiro_swarm.policy.conflicts import without_prediction
from kiro_swarm.policy.times import seconds_between, stamp

_HISTORY = 10
_BRIEF = 16384
_MESSAGE = 1024
#: Not the agent's fault: the attempt does not count against ``maxAttempts``.
NO_FAULT = frozenset({"InstanceLost", "RunnerStopped", "RunnerRestarted"})
#: Even innocent attempts end somewhere: a task that kills every instance must not loop.
NO_FAULT_FACTOR = 5
#: The operator took the task from a slow instance: see ``reconcile/tasks/slow.py``.
SLOW = "InstanceSlow"
#: A person ended the attempt: it counts against no limit at all.
BY_PERSON = frozenset({"Cancelled", "Reassigned", "Rejected", "Stopped"})


def after_failure(
    status: Mapping[str, Any],
    spec: Mapping[str, Any],
    *,
    reason: str,
    message: str,
    brief: str,
    now: datetime,
) -> dict[str, Any]:
    """The status merge patch that ends the current attempt: Ready again, or Failed.

    :param status: the task's status, in a state from Bound to Done.
    :param reason: one CamelCase word.
    :param message: one line for people.
    :param brief: what the next attempt has to know; may be empty.
    """
    attempt = int(status.get("attempt") or 0)
    failures = int(status.get("failures") or 0) + (0 if reason in NO_FAULT else 1)
    allowed = int(spec.get("maxAttempts") or 1)
    innocent = attempt - int(status.get("forgiven") or 0)
    spent = failures >= allowed or innocent >= allowed * NO_FAULT_FACTOR
    count = f" ({failures} of {allowed} attempts failed)" if spent else ""
    return {
        **_attempt_over(status, reason, message, now),
        "state": FAILED if spent else READY,
        "message": f"attempt {attempt}: {message}{count}"[:_MESSAGE],
        "brief": (brief or status.get("brief") or "")[:_BRIEF],
        "failures": failures,
        "finishedAt": stamp(now) if spent else None,
    }


def taken_back(
    status: Mapping[str, Any], now: datetime, reason: str, message: str
) -> dict[str, Any]:
    """The patch for a task that is taken from its instance: Ready again.

    :param status: the task's status, in a state from Bound to Done.
    :param reason: ``Reassigned`` or ``Stopped`` by a person, or ``SLOW``.

    It keeps its place in line, and the attempt counts against no limit: a person may do
    this as often as they like.
    """
    return {
        **_attempt_over(status, reason, message, now),
        "state": READY,
        "message": f"attempt {int(status.get('attempt') or 0)}: {message}"[:_MESSAGE],
        "forgiven": int(status.get("forgiven") or 0) + 1,
        "finishedAt": None,
    }


def rejected(
    status: Mapping[str, Any], now: datetime, reason_text: str
) -> dict[str, Any]:
    """The patch for a Done task whose work a person does not want: Ready again.

    The person's words are the brief of the next attempt. A rejection does not count as a
    failure: who has had enough cancels the task, and nobody is surprised by a limit.
    """
    attempt = int(status.get("attempt") or 0)
    words = reason_text.strip() or "no reason was given"
    brief = f"A person looked at the work of attempt {attempt} and rejected it: {words}"
    message = f"rejected: {words}"
    patch = taken_back(status, now, "Rejected", message.splitlines()[0])
    return {**patch, "brief": brief[:_BRIEF]}


def cancelled(
    status: Mapping[str, Any], spec: Mapping[str, Any], now: datetime, who: str
) -> dict[str, Any]:
    """The patch for a task that a person gives up: Failed, whatever attempts are left.

    :param status: the task's status, in any state but Merged.

    A runner that works on it finds that the task is no longer its own, and stops. A run
    request of before is answered by this; a later one begins anew.
    """
    message = f"cancelled by {who}"
    under_way = status.get("state") in ACTIVE_STATES | {DONE}
    over = _attempt_over(status, "Cancelled", message, now) if under_way else {}
    return {
        **over,
        "state": FAILED,
        "reason": "Cancelled",
        "message": message[:_MESSAGE],
        "observedRunRequest": spec.get("runRequest") or "",
        "finishedAt": stamp(now),
    }


def _attempt_over(
    status: Mapping[str, Any], reason: str, message: str, now: datetime
) -> dict[str, Any]:
    """What every end of an attempt has in common: its record, and no instance."""
    ended = stamp(now)
    started = status.get("startedAt")
    record = {
        "attempt": int(status.get("attempt") or 0),
        "instance": status.get("instance") or "",
        "outcome": reason,
        "message": message[:_MESSAGE],
        "finishedAt": ended,
    }
    if started:
        record["startedAt"] = started
    if status.get("commit"):
        record["commit"] = status["commit"]
    worked = seconds_between(started, status.get("finishedAt") or ended)
    if status.get("state") == DONE:
        worked = 0.0  # counted when it became Done
    return {
        "reason": reason,
        "history": [*(status.get("history") or []), record][-_HISTORY:],
        "runningSeconds": round(float(status.get("runningSeconds") or 0.0) + worked, 3),
        "instance": "",
        "podUid": "",
        "readyAt": status.get("readyAt") or ended,
        "boundAt": None,
        "startedAt": None,
        "progress": None,
        **without_prediction(status),
    }
