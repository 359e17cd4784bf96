"""The kubelet of ours: keeps this pod of an instance at the task that is bound to it.

Run by ``kiro-swarm runner``. Level-triggered: it looks at all tasks of its instance
whenever one changes or an attempt ends, and makes what runs here agree with them. It
works on one attempt at a time, starts only what is Bound, stops what was unbound,
rebound, skipped or deleted, and reports an attempt that an earlier runner process left
behind. While idle it writes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Callable, Optional

from kiro_swarm.agents.driver import OnProgress
from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import RUNNING
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster import errors
from kiro_swarm.observe.health import Health, ReflectiveModule
from kiro_swarm.runner.ahead import Look
from kiro_swarm.runner.attempt import (
    RUNNER_RESTARTED,
    RUNNER_STOPPED,
    Failed,
    Result,
)
from kiro_swarm.runner.attempt_run import AttemptRun, Work
from kiro_swarm.runner.clock import Clock
from kiro_swarm.runner.cycles import OnCycle
from kiro_swarm.runner.ports import Identity, PatientApi, TaskApi, is_bound_to, key_of
from kiro_swarm.runner.work import OnCut

log = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
# Below the usual grace period of a pod (30 s), above the agent container's.
STOP_SECONDS = 20.0


class Runner(ReflectiveModule):
    """Call ``run``; ``stop`` ends it. Make it inside the running event loop.

    ``work_on`` turns a Bound task into the work of an attempt; it is called once an attempt.
    ``look`` says beside it whether the work would merge.
    """

    def __init__(
        self,
        api: TaskApi,
        clock: Clock,
        me: Identity,
        work_on: Callable[[KiroTask], Work],
        heartbeat_seconds: float,
        look: Look,
    ) -> None:
        super().__init__("runner")
        self._api = PatientApi(api, clock)
        self._clock = clock
        self._me = me
        self._work_on = work_on
        self._heartbeat_seconds = heartbeat_seconds
        self._look = look
        self._known: dict[str, KiroTask] = {}
        # The last attempt reported of each task: an old watch event must not revive it.
        self._reported: dict[str, int] = {}
        self._attempt: Optional[AttemptRun] = None
        self._running: Optional[asyncio.Future[bool]] = None
        self._wake = asyncio.Event()
        self._stopping = False

    def health(self) -> Health:
        """Ready until it is stopped; says what it works on."""
        if self._stopping:
            return self.judge(False, ("stopping",))
        run = self._attempt
        work = () if run is None else (f"{run.name}, attempt {run.key.attempt}",)
        return self.judge(True, work)

    def stop(self) -> None:
        """End ``run`` as soon as the attempt in progress is reported as stopped."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Work until ``stop``; raises what makes going on pointless (a role stays missing)."""
        following = asyncio.ensure_future(self._follow())
        following.add_done_callback(lambda _: self._wake.set())
        try:
            while not self._stopping:
                await self._wake.wait()
                self._wake.clear()
                if following.done():
                    following.result()
                self._reconcile()
            if self._attempt is not None and self._running is not None:
                self._attempt.stop(Failed(RUNNER_STOPPED, "the instance was stopped"))
                await asyncio.wait({self._running}, timeout=STOP_SECONDS)
        finally:
            following.cancel()
            if self._running is not None:
                self._running.cancel()

    async def _follow(self) -> None:
        while True:
            try:
                async for kind, task in self._api.watch_mine():
                    name = task["metadata"]["name"]
                    if kind == "SET":
                        self._known[name] = task
                    else:
                        self._known.pop(name, None)
                    self._wake.set()
            except errors.Unavailable as error:
                log.warning("the watch is interrupted: %s", error)
            await self._clock.sleep(_RETRY_SECONDS)
            await self._look_again()

    async def _look_again(self) -> None:
        """A new watch does not say what went away before it began."""
        for name in list(self._known):
            try:
                task = await self._api.read(name)
            except errors.Unavailable:
                return
            if task is None:
                self._known.pop(name, None)
            else:
                self._known[name] = task
            self._wake.set()

    def _reconcile(self) -> None:
        if self._running is not None and self._running.done():
            self._finish(self._running)
        if self._attempt is not None:
            if not self._attempt.holds(self._known.get(self._attempt.name)):
                self._attempt.stop()
            return
        for task in sorted(self._known.values(), key=_bound_at):
            uid, attempt = key_of(task)
            if is_bound_to(task, self._me) and self._reported.get(uid) != attempt:
                self._start(task)
                return

    def _start(self, task: KiroTask) -> None:
        left_behind = task["status"]["state"] == RUNNING
        work = _report_restart if left_behind else self._work_on(task)
        self._attempt = AttemptRun(
            self._api,
            self._clock,
            self._me,
            task,
            self._heartbeat_seconds,
            self._look,
        )
        log.info("%s attempt %d: begins", self._attempt.name, self._attempt.key.attempt)
        self._running = asyncio.ensure_future(self._attempt.run(work))
        self._running.add_done_callback(lambda _: self._wake.set())

    def _finish(self, running: asyncio.Future[bool]) -> None:
        run, self._attempt, self._running = self._attempt, None, None
        reported = running.result()
        if run is None:
            return
        if reported:
            self._reported[run.key.uid] = run.key.attempt
        elif run.superseded and run.holds(self._known.get(run.name)):
            # The watch lags behind; starting again before it says more is no use.
            del self._known[run.name]


async def _report_restart(
    _on_cut: OnCut, _on_progress: OnProgress, _on_cycle: OnCycle
) -> Result:
    return Failed(RUNNER_RESTARTED, "the runner was restarted during the attempt")


def _bound_at(task: KiroTask) -> str:
    return str(status_of(task).get("boundAt") or "")
