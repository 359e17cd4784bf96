"""What is new in the source repository, brought into the integration branch.

Role: the sync Job calls ``sync`` when a person says so.

Guarantees: by the rules of the merge train: a trial merge without a checkout, the gates on
the merged result, compare-and-swap; a conflict or a red gate moves nothing. The branch
stays the first parent, so every merge of a task is still found by its trailer, and the
plan keeps its ticks. Killed anywhere, it may be called again and merges once: whatever the
branch has already is not merged again, and the command's own merge is known by its trailer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.briefs import shown_name
from kiro_swarm.workspace.credentials import Credentials
from kiro_swarm.workspace.errors import IntegrationBusy, RefNotFound, SyncRefused
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.messages import Mover, sync_message
from kiro_swarm.workspace.mirror import (
    SOURCE_REF,
    START_REF,
    fetched,
    integration_head,
)
from kiro_swarm.workspace.moves import moves, steps
from kiro_swarm.workspace.outcomes import GatePort
from kiro_swarm.workspace.patterns import files_of, objection
from kiro_swarm.workspace.refs import check_branch, check_path, is_object_id
from kiro_swarm.workspace.remote import Remote
from kiro_swarm.workspace.spec import tree_entry
from kiro_swarm.workspace.trials import (
    TRIES,
    Trial,
    advance,
    commit_merge,
    merge_trees,
    owned,
    with_file,
)

_OTHER_REF = "refs/kiro/synced"
_SHOWN_FILES = 10


@dataclass(frozen=True)
class Source:
    """Where the new work is: a branch, tag or commit id of a repository.

    ``ref``: None is its default branch. ``upstream``: it is the one that the swarm began
    from.
    """

    url: str
    ref: Optional[str]
    upstream: bool
    credentials: Optional[Credentials] = None

    @property
    def shown(self) -> str:
        """The ref, for people."""
        return self.ref or "the default branch"


@dataclass(frozen=True)
class Synced:
    """The branch moved from ``before`` to ``head``, which may be the same.

    ``source`` is the commit that was merged, ``commits`` how many came with it.
    ``kept_plan``: the task file was changed on both sides and is the swarm's own.
    """

    before: str
    head: str
    source: str
    commits: int
    kept_plan: bool = False


def sync(
    mirror: Path,
    source: Source,
    branch: str,
    spec_path: Optional[str],
    gate: GatePort,
    command_uid: str,
    mover: Optional[Mover] = None,
) -> Synced:
    """Fetch the source and merge it into ``branch``, the integration branch.

    Raises SyncRefused (SyncConflict, GateFailed, UnrelatedHistory, UnusablePath),
    IntegrationBusy, InvalidRef, RefNotFound and what Remote raises.
    """
    if source.ref is not None and not is_object_id(source.ref):
        check_branch(source.ref)
    plan = None if spec_path is None else check_path(spec_path)
    commit = _fetched(mirror, source)
    for _ in range(TRIES):
        with owned(mirror) as git:
            head = integration_head(mirror, branch)
            known = _known(git, head, commit, command_uid)
            if known is not None:
                return known
            message = sync_message(source.shown, commit, command_uid, mover or Mover())
            trial, kept = _try(git, head, commit, plan, message)
            count = git.run("rev-list", "--count", commit, f"^{head}").text
        verdict = gate.check(trial.commit)
        if not verdict.passed:
            raise SyncRefused(
                f"gate {verdict.gate} is red on {source.shown} at {commit[:12]} merged with"
                f" {branch}; nothing was moved. The end of its output:"
                f" {verdict.output[-800:]}",
                reason="GateFailed",
            )
        made = advance(mirror, branch, trial, verdict.runs)
        if made is not None:
            return Synced(head, made, commit, int(count), kept)
    raise IntegrationBusy(
        f"branch {branch} moved {TRIES} times while {source.shown} was being merged;"
        " say it again"
    )


def _fetched(mirror: Path, source: Source) -> str:
    """The commit of the source, now in the mirror."""
    into = SOURCE_REF if source.upstream else _OTHER_REF
    remote = Remote(source.url, source.credentials)
    with fetched(mirror, remote, source.ref, into) as (git, _):
        commit = git.commit_id(into)
    if commit is None:
        raise RefNotFound(f"{source.shown} does not lead to a commit")
    return commit


def _known(git: Git, head: str, commit: str, command_uid: str) -> Optional[Synced]:
    """The answer when there is nothing left to merge."""
    start = git.commit_id(START_REF) or head
    for move in moves(steps(git, start, head)):
        if move["kind"] != "sync" or move["command"] != command_uid:
            continue
        own = move["after"]
        before, source = git.run("rev-parse", f"{own}^1", f"{own}^2").text.split()
        count = git.run("rev-list", "--count", source, f"^{before}").text
        return Synced(before, own, source, int(count))
    if git.is_ancestor(commit, head):
        return Synced(head, head, commit, 0)
    return None


def _try(
    git: Git, head: str, commit: str, plan: Optional[str], message: str
) -> tuple[Trial, bool]:
    """The merge, and whether the plan was in conflict and is the branch's own."""
    if git.run("merge-base", head, commit, ok=(0, 1)).status != 0:
        raise SyncRefused(
            f"commit {commit[:12]} has no history in common with the integration branch;"
            " is it of another repository?",
            reason="UnrelatedHistory",
        )
    merge = merge_trees(git, head, commit)
    files = [name for name in merge.conflicts if name != plan]
    if files:
        raise SyncRefused(_conflict(commit, files, merge.remark), reason="SyncConflict")
    tree = merge.tree
    costly = objection(git, files_of(git, head), files_of(git, tree))
    if costly:
        said = f"commit {commit[:12]} would stop every task: {costly}"
        raise SyncRefused(said, reason="UnusablePath")
    own = tree_entry(git, head, plan) if plan in merge.conflicts and plan else None
    if plan and own:
        tree = with_file(git, tree, plan, *own)
    return commit_merge(git, tree, head, commit, message), own is not None


def _conflict(commit: str, files: list[str], remark: str) -> str:
    shown = ", ".join(shown_name(name) for name in files[:_SHOWN_FILES])
    more = f" and {len(files) - _SHOWN_FILES} more" if len(files) > _SHOWN_FILES else ""
    also = f", {remark}" if remark else ""
    return (
        f"commit {commit[:12]} conflicts with the integration branch in {len(files)}"
        f" file(s): {shown}{more}{also}. Nothing was moved. Push the integration branch, merge"
        " the two there by hand, push the result, and say it again"
    )
