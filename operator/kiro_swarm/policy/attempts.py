"""What becomes of a task when an attempt ends without a merge.

Called by whoever sees the end: the runner (the agent failed), the operator (the instance
died), the integrate Job (conflict, red gate). One rule for all of them, so that a task is
never sent back in three different ways.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Mapping

from kiro_swarm.api.meta import FAILED, READY
from kiro_swarm.policy.times import seconds_between, stamp

_HISTORY = 10
_BRIEF = 16384
_MESSAGE = 1024
#: Not the agent's fault: the attempt does not count against ``maxAttempts``.
NO_FAULT = frozenset({"InstanceLost", "RunnerStopped", "RunnerRestarted"})
#: Even innocent attempts end somewhere: a task that kills every instance must not loop.
NO_FAULT_FACTOR = 5


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
    ended = stamp(now)
    started = status.get("startedAt")
    record = {
        "attempt": attempt,
        "instance": status.get("instance") or "",
        "outcome": reason,
        "message": message[:_MESSAGE],
        "finishedAt": ended,
    }
    if started:
        record["startedAt"] = started
    if status.get("commit"):
        record["commit"] = status["commit"]
    spent = failures >= allowed or attempt >= allowed * NO_FAULT_FACTOR
    worked = seconds_between(started, status.get("finishedAt") or ended)
    if status.get("state") == "Done":
        worked = 0.0  # counted when it became Done
    return {
        "state": FAILED if spent else READY,
        "reason": reason,
        "message": (
            f"attempt {attempt}: {message}"
            + (f" ({failures} of {allowed} attempts failed)" if spent else "")
        )[:_MESSAGE],
        "brief": (brief or status.get("brief") or "")[:_BRIEF],
        "failures": failures,
        "history": [*(status.get("history") or []), record][-_HISTORY:],
        "runningSeconds": round(float(status.get("runningSeconds") or 0.0) + worked, 3),
        "instance": "",
        "podUid": "",
        "readyAt": status.get("readyAt") or ended,
        "boundAt": None,
        "startedAt": None,
        "finishedAt": ended if spent else None,
        "progress": None,
    }
