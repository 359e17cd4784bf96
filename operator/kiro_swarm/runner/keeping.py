"""Finished work is kept out of its agent's reach before anybody hears of it.

Made once for a runner, put around the work of each attempt. Guarantees: an attempt ends in
``Finished`` only when its commit is on the volume, proved and whole, in a place that this
pod's agent container does not have; so the next task of the instance can destroy nothing.
What cannot be kept for a reason that lies in the work fails with that reason.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from kiro_swarm.agents.driver import OnProgress
from kiro_swarm.lifecycle.reasons import WORKSPACE_FAILED
from kiro_swarm.runner.attempt import Failed, Finished, Result
from kiro_swarm.runner.attempt_run import Work
from kiro_swarm.runner.cycles import OnCycle
from kiro_swarm.runner.ports import Key
from kiro_swarm.runner.work import OnCut
from kiro_swarm.workspace.blame import may_be_the_machine, unmergeable
from kiro_swarm.workspace.errors import ObjectsRefused
from kiro_swarm.workspace.finished import keep
from kiro_swarm.workspace.limits import Limits

log = logging.getLogger(__name__)


class Keeping:
    """Keeps the finished work of one instance on its ``shelf``.

    ``limits``: what one task may bring, by the swarm's policy.
    """

    def __init__(
        self,
        shelf: Path,
        instance_dir: Path,
        mirror: Path,
        integration_branch: str,
        limits: Limits,
    ) -> None:
        self._shelf = shelf
        self._instance_dir = instance_dir
        self._mirror = mirror
        self._integration_branch = integration_branch
        self._limits = limits

    def around(self, work: Work, key: Key) -> Work:
        """The same work, ended only when it is kept."""

        async def kept(
            on_cut: OnCut, on_progress: OnProgress, on_cycle: OnCycle
        ) -> Result:
            result = await work(on_cut, on_progress, on_cycle)
            if not isinstance(result, Finished):
                return result
            on_progress("keeping the work")
            return await self._keep(result, key)

        return kept

    async def _keep(self, result: Finished, key: Key) -> Result:
        try:
            await asyncio.get_running_loop().run_in_executor(
                None,
                keep,
                self._shelf,
                key.uid,
                key.attempt,
                self._instance_dir,
                self._mirror,
                self._integration_branch,
                result.commit,
                result.base,
                self._limits,
            )
        except ObjectsRefused as refusal:
            return Failed(refusal.reason, refusal.message, refusal.message)
        except Exception as error:
            log.exception("the work could not be kept")
            if may_be_the_machine(error):
                return Failed(WORKSPACE_FAILED, f"the work could not be kept: {error}")
            found = unmergeable(error)
            return Failed(found.reason, found.brief.splitlines()[0], found.brief)
        return result
