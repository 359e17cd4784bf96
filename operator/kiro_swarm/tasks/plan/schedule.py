"""Which ready task goes to which idle instance now.

Used by ``ready``, which the operator asks whenever a task becomes ready or an instance
idle. Deterministic:
the same input, in any order, gives the same pairs in the same order. Guarantees, whatever
the strategy:

* a task goes only to an instance that has all its capabilities; one that a person assigned
  goes to that instance alone, whatever it can do, and before everything else;
* one whose agent could not begin goes after all others: it may be that task which is at fault;
* two tasks that declare overlapping files are never out at once;
* nobody stays idle beside a ready task that it may have, with one exception: a task that
  has waited too long for its files has them kept free for it, every other day;
* no task waits forever, however many that are more urgent keep coming: every fourth
  binding is for the one that has waited longest, once it has waited for a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Final, Optional

from kiro_swarm.tasks.plan.overlap import Claims
from kiro_swarm.tasks.plan.strategies import (
    IdleInstance,
    Key,
    ReadyTask,
    Strategy,
)

#: Seconds that a ready task may be passed over before it gets a turn of its own. Long, for
#: in work that comes to an end the most urgent first is better for all (hack/bench
#: schedule: with four hours instead of a day plans get 0.5 % longer, one of them 14 %).
PATIENCE_SECONDS: Final = 24 * 3600.0
#: One binding in so many is for the task that has waited longest.
FAIR_EVERY: Final = 4

Pair = tuple[ReadyTask, IdleInstance]
#: What ready tasks are sorted by: stumbled, assigned, priority, optional, urgency, order, id.
LineKey = tuple[bool, bool, int, bool, Key, int, str]


def line_key(task: ReadyTask, rank: float, strategy: Strategy) -> LineKey:
    """Who has not stumbled first; higher priority first, optional tasks last, then as the
    strategy says: by default the longer chain of work behind the task, then file order. No two
    tasks of a swarm have the same key, and its last part is the id."""
    urgency: Key = strategy.urgency(task, rank)
    return (
        task.stumbled,
        not task.assigned_to,
        -task.priority,
        task.last,
        urgency,
        task.order,
        task.id,
    )


def may_have(task: ReadyTask, instance: IdleInstance) -> bool:
    """Whether this task may go to this instance."""
    if task.assigned_to:
        return task.assigned_to == instance.name
    return task.capabilities <= instance.capabilities


def pair(
    line: Iterable[ReadyTask],
    overdue: Iterable[ReadyTask],
    idle: Sequence[IdleInstance],
    claims: Claims,
    strategy: Strategy,
    turn: int,
) -> list[Pair]:
    """Who gets what, from a line that is in order; no more of it is read than needed.

    ``overdue``: those of the line that have waited for PATIENCE_SECONDS, longest first.
    ``claims``, of tasks that are out, are not changed. ``turn``: how many bindings there were:
    it says whose turn is the fair one.
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


def _keeps_its_files_free(task: ReadyTask) -> bool:
    """On every other day, so that what never lands cannot hold everybody for good."""
    return int(task.waited // PATIENCE_SECONDS) % 2 == 1
