"""Whether a task takes longer than it should, by what its swarm measured. Pure.

Called by ``slow``, which flags and moves, and by what tells people: ``status``,
``outlook``, ``explain``.

==========  =============================================  ===========================
condition   True when                                      False / reasons
==========  =============================================  ===========================
``Late``    the task takes longer than nine of ten would,  absent before; afterwards
            by what this swarm measured, and 30 s          InTime: its attempt is over
==========  =============================================  ===========================
"""

from __future__ import annotations

from typing import Final, Optional, Sequence

from kiro_swarm.api.access import status_of
from kiro_swarm.api.common import Condition
from kiro_swarm.api.meta import ACTIVE_STATES
from kiro_swarm.api.task import KiroTask
from kiro_swarm.policy.conditions import condition, is_true
from kiro_swarm.policy.times import seconds_between, stamp
from kiro_swarm.reconcile.snapshot.board import state_of
from kiro_swarm.reconcile.snapshot.text import spoken
from kiro_swarm.reconcile.snapshot.view import View

LATE = "Late"
#: Seconds: who is done within them is late for nobody, however short such tasks are.
LEAST: Final = 30.0


def elapsed(view: View, task: KiroTask) -> float:
    """Seconds since a task was given to its instance; 0 for one that nobody has."""
    if state_of(task) not in ACTIVE_STATES:
        return 0.0
    return seconds_between(task["status"].get("boundAt"), stamp(view.now))


def limit(view: View, task: KiroTask) -> float:
    """Seconds after which a task is late: nine of ten such tasks would be done."""
    return max(LEAST, view.measured.estimate_of(task).high)


def takes_too_long(view: View, task: KiroTask) -> bool:
    """Whether that is so by what is known now."""
    return elapsed(view, task) > limit(view, task)


def is_late(view: View, task: KiroTask) -> bool:
    """Whether a task under way takes too long, or was found to.

    Who is late stays so while the attempt lasts: what is learned meanwhile moves the limit
    back and forth, and each time would be a write.
    """
    if state_of(task) not in ACTIVE_STATES:
        return False
    found = status_of(task).get("conditions") or []
    return is_true(found, LATE) or takes_too_long(view, task)


def next_late(view: View) -> Optional[float]:
    """Seconds until the next task under way is late; None without one."""
    left = [
        limit(view, task) - elapsed(view, task)
        for task in view.active.values()
        if not is_late(view, task)
    ]
    return min(left) + 0.1 if left else None


def with_late(
    view: View, task: KiroTask, conditions: Sequence[Condition]
) -> list[Condition]:
    """The conditions of a task with ``Late`` as it is now; the others are kept."""
    late = is_late(view, task)
    usual = spoken(limit(view, task))
    now = condition(
        conditions,
        LATE,
        late,
        "SlowerThanExpected" if late else "InTime",
        f"nine of ten such tasks take less than {usual}" if late else "",
        generation=task["metadata"].get("generation", 0),
        now=view.now,
    )
    return [*(item for item in conditions if item.get("type") != LATE), now]
