"""Whether something else than the work hinders a merge: the machine, or what was merged before.

Role: the tries (tries.py) run their gates through it, and ask it before they charge anybody.

Guarantees: what is asked is out of the candidate's reach: a container as new, and in it the
branch without the work. What does not end well there either is charged to no candidate. Where
the commit that the branch began at fares better, it is what was merged since that hinders
(``BranchHinders``), and a person is told; where it fares as badly, it is the machine. So it is
with a gate that is red there: the branch hinders, whether anything was merged into it or not,
and what came since the gate passed last is named. A branch that was red is not asked again
(``GateMemory``); that it passed before the candidate's own gates ran says nothing of the machine
since, so each candidate that is charged costs one more run.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Optional

from kiro_swarm.jobs.gates import GATE_FAILED, GATE_TIMED_OUT
from kiro_swarm.workspace.blame import words_of
from kiro_swarm.workspace.came_since import came_since
from kiro_swarm.workspace.doubts import Doubts
from kiro_swarm.workspace.errors import (
    BranchEndsJobs,
    BranchHinders,
    Doubtful,
    GateLost,
    GateUnavailable,
    WorkspaceError,
    volume_trouble,
)
from kiro_swarm.workspace.gate_memory import GateMemory
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.mirror import START_REF, integration_head
from kiro_swarm.workspace.outcomes import GatePort, GateVerdict
from kiro_swarm.workspace.probe import find_trouble

log = logging.getLogger(__name__)
_ADVICE = (
    " No attempt was charged. Mend the branch (in the repository, then `git sync upstream`) or"
    " spec.integration.gates; it is tried again by itself"
)


class _Gone(GateUnavailable):
    """There is no container any more to try anything with; the next Job goes on."""


class Machine:
    """One Job's evidence. Called in threads, one at a time."""

    def __init__(
        self,
        mirror: Path,
        branch: str,
        gates: GatePort,
        doubts: Doubts,
        memory: GateMemory,
    ) -> None:
        self._mirror = mirror
        self._branch = branch
        self._gates = gates
        self._doubts = doubts
        self._memory = memory
        self._well = False
        #: What the gates said last of commits without any work.
        self._said: dict[str, GateVerdict] = {}
        self._hinders: dict[str, BranchHinders] = {}

    def check(self, commit: str) -> GateVerdict:
        """See ``GatePort.check``; noted as what the Job is at.

        Raises BranchHinders: it is red, and so is the branch that it is merged into.
        """
        self._doubts.at_the_gates()
        verdict = self._gates.check(commit)
        if verdict.passed:
            self._well = True
            if self._memory.has_any():
                self._memory.forget(self._tree(commit))
        elif verdict.reason in (GATE_FAILED, GATE_TIMED_OUT):
            self._refuse_red_branch(commit, verdict)
        return verdict

    def trouble(self, *, afresh: bool = False) -> Optional[WorkspaceError]:
        """What hinders whatever is merged, if anything does; then nobody is to blame so far.

        ``afresh``: somebody is about to be charged for what has just hindered them, so what
        passed in this Job before that does not speak for the machine. Raises OSError.
        """
        if self._well and not afresh:
            return None
        try:
            # The gates first: their container is made as new, and gives back what was filled.
            head = integration_head(self._mirror, self._branch)
            found = self._hindered(head) or find_trouble(self._mirror, self._branch)
        except OSError as error:
            found = volume_trouble(error, self._mirror)
        except Exception as error:
            log.exception("the branch alone cannot be tried")
            found = WorkspaceError(words_of(error), reason="InternalError")
        if found is None:
            self._well = True
        elif not isinstance(found, _Gone):
            self._doubts.nobody()
        return found

    def _refuse_red_branch(self, commit: str, red: GateVerdict) -> None:
        """Raise BranchHinders when the gate is red without the work of ``commit``, too."""
        git = Git(self._mirror)
        before = git.commit_id(f"{commit}^1")
        if before is None:
            return
        own = self._of_branch(before, red.gate)
        if _passed(own, red.gate):
            return
        lines = [line.strip() for line in own.output.split("\n") if line.strip()]
        raise BranchHinders(
            f"gate {own.gate} fails on the branch {self._branch} as it is, at {before[:12]},"
            f" without the work that waits: {' | '.join(lines[-2:])[-400:]}."
            f" {self._came(before, own.gate)}.{_ADVICE}"
        )

    def _of_branch(self, commit: str, gate: str) -> GateVerdict:
        """What the gates say of the branch alone. Raises what cuts them off there.

        What is known of it is only believed where it speaks for who was red at this gate.
        """
        tree = self._tree(commit)
        known = self._said.get(commit) or self._memory.of(tree)
        if known is not None and not _passed(known, gate):
            return known
        trouble = self._hindered(commit)
        if trouble is not None:
            raise trouble
        said = self._said[commit]
        if said.passed:
            self._memory.forget(tree)
        else:
            self._memory.note(tree, said)
        return said

    def _tree(self, commit: str) -> str:
        return Git(self._mirror).run("rev-parse", f"{commit}^{{tree}}").text

    def _came(self, head: str, gate: str = "") -> str:
        git = Git(self._mirror)
        return came_since(git, git.commit_id(START_REF), head, gate)

    def _hindered(self, commit: str) -> Optional[WorkspaceError]:
        """How gates are cut off that run without any work; None: they end, red or not."""
        if commit in self._hinders:
            return self._hinders[commit]
        began = Git(self._mirror).commit_id(START_REF) or commit
        how = self._tried(commit)
        if not isinstance(how, Doubtful):
            return how
        at_first = how if commit == began else self._tried(began)
        if at_first is None:
            kind = BranchEndsJobs if self._doubts.ended(commit) else BranchHinders
            self._hinders[commit] = kind(
                f"the gates are cut off on the branch {self._branch} as it is, at"
                f" {commit[:12]}, without the work that waits, and not on the commit that"
                f" it began at: {how.message}. {self._came(commit)}.{_ADVICE}"
            )
            return self._hinders[commit]
        if not isinstance(at_first, Doubtful):
            return at_first
        return GateUnavailable(
            "the merge of every task was hindered, and so is the branch without them:"
            f" {how.message}",
            reason="MachineInTrouble",
        )

    def _tried(self, commit: str) -> Optional[WorkspaceError]:
        """What is raised by the gates of a commit without any work."""
        if self._doubts.ended(commit):
            return Doubtful("a Job ended while gates ran on it")
        self._doubts.alone(commit)
        try:
            self._said[commit] = self._gates.check(commit)
        except GateLost as lost:
            self._doubts.lost_alone(commit)
            return _Gone(lost.message)
        except WorkspaceError as error:
            self._doubts.not_alone()
            return error
        self._doubts.not_alone()
        return None


def _passed(verdict: GateVerdict, gate: str) -> bool:
    """Whether this gate passed; one that comes after a red one is not known to have."""
    return verdict.passed or gate in [run.name for run in verdict.runs]
