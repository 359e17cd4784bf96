"""Finished work is kept out of its agent's reach before anybody hears of it.

Made once for a runner, put around the work of each attempt. Guarantees: an attempt ends in
``Finished`` only when its commit is on the volume, proved and whole, in a place that this
pod's agent container does not have; so the next task of the instance can destroy nothing.
What cannot be kept for a reason that lies in the work fails with that reason. Work that a
runner of an earlier release reported as Done, and left in the folder of the instance, is kept
before the first cut of this one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Optional

from kiro_swarm.agents.driver import OnProgress
from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import DONE
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster import errors
from kiro_swarm.lifecycle.reasons import WORKSPACE_FAILED
from kiro_swarm.runner.attempt import Failed, Finished, Result
from kiro_swarm.runner.attempt_run import Work
from kiro_swarm.runner.cycles import OnCycle
from kiro_swarm.runner.ports import Key, key_of
from kiro_swarm.runner.work import OnCut
from kiro_swarm.workspace.blame import may_be_the_machine, unmergeable
from kiro_swarm.workspace.done import is_adopted
from kiro_swarm.workspace.errors import InvalidName, ObjectsRefused, WorkspaceError
from kiro_swarm.workspace.finished import keep
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.probe import place_trouble
from kiro_swarm.workspace.refs import check_object_id

log = logging.getLogger(__name__)


class Keeping:
    """Keeps the finished work of one instance on its ``shelf``.

    ``limits``: what one task may bring, by the swarm's policy; ``mine``: lists the tasks that
    name the instance.
    """

    def __init__(
        self,
        shelf: Path,
        instance_dir: Path,
        mirror: Path,
        integration_branch: str,
        limits: Limits,
        mine: Callable[[], Awaitable[list[KiroTask]]],
    ) -> None:
        self._mine = mine
        self._others_are_kept = False
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
            hindered = await self._keep_others()
            if hindered is not None:
                return hindered
            result = await work(on_cut, on_progress, on_cycle)
            if not isinstance(result, Finished):
                return result
            on_progress("keeping the work")
            return await self._keep(result, key)

        return kept

    async def _keep_others(self) -> Optional[Failed]:
        """Keep what is Done, and nowhere but in the folder that is about to be emptied."""
        if self._others_are_kept:
            return None
        try:
            tasks = await self._mine()
        except errors.ClusterError as error:
            said = f"cannot see what is Done on this instance: {error.message}"
            return Failed(WORKSPACE_FAILED, said)
        for task in tasks:
            status, key = status_of(task), key_of(task)
            commit = str(status.get("commit") or "")
            if status.get("state") != DONE or self._is_adopted(key, commit):
                continue
            base = str(status.get("baseCommit") or "")
            made = await self._keep(Finished(commit, base, "", 0.0, "kept"), key)
            if isinstance(made, Failed):
                if made.reason == WORKSPACE_FAILED:
                    return made
                # No worse than it was: the merge of that task says the same.
                log.warning("%s is not kept: %s", task["spec"]["id"], made.message)
        self._others_are_kept = True
        return None

    def _is_adopted(self, key: Key, commit: str) -> bool:
        """Whether a Job has taken it already; what cannot be asked for is not kept either."""
        try:
            check_object_id(commit)
            return is_adopted(self._mirror, key.uid, key.attempt, commit)
        except WorkspaceError as error:
            log.warning("%s: %s", key.uid, error.message)
            return isinstance(error, InvalidName)

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
            if may_be_the_machine(error, lambda: place_trouble(self._shelf)):
                return Failed(WORKSPACE_FAILED, f"the work could not be kept: {error}")
            found = unmergeable(error)
            return Failed(found.reason, found.brief.partition("\n")[0], found.brief)
        return result
