"""How long a swarm only waited for people: nobody worked, and finished work was not looked at.

Called by the status, where a speed-up is measured. Pure: all is in the statuses of the tasks, so
an operator that was restarted counts the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import ACTIVE_STATES
from kiro_swarm.api.task import KiroTask
from kiro_swarm.policy.approval import asks_person
from kiro_swarm.policy.times import parse
from kiro_swarm.reconcile.snapshot.view import View, state_of

Span = tuple[datetime, datetime]


def waited(view: View, until: Optional[str]) -> float:
    """Seconds until then, or until now, in which everything waited for a person.

    From the end of an attempt that a person is or was asked about until its merge, as far as no
    attempt of any task was under way.
    """
    end = parse(until) or view.now
    spans = list(_asked(view, end))
    if not spans:
        return 0.0
    worked = list(_worked(view.tasks, end))
    return sum(
        (after - before).total_seconds() for before, after in _without(spans, worked)
    )


def _asked(view: View, end: datetime) -> Iterator[Span]:
    approval = view.spec.integration.approval
    for task in view.tasks:
        status = status_of(task)
        asks = asks_person(task, approval)
        if asks or int(task["spec"].get("approvedAttempt") or 0) > 0:
            yield from _span(status.get("finishedAt"), status.get("mergedAt"), end)


def _worked(tasks: Iterable[KiroTask], end: datetime) -> Iterator[Span]:
    for task in tasks:
        status = status_of(task)
        for record in status.get("history") or []:
            yield from _span(record.get("startedAt"), record.get("finishedAt"), end)
        active = state_of(task) in ACTIVE_STATES
        over = None if active else status.get("finishedAt")
        if active or over:
            began = status.get("boundAt") or status.get("startedAt")
            yield from _span(began, over, end)


def _span(began: Optional[str], over: Optional[str], end: datetime) -> Iterator[Span]:
    start, stop = parse(began), parse(over) or end
    if start is not None and start < min(stop, end):
        yield start, min(stop, end)


def _without(spans: Iterable[Span], others: Iterable[Span]) -> Iterator[Span]:
    """What of some spans is in none of the others, each moment once."""
    marks = sorted(
        mark
        for which, found in enumerate((spans, others))
        for start, stop in found
        for mark in ((start, which, 1), (stop, which, -1))
    )
    depth = [0, 0]
    before: Optional[datetime] = None
    for at, which, step in marks:
        if before is not None and depth[0] and not depth[1] and at > before:
            yield before, at
        depth[which] += step
        before = at
