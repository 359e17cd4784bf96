"""One attempt in this process: runs it, keeps the instance's heartbeat, reports.

Made by the runner's loop for each attempt that it finds bound to its pod.
Guarantees: a report is written only while the KiroTask still is at this attempt of this
pod, under the resourceVersion it was made from, and is repeated until the API
server has taken it or the task has moved on.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from functools import partial
from typing import Awaitable, Callable, Optional

from kiro_swarm.agents.driver import OnProgress
from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import RUNNING
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster import errors
from kiro_swarm.lifecycle.edges import RUNNER
from kiro_swarm.lifecycle.fields import Patch
from kiro_swarm.lifecycle.guard import checked
from kiro_swarm.runner import report
from kiro_swarm.runner.ahead import Look
from kiro_swarm.runner.attempt import Failed, Finished, Result
from kiro_swarm.runner.clock import Clock
from kiro_swarm.runner.cycles import CycleEnd, OnCycle
from kiro_swarm.runner.ports import Identity, Key, TaskApi, is_bound_to, key_of
from kiro_swarm.runner.work import OnCut
from kiro_swarm.runner.worktree import Cut
from kiro_swarm.workspace.lookahead import Prediction

log = logging.getLogger(__name__)

Work = Callable[[OnCut, OnProgress, OnCycle], Awaitable[Result]]

PROGRESS_SECONDS = 5.0
_LONGEST_RETRY_SECONDS = 10.0


class SupersededError(Exception):
    """The task is no longer at this attempt of this pod."""


class AttemptRun:
    """Call ``run`` once; ``stop`` from elsewhere. Make it inside the running event loop."""

    def __init__(
        self,
        api: TaskApi,
        clock: Clock,
        me: Identity,
        task: KiroTask,
        heartbeat_seconds: float,
        look: Look,
    ) -> None:
        self.key: Key = key_of(task)
        self.name: str = task["metadata"]["name"]
        # The API server has said that the task is no longer at this attempt.
        self.superseded = False
        self._api = api
        self._clock = clock
        self._me = me
        self._task: Optional[KiroTask] = task
        self._heartbeat_seconds = heartbeat_seconds
        self._look = look
        self._message = ""
        self._written_message = ""
        self._attempt: Optional[asyncio.Future[Result]] = None
        self._instead: Optional[Failed] = None

    def holds(self, task: Optional[KiroTask]) -> bool:
        """Whether ``task`` still is at this attempt of this pod."""
        return (
            task is not None
            and is_bound_to(task, self._me)
            and key_of(task) == self.key
        )

    def stop(self, instead: Optional[Failed] = None) -> None:
        """End the attempt; report ``instead``, or nothing. No effect once it has ended."""
        if self._attempt is not None and not self._attempt.done():
            self._instead = instead
            self._attempt.cancel()

    async def run(self, work: Work) -> bool:
        """Do ``work`` and report its result; returns whether a report was taken."""
        self._attempt = asyncio.ensure_future(
            work(self._on_cut, self._on_progress, self._on_cycle)
        )
        heartbeat = asyncio.ensure_future(self._heartbeat())
        beside = [
            asyncio.ensure_future(writes)
            for writes in (self._write_progress(), self._write_predictions())
        ]
        try:
            await asyncio.wait({self._attempt})
            result = self._result(self._attempt)
            # From here on only the report writes.
            for writer in beside:
                writer.cancel()
            return result is not None and await self._report(result)
        finally:
            for task in (self._attempt, heartbeat, *beside):
                task.cancel()
            await self._renew(busy=False)

    def _result(self, attempt: asyncio.Future[Result]) -> Optional[Result]:
        if attempt.cancelled():
            return self._instead
        if isinstance(attempt.exception(), SupersededError):
            return None
        return attempt.result()

    async def _on_cut(self, cut: Cut) -> None:
        if not await self._write(lambda _, now: report.running(cut, now)):
            raise SupersededError(self.name)

    def _on_progress(self, message: str) -> None:
        self._message = message

    async def _on_cycle(self, end: CycleEnd) -> None:
        # Written by the same patch: no other one has to follow it.
        self._message = self._written_message = report.cycle_message(end)
        if not await self._write(lambda task, now: report.cycle(task, end, now)):
            raise SupersededError(self.name)

    async def _report(self, result: Result) -> bool:
        def patch(task: KiroTask, now: datetime) -> Patch:
            if isinstance(result, Finished):
                return report.done(status_of(task), result, now)
            return report.failed(task, result, now)

        written = await self._write(patch)
        log.info(
            "%s attempt %d: %s%s",
            self.name,
            self.key.attempt,
            result,
            "" if written else " (not reported: the task has moved on)",
        )
        return written

    async def _write(self, patch: Callable[[KiroTask, datetime], Patch]) -> bool:
        """Write what ``patch`` makes of the newest task; False if it is not ours now."""
        stale = False
        delay = 1.0
        while True:
            try:
                if stale:
                    self._task = await self._api.read(self.name)
                    stale = False
                task = self._task
                if task is None or not self.holds(task):
                    self.superseded = True
                    return False
                self._task = await self._api.patch_status(
                    self.name,
                    checked(task, patch(task, self._clock.now()), RUNNER),
                    task["metadata"]["resourceVersion"],
                )
                return True
            except errors.Conflict:
                stale = True
            except errors.NotFound:
                self.superseded = True
                return False
            except errors.Unavailable as error:
                log.warning("%s: report waits: %s", self.name, error)
                await self._clock.sleep(delay)
                delay = min(2 * delay, _LONGEST_RETRY_SECONDS)

    async def _write_progress(self) -> None:
        """Write progress: when it changed, and never more often than allowed."""
        while True:
            await self._clock.sleep(PROGRESS_SECONDS)
            if self._message == self._written_message or not self._is_running():
                continue
            if not await self._write(self._progress):
                return

    def _progress(self, _: KiroTask, now: datetime) -> Patch:
        # The newest words, also where a write has to be repeated.
        self._written_message = self._message
        return report.progress(self._written_message, now)

    async def _write_predictions(self) -> None:
        """Write what a merge would say: when that changed, and once a heartbeat at most."""
        written = Prediction()
        while True:
            await self._clock.sleep(self._heartbeat_seconds)
            if self._task is None or not self._is_running():
                continue
            found = await self._look(self._task["status"]["branch"])
            if found is None or found == written:
                continue
            written = found
            if not await self._write(partial(report.prediction, found)):
                return

    def _is_running(self) -> bool:
        return self._task is not None and self._task["status"]["state"] == RUNNING

    async def _heartbeat(self) -> None:
        while True:
            await self._renew(busy=True)
            await self._clock.sleep(self._heartbeat_seconds)

    async def _renew(self, *, busy: bool) -> None:
        try:
            await self._api.renew_lease(busy)
        except errors.ClusterError as error:
            log.warning("heartbeat not written: %s", error)
