"""Tasks with a past, for what is learned from it."""

from __future__ import annotations

from typing import Any

from tests.unit.reconcile.explained import ago, node, with_spec
from tests.unit.reconcile.views import Object


def merged(
    task_id: str,
    took: float,
    instance: str = "demo-1",
    lag: float = 0.0,
    state: str = "Merged",
    **spec: Any,
) -> Object:
    """A task that ended a while ago after so many seconds."""
    over = 1000.0
    made = node(
        task_id,
        state,
        instance=instance,
        attempt=1,
        boundAt=ago(over + took),
        startedAt=ago(over + took),
        finishedAt=ago(over),
        mergedAt=ago(over - lag) if state == "Merged" else None,
    )
    return with_spec(made, **spec)


def running(
    task_id: str, seconds: float, instance: str = "demo-1", **spec: Any
) -> Object:
    """A task that was bound so many seconds ago."""
    made = node(
        task_id,
        "Running",
        instance=instance,
        attempt=1,
        boundAt=ago(seconds),
        startedAt=ago(seconds),
    )
    made["metadata"]["generation"] = 1
    return with_spec(made, **spec)
