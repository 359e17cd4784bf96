"""A merge tried in the mirror without a checkout, and the branch moved by compare-and-swap.

Role: what the merge train (train.py) and the sync with the source repository (sync.py)
have in common.

Guarantees: a trial changes no ref and no file but new objects; the branch moves only from
where the trial began. Between the two the lock is free, so that a gate can take its time.
What the gates said is written into the merge before the branch moves to it: the same tree
on the same parents as they have seen.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional, Sequence

from kiro_swarm.workspace import briefs
from kiro_swarm.workspace.attributes import merge_attributes
from kiro_swarm.workspace.briefs import TrialMerge
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.locks import remove_stale_locks, sole_owner_of_mirror
from kiro_swarm.workspace.messages import with_gates
from kiro_swarm.workspace.outcomes import GateRun

#: How often a merge is tried anew because the branch moved meanwhile.
TRIES = 5


@dataclass(frozen=True)
class Trial:
    """A merge commit that no ref leads to yet, and the head that it was made on."""

    commit: str
    before: str
    other: str
    message: str


@contextmanager
def owned(mirror: Path) -> Iterator[Git]:
    """git in the mirror, as its sole owner."""
    with sole_owner_of_mirror(mirror) as held:
        remove_stale_locks(mirror)
        yield Git(mirror, held=held)


def merge_trees(git: Git, head: str, other: str) -> TrialMerge:
    """The tree of ``head`` merged with ``other``, with the files in conflict.

    Merged as the attributes in ``head`` say, by what is part of git (attributes.py).
    """
    with merge_attributes(git, head) as attributes:
        answer = attributes.git.bounded().run(
            *("merge-tree", "--write-tree", "-z", "--name-only", "--messages"),
            *(head, other),
            ok=(0, 1),
        )
    return replace(briefs.read_trial(answer.stdout), remark=attributes.remark)


def with_file(git: Git, tree: str, path: str, mode: str, blob: str) -> str:
    """The tree with this blob at ``path``, whatever was there."""
    with tempfile.TemporaryDirectory(prefix="kiro-index-") as folder:
        private = git.using({"GIT_INDEX_FILE": str(Path(folder, "index"))})
        private.run("read-tree", tree)
        private.run(
            *("update-index", "--add", "--replace"),
            *("--cacheinfo", f"{mode},{blob},{path}"),
        )
        return private.run("write-tree").text


def commit_merge(git: Git, tree: str, head: str, other: str, message: str) -> Trial:
    """A merge commit of two parents; ``head``, the first, is where the branch is."""
    commit = git.run(
        *("commit-tree", tree, "-p", head, "-p", other, "-F", "-"),
        stdin=os.fsencode(message),
    ).text
    return Trial(commit, head, other, message)


def advance(
    mirror: Path, branch: str, trial: Trial, runs: Sequence[GateRun] = ()
) -> Optional[str]:
    """Move the branch, if it still is where the trial began; the commit it is at then.

    :param runs: what the gates said of the trial; it goes into the message.
    """
    ref = f"refs/heads/{branch}"
    with owned(mirror) as git:
        if git.commit_id(ref) != trial.before:
            return None
        if runs:
            message = with_gates(trial.message, runs)
            tree = f"{trial.commit}^{{tree}}"
            trial = commit_merge(git, tree, trial.before, trial.other, message)
        git.run("update-ref", "--end-of-options", ref, trial.commit, trial.before)
    return trial.commit
