"""What a process can leave behind in a container, and how all of it goes.

Used by the entrypoint alone, which is process 1 there: at its start, and when it is asked to
renew the container before somebody else's work. No process that it started is alive then.

Guarantees: after ``clear`` and ``restore_process``, the next process finds what the first
one found: the places are empty, shared memory, semaphores and queues are gone, and limits,
priorities and processors of process 1, which its children inherit, are as they were. What
cannot be brought back raises. Linux only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from kiro_swarm.sandbox.disk import remove, remove_attributes

_PR_SET_DUMPABLE = 4
_IPC_RMID = 0
_LIMITS = tuple(
    getattr(resource, name)
    for name in sorted(dir(resource))
    if name.startswith("RLIMIT_")
)
#: Numbers of the system calls ioprio_set and ioprio_get, which the C library does not have.
_IO_PRIORITY = {"x86_64": (251, 252), "aarch64": (30, 31)}
_OF_A_PROCESS, _CLASS_SHIFT = 1, 13


class SpoiledError(Exception):
    """Process 1 itself was changed for good: only another container is as new."""


def protect_this_process() -> None:
    """Let no process of the same user look into this one, or change what it does.

    The programs that it starts are as open to each other as ever. Raises OSError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot protect process 1")


class Renewal:
    """Knows the container as it began; ``spared`` is a file that stays where it is.

    ``places`` are folders that are emptied, and files that are cut to nothing; one that is
    not there is left out.
    """

    def __init__(self, places: Sequence[Path], spared: Path) -> None:
        self._places = tuple(places)
        self._spared = spared
        self._limits = {limit: resource.getrlimit(limit) for limit in _LIMITS}
        self._nice = os.getpriority(os.PRIO_PROCESS, 0)
        self._io_priority = _io_priority()
        self._policy = os.sched_getscheduler(0), os.sched_getparam(0)
        self._processors = os.sched_getaffinity(0)

    def clear(self) -> None:
        """Remove what was left in files and in the kernel. Raises OSError."""
        for place in self._places:
            self._clear(place)
        # Elsewhere these would be other people's.
        if os.getpid() == 1:
            _remove_shared_memory()

    def clear_beside(self, path: Path) -> None:
        """As ``clear``, for the folder of ``path`` alone, if it is one of the places."""
        if path.parent in self._places:
            self._clear(path.parent)

    def restore_process(self) -> None:
        """Bring back what other processes of the user can change of this one.

        Called in the thread that starts processes. Raises SpoiledError.
        """
        try:
            for limit, before in self._limits.items():
                if resource.getrlimit(limit) != before:
                    resource.setrlimit(limit, before)
            if os.getpriority(os.PRIO_PROCESS, 0) != self._nice:
                os.setpriority(os.PRIO_PROCESS, 0, self._nice)
            if _io_priority() != self._io_priority:
                _set_io_priority(self._io_priority)
            if os.sched_getscheduler(0) != self._policy[0]:
                os.sched_setscheduler(0, *self._policy)
        except (OSError, ValueError) as error:
            raise SpoiledError(f"process 1 was changed: {error}") from error
        # Of those that a container had, some may have been taken from it since.
        with suppress(OSError):
            os.sched_setaffinity(0, self._processors)

    def _clear(self, place: Path) -> None:
        try:
            mode = os.lstat(place).st_mode
        except FileNotFoundError:
            return
        if not os.access(place, os.W_OK):
            try:
                os.chmod(place, 0o700)
            except PermissionError:
                return  # another user's: nobody of this one has left anything there
        if stat.S_ISDIR(mode):
            for name in os.listdir(place):
                if place / name != self._spared:
                    remove(place / name)
            remove_attributes(place)
        elif stat.S_ISREG(mode):
            os.truncate(place, 0)


def _io_priority() -> int:
    """Of this thread: class and level; 0 where nobody set one, or it cannot be told."""
    numbers = _IO_PRIORITY.get(platform.machine())
    if numbers is None:
        return 0
    found = int(ctypes.CDLL(None).syscall(numbers[1], _OF_A_PROCESS, 0))
    # Of no class the level says nothing, and some kernels give one.
    return found if found >> _CLASS_SHIFT > 0 else 0


def _set_io_priority(value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    number = _IO_PRIORITY[platform.machine()][0]
    if libc.syscall(number, _OF_A_PROCESS, 0, value) != 0:
        raise OSError(ctypes.get_errno(), "the I/O priority stays")


#: Times that it is looked again whether any is left.
_ROUNDS = 3


def _remove_shared_memory() -> None:
    """What System V calls shared memory, semaphores and message queues, of our user.

    Raises OSError when some of it stays: the next one could read it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    for _ in range(_ROUNDS):
        left = 0
        for number in _numbers("shm", "shmid"):
            left += 1
            libc.shmctl(number, _IPC_RMID, None)
        for number in _numbers("sem", "semid"):
            left += 1
            libc.semctl(number, 0, _IPC_RMID)
        for number in _numbers("msg", "msqid"):
            left += 1
            libc.msgctl(number, _IPC_RMID, None)
        if not left:
            return
    raise OSError(
        errno.EBUSY,
        "shared memory, semaphores or queues are left that cannot be removed",
    )


def _numbers(kind: str, column: str) -> list[int]:
    """Of those that our user owns, or made and gave to another: both may remove them."""
    try:
        with open(f"/proc/sysvipc/{kind}") as table:
            names = table.readline().split()
            rows = [dict(zip(names, line.split())) for line in table]
    except FileNotFoundError:  # a kernel, or a sandbox, without it
        return []
    ours = str(os.getuid())
    return [int(row[column]) for row in rows if ours in (row["uid"], row["cuid"])]
