"""Agents for the played node: work that a test holds back, fails or lets go."""

from __future__ import annotations

import asyncio
from typing import Dict, List, Optional, Tuple

from kiro_swarm.runner.attempt import Failed
from tests.support.shapes import Object


class HeldWork:
    """Every attempt waits until the test lets it go. Made inside the test's loop."""

    def __init__(self) -> None:
        self._ends: Dict[Tuple[str, int], asyncio.Future[Optional[Failed]]] = {}
        self._begun = asyncio.Condition()
        self.tasks: List[Object] = []

    async def __call__(self, task: Object) -> Optional[Failed]:
        """Work on a task as the runner got it."""
        async with self._begun:
            self.tasks.append(task)
            self._begun.notify_all()
        return await self._end(task["spec"]["id"], int(task["status"]["attempt"]))

    async def begun(self, task_id: str, attempt: int = 1) -> Object:
        """Wait until an attempt has begun; the task as its runner got it."""

        def found() -> Optional[Object]:
            for task in self.tasks:
                if (task["spec"]["id"], task["status"]["attempt"]) == (
                    task_id,
                    attempt,
                ):
                    return task
            return None

        async with self._begun:
            await asyncio.wait_for(self._begun.wait_for(found), 30)
        task = found()
        assert task is not None
        return task

    def finish(self, task_id: str, attempt: int = 1) -> None:
        """Let an attempt end well."""
        self._end(task_id, attempt).set_result(None)

    def fail(self, task_id: str, attempt: int, failure: Failed) -> None:
        """Let an attempt end badly."""
        self._end(task_id, attempt).set_result(failure)

    def _end(self, task_id: str, attempt: int) -> asyncio.Future[Optional[Failed]]:
        loop = asyncio.get_running_loop()
        return self._ends.setdefault((task_id, attempt), loop.create_future())
