"""An agent that fills the swarm's volume is ended, and charged with it.

Made once for a runner, put around the work of each attempt. What an agent leaves in its
worktree, ignored files above all, is on the volume that all others need, and nothing else bounds
it. Guarantees: while the volume has room nothing is measured and nobody is ended; where it is
short, an attempt ends as ``ScratchFull`` whose folder has grown by more than all that is free,
while it runs and before its work is taken, and the folder is emptied. The agent container is
asked for that alone: what is measured is measured from here.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from pathlib import Path
from typing import Awaitable, Callable, Final, TypeVar

from kiro_swarm.agents.driver import OnProgress
from kiro_swarm.lifecycle.reasons import SCRATCH_FULL
from kiro_swarm.policy.volume import FILLING
from kiro_swarm.runner.attempt import Failed, Result
from kiro_swarm.runner.attempt_run import Work
from kiro_swarm.runner.clock import Clock
from kiro_swarm.runner.cycles import OnCycle
from kiro_swarm.runner.work import OnCut
from kiro_swarm.runner.worktree import Cut, WorktreeError
from kiro_swarm.workspace.room import Room, Taken, excess, room_of, taken_by

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds between two looks at the volume; where a folder has to be measured, so many times
#: as long as that took.
LOOK_SECONDS: Final = 10.0
_REST: Final = 10.0


class Bounded:
    """Bounds what the agents of one instance leave in its ``folder``.

    ``give_back`` empties the folder; ``room`` says how much room the volume has.
    """

    def __init__(
        self,
        folder: Path,
        give_back: Callable[[], Awaitable[None]],
        clock: Clock,
        room: Callable[[Path], Room] = room_of,
    ) -> None:
        self._folder = folder
        self._give_back = give_back
        self._clock = clock
        self._room = room

    def around(self, work: Work) -> Work:
        """The same work, ended where it fills the volume."""

        async def bounded(
            on_cut: OnCut, on_progress: OnProgress, on_cycle: OnCycle
        ) -> Result:
            began: list[Taken] = []

            async def cut(made: Cut) -> None:
                began[:] = [await _in_thread(partial(taken_by, self._folder))]
                await on_cut(made)

            attempt = asyncio.ensure_future(work(cut, on_progress, on_cycle))
            watch = asyncio.ensure_future(self._watch(began))
            try:
                either = {attempt, watch}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                said = watch.result() if watch.done() else ""
                if not said:
                    result = await attempt
                    said = await self._look(began)
                    if not said:
                        return result
            finally:
                watch.cancel()
                if not attempt.done():
                    # Whatever runs in the agent container is stopped by then.
                    attempt.cancel()
                    await asyncio.wait({attempt})
            return await self._ended(said)

        return bounded

    async def _watch(self, began: list[Taken]) -> str:
        pause = LOOK_SECONDS
        while True:
            await self._clock.sleep(pause)
            at = self._clock.monotonic()
            said = await self._look(began)
            if said:
                return said
            pause = max(LOOK_SECONDS, _REST * (self._clock.monotonic() - at))

    async def _look(self, began: list[Taken]) -> str:
        """What is too much of the folder now; empty if nothing is, or nobody can tell."""
        try:
            room = self._room(self._folder)
            if not began or not room.is_short(FILLING):
                return ""
            return await _in_thread(partial(excess, self._folder, began[0], room))
        except OSError as error:
            log.warning("what the volume has cannot be told: %s", error)
            return ""

    async def _ended(self, said: str) -> Failed:
        try:
            await self._give_back()
        except WorktreeError as error:
            log.warning("the folder is not emptied: %s", error)
        what = (
            f"the volume of the swarm is filling, and the attempt's folder has {said}"
        )
        message = (
            f"{what}; raise spec.storage.size, or let the agent remove what it builds"
        )
        brief = (
            f"{what}\n\nWhat you leave in the worktree counts, ignored files as well:"
            " remove build results, downloads and caches when you no longer need them."
        )
        return Failed(SCRATCH_FULL, message, brief)


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, work)
