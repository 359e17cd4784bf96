"""The ready tasks of a swarm as the scheduling sees them, in their order.

The board keeps a ``ReadyCache`` and tells it what has changed; ``hand_out`` asks it through
the view. What it answers follows from the tasks of that view alone: what it remembers saves
it from sorting five thousand tasks again because one has gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.task import KiroTask
from kiro_swarm.lifecycle.reasons import COULD_NOT_BEGIN
from kiro_swarm.policy.times import parse
from kiro_swarm.reconcile.snapshot.measured import Measured
from kiro_swarm.tasks.plan.ready import ReadyQueue
from kiro_swarm.tasks.plan.strategies import ReadyTask, Strategy

_NOTHING: frozenset[str] = frozenset()


class TaskQueue(ReadyQueue):
    """A ``ReadyQueue`` of KiroTasks; those that a person has paused have no place in it."""

    def __init__(
        self, ready: Iterable[KiroTask], measured: Measured, strategy: Strategy
    ) -> None:
        super().__init__(strategy)
        self.measured = measured
        self._items: dict[str, KiroTask] = {}
        for task in ready:
            self.set(task["spec"]["id"], task)

    def set(self, task_id: str, task: Optional[KiroTask]) -> None:
        """What a task is now; None: it is not ready."""
        self._items.pop(task_id, None)
        self.remove(task_id)
        if task is not None and not task["spec"].get("paused"):
            self._items[task_id] = task
            rank = self.measured.ranks.get(task_id, 0.0)
            self.put(ready_task(task, self.measured), rank, _since(task))

    def task(self, task_id: str) -> KiroTask:
        """One that is in it."""
        return self._items[task_id]


class ReadyCache:
    """The queue of one swarm, kept up while its tasks change."""

    def __init__(self) -> None:
        #: Grows with every change: whether a view is of now.
        self.version = 0
        self._changed: dict[str, Optional[KiroTask]] = {}
        self._queue: Optional[TaskQueue] = None

    def note(self, task_id: str, task: Optional[KiroTask]) -> None:
        """A task has changed; None: it is not ready."""
        self.version += 1
        self._changed[task_id] = task

    def queue(
        self,
        ready: Iterable[KiroTask],
        version: int,
        measured: Measured,
        strategy: Strategy,
    ) -> TaskQueue:
        """The queue of these tasks, as they were at that version.

        It is good until something changes: who asks uses it at once.
        """
        if version != self.version:  # of before
            return TaskQueue(ready, measured, strategy)
        kept = self._queue
        if kept is None or (kept.measured, kept.strategy) != (measured, strategy):
            kept = self._queue = TaskQueue(ready, measured, strategy)
        else:
            for task_id, task in self._changed.items():
                kept.set(task_id, task)
        self._changed.clear()
        return kept


def ready_task(task: KiroTask, measured: Measured) -> ReadyTask:
    """A KiroTask as the scheduling sees it."""
    spec = task["spec"]
    return ReadyTask(
        id=spec["id"],
        order=int(spec.get("order") or 0),
        priority=int(spec.get("priority") or 0),
        files=files_of(task),
        assigned_to=str(spec.get("assignedTo") or ""),
        capabilities=capabilities(spec.get("capabilities")),
        last=spec["id"] in measured.last,
        stumbled=status_of(task).get("reason") in COULD_NOT_BEGIN,
    )


def files_of(task: KiroTask) -> tuple[str, ...]:
    """What a task says that it touches."""
    return tuple(task["spec"].get("files") or ())


def capabilities(written: Optional[Iterable[str]]) -> frozenset[str]:
    """Without regard to case: it is written by hand in a task file and in a manifest."""
    if not written:
        return _NOTHING
    return frozenset(word.strip().casefold() for word in written)


def _since(task: KiroTask) -> Optional[float]:
    """The second at which a task became ready."""
    since = parse(status_of(task).get("readyAt"))
    return None if since is None else since.timestamp()
