"""The condition ``ConflictPredicted`` of a KiroTask, while an attempt is under way.

Called by the runner, which looks ahead, by whoever ends an attempt, for what was predicted of
one says nothing about the next, and by what tells people. Conditions of other types are kept
as they are. Pure.
"""

from __future__ import annotations

from datetime import datetime
from typing import Optional, Sequence

from typing_extensions import TypedDict

from kiro_swarm.api.access import status_of
from kiro_swarm.api.common import Condition
from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.policy.conditions import condition, find

CONFLICT_PREDICTED = "ConflictPredicted"
_CLEAN = "as it is now, the work merges cleanly"


def with_prediction(
    task: KiroTask,
    files: Sequence[str],
    count: int,
    tasks: Sequence[str],
    now: datetime,
) -> list[Condition]:
    """All conditions of the task, with what a merge at this moment would say.

    :param task: the whole object until now.
    :param files: some of the ``count`` files in conflict, printable; empty for none.
    :param tasks: ids of merged tasks that changed them.
    """
    before = status_of(task).get("conditions") or []
    new = condition(
        before,
        CONFLICT_PREDICTED,
        bool(files),
        "OverlapsMergedWork" if files else "MergesCleanly",
        _message(files, count, tasks) if files else _CLEAN,
        generation=task["metadata"].get("generation", 0),
        now=now,
    )
    return [*_others(before), new]


def with_news(
    task: KiroTask,
    files: Sequence[str],
    count: int,
    tasks: Sequence[str],
    now: datetime,
) -> Optional[list[Condition]]:
    """As ``with_prediction``; None where that would tell nobody anything new."""
    told = predicted(status_of(task))
    conditions = with_prediction(task, files, count, tasks, now)
    return None if told == predicted({"conditions": conditions}) else conditions


def predicted(status: KiroTaskStatus) -> str:
    """What is in the way of a merge, in words; empty when nothing is known to be."""
    found = find(status.get("conditions") or [], CONFLICT_PREDICTED)
    if found is None or found.get("status") != "True":
        return ""
    return found.get("message") or ""


class Observed(TypedDict, total=False):
    """The part of a status patch that is about conditions."""

    conditions: list[Condition]


def without_prediction(status: KiroTaskStatus) -> Observed:
    """The part of a status patch that ends an attempt: empty where none was predicted."""
    before = status.get("conditions") or []
    others = _others(before)
    return {} if len(others) == len(before) else {"conditions": others}


def _others(conditions: Sequence[Condition]) -> list[Condition]:
    return [item for item in conditions if item.get("type") != CONFLICT_PREDICTED]


def _message(files: Sequence[str], count: int, tasks: Sequence[str]) -> str:
    more = f" and {count - len(files)} more" if count > len(files) else ""
    what = f"{', '.join(files)}{more}"
    if not tasks:
        return f"as it is now, the work conflicts with the integration branch in {what}"
    merged = f"task{'s' if len(tasks) > 1 else ''} {', '.join(tasks)}"
    return f"as it is now, the work conflicts with the merged {merged} in {what}"
