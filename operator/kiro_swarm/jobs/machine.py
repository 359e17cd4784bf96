"""Whether the machine hinders whatever is merged, by what the branch without any work does.

Role: the tries (tries.py) run their gates through it, and ask it before they charge anybody.

Guarantees: where something passed in this Job, or the branch alone can be worked with, the
machine is well. What is asked is out of every candidate's reach: a container as new, and in
it the branch as it is; after some Jobs in which that was hindered, the commit that it began
at, for what was merged since may be what hinders. So a machine that is broken burns no
attempts, and no candidate, merged or not, can pass for one.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.blame import words_of
from kiro_swarm.workspace.doubts import BRANCH, Doubts
from kiro_swarm.workspace.errors import Doubtful, WorkspaceError
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.mirror import START_REF, integration_head
from kiro_swarm.workspace.outcomes import GatePort, GateVerdict
from kiro_swarm.workspace.probe import find_trouble, volume_trouble

log = logging.getLogger(__name__)


class Machine:
    """One Job's evidence. Called in threads, one at a time."""

    def __init__(
        self, mirror: Path, branch: str, gates: GatePort, doubts: Doubts
    ) -> None:
        self._mirror = mirror
        self._branch = branch
        self._gates = gates
        self._doubts = doubts
        self._well = False

    def check(self, commit: str) -> GateVerdict:
        """See ``GatePort.check``; noted as what the Job is at."""
        self._doubts.at_the_gates()
        verdict = self._gates.check(commit)
        if verdict.passed:
            self._well = True
            if self._doubts.branch:
                self._doubts.branch_well()
        return verdict

    def trouble(self) -> Optional[WorkspaceError]:
        """What is wrong with the machine, if anything is; then nobody is to blame so far.

        Raises OSError.
        """
        if self._well:
            return None
        try:
            # The gates first: their container is made as new, and gives back what was filled.
            found = self._alone() or find_trouble(self._mirror, self._branch)
        except OSError as error:
            found = volume_trouble(error, self._mirror)
        except Exception as error:
            log.exception("the branch alone cannot be tried")
            found = WorkspaceError(words_of(error), reason="InternalError")
        if found is None:
            self._well = True
            return None
        self._doubts.branch_hindered()
        if not isinstance(found, Doubtful):
            return found
        return WorkspaceError(
            "the merge of every task was hindered, and so is the branch without them:"
            f" {found.message}",
            reason="MachineInTrouble",
        )

    def _alone(self) -> Optional[WorkspaceError]:
        """How gates are hindered that run without any work."""
        git, commit = Git(self._mirror), integration_head(self._mirror, self._branch)
        as_it_began = self._doubts.branch >= BRANCH
        if as_it_began:
            commit = git.commit_id(START_REF) or commit
        self._doubts.alone()
        try:
            self._gates.check(commit)
        except WorkspaceError as error:
            return error
        if as_it_began:
            log.warning("not the machine: the branch is hindered by what was merged")
            self._doubts.rests()
        else:
            self._doubts.branch_well()
        return None
