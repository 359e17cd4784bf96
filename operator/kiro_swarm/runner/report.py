"""What the runner writes into a KiroTask: its own words put into edges of the life. Pure.

Called by an AttemptRun, which sends each patch under the resourceVersion it was made from.
"""

from __future__ import annotations

from datetime import datetime

from kiro_swarm.api.access import status_of
from kiro_swarm.api.task import Cycle, KiroTask, KiroTaskStatus
from kiro_swarm.lifecycle import notes, steps
from kiro_swarm.lifecycle.attempts import after_failure
from kiro_swarm.lifecycle.fields import Patch
from kiro_swarm.policy.conflicts import with_prediction
from kiro_swarm.policy.times import stamp
from kiro_swarm.runner.attempt import Failed, Finished
from kiro_swarm.runner.cycles import CycleEnd
from kiro_swarm.runner.worktree import Cut
from kiro_swarm.workspace.lookahead import Prediction

_CYCLE_MESSAGE = 256


def running(cut: Cut, now: datetime) -> Patch:
    """The branch is cut and the agent starts."""
    return steps.started(now, branch=cut.branch, base=cut.base)


def progress(message: str, now: datetime) -> Patch:
    """What the agent said last."""
    return notes.progress(message, now)


def cycle(task: KiroTask, end: CycleEnd, now: datetime) -> Patch:
    """A cycle of beast mode is over; ``task`` is the whole object until now.

    Made again of a task that has it already, it changes nothing but the time.
    """
    status = status_of(task)
    record: Cycle = {
        "attempt": status["attempt"],
        "cycle": end.number,
        "outcome": end.outcome,
        "message": end.message[:_CYCLE_MESSAGE],
        "commit": end.commit,
        "startedAt": stamp(end.started_at),
        "finishedAt": stamp(now),
    }
    return notes.cycle(status, record, cycle_message(end), now)


def cycle_message(end: CycleEnd) -> str:
    """One line about a cycle that is over."""
    return f"cycle {end.number} of {end.of}: {end.outcome}: {end.message}"


def prediction(found: Prediction, task: KiroTask, now: datetime) -> Patch:
    """What a merge at this moment would say; ``task`` is the whole object until now."""
    return notes.observed(
        with_prediction(task, found.files, found.count, found.tasks, now)
    )


def done(status: KiroTaskStatus, finished: Finished, now: datetime) -> Patch:
    """The work is there and checked; ``status`` is the task's status until now."""
    return steps.done(
        status,
        now,
        branch=finished.branch,
        base=finished.base,
        commit=finished.commit,
        message=finished.message,
    )


def failed(task: KiroTask, failure: Failed, now: datetime) -> Patch:
    """The attempt ended without work; ``task`` is the whole object until now."""
    return after_failure(
        status_of(task),
        task["spec"],
        reason=failure.reason,
        message=failure.message,
        brief=failure.brief,
        now=now,
    )
