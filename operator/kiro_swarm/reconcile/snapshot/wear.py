"""When the volume of a swarm was last used by its tasks.

Part of the board, which tells it of each change of a task; so the answer costs nothing, however
many tasks there are. Nothing is in here that was not in the tasks.
"""

from __future__ import annotations

from datetime import datetime
from typing import Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.task import KiroTask
from kiro_swarm.lifecycle.reasons import VOLUME_FULL, WORKSPACE_FAILED
from kiro_swarm.policy.tidying import Use
from kiro_swarm.policy.times import parse


class Wear:
    """The latest of all times that the tasks have ever said."""

    def __init__(self) -> None:
        self._use = Use()

    def note(self, task: KiroTask) -> None:
        """A task is new or has changed."""
        status = status_of(task)
        worked, failed = self._use
        for text in (status.get("boundAt"), status.get("finishedAt")):
            worked = _later(worked, parse(text))
        for record in (status.get("history") or [])[-1:]:
            ended = parse(record.get("finishedAt"))
            worked = _later(worked, ended)
            if record.get("outcome") in (WORKSPACE_FAILED, VOLUME_FULL):
                failed = _later(failed, ended)
        self._use = Use(worked, failed)

    def use(self) -> Use:
        """What they have said."""
        return self._use


def _later(one: Optional[datetime], other: Optional[datetime]) -> Optional[datetime]:
    if one is None or other is None:
        return one or other
    return max(one, other)
