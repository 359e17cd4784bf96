"""Which ready task goes to which idle instance now.

Called by the operator whenever a task becomes ready or an instance idle. Deterministic:
the same input, in any order, gives the same pairs in the same order. Guarantees, whatever
the strategy:

* a task goes only to an instance that has all its capabilities; one that a person assigned
  goes to that instance alone, whatever it can do, and before everything else;
* two tasks that declare overlapping files are never out at once;
* nobody stays idle beside a ready task that it may have, with one exception: a task that
  has waited too long for its files has them kept free for it, every other day;
* no task waits forever, however many that are more urgent keep coming: every fourth
  binding is for the one that has waited longest, once it has waited for a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Final, Optional

from kiro_swarm.tasks.plan.overlap import Claims
from kiro_swarm.tasks.plan.strategies import (
    DEPENDENCY_AWARE,
    IdleInstance,
    Key,
    ReadyTask,
    Strategy,
)

__all__ = ["IdleInstance", "ReadyTask", "choose", "in_line", "may_have", "pair"]

#: Seconds that a ready task may be passed over before it gets a turn of its own. Long, for
#: in work that comes to an end the most urgent first is better for all (hack/bench
#: schedule: with four hours instead of a day plans get 0.5 % longer, one of them 14 %).
PATIENCE_SECONDS: Final = 24 * 3600.0
#: One binding in so many is for the task that has waited longest.
FAIR_EVERY: Final = 4

Pair = tuple[ReadyTask, IdleInstance]


def line_key(task: ReadyTask, rank: float, strategy: Strategy) -> tuple[object, ...]:
    """What ready tasks are sorted by; no two tasks of a swarm have the same key."""
    urgency: Key = strategy.urgency(task, rank)
    return (
        not task.assigned_to,
        -task.priority,
        task.last,
        urgency,
        task.order,
        task.id,
    )


def in_line(
    ready: Iterable[ReadyTask],
    ranks: Mapping[str, float],
    strategy: Strategy = DEPENDENCY_AWARE,
) -> list[ReadyTask]:
    """Ready tasks, those that are bound first in front; ``ranks`` as for `choose`."""
    return sorted(
        ready,
        key=lambda task: line_key(task, ranks.get(task.id, 0.0), strategy),
    )


def may_have(task: ReadyTask, instance: IdleInstance) -> bool:
    """Whether this task may go to this instance."""
    if task.assigned_to:
        return task.assigned_to == instance.name
    return task.capabilities <= instance.capabilities


def choose(
    ready: Iterable[ReadyTask],
    idle: Sequence[IdleInstance],
    ranks: Mapping[str, float],
    busy: Iterable[Sequence[str]] = (),
    *,
    strategy: Strategy = DEPENDENCY_AWARE,
    turn: int = 0,
) -> list[Pair]:
    """Pairs to bind: tasks that are assigned to an instance first, the most urgent first.

    Higher priority first, optional tasks last, then as the strategy says: by default the
    longer chain of work behind the task (``ranks``: seconds by task id,
    ``TaskGraph.upward_ranks``; 0 where missing), then file order. ``busy`` are the files
    of the tasks that are bound or running: a task that declares files overlapping with
    them, or with those of a task chosen before it, waits. ``turn`` is the number of
    bindings that the swarm has made so far: it says whose turn is the fair one.
    """
    line = in_line(ready, ranks, strategy)
    claims = Claims()
    for files in busy:
        claims.add(files)
    return pair(line, _overdue(line), idle, claims, strategy, turn)


def pair(
    line: Iterable[ReadyTask],
    overdue: Iterable[ReadyTask],
    idle: Sequence[IdleInstance],
    claims: Claims,
    strategy: Strategy,
    turn: int,
) -> list[Pair]:
    """What `choose` does with a line that is in order; no more of it is read than needed.

    ``overdue``: those of the line that have waited for PATIENCE_SECONDS, longest first.
    ``claims`` are not changed.
    """
    free = sorted(idle, key=lambda instance: (instance.index, instance.name))
    fresh = Claims()
    by_urgency, by_waiting = iter(line), iter(overdue)
    first = next((t for t in by_waiting if any(may_have(t, i) for i in free)), None)
    if first is not None:
        by_waiting = chain([first], by_waiting)
        if _keeps_its_files_free(first) and claims.overlap(first.files):
            fresh.add(first.files)
    chosen: list[Pair] = []
    taken: set[str] = set()

    def next_fit(tasks: Iterator[ReadyTask]) -> Optional[Pair]:
        # Who does not fit now will not later in this round: less and less is free.
        for task in tasks:
            if task.id in taken:
                continue
            if task.files and (claims.overlap(task.files) or fresh.overlap(task.files)):
                continue
            able = [instance for instance in free if may_have(task, instance)]
            if able:
                return task, min(able, key=partial(strategy.preference, task))
        return None

    while free:
        fair = (turn + len(chosen)) % FAIR_EVERY == FAIR_EVERY - 1
        found = (next_fit(by_waiting) if fair else None) or next_fit(by_urgency)
        if found is None:
            break
        chosen.append(found)
        taken.add(found[0].id)
        fresh.add(found[0].files)
        free.remove(found[1])
    return chosen


def _overdue(line: Sequence[ReadyTask]) -> list[ReadyTask]:
    """Who has waited too long for anybody, longest first; of equals the urgent one."""
    late = [t for t in line if t.waited >= PATIENCE_SECONDS and not t.assigned_to]
    return sorted(late, key=lambda task: -task.waited)


def _keeps_its_files_free(task: ReadyTask) -> bool:
    """On every other day, so that what never lands cannot hold everybody for good."""
    return int(task.waited // PATIENCE_SECONDS) % 2 == 1
