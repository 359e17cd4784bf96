"""Who did what when, as bars on lanes: the model behind both timelines. Pure, no rich.

A bar is one attempt of a task. Two bars of one instance may overlap (a finished task that
waited for its merge and came back), so an instance has as many lanes as it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Optional

from kiro_swarm.api.meta import ACTIVE_STATES, FAILED, MERGED
from kiro_swarm.cli.kubectl.views.objects import (
    Object,
    in_file_order,
    items,
    moment,
    number,
    part,
    state,
    task_id,
)
from kiro_swarm.cli.kubectl.views.text import clean, duration

_NOBODY: Final = "(unknown)"
_STEPS: Final = tuple(
    unit * count
    for unit, counts in (
        (1, (1, 2, 5, 10, 15, 30)),
        (60, (1, 2, 5, 10, 15, 30)),
        (3600, (1, 2, 3, 6, 12)),
        (86400, (1, 2, 7, 14, 30, 90, 365)),
    )
    for count in counts
)


@dataclass(frozen=True)
class Bar:
    """One attempt. ``outcome``: ``failed``, ``running``, ``done`` or ``merged``."""

    task: str
    title: str
    attempt: int
    instance: str
    start: datetime
    end: datetime
    outcome: str
    reason: str = ""
    merged_at: Optional[datetime] = None

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True)
class Timeline:
    """All bars between ``start`` and ``end``, on the lanes of their instances."""

    start: datetime
    end: datetime
    #: Instance -> lanes -> bars in order of time, none over another.
    lanes: dict[str, list[list[Bar]]]

    @property
    def bars(self) -> list[Bar]:
        """All of them."""
        return [bar for lanes in self.lanes.values() for lane in lanes for bar in lane]

    @property
    def seconds(self) -> float:
        """Length of the whole, at least one second."""
        return max(1.0, (self.end - self.start).total_seconds())

    def share(self, when: datetime) -> float:
        """Where a moment is, from 0 to 1."""
        part_of_it = (when - self.start).total_seconds() / self.seconds
        return min(1.0, max(0.0, part_of_it))


def timeline(tasks: Iterable[Object], now: datetime) -> Timeline:
    """What ``tasks`` say about their attempts until ``now``."""
    bars = [bar for task in in_file_order(tasks) for bar in _bars(task, now)]
    ends = [bar.merged_at or bar.end for bar in bars]
    start = min((bar.start for bar in bars), default=now)
    by_instance: dict[str, list[list[Bar]]] = {}
    for instance in sorted({bar.instance for bar in bars}, key=_by_number):
        own = [bar for bar in bars if bar.instance == instance]
        by_instance[instance] = _lanes(own)
    return Timeline(start, max(ends, default=now), by_instance)


def _by_number(instance: str) -> tuple[bool, int, str]:
    """``demo-2`` before ``demo-10``, nobody last."""
    digits = instance.rpartition("-")[2]
    index = int(digits) if digits.isdecimal() and len(digits) < 8 else 0
    return instance == _NOBODY, index, instance


def _lanes(bars: Sequence[Bar]) -> list[list[Bar]]:
    lanes: list[list[Bar]] = []
    for bar in sorted(bars, key=lambda b: (b.start, b.end)):
        free = next((lane for lane in lanes if lane[-1].end <= bar.start), None)
        if free is None:
            lanes.append([bar])
        else:
            free.append(bar)
    return lanes


def _bars(task: Object, now: datetime) -> list[Bar]:
    status = part(task, "status")
    found = [
        bar
        for record in items(status.get("history"))
        for bar in _bar(
            task, record, moment(part({"r": record}, "r").get("finishedAt"))
        )
    ]
    current = state(task)
    if current == FAILED:
        return found
    if current in ACTIVE_STATES:
        return found + _bar(task, status, now, "running")
    merged = moment(status.get("mergedAt")) if current == MERGED else None
    end = moment(status.get("finishedAt")) or merged
    return found + _bar(task, status, end, "merged" if merged else "done", merged)


def _bar(
    task: Object,
    record: object,
    end: Optional[datetime],
    outcome: str = "failed",
    merged: Optional[datetime] = None,
) -> list[Bar]:
    if not isinstance(record, dict):
        return []
    start = moment(record.get("startedAt"))
    if start is None or end is None:
        return []
    return [
        Bar(
            task=task_id(task),
            title=clean(part(task, "spec").get("title"), 200),
            attempt=int(number(record.get("attempt"))),
            instance=clean(record.get("instance"), 63) or _NOBODY,
            start=start,
            end=max(start, end),
            outcome=outcome,
            reason=clean(record.get("outcome"), 64),
            merged_at=merged,
        )
    ]


def tick_label(seconds: float) -> str:
    """``0s``, ``90s`` as ``1m30s``, whole minutes and hours as ``2m``, ``3h``."""
    label = duration(seconds)
    for nought in ("m00s", "h00m"):
        if label.endswith(nought):
            return label[:-3]
    return label


def ticks(line: Timeline, most: int) -> list[datetime]:
    """At most ``most`` + 1 moments at a round distance from the start, the first there."""
    wanted = line.seconds / max(1, most)
    step = next((step for step in _STEPS if step >= wanted), wanted)
    return [
        line.start + timedelta(seconds=step * place)
        for place in range(int(line.seconds / step) + 1)
    ]
