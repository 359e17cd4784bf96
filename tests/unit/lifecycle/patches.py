"""The patches of the model: what each writer makes of a status. All at one moment.

Nothing is decided here; ``model`` says who makes which, and when.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from kiro_swarm.api.task import KiroTaskSpec
from kiro_swarm.lifecycle import attempts, steps
from kiro_swarm.lifecycle.fields import attempt_of

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
SPEC: KiroTaskSpec = {"swarm": "demo", "id": "1.1", "maxAttempts": 2}
Status = Any


def instance_name(instance: int) -> str:
    """Of a KiroInstance."""
    return f"demo-{instance}"


def pod_uid(instance: int, pod: int) -> str:
    """Of one of its pods."""
    return f"pod-{instance}-{pod}"


def _place(status: Status, task: int, instance: int, pod: int) -> steps.Place:
    branch = f"branch-{task}-{attempt_of(status) + 1}"
    return steps.Place(instance_name(instance), pod_uid(instance, pod), branch)


def ready(status: Status) -> Status:
    return steps.ready(NOW)


def bind(status: Status, task: int, instance: int, pod: int) -> Status:
    return steps.bound(status, NOW, _place(status, task, instance, pod), "")


def move(status: Status, task: int, instance: int, pod: int) -> Status:
    place = _place(status, task, instance, pod)
    return attempts.moved(status, NOW, place, "", "slow")


def ask_again(status: Status, satisfied: bool) -> Status:
    return steps.asked_again(status, NOW, "asked", satisfied=satisfied)


def lose(status: Status) -> Status:
    return _ended(status, "InstanceLost")


def fail(status: Status, reason: str) -> Status:
    return _ended(status, reason)


def send_back(status: Status) -> Status:
    return _ended(status, "MergeConflict")


def merge_after_all(status: Status) -> Status:
    return steps.merged_after_all(status, NOW, "merge")


def _ended(status: Status, reason: str) -> Status:
    return attempts.after_failure(
        status, SPEC, reason=reason, message="it ended", brief="", now=NOW
    )


def take_back(status: Status) -> Status:
    return attempts.taken_back(status, NOW, "Stopped", "stopped")


def cancel(status: Status) -> Status:
    return attempts.cancelled(status, SPEC, NOW, "a person")


def start(status: Status, task: int, attempt: int) -> Status:
    branch = f"branch-{task}-{attempt}"
    return steps.started(NOW, branch=branch, base=f"base-{task}-{attempt}")


def finish(status: Status, task: int, attempt: int) -> Status:
    return steps.done(
        status,
        NOW,
        branch=f"branch-{task}-{attempt}",
        base=f"base-{task}-{attempt}",
        commit=f"commit-{task}-{attempt}",
        message="one commit",
    )


def merge(status: Status) -> Status:
    return steps.merged(status, NOW, "merge")
