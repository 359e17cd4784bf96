"""The merge train as the integrate Job drives it, from one candidate to the next.

Guarantees: a candidate that kills the Job, or under which the machine fails, is tried after
all others by the next Job, and is to blame when that happens again and to no other: one
candidate never keeps the rest from being merged, and an outage burns no attempts.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Optional

from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.workspace import briefs
from kiro_swarm.workspace.blame import blame
from kiro_swarm.workspace.done import adopt_one, forget, kept
from kiro_swarm.workspace.doubts import Doubts
from kiro_swarm.workspace.errors import Doubtful, WorkspaceError
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.outcomes import (
    Candidate,
    GatePort,
    GateVerdict,
    Outcome,
    Unproven,
)
from kiro_swarm.workspace.probe import find_trouble
from kiro_swarm.workspace.train import MergeTrain

log = logging.getLogger(__name__)
_ADVICE = (
    "What to do: look for what is very large, very deep or very many in the work, and leave"
    " it out. Nothing was merged; the work of the others goes on."
)


class Tries:
    """One Job's tries. Made inside the running event loop. Raises OSError."""

    def __init__(
        self,
        env: JobEnvironment,
        branch: str,
        plan: Optional[str],
        gates: GatePort,
        limits: Limits,
    ) -> None:
        self._env = env
        self._branch = branch
        self._doubts = Doubts(env.mirror)
        self._train = MergeTrain(
            env.mirror, branch, plan, _Noted(gates, self._doubts), limits, env.mover
        )
        #: What was hindered in this Job.
        self._hindered: list[str] = []

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

        Raises Doubtful: it was hindered and is to be tried again, by the next Job; and
        WorkspaceError or OSError for what stops the train whatever the candidate.
        """
        loop, trailer = asyncio.get_running_loop(), candidate.trailer
        why = self._doubts.verdict(trailer)
        # Killed after the branch was moved it is merged, whatever it did to the Jobs.
        if why and trailer not in await loop.run_in_executor(
            None, self._train.merged_trailers
        ):
            return self._to_blame(candidate, why)
        self._doubts.begins(trailer)
        try:
            outcome = await loop.run_in_executor(None, self._train.merge, candidate)
        except Doubtful as doubt:
            if self._hindered:
                self._doubts.nobodys(*self._hindered, trailer)
                self._hindered.append(trailer)
                raise _stopped(doubt) from doubt
            self._doubts.hindered(trailer)
            why = self._doubts.verdict(trailer)
            if not why:
                self._hindered.append(trailer)
                raise
            outcome = self._to_blame(candidate, f"{why}: {doubt.message}")
        except Exception:
            with suppress(OSError):
                self._doubts.stopped(trailer)
            raise
        self._doubts.over(trailer)
        return outcome

    def _adopt(self) -> None:
        mirror = self._env.mirror
        for work in kept(self._env.root):
            if self._doubts.later(work.trailer):
                continue
            self._doubts.begins(work.trailer)
            try:
                adopt_one(mirror, self._branch, work, self._train.limits)
            except Exception as error:
                found = blame(error, lambda: find_trouble(mirror, self._branch))
                log.warning("%s is not adopted: %r", work.trailer, error, exc_info=True)
                if not isinstance(found, (Unproven, Doubtful)):
                    # No fault of the work: the next Job must not take it for a killer.
                    with suppress(OSError):
                        self._doubts.stopped(work.trailer)
                    raise found from error
            self._doubts.rests()

    def _tidy(self) -> None:
        self._adopt()
        merged = {said.split("/")[0] for said in self._train.merged_trailers()}
        forget(self._env.mirror, self._branch, merged)

    def _to_blame(self, candidate: Candidate, why: str) -> Unproven:
        log.warning("%s: %s", candidate.branch, why)
        self._doubts.over(candidate.trailer)
        brief = f"the work cannot be merged: {why}\n\n{_ADVICE}"
        return Unproven("Unmergeable", briefs.bounded(brief))


class _Noted:
    """Gates that are noted as what the Job is at."""

    def __init__(self, gates: GatePort, doubts: Doubts) -> None:
        self._gates = gates
        self._doubts = doubts

    def check(self, commit: str) -> GateVerdict:
        """See ``GatePort.check``."""
        self._doubts.at_the_gates()
        return self._gates.check(commit)


def _stopped(doubt: Doubtful) -> WorkspaceError:
    """The machine hinders whatever is merged."""
    return WorkspaceError(
        f"the merge of more than one task was hindered: {doubt.message}",
        reason="MachineInTrouble",
    )
