"""Finished work in the mirror, under refs of its own, until it is merged.

Role: the integrate Job has adoption.py call ``take`` for what runners have kept (finished.py),
and calls ``forget`` when it ends.

Guarantees: what ``take`` took has a ref, ``refs/kiro/done/<uid>/<attempt>``, before it is
removed from where the runner kept it, so that neither the end of an instance nor a clean-up of the
mirror can lose it. A ref goes when the branch has the task. Each may be killed anywhere and
called again.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Optional

from kiro_swarm.policy import naming
from kiro_swarm.workspace.disk import folders
from kiro_swarm.workspace.errors import ObjectsRefused
from kiro_swarm.workspace.finished import discard
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.intake import read_branch, take_in
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.locks import PAUSE_SECONDS
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.refs import check_trailer, trailer_of
from kiro_swarm.workspace.trials import owned

log = logging.getLogger(__name__)

#: Below it, one ref for each attempt that was Done: ``<uid>/<attempt>``.
DONE_REFS = "refs/kiro/done"
#: How many refs go at once: git takes some milliseconds for each, and locks them all.
_AT_ONCE = 200


@dataclass(frozen=True)
class Kept:
    """Work that a runner has kept: where it is, which commit, under which ref it is to be.

    ``shelved``: the place is this work's alone; else it is the folder of its instance, where
    a runner of an earlier release has left it, and nothing of it is removed.
    """

    place: Path
    commit: str
    ref: str
    shelved: bool = True

    @property
    def trailer(self) -> str:
        """``<uid>/<attempt>``."""
        return self.ref[len(DONE_REFS) + 1 :]


def take(mirror: Path, branch: str, work: Kept, limits: Limits) -> None:
    """Take one of them into the mirror, under its ref, and away from its runner.

    Raises ObjectsRefused: it stays where it is, and the merge of that task says why; and
    RepositoryBusy, RefNotFound, GitFailed.
    """
    with owned(mirror) as git:
        head = integration_head(mirror, branch)
        take_in(git, work.place, work.commit, head, limits)
        git.run("update-ref", "--end-of-options", work.ref, work.commit)
    remove_adopted(mirror, work)


def remove_adopted(mirror: Path, work: Kept) -> None:
    """Remove what a runner has kept, once the mirror has it under its ref."""
    if work.shelved and Git(mirror).commit_id(work.ref) == work.commit:
        discard(work.place)


def is_adopted(mirror: Path, uid: str, attempt: int, commit: str) -> bool:
    """Whether the mirror has this commit as the finished work of that attempt.

    Raises InvalidName: they name no attempt.
    """
    trailer = check_trailer(f"{uid}/{attempt}")
    return Git(mirror).commit_id(f"{DONE_REFS}/{trailer}") == commit


def refs(git: Git) -> dict[str, str]:
    """All of them: ``<uid>/<attempt>`` -> commit."""
    listed = git.run("for-each-ref", "--format=%(objectname) %(refname)", DONE_REFS)
    found = (line.split(" ") for line in listed.lines)
    return {ref[len(DONE_REFS) + 1 :]: commit for commit, ref in found}


def drop_refs(mirror: Path, gone: Iterable[tuple[str, str]]) -> None:
    """Remove refs (full name, object id) that are as was told, however many there are.

    The mirror is nobody's between some of them and the next: other Jobs wait for it.
    """
    lines = (f"delete {ref} {oid}\n" for ref, oid in gone)
    while some := list(islice(lines, _AT_ONCE)):
        with owned(mirror) as git:
            git.run("update-ref", "--stdin", stdin=os.fsencode("".join(some)))
        time.sleep(PAUSE_SECONDS)


def forget(mirror: Path, branch: str, merged: Collection[str]) -> None:
    """Drop the refs of tasks that are merged.

    A ref goes when the branch contains its commit, or when ``merged``, the uids of tasks that
    the branch has, names its task: a later attempt took its place.
    """
    there = refs(Git(mirror))
    if not there:
        return
    contained = Git(mirror).run(
        *("for-each-ref", f"--merged=refs/heads/{branch}", "--format=%(refname)"),
        DONE_REFS,
    )
    over = set(contained.lines)
    done = (
        (f"{DONE_REFS}/{trailer}", commit)
        for trailer, commit in there.items()
        if f"{DONE_REFS}/{trailer}" in over or trailer.split("/")[0] in merged
    )
    drop_refs(mirror, done)


def kept(root: Path) -> Iterator[Kept]:
    """What runners have kept on a volume and no Job has taken yet."""
    for shelf in folders(root / Path(naming.finished_folder("x")).parent):
        for place in folders(shelf):
            trailer = trailer_of(place.name)
            commit = _commit_in(place) if trailer else None
            if trailer and commit:
                yield Kept(place, commit, f"{DONE_REFS}/{trailer}")


def _commit_in(place: Path) -> Optional[str]:
    try:
        return read_branch(place, "finished")
    except ObjectsRefused as refusal:
        log.warning("%s: %s", place, refusal.message)
        return None
