"""No agent fills the swarm's volume for others, and nobody is charged for what others fill.

Made once for a runner, put around the work of each attempt. What an agent leaves in its
worktree, ignored files above all, is on the volume that all others need, and nothing else bounds
it. Guarantees: while the volume has room nothing is measured and nobody is ended; where it is
nearly gone, an attempt under way ends as ``ScratchFull`` that alone has more than half of the
volume, and as ``VolumeFull``, which is nobody's fault, where there is none left and its end
gives back more. Good work is kept before anything goes: after an attempt its folder is
emptied where room is short, and its result stays as it is. The agent container is asked for
what its processes hold beside their folder; that can make more of its own growth alone.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from pathlib import Path
from typing import Awaitable, Callable, Final, Optional, TypeVar

from kiro_swarm.agents.driver import OnProgress
from kiro_swarm.lifecycle.reasons import SCRATCH_FULL, VOLUME_FULL
from kiro_swarm.policy.volume import FILLING
from kiro_swarm.runner.attempt import Failed, Result
from kiro_swarm.runner.attempt_run import Work
from kiro_swarm.runner.clock import Clock
from kiro_swarm.runner.cycles import OnCycle
from kiro_swarm.runner.work import OnCut
from kiro_swarm.runner.worktree import Cut, WorktreeError
from kiro_swarm.sandbox.port import Held
from kiro_swarm.workspace.room import Excess, Room, Taken, excess, room_of, taken_by

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds between two looks at the volume; where a folder has to be measured, so many times
#: as long as that took.
LOOK_SECONDS: Final = 10.0
_REST: Final = 10.0
_OURS: Final = frozenset({SCRATCH_FULL, VOLUME_FULL})


async def _nothing() -> Held:
    return Held()


class Bounded:
    """Bounds what the agents of one instance leave in its ``folder``.

    ``give_back`` empties the folder; ``room`` says how much room the volume has, ``held`` what
    the agent's processes hold there that is in no folder.
    """

    def __init__(
        self,
        folder: Path,
        give_back: Callable[[], Awaitable[None]],
        clock: Clock,
        room: Callable[[Path], Room] = room_of,
        held: Callable[[], Awaitable[Held]] = _nothing,
    ) -> None:
        self._folder = folder
        self._give_back = give_back
        self._clock = clock
        self._room = room
        self._held = held

    def around(self, work: Work, keeping: Callable[[Work], Work]) -> Work:
        """The same work, ended where it fills the volume; ``keeping`` keeps what is good."""

        async def bounded(
            on_cut: OnCut, on_progress: OnProgress, on_cycle: OnCycle
        ) -> Result:
            began: list[Taken] = []

            async def cut(made: Cut) -> None:
                began[:] = [await _in_thread(partial(taken_by, self._folder))]
                await on_cut(made)

            kept = keeping(self._watched(work, began))
            result = await kept(cut, on_progress, on_cycle)
            if not began:
                # What is in the folder may be the only copy of what was there before.
                return result
            if isinstance(result, Failed) and result.reason not in _OURS:
                # What failed for want of room is told as that.
                found = await self._look(began)
                result = result if found is None else _ended(found)
            await self._make_room()
            return result

        return bounded

    def _watched(self, work: Work, began: list[Taken]) -> Work:
        """Until it ends, or has to."""

        async def watched(
            on_cut: OnCut, on_progress: OnProgress, on_cycle: OnCycle
        ) -> Result:
            attempt = asyncio.ensure_future(work(on_cut, on_progress, on_cycle))
            watch = asyncio.ensure_future(self._watch(began))
            try:
                either = {attempt, watch}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                # Also where both have ended: what is good is good.
                return await attempt if attempt.done() else _ended(watch.result())
            finally:
                watch.cancel()
                if not attempt.done():
                    # Whatever runs in the agent container is stopped by then.
                    attempt.cancel()
                    await asyncio.wait({attempt})

        return watched

    async def _watch(self, began: list[Taken]) -> Excess:
        pause = LOOK_SECONDS
        while True:
            await self._clock.sleep(pause)
            at = self._clock.monotonic()
            found = await self._look(began)
            if found is not None:
                return found
            pause = max(LOOK_SECONDS, _REST * (self._clock.monotonic() - at))

    async def _look(self, began: list[Taken]) -> Optional[Excess]:
        """Why the attempt has to end now; None if it has not, or nobody can tell."""
        try:
            room = self._room(self._folder)
            if not began or not room.is_nearly_gone:
                return None
            held = await self._held()
            work = partial(excess, self._folder, began[0], room, held)
            return await _in_thread(work)
        except OSError as error:
            log.warning("what the volume has cannot be told: %s", error)
            return None

    async def _make_room(self) -> None:
        """Empty the folder where room is short: the next cut makes it anew."""
        try:
            if self._room(self._folder).is_short(FILLING):
                await self._give_back()
        except (OSError, WorktreeError) as error:
            log.warning("the folder is not emptied: %s", error)


def _ended(found: Excess) -> Failed:
    if not found.own:
        what = f"the volume of the swarm has no room: the attempt has {found.said}"
        message = f"{what}; raise spec.storage.size, or make room on the volume"
        return Failed(VOLUME_FULL, message)
    what = f"the attempt fills the volume of the swarm: it has {found.said}"
    message = f"{what}; raise spec.storage.size, or let the agent remove what it builds"
    brief = (
        f"{what}\n\nWhat you leave in the worktree counts, ignored files as well, and what"
        " your programs hold open: remove build results, downloads and caches when you no"
        " longer need them."
    )
    return Failed(SCRATCH_FULL, message, brief)


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, work)
