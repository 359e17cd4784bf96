"""Whether work under way would merge: a trial merge before it is Done.

Role: the runner asks ``Lookahead.look`` now and then while an agent works on a task, the
integrate Job ``foretell`` for work that waits for a person.

Guarantees: the instance's folder and the mirror are only read, and nobody waits for it. git
opens neither: the branch is read as a file, its objects are copied and proved as for a merge
(intake.py), files that are not committed yet are read as files (uncommitted.py), and the
trial is made in a repository that is gone afterwards. While nothing changes, a look costs a
few calls of ``stat``. What the merge train would not call a conflict is none here.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.borrowed import make_borrower
from kiro_swarm.workspace.briefs import shown_name
from kiro_swarm.workspace.errors import RefNotFound
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.intake import claimed_commit, read_branch, take_in
from kiro_swarm.workspace.limits import ANY_FILE, Limits
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.refs import (
    check_branch,
    check_object_id,
    check_task_branch,
)
from kiro_swarm.workspace.spec import spec_file
from kiro_swarm.workspace.trials import merge_trees
from kiro_swarm.workspace.uncommitted import Paths, Stamps, stamps, with_uncommitted

#: For each git command of a look.
_SECONDS = 15.0
#: Less than a merge may bring: this is copied into the pod's own small disk.
_LIMITS = Limits(
    stored_bytes=128 * 1024 * 1024,
    unpacked_bytes=64 * 1024 * 1024,
    file_bytes=ANY_FILE,
)
_SHOWN = 10
_MERGED_TASK = re.compile(r"Merge task ([^\s:]{1,128}):")


@dataclass(frozen=True)
class Prediction:
    """What a merge at this moment would say.

    ``files`` in conflict, the first ten of ``count``, printable, each 120 characters at most;
    ``tasks``: ids of the merged tasks that changed them, the last one first.
    """

    files: tuple[str, ...] = ()
    count: int = 0
    tasks: tuple[str, ...] = ()


class Lookahead:
    """Looks at the work of one instance; keeps what it saw last.

    ``spec_path``: as a KiroSwarm's ``spec.tasks.specPath`` names the swarm's own task file,
    which the merge train takes from nobody.
    """

    def __init__(
        self,
        instance_dir: Path,
        mirror: Path,
        integration_branch: str,
        spec_path: Optional[str],
    ) -> None:
        self._folder = instance_dir
        self._tree = instance_dir / "tree"
        self._mirror = mirror
        self._integration = integration_branch
        self._spec_path = spec_path
        # What the last look was at: a branch, both commits, the files.
        self._at: Optional[tuple[str, str, str]] = None
        self._paths: Paths = {}
        self._stamps: Stamps = ()

    def look(self, branch: str) -> Optional[Prediction]:
        """How the task's branch would merge now; None: as it was at the last look.

        Takes seconds at most. Raises InvalidRef, InvalidPath, RefNotFound (no integration
        branch), ObjectsRefused, GitFailed, GitTimeout; the next look then waits for a
        change, too.
        """
        commit = claimed_commit(self._folder, check_task_branch(branch))
        head = read_branch(self._mirror.parent, check_branch(self._integration))
        if head is None:
            raise RefNotFound(f"the mirror has no branch {self._integration!r}")
        now = (branch, head, commit)
        if now == self._at and stamps(self._tree, self._paths) == self._stamps:
            return None
        self._at, self._paths, self._stamps = now, {}, ()
        spec = None if self._spec_path is None else spec_file(self._spec_path)
        with _with_commit(self._mirror, self._folder, head, commit) as git:
            fork = _fork(git, head, commit)
            paths = _changed(git, fork, commit, head, spec)
            # Stamped before they are read: a change in between is seen by the next look.
            self._paths, self._stamps = paths, stamps(self._tree, paths)
            work = with_uncommitted(git, self._tree, commit, paths)
            return _predict(git, head, fork, work, spec)


def foretell(
    instance_dir: Path,
    mirror: Path,
    integration_branch: str,
    commit: str,
    spec_path: Optional[str],
) -> Prediction:
    """How finished work would merge now; the arguments are as for ``Lookahead``.

    Raises InvalidRef, InvalidPath, RefNotFound, ObjectsRefused, GitFailed, GitTimeout.
    """
    check_object_id(commit)
    spec = None if spec_path is None else spec_file(spec_path)
    head = integration_head(mirror, integration_branch)
    with _with_commit(mirror, instance_dir, head, commit) as git:
        return _predict(git, head, _fork(git, head, commit), commit, spec)


@contextmanager
def _with_commit(
    mirror: Path, instance_dir: Path, head: str, commit: str
) -> Iterator[Git]:
    """A repository of our own with the commit in it, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="kiro-lookahead-") as folder:
        place = Path(folder, "repo.git")
        # HEAD as in the mirror: newer versions of git read attributes from it.
        make_borrower(place, mirror, head)
        git = Git(place, seconds=_SECONDS)
        take_in(git, instance_dir, commit, head, _LIMITS, copied=True)
        yield git


def _fork(git: Git, head: str, commit: str) -> str:
    return git.run("merge-base", head, commit).lines[0]


def _predict(
    git: Git, head: str, fork: str, work: str, spec: Optional[str]
) -> Prediction:
    trial = merge_trees(git, head, work)
    files = [name for name in trial.conflicts if name != spec]
    return Prediction(
        files=tuple(shown_name(name) for name in files[:_SHOWN]),
        count=len(files),
        tasks=_tasks(git, fork, head, files[:_SHOWN]),
    )


def _changed(git: Git, fork: str, commit: str, head: str, spec: Optional[str]) -> Paths:
    """What others changed since the work began: only there can it conflict."""
    own = os.fsencode(spec or "")
    theirs = {name: new for name, _, new in _differences(git, fork, head)}
    # What is not among these is at the work's commit as it is at the head.
    mine = {name: old for name, old, _ in _differences(git, commit, head)}
    return {name: mine.get(name, new) for name, new in theirs.items() if name != own}


def _differences(git: Git, old: str, new: str) -> Iterator[tuple[bytes, str, str]]:
    """Path, object id before and after, of each file that differs; zeros for none."""
    listed = git.run(
        *("diff", "--raw", "--no-renames", "--no-abbrev", "--ignore-submodules=all"),
        *("-z", old, new),
    ).stdout.split(b"\0")
    for facts, name in zip(listed[0::2], listed[1::2]):
        _, _, before, after, _ = facts.decode("ascii").split(" ")
        yield name, before, after


def _tasks(git: Git, fork: str, head: str, files: Sequence[str]) -> tuple[str, ...]:
    """Ids of the tasks whose merges changed the files, the last one first."""
    if not files:
        return ()
    said = git.run(
        *("log", "--first-parent", "--merges", "--format=%s", f"{fork}..{head}"),
        *("--", *files),
    ).lines
    found = (_MERGED_TASK.match(line) for line in said)
    return tuple(dict.fromkeys(match[1] for match in found if match))[:_SHOWN]
