"""Files that are not in the worktree and that nobody has deleted.

Role: unchanged.py gives the index back what it names, evidence.py asks for the rest in words.

A file can be missing because it was never to be there, because its name is too long for the
volume, or because git could not write it: a filter (Git LFS without its server) failed, or git was
killed in the middle. What was deleted on purpose looks the same where a program other than git did
it. So of a file with a filter only git's own deletion counts, staged or committed, or that its
content is at a new path; and where git was killed nobody guesses.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from kiro_swarm.workspace.attribute_files import values_of
from kiro_swarm.workspace.git import Git

_LONGEST_NAME = 255
_NO_FILTER = (b"unspecified", b"unset", b"set", b"")
#: Of a file that may be missing: skip-worktree, assume-unchanged, both.
_MAY_BE_MISSING = ("S", "h", "s")
_SHOWN = 5


def not_deleted(
    git: Git,
    agents_own: Git,
    gone: Sequence[bytes],
    moved: Collection[bytes],
    commits: Sequence[str],
) -> list[bytes]:
    """Those of the paths ``gone`` from the worktree that are no deletions.

    :param moved: those whose content is at a new path.
    :param commits: whose attributes count; a filter may be named by either.
    """
    marks = dict(_marks(agents_own))
    kept = {
        path
        for path in gone
        if marks.get(path, "") in _MAY_BE_MISSING
        or any(len(part) > _LONGEST_NAME for part in path.split(b"/"))
    }
    left = [p for p in gone if p in marks and p not in kept and p not in moved]
    kept.update(_filtered(git, left, commits))
    return [path for path in gone if path in kept]


def kept_for_a_filter(git: Git, tree: Path) -> str:
    """What is missing, has a filter and is kept, in words; by the index of ``git``."""
    missing = [
        path
        for path, mark in _marks(git)
        if mark in _MAY_BE_MISSING
        and not os.path.lexists(os.path.join(os.fsencode(tree), path))
    ]
    names = sorted(_filtered(git, missing, ("HEAD",)))
    if not names:
        return ""
    shown = ", ".join(name.decode("utf-8", "replace") for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (
        "kept, for a filter that failed leaves a file out just so:"
        f" {shown}{more}; `git rm` deletes such a file"
    )


def missing_unstaged(git: Git, agents_own: Git, head: str) -> list[bytes]:
    """What the index of ``git`` deletes and the agent's has still."""
    deleted = git.run(
        *("diff-index", "--cached", "--name-only", "--no-renames", "--diff-filter=D"),
        *("-z", head),
    ).stdout
    there = dict(_marks(agents_own))
    return [path for path in deleted.split(b"\0") if path and path in there]


def _marks(git: Git) -> Iterator[tuple[bytes, str]]:
    """Path and mark of whatever an index has."""
    listed = git.run("ls-files", "-v", "-z", ok=(0, 128)).stdout
    for record in listed.split(b"\0"):
        if record:
            yield record[2:], record[:1].decode("latin-1")


def _filtered(git: Git, paths: Sequence[bytes], commits: Sequence[str]) -> set[bytes]:
    """Those with a filter, by the attributes of one of the commits."""
    if not paths:
        return set()
    return {
        path
        for commit in commits
        for path, value in values_of(git, commit, paths, "filter")
        if value not in _NO_FILTER
    }
