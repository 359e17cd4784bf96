"""Where an agent left its repository: on which branch and commit, and in the middle of what.

Role: evidence.py, before anything is staged, and when all is.

Guarantees: raises ``NotDone`` for a state that only the agent can set right, with what to do. A
HEAD that is elsewhere is set right where that loses nothing.
"""

from __future__ import annotations

import os

from kiro_swarm.workspace.disk import remove, write_plain
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.instance import Instance
from kiro_swarm.workspace.missing import missing_unstaged
from kiro_swarm.workspace.verdict import NotDone

# Files and folders by which git remembers an operation that is not finished.
_UNFINISHED = ("rebase-merge", "rebase-apply", "BISECT_LOG")
_CONCLUDABLE = (
    *("MERGE_HEAD", "MERGE_MSG", "MERGE_MODE", "AUTO_MERGE", "SQUASH_MSG"),
    *("CHERRY_PICK_HEAD", "REVERT_HEAD", "sequencer"),
)


def check_state(git: Git, instance: Instance) -> None:
    """Raise NotDone in the middle of an operation; one that is as good as done is ended."""
    for name in _UNFINISHED:
        if os.path.lexists(instance.admin / name):
            raise NotDone(
                "OperationInProgress",
                f"a rebase or bisect was left unfinished ({name}); finish or abort it",
            )
    listed = git.run("ls-files", "--unmerged", "-z", ok=(0, 128)).stdout.decode(
        "utf-8", "replace"
    )
    unmerged = {entry.split("\t", 1)[1] for entry in listed.split("\0") if entry}
    if unmerged:
        names = ", ".join(sorted(unmerged)[:10])
        raise NotDone("UnmergedPaths", f"a merge was left with conflicts in: {names}")
    for name in _CONCLUDABLE:
        remove(instance.admin / name)


def head_on_branch(git: Git, instance: Instance, base: str, branch: str) -> str:
    """The commit the agent stands on, with the task's branch moved there.

    A detached HEAD or a branch of its own is set right when that loses nothing.
    """
    ref = f"refs/heads/{branch}"
    attached = git.run("symbolic-ref", "--quiet", "HEAD", ok=(0, 1, 128)).text
    tip, head, begun = git.commit_ids(ref, "HEAD", base)
    if head is None:
        # HEAD names nothing: the branch was deleted, or the file destroyed.
        head = tip or base
    if begun is None:
        raise NotDone("BrokenRepository", f"the base commit {base} cannot be read")
    if not git.is_ancestor(base, head):
        raise NotDone(
            "HistoryRewritten",
            f"commit {head[:12]} does not contain the commit the task began from"
            f" ({base[:12]}); commit on top of it, do not rewrite it",
        )
    if attached != ref or tip != head:
        if tip is not None and not git.is_ancestor(tip, head):
            raise NotDone(
                "WrongBranch",
                f"the worktree stands on {attached or 'no branch'} at {head[:12]}, beside"
                f" the commits of {branch} ({tip[:12]}); bring them together there",
            )
        git.run("update-ref", "--end-of-options", ref, head)
        instance.attach(branch)
    return head


def refuse_half_a_checkout(
    git: Git, agents_own: Git, instance: Instance, head: str
) -> None:
    """Of git that was killed while it wrote the worktree nobody knows what it left out."""
    missing = missing_unstaged(git, agents_own, head)
    if missing:
        # For whoever asks again.
        write_plain(instance.admin / "index.lock", "")
        names = ", ".join(name.decode("utf-8", "replace") for name in missing[:10])
        raise NotDone(
            "OperationInProgress",
            f"git was ended in the middle of something (index.lock is there), and of"
            f" {len(missing)} file(s) nobody can say whether they were deleted: {names}."
            " Remove the lock, and restore the files or `git rm` them",
        )
