"""Finished work, kept where the agents of its instance cannot reach it.

Role: the runner calls ``keep`` before it reports an attempt as Done; whoever wants that work
later, the integrate Job first of all, finds it with ``place_of``.

Guarantees: what is kept was proved by our own git, object by object, within the limits of
the merge train. A place is there whole or not at all, durably, before ``keep`` returns, and
nothing of the instance is needed any more: its next task may begin in an empty folder.
Agents have no mount of these places. May be called again after being killed anywhere.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Optional

from kiro_swarm.policy import naming
from kiro_swarm.workspace.borrowed import make_borrower
from kiro_swarm.workspace.disk import real_folder, remove, write_plain
from kiro_swarm.workspace.errors import ObjectsRefused
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.intake import take_in
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.proof import Claim, prove
from kiro_swarm.workspace.refs import check_instance, check_object_id, place_name

_UNFINISHED = ".new"


def keep(
    shelf: Path,
    uid: str,
    attempt: int,
    instance_dir: Path,
    mirror: Path,
    integration_branch: str,
    commit: str,
    base: str = "",
    limits: Optional[Limits] = None,
) -> None:
    """Keep ``commit`` of an attempt on the ``shelf``, the folder of its instance.

    ``base``: where the attempt began; with it all is proved that the merge train will ask
    for. The instance's folder and the mirror are only read. Raises ObjectsRefused, with the
    reason of ``take_in`` or ``prove``, RefNotFound, GitFailed, InvalidName, OSError.
    """
    check_object_id(commit)
    place = shelf / place_name(uid, attempt)
    if place.is_dir() and Git(place / "repo.git").commit_id(commit) is not None:
        return
    shelf.mkdir(parents=True, exist_ok=True)
    fresh = shelf / f"{place.name}{_UNFINISHED}"
    remove(fresh)
    try:
        real_folder(fresh)
        head = integration_head(mirror, integration_branch)
        repository = fresh / "repo.git"
        make_borrower(repository, mirror, head)
        git = Git(repository)
        bounds = limits or Limits()
        take_in(git, instance_dir, commit, head, bounds, copied=True)
        if base:
            claim = Claim(
                instance_dir, commit, check_object_id(base), f"{uid}/{attempt}"
            )
            objection = prove(git, claim, head, bounds, copied=True)
            if objection is not None:
                raise ObjectsRefused(objection.brief, reason=objection.reason)
        write_plain(repository / "packed-refs", f"{commit} refs/heads/finished\n")
        remove(place)
        os.rename(fresh, place)
    finally:
        # Of work that is refused, too, as much as a task may bring would stay.
        remove(fresh)
    _sync(shelf)


def place_of(root: Path, instance: str, uid: str, attempt: int) -> Path:
    """The folder whose ``repo.git`` has the work of an attempt; ``root``: of the volume.

    Of a runner of an earlier release, and of an attempt under way, it is the instance's own.
    Raises InvalidName: a name that somebody has made up.
    """
    check_instance(instance)
    kept = root / naming.finished_folder(instance) / place_name(uid, attempt)
    return kept if kept.is_dir() else root / "instances" / instance


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
