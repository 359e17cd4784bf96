"""The merge train as the integrate Job drives it, from one candidate to the next.

Guarantees: a candidate that kills the Job, or under which the machine fails, is tried after
all others by the next Job, and is to blame when that happens again: one candidate never
keeps the rest from being merged, whatever other candidates do. It is the machine, and burns
no attempts, where the branch alone fares as badly once they were hindered
(``Machine``).
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial
from typing import Optional

from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.jobs.machine import Machine
from kiro_swarm.workspace import briefs
from kiro_swarm.workspace.adoption import adopt
from kiro_swarm.workspace.blame import of_the_machine, words_of
from kiro_swarm.workspace.done import forget, kept
from kiro_swarm.workspace.doubts import STOPPED, Doubts
from kiro_swarm.workspace.errors import (
    BranchHinders,
    Doubtful,
    GateLost,
    GateUnavailable,
    VolumeTrouble,
)
from kiro_swarm.workspace.gate_memory import GateMemory
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.outcomes import Candidate, GatePort, Outcome, Unproven
from kiro_swarm.workspace.train import MergeTrain

log = logging.getLogger(__name__)
_ADVICE = (
    "What to do: look for what is very large, very deep or very many in the work, for what"
    " its tests start and for what they fill, and leave it out. Nothing was merged; the work"
    " of the others goes on."
)


class Tries:
    """One Job's tries. Made inside the running event loop. Raises OSError.

    :param said_of_gates: stands for the gates, as ``GateMemory`` has it.
    """

    def __init__(
        self,
        env: JobEnvironment,
        branch: str,
        plan: Optional[str],
        gates: GatePort,
        limits: Limits,
        said_of_gates: str = "",
    ) -> None:
        self._env = env
        self._branch = branch
        self._doubts = Doubts(env.mirror, evicted=env.evicted)
        memory = GateMemory(env.mirror, said_of_gates)
        self._machine = Machine(env.mirror, branch, gates, self._doubts, memory)
        self._train = MergeTrain(
            env.mirror, branch, plan, self._machine, limits, env.mover
        )
        #: How often this Job was hindered.
        self._hindered = 0

    def allow(self, limits: Limits) -> None:
        """Hold tasks to these limits from now on."""
        self._train.limits = limits

    def later(self, trailer: str) -> bool:
        """Whether this attempt is tried after the others."""
        return self._doubts.later(trailer)

    async def adopt(self) -> None:
        """Take what runners have kept, before it is merged and whether it is or not.

        What makes trouble stays where it is: its merge says whose trouble that is.
        """
        await asyncio.get_running_loop().run_in_executor(None, self._adopt)

    async def tidy(self) -> None:
        """Take what was kept meanwhile, and drop what the branch has."""
        await asyncio.get_running_loop().run_in_executor(None, self._tidy)

    async def merge(self, candidate: Candidate) -> Outcome:
        """What comes of it.

        Raises Doubtful: it was hindered and is to be tried again, by the next Job;
        BranchHinders: it cannot be judged while the branch is as it is; and WorkspaceError
        or OSError for what stops the train whatever the candidate.
        """
        loop, trailer = asyncio.get_running_loop(), candidate.trailer
        why = self._doubts.verdict(trailer)
        # Killed after the branch was moved it is merged, whatever it did to the Jobs.
        if why and trailer not in await loop.run_in_executor(
            None, self._train.merged_trailers
        ):
            await self._ask()
            return self._to_blame(candidate, why)
        self._doubts.begins(trailer)
        try:
            outcome = await loop.run_in_executor(None, self._train.merge, candidate)
        except BranchHinders:
            self._doubts.nobody(trailer)
            raise
        except Doubtful as doubt:
            self._doubts.hindered(trailer)
            if isinstance(doubt, GateLost):
                # There is nothing left in this pod to try anything with.
                raise GateUnavailable(doubt.message) from doubt
            self._hindered += 1
            why = self._doubts.verdict(trailer)
            if why or self._hindered > 1:
                await self._ask(doubt, afresh=bool(why))
            if not why:
                raise
            outcome = self._to_blame(candidate, f"{why}: {doubt.message}")
        except asyncio.CancelledError:
            # Somebody ends the pod. While git works that is no fault of the work; while its
            # gates run it may be the kubelet, for what they use: the next Job counts it.
            if not self._doubts.gating:
                with suppress(OSError):
                    self._doubts.stopped(trailer)
            raise
        except Exception as error:  # noqa: BLE001 (raised again, or charged)
            outcome = await self._stopped(candidate, error)
        self._doubts.over(trailer)
        return outcome

    async def _stopped(self, candidate: Candidate, error: Exception) -> Unproven:
        """Raises the error: it is not known to be the candidate's."""
        often = False
        with suppress(OSError):
            often = self._doubts.stopped(candidate.trailer)
        if not often or not _looks_like_the_machine(error):
            raise error
        loop = asyncio.get_running_loop()
        trouble = partial(self._machine.trouble, afresh=True)
        if await loop.run_in_executor(None, trouble) is not None:
            raise error
        why = f"{STOPPED} Jobs were stopped at it, and not by the machine"
        return self._to_blame(candidate, f"{why}: {words_of(error)}")

    async def _ask(
        self, doubt: Optional[Doubtful] = None, *, afresh: bool = False
    ) -> None:
        """Return when what hinders is the work. Raises WorkspaceError: it is the machine."""
        loop = asyncio.get_running_loop()
        ask = partial(self._machine.trouble, afresh=afresh)
        trouble = await loop.run_in_executor(None, ask)
        if trouble is not None:
            raise trouble from doubt

    def _adopt(self) -> None:
        later = self._doubts.later
        works = [work for work in kept(self._env.root) if not later(work.trailer)]
        doubts, limits = self._doubts, self._train.limits
        for _ in adopt(self._env.mirror, self._branch, works, doubts, limits):
            pass

    def _tidy(self) -> None:
        self._adopt()
        merged = {said.split("/")[0] for said in self._train.merged_trailers()}
        forget(self._env.mirror, self._branch, merged)

    def _to_blame(self, candidate: Candidate, why: str) -> Unproven:
        log.warning("%s: %s", candidate.branch, why)
        self._doubts.over(candidate.trailer)
        brief = f"the work cannot be merged: {why}\n\n{_ADVICE}"
        return Unproven("Unmergeable", briefs.bounded(brief))


def _looks_like_the_machine(error: Exception) -> bool:
    """Whether running the branch alone tells if it is."""
    return isinstance(error, (VolumeTrouble, GateUnavailable)) or of_the_machine(error)
