"""Who has had which tasks of a swarm, counted as they change.

Kept by ``board``; ``hand_out`` gives tasks in turn and evens out loads by it. Pure: the
same tasks give the same numbers, in whatever order they came and changed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from kiro_swarm.api.meta import ACTIVE_STATES, DONE, MERGED
from kiro_swarm.policy.times import seconds_between

Object = dict[str, Any]
_WORKED_ON = ACTIVE_STATES | {DONE, MERGED}


@dataclass(frozen=True)
class Had:
    """``assigned`` and ``loads``: how many attempts an instance has had, and their seconds.
    ``turn``: how many attempts there were in all."""

    assigned: Counter[str]
    loads: dict[str, float]
    turn: int


class Tally:
    """`add` and `drop` of the same task are inverse."""

    def __init__(self) -> None:
        self._assigned: Counter[str] = Counter()
        # Whole numbers: what was added can be taken away without a rest.
        self._microseconds: Counter[str] = Counter()
        self._turn = 0

    def add(self, task: Object, times: int = 1) -> None:
        """Count a task and the attempts that it remembers."""
        status = task.get("status") or {}
        self._turn += times * int(status.get("attempt") or 0)
        records = list(status.get("history") or [])
        if status.get("state") in _WORKED_ON:
            records.append(status)
        for record in records:
            name = record.get("instance") or ""
            if name:
                worked = seconds_between(
                    record.get("startedAt"), record.get("finishedAt")
                )
                self._assigned[name] += times
                self._microseconds[name] += times * round(worked * 1e6)

    def drop(self, task: Object) -> None:
        """Take back what `add` has counted of a task."""
        self.add(task, -1)

    def had(self) -> Had:
        """What is counted now."""
        assigned = +self._assigned
        loads = {name: self._microseconds[name] / 1e6 for name in assigned}
        return Had(assigned, loads, self._turn)
