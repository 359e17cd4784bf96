"""The files of a worktree as a commit has them, between two passes over one task.

Role: ``kiro-swarm workspace restore`` runs ``restore`` in the agent container when a
check of what ``evidence`` committed has failed and the agent is to go on.

Guarantees: what the check wrote, changed, committed or checked out is gone, for it is not
the agent's work; ignored files (caches) stay. Nothing outside the instance's folder is
touched. May be called again after being killed anywhere.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from kiro_swarm.workspace.disk import clear_folder, real_folder, remove, write_plain
from kiro_swarm.workspace.git import WORKTREE_SECONDS, Git
from kiro_swarm.workspace.instance import Instance
from kiro_swarm.workspace.leftovers import NOTHING_SAID, Excluded, exclude_leftovers
from kiro_swarm.workspace.locks import (
    remove_stale_locks,
    sole_owner,
    wait_until_no_git_works_in,
)
from kiro_swarm.workspace.patterns import is_endless
from kiro_swarm.workspace.plain import opened_by_git
from kiro_swarm.workspace.refs import check_object_id, check_task_branch


@dataclass(frozen=True)
class Restored:
    """The worktree stands on the branch at ``commit``; ``removed`` entries are gone."""

    commit: str
    removed: int

    def to_json(self) -> dict[str, object]:
        """As the command line prints it."""
        return asdict(self)


def restore(
    folder: Path, branch: str, commit: str, *, exclude: Excluded = NOTHING_SAID
) -> Restored:
    """Bring the worktree back to ``commit``, with ``branch`` there.

    ``exclude``: as for leftovers.py; what it names stays.

    Raises InvalidRef for bad arguments, RepositoryBusy while a git process is alive in
    the worktree, GitFailed when the commit cannot be read.
    """
    check_task_branch(branch)
    check_object_id(commit)
    instance = Instance(folder)
    wait_until_no_git_works_in(instance.tree)
    with sole_owner(folder) as held:
        instance.restore_settings(branch)
        remove_stale_locks(instance.repository)
        remove(instance.admin / "index")
        instance.attach(branch)
        real_folder(instance.tree)
        if is_endless(instance.tree):
            # A check can write such patterns, too: then caches go as well.
            clear_folder(instance.tree)
        write_plain(instance.tree / ".git", f"gitdir: {instance.admin}\n")
        git = Git(
            instance.admin,
            work_tree=instance.tree,
            held=held,
            seconds=WORKTREE_SECONDS,
        )
        for name in opened_by_git(instance.tree):
            remove(instance.tree / os.fsdecode(name))
        exclude_leftovers(git, instance, commit, exclude)
        git.run("reset", "--quiet", "--hard", commit, "--")
        return Restored(commit, _remove_strangers(git, instance.tree))


def _remove_strangers(git: Git, tree: Path) -> int:
    # Not `git clean`: it gives up on a folder that was made read-only.
    ignored = _listed(git, "--directory", "--ignored")
    removed = 0
    for name in _listed(git, "--directory"):
        inner = [name]
        if name.endswith(b"/") and any(one.startswith(name) for one in ignored):
            # Of a folder without a tracked file git says nothing of what is ignored in it.
            inner = _listed(git, "--", os.fsdecode(name))
        for one in inner:
            place = tree / os.fsdecode(one)
            real_folder(place.parent)
            remove(place)
        removed += len(inner)
    return removed


def _listed(git: Git, *options: str) -> list[bytes]:
    listed = git.run("ls-files", "--others", "--exclude-standard", "-z", *options)
    return [name for name in listed.stdout.split(b"\0") if name]
