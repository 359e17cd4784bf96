"""What writes that are not answered yet may still bring about: a part of a ``View``.

Data alone: ``tasks/promised`` puts it there, whoever hands out tasks or tells people
who is busy goes by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from kiro_swarm.api.task import KiroTask


@dataclass(frozen=True)
class Promised:
    """``given``: tasks, and the instances that they were given to; ``instances``: names of all
    that nobody is given now, those and the ones that may be about to go.
    """

    given: Sequence[tuple[KiroTask, str]] = ()
    instances: frozenset[str] = frozenset()

    def instance_of(self, task: KiroTask) -> Optional[str]:
        """The instance that a task was given to, as far as anybody knows."""
        task_id = task["spec"]["id"]
        return next((n for t, n in self.given if t["spec"]["id"] == task_id), None)

    def task_of(self, instance: str) -> Optional[KiroTask]:
        """The task that an instance was given, as far as anybody knows."""
        return next((task for task, name in self.given if name == instance), None)


NOTHING = Promised()
