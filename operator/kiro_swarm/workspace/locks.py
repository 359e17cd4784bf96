"""One writer per repository, and nothing left behind by a killed one.

Role: every function of this package that writes into a git directory holds
``sole_owner`` of its folder, or ``sole_owner_of_mirror``, while git runs; a gate does not run
under it.

Guarantees: the lock is a ``flock`` whose descriptor git inherits, so it stays held until
the last git process of a killed owner is gone too. Whoever gets it may therefore remove
git's own lock files: nobody alive has made them.

No other module takes a ``flock``, and none lies where an agent or a gate can open it, but that of
an agent's own folder: it needs no right to write, and who holds it holds up whoever waits.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from kiro_swarm.workspace.disk import remove, walk
from kiro_swarm.workspace.errors import (
    MACHINE_ERRNOS,
    BrokenRepository,
    RepositoryBusy,
    not_writable,
    volume_trouble,
)

LOCK_NAME = "kiro-swarm.flock"
_POLL_SECONDS = 0.02
#: How long whoever takes a lock again at once leaves it, for another one that waits for it.
PAUSE_SECONDS = 3 * _POLL_SECONDS


@contextmanager
def sole_owner(folder: Path, seconds: float = 120.0) -> Iterator[int]:
    """Hold the folder's lock; yields the descriptor to hand to git.

    Waits up to ``seconds``, then raises RepositoryBusy. The folder must exist.
    """
    with _held(folder / LOCK_NAME, seconds) as descriptor:
        yield descriptor


@contextmanager
def sole_owner_of_mirror(mirror: Path, seconds: float = 120.0) -> Iterator[int]:
    """The same of the mirror."""
    with _held(beside(mirror), seconds) as descriptor:
        yield descriptor


def beside(mirror: Path, about: str = "") -> Path:
    """Where a lock about the mirror lies: beside it, where no agent and no gate can open it.

    They have the mirror in a mount that is read only, and a ``flock`` needs no right to write:
    a lock in there could be held by any of them for as long as it lives.
    """
    return mirror.with_name(f"{mirror.name}{about}.flock")


def taken(descriptor: int) -> bool:
    """Whether the lock of this open file is ours now; False: somebody else holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _held(lock: Path, seconds: float) -> Iterator[int]:
    descriptor = _open(lock)
    try:
        _acquire(descriptor, lock, time.monotonic() + seconds)
        yield descriptor
    finally:
        os.close(descriptor)


#: What a git leaves that is killed: half-written files, and files that keep others from
#: being packed or removed (``.keep`` of a fetch, ``gc.pid`` for half a day).
_STALE = (
    *("*.lock", "worktrees/*/*.lock", "packed-refs.new", "gc.pid", "shallow_*"),
    *("objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/pack/*.keep"),
    *("objects/pack/*.lock", "objects/??/tmp_obj_*", "objects/tmp_*"),
    *("objects/info/*.lock", "objects/info/*/*.lock", "objects/info/packs_*"),
    "info/refs_*",
)


def remove_stale_locks(git_dir: Path) -> None:
    """Remove git's lock files and what it had half written. The caller is sole owner."""
    for pattern in _STALE:
        for leftover in git_dir.glob(pattern):
            remove(leftover)
    for entry in walk(git_dir / "refs"):
        if entry.name.endswith(".lock") and not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.path)


def wait_until_no_git_works_in(tree: Path, seconds: float = 10.0) -> None:
    """Wait for git processes that an agent started in its tree.

    An agent does not take our lock, so its lock files are stale only when no git process
    has its working directory there. Raises RepositoryBusy after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while _git_works_in(tree):
        if time.monotonic() > deadline:
            raise RepositoryBusy(
                f"a git process is still at work in {tree}; stop the agent first"
            )
        time.sleep(_POLL_SECONDS)


def _open(path: Path) -> int:
    # O_NOFOLLOW: in an instance's folder the agent may have put a link there.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        try:
            return os.open(path, flags, 0o660)
        except OSError:
            remove(path)
            return os.open(path, flags, 0o660)
    except PermissionError as error:
        return _open_anyway(path, flags, error)
    except OSError as error:
        if error.errno in MACHINE_ERRNOS:
            raise volume_trouble(error, path.parent) from error
        raise BrokenRepository(f"cannot write into {path.parent}: {error}") from error


def _open_anyway(path: Path, flags: int, error: PermissionError) -> int:
    """An agent may have taken our right to its folder, which is ours; else it is the volume."""
    try:
        if os.lstat(path.parent).st_uid == os.geteuid():
            os.chmod(path.parent, 0o770)
        return os.open(path, flags, 0o660)
    except OSError:
        raise not_writable(error, path.parent) from error


def _acquire(descriptor: int, lock: Path, deadline: float) -> None:
    while not taken(descriptor):
        if time.monotonic() > deadline:
            raise RepositoryBusy(
                f"another process has held {lock} for too long;"
                " look for a job that hangs"
            )
        time.sleep(_POLL_SECONDS)


def _git_works_in(tree: Path) -> bool:
    top = os.path.realpath(tree)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name = (process / "comm").read_text().strip()
            place = os.readlink(process / "cwd")
        except OSError:
            continue  # gone meanwhile, or somebody else's
        if name == "git" and (place == top or place.startswith(top + os.sep)):
            return True
    return False
