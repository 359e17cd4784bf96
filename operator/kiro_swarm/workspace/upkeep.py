"""Keeps the volume of a swarm from growing with its age.

Role: the integrate Job calls ``tidy`` when its merges are done, and before them, or when it
is stopped, where room is short.

Guarantees: what somebody may still need stays: the branch and all that it has, what a task's
latest attempt has finished, folders of instances that are or may be there; where room is short
only those of instances that are at work, for a cut makes the others anew. Objects that
nothing leads to go when they are older than any attempt that could have begun on them and
than a merge that is being checked; as long as an attempt began from a commit that the
branch has no longer, none goes. What is not removed now is removed by a later Job; may be
killed anywhere and called again.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Optional

from kiro_swarm.policy import naming
from kiro_swarm.workspace import done
from kiro_swarm.workspace.arriving import remove_left
from kiro_swarm.workspace.disk import folders, remove
from kiro_swarm.workspace.errors import WorkspaceError
from kiro_swarm.workspace.finished import discard, is_leaving
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.intake import read_branch
from kiro_swarm.workspace.locks import LOCK_NAME, sole_owner
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.refs import is_object_id, trailer_of
from kiro_swarm.workspace.tags import dropped_before
from kiro_swarm.workspace.trials import owned

log = logging.getLogger(__name__)

_MIB = 1024 * 1024
_STAMP = "kiro-swarm.gc"
_SHORT_WAIT = 1.0
_PROBE_SECONDS = 3600
#: Seconds that the clocks of a volume and of a Job's node may differ.
_CLOCKS = 3600
_LOOSE = re.compile(r"[0-9a-f]{2}")
#: Name, inode and time of change of all that is in a folder.
Mark = tuple[tuple[str, int, int], ...]
#: Name of an instance's folder -> its mark.
Marks = Mapping[str, Mark]


@dataclass(frozen=True)
class Thresholds:
    """When the mirror is packed, and what is then old enough to go."""

    loose_objects: int = 2000
    loose_bytes: int = 128 * _MIB
    packs: int = 20
    kept_seconds: int = 24 * 3600
    pause_seconds: int = 3600
    gc_seconds: float = 1800.0


@dataclass(frozen=True)
class Needed:
    """What the swarm says: ``attempts`` is uid -> the latest attempt of each task.

    ``instances``: names of those that are, or may be, at work. ``bases``: commits that
    attempts under way began from. ``busy``: names of those whose folder has what is nowhere
    else, or is being worked in.
    """

    attempts: Mapping[str, int]
    instances: Collection[str]
    bases: Collection[str] = field(default_factory=tuple)
    busy: Collection[str] = field(default_factory=tuple)


def marks(root: Path) -> Marks:
    """What is in the folders of instances. Taken before anybody asks what is needed.

    A cut makes all of it anew: of a folder that looks otherwise later, what was asked then is
    out of date.
    """
    return {place.name: _mark(place) for place in folders(root / "instances")}


def tidy(
    root: Path,
    mirror: Path,
    branch: str,
    needed: Needed,
    thresholds: Thresholds = Thresholds(),
    *,
    seen: Optional[Marks] = None,
    pressed: bool = False,
) -> bool:
    """Remove from the volume at ``root`` what nobody needs; whether the mirror was packed.

    ``seen``: ``marks`` from before ``needed`` was found out; ``pressed``: room is short, so
    the mirror is packed whether it is worth it or not, and folders of idle instances go, too:
    what an agent has left there is bounded by nothing else. What one part of it cannot do
    keeps no other from being done, and is a line in the log.
    """
    known = marks(root) if seen is None else seen
    in_use = needed.busy if pressed else needed.instances
    for place in folders(root / "instances"):
        if place.name not in in_use:
            _apart(place, partial(_empty, place, known))
    for shelf in folders(root / Path(naming.finished_folder("x")).parent):
        _apart(shelf, partial(_tidy_shelf, shelf, mirror, branch, needed.attempts))
    _apart(mirror, partial(_remove_halves, mirror))
    _apart(mirror, partial(_drop_refs, mirror, needed.attempts))
    _apart(mirror, partial(_drop_tags, root, mirror, needed, thresholds))
    pack = partial(_pack, mirror, branch, needed, thresholds, pressed)
    packed = _apart(mirror, pack)
    return bool(packed)


def _apart(place: Path, work: Callable[[], Optional[bool]]) -> Optional[bool]:
    """Do one part. What is in its way is in nobody else's."""
    try:
        return work()
    except (WorkspaceError, OSError) as error:
        log.warning("%s is not tidied: %s", place, error)
        return None


def _mark(place: Path) -> Mark:
    found: list[tuple[str, int, int]] = []
    with suppress(FileNotFoundError), os.scandir(place) as entries:
        for entry in entries:
            if entry.name != LOCK_NAME:
                facts = entry.stat(follow_symlinks=False)
                found.append((entry.name, facts.st_ino, facts.st_ctime_ns))
    return tuple(sorted(found))


def _empty(place: Path, seen: Marks) -> None:
    """Of an instance that is gone or idle. The folder stays: a pod may have it mounted."""
    # Its lock is what a cut waits for.
    with sole_owner(place, _SHORT_WAIT):
        if _mark(place) != seen.get(place.name):
            log.info("%s is in use again", place)
            return
        for name in os.listdir(place):
            if name != LOCK_NAME:
                remove(place / name)


def _tidy_shelf(
    shelf: Path, mirror: Path, branch: str, attempts: Mapping[str, int]
) -> None:
    """What a kill left of places, work that a later attempt followed, what is merged."""
    # Its lock is what a runner holds that keeps work there.
    with sole_owner(shelf, _SHORT_WAIT):
        for place in folders(shelf):
            _apart(place, partial(_tidy_place, place, mirror, branch, attempts))


def _tidy_place(
    place: Path, mirror: Path, branch: str, attempts: Mapping[str, int]
) -> None:
    trailer = trailer_of(place.name)
    if is_leaving(place):
        remove(place)
    elif trailer:
        uid, _, attempt = trailer.partition("/")
        followed = int(attempt) < attempts.get(uid, 0)
        if followed or _is_merged(place, mirror, branch):
            discard(place)


def _is_merged(place: Path, mirror: Path, branch: str) -> bool:
    git, commit = Git(mirror), read_branch(place, "finished")
    if commit is None or git.commit_id(commit) is None:
        return False
    return git.is_ancestor(commit, integration_head(mirror, branch))


def _remove_halves(mirror: Path) -> None:
    """What processes had half done in the mirror, or beside it, when they were killed."""
    with owned(mirror):  # git's own are gone then
        remove(mirror / "kiro-incoming")
        remove_left(mirror)
    for probe in mirror.glob("kiro-probe-*"):
        # One that is young may belong to a Job that looks for trouble at this moment.
        if time.time() - probe.lstat().st_mtime > _PROBE_SECONDS:
            remove(probe)


def _pack(
    mirror: Path, branch: str, needed: Needed, thresholds: Thresholds, pressed: bool
) -> bool:
    if not _is_due(mirror, thresholds, pressed):
        return False
    if not _are_on(mirror, branch, needed.bases):
        return False
    expiry = f"{thresholds.kept_seconds}.seconds.ago"
    with owned(mirror) as git:
        if pressed:
            # It needs no room; a pack is written before what is in it goes.
            git.run("prune", f"--expire={expiry}", seconds=thresholds.gc_seconds)
        git.run(
            # Another one that runs would hold the lock: whoever wrote gc.pid was killed.
            *("gc", "--quiet", "--force", f"--prune={expiry}"),
            seconds=thresholds.gc_seconds,
        )
        (mirror / _STAMP).touch()
    return True


def _drop_refs(mirror: Path, attempts: Mapping[str, int]) -> None:
    """Of attempts that a later one has followed. Of tasks that are unknown they stay."""
    followed: list[tuple[str, str]] = []
    for trailer, commit in done.refs(Git(mirror)).items():
        uid, _, attempt = trailer.partition("/")
        if attempt.isdigit() and int(attempt) < attempts.get(uid, 0):
            followed.append((f"{done.DONE_REFS}/{trailer}", commit))
    done.drop_refs(mirror, followed)


def _drop_tags(root: Path, mirror: Path, needed: Needed, limits: Thresholds) -> None:
    """What tags were, once all has been cut anew that borrowed them."""
    cuts = (
        _cut_at(place)
        for place in folders(root / "instances")
        if place.name in needed.instances
    )
    oldest = min((at - _CLOCKS for at in cuts if at is not None), default=time.time())
    before = min(oldest, time.time() - limits.kept_seconds)
    done.drop_refs(mirror, dropped_before(Git(mirror), before))


def _cut_at(place: Path) -> Optional[float]:
    """When a worktree was cut: this is the first that is written and nothing writes again.

    An agent that does has the less kept for it.
    """
    with suppress(OSError):
        return (place / "repo.git/objects/info/alternates").lstat().st_ctime
    return None


def _is_due(mirror: Path, thresholds: Thresholds, pressed: bool) -> bool:
    with suppress(FileNotFoundError):
        age = time.time() - (mirror / _STAMP).stat().st_mtime
        if 0 <= age < thresholds.pause_seconds:
            return False
    if pressed:
        return True
    count = size = 0
    for folder in folders(mirror / "objects"):
        if _LOOSE.fullmatch(folder.name):
            with os.scandir(folder) as files:
                for file in files:
                    count += 1
                    size += file.stat(follow_symlinks=False).st_size
    packs = sum(1 for _ in (mirror / "objects" / "pack").glob("*.pack"))
    return (
        count > thresholds.loose_objects
        or size > thresholds.loose_bytes
        or packs > thresholds.packs
    )


def _are_on(mirror: Path, branch: str, bases: Collection[str]) -> bool:
    """Whether all of these are there, and the branch has them."""
    git, head = Git(mirror), integration_head(mirror, branch)
    asked = "".join(f"{line}\n" for line in (*sorted(set(bases)), f"^{head}"))
    known = all(map(is_object_id, bases)) and git.run(
        *("rev-list", "--max-count=1", "--stdin"),
        stdin=os.fsencode(asked),
        ok=(0, 128),
    )
    if not known or known.status != 0 or known.text:
        log.info("nothing is pruned: an attempt began at a commit beside the branch")
        return False
    return True
