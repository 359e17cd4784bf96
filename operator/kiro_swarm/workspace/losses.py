"""What of an agent's work would be lost, or be merged by half, in words.

Role: evidence.py asks before it commits, and when it says Done.

Guarantees: nothing is changed; an empty answer means that nothing of the kind was found.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kiro_swarm.workspace.disk import read_plain
from kiro_swarm.workspace.elsewhere import refs_of, tags_and_notes, work_elsewhere
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.instance import Instance
from kiro_swarm.workspace.pointers import Stored
from kiro_swarm.workspace.staging import StagedChange
from kiro_swarm.workspace.submodules import changed_inside, unfetchable, unpublished


def nested_repositories(changes: Sequence[StagedChange], tree: Path) -> str:
    """Repositories that the agent made inside the worktree, and are no submodules."""
    nested = [change for change in changes if change.mode == "160000" != change.before]
    if not nested or any(change.path == b".gitmodules" for change in changes):
        return ""
    linked = [one.shown for one in nested if _is_linked(tree, one.path)]
    if linked:
        # Without its .git it would be a second copy of all files.
        return (
            f"{', '.join(linked[:5])}: another worktree (`git worktree add`) inside of that"
            " of the task; what is only there would be lost. Merge it into the branch of the"
            " task, then `git worktree remove` it, or put the folder into .gitignore"
        )
    shown = ", ".join(change.shown for change in nested[:5])
    return (
        f"{shown}: a git repository of its own inside the worktree;"
        " its files would be lost. Remove its .git folder"
    )


def _is_linked(tree: Path, path: bytes) -> bool:
    """Whether a folder's ``.git`` only says where the repository is."""
    return read_plain(tree / os.fsdecode(path) / ".git").startswith("gitdir: ")


def lost_content(
    git: Git,
    instance: Instance,
    base: str,
    changes: Sequence[StagedChange],
    large: Stored,
) -> str:
    """Content that the staged files only point to, and that nobody would have.

    ``changes``: of the index since ``base``. ``large``: those of them that are of Git LFS.
    """
    said: list[str] = []
    if large.lost:
        said.append(
            f"{_names(large.lost)}: pointers of Git LFS to content that is not here and would"
            " be lost; put the files themselves there"
        )
    modules = unpublished(instance, changes)
    if modules:
        said.append(
            f"{', '.join(modules[:5])}: a commit in a submodule that no branch or tag of"
            " its server has; it would be lost. Leave the submodule at a commit that is"
            " published"
        )
    nowhere = unfetchable(git, base, changes)
    if nowhere:
        said.append(
            f"{', '.join(nowhere[:5])}: a submodule that nobody else can fetch; what is in"
            " it would be lost. Give it an address of a server, or put its files there"
            " without its .git"
        )
    return "; ".join(said)


def elsewhere(git: Git, instance: Instance, base: str, branch: str) -> str:
    """Where the work is, when the branch has none."""
    refs = refs_of(git)
    places = work_elsewhere(git, instance, base, branch, refs, nothing_else=True)
    if not places:
        return ""
    return (
        "the branch of the task is empty, and there is work elsewhere:"
        f" {', '.join(places)}; bring it onto {branch}"
    )


def not_taken(instance: Instance, refs: Sequence[tuple[str, str]]) -> str:
    """What the agent made beside commits; ``refs``: of its repository."""
    names = tags_and_notes(instance, refs)
    return f"not taken, for only commits are: {', '.join(names)}" if names else ""


def warning(git: Git, instance: Instance, base: str, branch: str, large: Stored) -> str:
    """What is not on the branch, or is there in another form than people expect."""
    said = []
    refs = refs_of(git)
    places = work_elsewhere(git, instance, base, branch, refs, nothing_else=False)
    if places:
        said.append(f"not taken, for it is not on the branch: {', '.join(places)}")
    beside = not_taken(instance, refs)
    if beside:
        said.append(beside)
    inside = changed_inside(git, instance)
    if inside:
        said.append(f"not taken: changes inside of submodules: {', '.join(inside[:5])}")
    if large.whole:
        names = _names(large.whole)
        said.append(f"stored in git as they are and not by Git LFS: {names}")
    if large.other:
        names = _names(large.other)
        said.append(f"stored in git as they are, without their filter: {names}")
    return "; ".join(said)


def _names(paths: Sequence[bytes]) -> str:
    shown = [path.decode("utf-8", "replace") for path in paths[:5]]
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return ", ".join(shown) + more
