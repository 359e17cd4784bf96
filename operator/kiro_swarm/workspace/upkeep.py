"""Keeps the volume of a swarm from growing with its age.

Role: the integrate Job calls ``tidy`` when its merges are done.

Guarantees: what somebody may still need stays: the branch and all that it has, what a task's
latest attempt has finished, folders of instances that are or may be there. Objects that
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
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kiro_swarm.workspace.disk import remove
from kiro_swarm.workspace.done import DONE_REFS
from kiro_swarm.workspace.errors import RepositoryBusy
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.locks import LOCK_NAME, sole_owner
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.trials import owned

log = logging.getLogger(__name__)

_MIB = 1024 * 1024
_STAMP = "kiro-swarm.gc"
_INSTANCE_WAIT = 1.0
_LOOSE = re.compile(r"[0-9a-f]{2}")


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
    attempts under way began from.
    """

    attempts: Mapping[str, int]
    instances: Collection[str]
    bases: Collection[str] = field(default_factory=tuple)


def tidy(
    root: Path,
    mirror: Path,
    branch: str,
    needed: Needed,
    thresholds: Thresholds = Thresholds(),
) -> bool:
    """Remove from the volume at ``root`` what nobody needs; whether the mirror was packed.

    Raises RepositoryBusy, RefNotFound, GitFailed, OSError.
    """
    _empty_folders(root / "instances", needed.instances)
    _drop_refs(mirror, needed.attempts)
    if not _is_due(mirror, thresholds) or not _are_on(mirror, branch, needed.bases):
        return False
    with owned(mirror) as git:
        remove(mirror / "kiro-incoming")
        git.run(
            *("gc", "--quiet", f"--prune={thresholds.kept_seconds}.seconds.ago"),
            seconds=thresholds.gc_seconds,
        )
        (mirror / _STAMP).touch()
    return True


def _empty_folders(folder: Path, instances: Collection[str]) -> None:
    """Of instances that are gone. The folder itself stays: a pod may be about to mount it."""
    for place in _folders(folder):
        if place.name in instances:
            continue
        # Its lock is what a cut waits for.
        with suppress(RepositoryBusy), sole_owner(place, _INSTANCE_WAIT):
            for name in os.listdir(place):
                if name != LOCK_NAME:
                    remove(place / name)


def _drop_refs(mirror: Path, attempts: Mapping[str, int]) -> None:
    """Of attempts that a later one has followed. Of tasks that are unknown they stay."""
    listed = Git(mirror).run(
        *("for-each-ref", "--format=%(objectname) %(refname)", DONE_REFS)
    )
    lines: list[str] = []
    for line in listed.text.splitlines():
        commit, ref = line.split(" ")
        uid, _, attempt = ref[len(DONE_REFS) + 1 :].partition("/")
        if attempt.isdigit() and int(attempt) < attempts.get(uid, 0):
            lines.append(f"delete {ref} {commit}\n")
    if lines:
        with owned(mirror) as git:
            git.run("update-ref", "--stdin", stdin="".join(lines).encode())


def _is_due(mirror: Path, thresholds: Thresholds) -> bool:
    with suppress(FileNotFoundError):
        age = time.time() - (mirror / _STAMP).stat().st_mtime
        if 0 <= age < thresholds.pause_seconds:
            return False
    count = size = 0
    for folder in _folders(mirror / "objects"):
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
    git, head = Git(mirror), integration_head(mirror, branch)
    for base in set(bases):
        if git.commit_id(base) is None or not git.is_ancestor(base, head):
            log.info("nothing is pruned: an attempt began at %s", base)
            return False
    return True


def _folders(place: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError), os.scandir(place) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)
