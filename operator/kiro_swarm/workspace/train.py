"""The merge train: one Done task after another onto the integration branch.

Role: the integrate job makes a ``MergeTrain`` and calls ``MergeTrain.merge`` for
each task that is Done, in the order that the operator decided.

Guarantees: what reaches the branch was proved (it exists, begins at an integrated commit,
carries the attempt's trailer), merges without conflict and passed the gates as merged. The
branch moves by compare-and-swap only. The swarm's tasks.md is never an agent's: the
branch's own is kept and the merged task ticked in it. A repeat of a merge that happened,
even one that nobody heard of, answers with the same commit. Whatever a candidate makes git,
a gate or our own code raise is a verdict on that candidate; what is raised to the caller is
about none of them, or not known yet to be (blame.py).
"""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import Optional, Sequence, Union

from kiro_swarm.tasks.file.edit import CannotTick, tick
from kiro_swarm.tasks.file.sizes import MAX_BYTES
from kiro_swarm.workspace import briefs
from kiro_swarm.workspace.blame import blame
from kiro_swarm.workspace.errors import (
    IntegrationBusy,
    WorkspaceError,
)
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.merged import MergedTasks
from kiro_swarm.workspace.messages import (
    Mover,
    check_mover,
    merge_message,
)
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.objects import contents, sizes_of
from kiro_swarm.workspace.outcomes import (
    Candidate,
    Conflict,
    GateFailed,
    GatePort,
    Merged,
    Outcome,
    Unproven,
)
from kiro_swarm.workspace.portable import remark
from kiro_swarm.workspace.probe import find_trouble
from kiro_swarm.workspace.proof import Claim, prove, unfit
from kiro_swarm.workspace.refs import check_object_id, check_path, check_trailer
from kiro_swarm.workspace.spec import LINK, tree_entries, tree_entry
from kiro_swarm.workspace.trials import (
    TRIES,
    Trial,
    advance,
    commit_merge,
    merge_trees,
    owned,
    with_file,
)

log = logging.getLogger(__name__)

_MAXIMUM_SHOWN = 1024 * 1024


class MergeTrain:
    """Merges into one integration branch of one mirror."""

    def __init__(
        self,
        mirror: Path,
        integration_branch: str,
        spec_path: Optional[str],
        gate: GatePort,
        limits: Optional[Limits] = None,
        mover: Optional[Mover] = None,
    ) -> None:
        self._mirror = mirror
        self._branch = integration_branch
        self._spec_path = None if spec_path is None else check_path(spec_path)
        self._gate = gate
        #: What one task may bring; a new policy holds from the next merge on.
        self.limits = limits or Limits()
        self._mover = mover or Mover()
        self._merged = MergedTasks(mirror, integration_branch)

    def merged_trailers(self) -> dict[str, str]:
        """``<uid>/<attempt>`` -> merge commit of all that this swarm has merged."""
        return self._merged.trailers()

    def merge(self, candidate: Candidate) -> Outcome:
        """Prove, merge, check and publish one task; see the module for what holds.

        Raises InvalidRef for malformed ids, IntegrationBusy when the branch moved under
        every try, RepositoryBusy, GateUnavailable, and what else stops the train whatever
        the candidate; Doubtful when it was hindered, by the machine or by the candidate.
        """
        check_object_id(candidate.commit)
        check_object_id(candidate.base)
        check_trailer(candidate.trailer)
        # Ours, not the candidate's: wrong, it would be charged to each in turn.
        check_mover(self._mover)
        # What passes the second time was not in the work: somebody's `git gc` came between.
        found = self._judged(candidate)
        if isinstance(found, Unproven) and found.reason == "Unmergeable":
            found = self._judged(candidate)
        if isinstance(found, WorkspaceError):
            raise found
        return found

    def _judged(self, candidate: Candidate) -> Union[Outcome, WorkspaceError]:
        """The outcome, or what stops the train."""
        try:
            return self._merge(candidate)
        except Exception as error:
            found = blame(error, lambda: find_trouble(self._mirror, self._branch))
            log.warning(
                "%s: %s: %r",
                candidate.branch,
                type(found).__name__,
                error,
                exc_info=True,
            )
            if isinstance(found, WorkspaceError) and found is not error:
                found.__cause__ = error
            return found

    def _merge(self, candidate: Candidate) -> Outcome:
        for _ in range(TRIES):
            known = self._known(candidate)
            head = self._merged.head
            known = known or self._objection(candidate)
            if known is not None:
                return known
            tried = self._try(candidate)
            if isinstance(tried, (Conflict, Unproven)):
                return tried
            trial, said = tried
            if trial.before != head:
                # A git that outlived its killed Job moved it, perhaps to this very merge.
                continue
            verdict = self._gate.check(trial.commit)
            if not verdict.passed:
                brief = briefs.gate_brief(
                    candidate.branch, trial.before, verdict.gate, verdict.output
                )
                return GateFailed(verdict.gate, brief, verdict.reason, verdict.said)
            commit = advance(self._mirror, self._branch, trial, verdict.runs)
            if commit is not None:
                return Merged(commit, trial.before, said)
        raise IntegrationBusy(
            f"branch {self._branch} moved {TRIES} times while {candidate.branch} was"
            " being merged; is a second integrate job running?"
        )

    def _known(self, candidate: Candidate) -> Optional[Outcome]:
        """The merge of this attempt, or what else the branch has of its task.

        Of a KiroTask that was deleted and made again the branch has it under another uid.
        """
        found = self._merged.find(
            *(candidate.uid, self._mover.swarm, candidate.task_id), candidate.asked
        )
        if found is None:
            return None
        task, commit = found.task, found.move["after"]
        same = task["uid"] == candidate.uid
        if same and task["attempt"] != candidate.attempt:
            return Unproven(
                "AlreadyMerged",
                f"attempt {task['attempt']} of this task was merged as"
                f" {commit[:12]}; attempt {candidate.attempt} comes too late",
            )
        return Merged(commit, found.move["before"])

    def _objection(self, candidate: Candidate) -> Optional[Unproven]:
        claim = Claim(
            candidate.instance_dir, candidate.commit, candidate.base, candidate.trailer
        )
        with owned(self._mirror) as git:
            head = integration_head(self._mirror, self._branch)
            return prove(git, claim, head, self.limits, merging=True)

    def _try(
        self, candidate: Candidate
    ) -> Union[tuple[Trial, str], Conflict, Unproven]:
        """The merge, and what is to be said of it."""
        with owned(self._mirror) as git:
            head = integration_head(self._mirror, self._branch)
            trial = merge_trees(git, head, candidate.commit)
            files = [name for name in trial.conflicts if name != self._spec_path]
            if files:
                messages = [trial.remark] if trial.remark else []
                brief = briefs.conflict_brief(
                    *(candidate.branch, head, [*messages, *trial.messages]),
                    *(files, _hunks(git, trial.tree, files[: briefs.FILES])),
                )
                return Conflict(tuple(files), brief)
            # What others have merged meanwhile may have the name in another case, a line of
            # .gitattributes that does not go with its path, or all the room for names.
            objection, added = unfit(git, head, trial.tree, self.limits)
            if objection is not None:
                return objection
            tree = self._with_own_spec(git, head, trial.tree, candidate)
            message = merge_message(
                *(candidate.task_id, candidate.title, candidate.trailer, self._mover),
                candidate.asked,
            )
            made = commit_merge(git, tree, head, candidate.commit, message)
            return made, "; ".join(filter(None, (trial.remark, remark(added))))

    def _with_own_spec(
        self, git: Git, head: str, tree: str, candidate: Candidate
    ) -> str:
        """The tree with the head's tasks.md, the task ticked, whatever the agent did."""
        path = self._spec_path
        entry = None if path is None else tree_entry(git, head, path)
        if path is None or entry is None:
            return tree
        mode, blob = entry
        if int(git.run("cat-file", "-s", blob).text) > MAX_BYTES:
            return with_file(git, tree, path, mode, blob)
        content = git.run("cat-file", "blob", blob).stdout
        # A person may have taken the task out of the file meanwhile, or renumbered it; it
        # is merged anyway.
        with suppress(CannotTick):
            ticked = tick(
                content,
                candidate.task_id,
                title=candidate.title,
                group=candidate.group,
                earlier=lambda: _earlier(git, candidate.base, path, blob, content),
            )
            blob = git.run("hash-object", "-w", "--stdin", stdin=ticked).text
        return with_file(git, tree, path, mode, blob)


def _earlier(
    git: Git, base: str, path: str, blob: str, content: bytes
) -> Optional[bytes]:
    """The task file as it was when the work began; None where it was not there."""
    entry = tree_entry(git, base, path)
    if entry is None:
        return None
    if entry[1] == blob:
        return content
    if int(git.run("cat-file", "-s", entry[1]).text) > MAX_BYTES:
        return None
    return git.run("cat-file", "blob", entry[1]).stdout


def _hunks(git: Git, tree: str, paths: Sequence[str]) -> dict[str, str]:
    """Both sides of what is in conflict in each of these files."""
    entries = tree_entries(git, tree, paths)
    blobs = {oid for mode, oid in entries.values() if mode != LINK}
    sizes = sizes_of(git, blobs)
    small = [oid for oid in blobs if oid in sizes and sizes[oid].size <= _MAXIMUM_SHOWN]
    texts = contents(git, small)
    found: dict[str, str] = {}
    for path, (mode, oid) in entries.items():
        if oid in texts:
            text = bytes(texts[oid]).decode("utf-8", "replace")
            found[path] = briefs.conflict_hunks(text)
        elif mode != LINK:
            found[path] = "(too large to show)"
    return found
