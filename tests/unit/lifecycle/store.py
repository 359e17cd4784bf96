"""The API server of the model: statuses by number, reads, and writes that compare and swap.

``model`` is built on it. What a status may show at all is checked here too (``stale``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Tuple

from kiro_swarm.api.meta import ACTIVE_STATES, BLOCKED, BOUND, DONE, MERGED
from kiro_swarm.lifecycle.fields import after, attempt_of
from kiro_swarm.lifecycle.guard import IllegalEdgeError, edge_of
from tests.unit.lifecycle.patches import Status
from tests.unit.lifecycle.search import Violation
from tests.unit.lifecycle.shapes import Hand, Swarm, frozen, told, unless

Needs = Tuple[Tuple[int, ...], ...]
#: Which tasks each task needs.
NEEDS: Needs = ((), (0,), ())


@dataclass(frozen=True)
class Rules:
    """What the writers keep to. A planted fault is one of these set otherwise."""

    compare_and_swap: bool = True
    fenced: bool = True
    knows_merged: bool = True
    waits_for_needs: bool = True
    finds_lost: bool = True
    knows_its_pod: bool = True
    asks_guard: bool = True
    restart_ends: bool = True
    merges_older: bool = False
    merges_after_all: bool = True
    cancel_waits_for_job: bool = True
    change: Callable[[str, Status, Status], Status] = lambda edge, status, patch: patch


class Store:
    """Remembers each different status once; nothing in here is part of a state."""

    def __init__(
        self, mishaps: int, rules: Optional[Rules] = None, needs: Needs = NEEDS
    ) -> None:
        self.rules = rules or Rules()
        self.needs = needs
        self._mishaps = mishaps
        self._known: Dict[Tuple[Any, ...], int] = {}
        self._values: List[Status] = []
        self._after: Dict[Tuple[int, int], int] = {}
        self._made: Dict[Tuple[Any, ...], int] = {}
        self._wrong: Dict[Tuple[int, int], Optional[str]] = {}

    # -------------------------------------------------------------- numbers for statuses

    def _number(self, value: Status) -> int:
        key = frozen(value)
        if key not in self._known:
            self._known[key] = len(self._values)
            self._values.append(value)
        return self._known[key]

    def status(self, swarm: Swarm, task: int) -> Status:
        """The status of a task as it is."""
        return self._values[swarm.tasks[task]]

    def state(self, swarm: Swarm, task: int) -> str:
        """Its state."""
        return str(self.status(swarm, task).get("state", BLOCKED))

    def _hand(
        self, swarm: Swarm, task: int, by: str, make: Callable[..., Status], *more: Any
    ) -> Hand:
        """Read a task, and make a patch of what was read."""
        read = swarm.tasks[task]
        key = (read, by, make.__name__, more, task)
        if key not in self._made:
            status = self._values[read]
            patch = make(status, *more)
            patch = self.rules.change(make.__name__, status, patch)
            if self.rules.asks_guard:
                try:
                    edge_of(status, patch, by)
                except IllegalEdgeError as error:
                    raise Violation(f"an illegal edge: {error}") from error
            self._made[key] = self._number(patch)
        return Hand(task, read, self._made[key])

    def _write(self, swarm: Swarm, hand: Hand) -> Swarm:
        """The API server takes a patch: who has read that task before comes too late."""
        key = (swarm.tasks[hand.task], hand.patch)
        if key not in self._after:
            status = after(self._values[key[0]], self._values[key[1]])
            self._after[key] = self._number(told(status))
        task = hand.task
        tasks = (*swarm.tasks[:task], self._after[key], *swarm.tasks[task + 1 :])
        if not self.rules.compare_and_swap:
            return swarm._replace(tasks=tasks)
        job = swarm.job
        if job is not None and job.task == task:
            # It hears of it when it writes, and may ask git before in vain.
            job = job._replace(fresh=False, hand=None)
        return swarm._replace(
            tasks=tasks,
            late=unless(swarm.late, task),
            runners=tuple(
                runner and runner._replace(hand=unless(runner.hand, task))
                for runner in swarm.runners
            ),
            job=job,
        )


def stale(task: int, status: Status) -> Optional[str]:
    """What a status says of an attempt that is not the one it names, or loses of one."""
    attempt, state = attempt_of(status), status.get("state", BLOCKED)
    own = {"branch": f"branch-{task}-{attempt}", "commit": f"commit-{task}-{attempt}"}
    own["baseCommit"] = f"base-{task}-{attempt}"
    for name, value in own.items():
        if status.get(name) not in (None, "", value):
            return f"{task} shows {name} {status[name]} in attempt {attempt}"
    if state == BOUND and any(
        status.get(name) for name in ("commit", "baseCommit", "progress", "conditions")
    ):
        return f"{task} is bound with what attempt {attempt - 1} has left"
    if state not in (*ACTIVE_STATES, DONE, MERGED) and status.get("podUid"):
        return f"{task} is {state} and has a pod"
    listed = [record["attempt"] for record in status.get("history") or []]
    current = [attempt] if state in (*ACTIVE_STATES, DONE, MERGED) else []
    if [*listed, *current] != list(range(1, attempt + 1)):
        return f"{task} has lost an attempt of {attempt}: {listed}"
    return None
