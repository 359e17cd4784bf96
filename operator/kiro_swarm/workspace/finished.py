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
from contextlib import suppress
from pathlib import Path
from typing import Optional

from kiro_swarm.policy import naming
from kiro_swarm.workspace.borrowed import make_borrower
from kiro_swarm.workspace.disk import real_folder, remove, sync_folder, write_plain
from kiro_swarm.workspace.errors import ObjectsRefused
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.intake import take_in
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.locks import sole_owner
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.proof import Claim, prove
from kiro_swarm.workspace.refs import (
    check_instance,
    check_object_id,
    place_name,
    trailer_of,
)

_UNFINISHED = ".new"
_GONE = ".gone"
_REFS = ("packed-refs", "refs/heads/finished")


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
    reason of ``take_in`` or ``prove``, RefNotFound, RepositoryBusy, GitFailed,
    InvalidName, OSError.
    """
    check_object_id(commit)
    place = shelf / place_name(uid, attempt)
    whole = place.is_dir() and not is_leaving(place)
    if whole and Git(place / "repo.git").commit_id(commit) is not None:
        return
    shelf.mkdir(parents=True, exist_ok=True)
    with sole_owner(shelf) as held:
        _keep(
            place,
            Claim(instance_dir, commit, base, f"{uid}/{attempt}"),
            *(mirror, integration_head(mirror, integration_branch)),
            *(limits or Limits(), held),
        )
        sync_folder(shelf)


def _keep(
    place: Path, claim: Claim, mirror: Path, head: str, bounds: Limits, held: int
) -> None:
    """The same, as sole owner of the shelf."""
    fresh = place.with_name(f"{place.name}{_UNFINISHED}")
    remove(fresh)
    try:
        real_folder(fresh)
        repository = fresh / "repo.git"
        make_borrower(repository, mirror, head)
        git = Git(repository, held=held)
        if claim.base:
            check_object_id(claim.base)
            objection = prove(git, claim, head, bounds, copied=True)
            if objection is not None:
                raise ObjectsRefused(objection.brief, reason=objection.reason)
        else:
            take_in(git, claim.instance_dir, claim.commit, head, bounds, copied=True)
        line = f"{claim.commit} refs/heads/finished\n"
        write_plain(repository / "packed-refs", line)
        discard(place)
        os.rename(fresh, place)
    finally:
        # Of work that is refused, too, as much as a task may bring would stay.
        remove(fresh)


def discard(place: Path) -> None:
    """Remove a place. Killed within, it is one no more: ``is_leaving`` tells what is left."""
    gone = place.with_name(f"{place.name}{_GONE}")
    remove(gone)
    with suppress(FileNotFoundError):
        os.rename(place, gone)
    remove(gone)


def is_leaving(place: Path) -> bool:
    """Whether a folder of a shelf is what a killed process left: half made, or half removed.

    Asked as sole owner of the shelf: one that is being made looks the same.
    """
    if place.name.endswith((_UNFINISHED, _GONE)):
        return True
    repository = place / "repo.git"
    named = trailer_of(place.name) is not None
    return named and not any(os.path.lexists(repository / name) for name in _REFS)


def place_of(root: Path, instance: str, uid: str, attempt: int) -> Path:
    """The folder whose ``repo.git`` has the work of an attempt; ``root``: of the volume.

    Of a runner of an earlier release, and of an attempt under way, it is the instance's own.
    Raises InvalidName: a name that somebody has made up.
    """
    check_instance(instance)
    kept = root / naming.finished_folder(instance) / place_name(uid, attempt)
    return kept if kept.is_dir() else root / "instances" / instance
