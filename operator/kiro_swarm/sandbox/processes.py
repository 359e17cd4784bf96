"""The processes of a container: starting one, reaping all, ending what is left.

Used by the agent container's entrypoint alone, which is process 1 there and must be
the only code in its process that waits for children. Guarantees: no zombie stays; when
``end_all`` says so, no process started through this module, nor any descendant of one, is
alive, however it detached itself; nothing that they do keeps the event loop from its
deadlines. As process 1 it kills whatever is in the container. Linux only.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import time
from typing import Mapping, Sequence

log = logging.getLogger(__name__)

_PR_SET_CHILD_SUBREAPER = 36
_POLL_SECONDS = 0.02
# How long processes may be killed, some of which may be in the middle of a write to a disk.
_KILL_SECONDS = 5.0
_REAPED_AT_ONCE = 200


def living_descendants() -> list[int]:
    """The pids of all descendants of this process that are not zombies."""
    children: dict[int, list[int]] = {}
    zombies: set[int] = set()
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                # The name before the last ")" may hold anything, even ")" itself.
                state, parent = file.read().rpartition(b")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(parent), []).append(int(entry))
        if state in (b"Z", b"X"):
            zombies.add(int(entry))
    found: list[int] = []
    queue = list(children.get(os.getpid(), []))
    while queue:
        pid = queue.pop()
        queue.extend(children.get(pid, []))
        if pid not in zombies:
            found.append(pid)
    return found


def is_ours(pid: int) -> bool:
    """Whether a process was started below this one, or is gone so that nobody can tell.

    :param pid: as this process's namespace numbers it; 0 is a process of another one.
    """
    while pid not in (0, os.getpid()):
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return True
    return pid != 0


class Processes:
    """All processes below this one. Make it inside the running event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._exits: dict[int, asyncio.Future[int]] = {}
        # Orphans come to us, also where we are not process 1, so nothing escapes by
        # forking twice.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "cannot become the reaper of orphans")
        self._loop.add_signal_handler(signal.SIGCHLD, self._reap)

    def start(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        stdin: int,
        stdout: int,
        stderr: int,
    ) -> tuple[int, asyncio.Future[int]]:
        """Start a process in a session of its own; raises OSError.

        Returns its pid and its end: the exit code, or minus the number of the signal.
        """
        popen = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        # _reap collects the exit status; Popen must believe that it has it already.
        popen.returncode = 0
        ended: asyncio.Future[int] = self._loop.create_future()
        self._exits[popen.pid] = ended
        return popen.pid, ended

    def signal_group(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to the process group of what ``start`` started; not once it ended."""
        # Not collected yet, so its number is nobody else's.
        if pid in self._exits:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)

    async def end_all(self, grace_seconds: float) -> bool:
        """Ask every process to end, then make it; whether none is left."""
        _signal(_seen(), signal.SIGTERM, signal.SIGCONT)
        if await self._gone_within(grace_seconds, kill=False):
            return True
        if await self._gone_within(_KILL_SECONDS, kill=True):
            return True
        log.warning("could not be killed: %s", _seen())
        return False

    async def _gone_within(self, seconds: float, *, kill: bool) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            if kill:
                _kill()
            # Not `living_descendants`: who forks and exits while /proc is read is in it
            # neither as it was nor as it is. The kernel knows: orphans are our children.
            if self._reap():
                return True
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)

    def _reap(self) -> bool:
        """Collect who has ended; True when there is no child, so no descendant, left."""
        # Where processes fork all the time there is always one more, and others wait.
        for _ in range(_REAPED_AT_ONCE):
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            ended = self._exits.pop(pid, None)
            if ended is not None and not ended.done():
                ended.set_result(os.waitstatus_to_exitcode(status))
        self._loop.call_soon(self._reap)
        return False


def _kill() -> None:
    """SIGKILL to all; to those that fork meanwhile only the kernel can, at once."""
    if os.getpid() != 1:
        _signal(_seen(), signal.SIGKILL)
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def _seen() -> list[int]:
    """The living descendants, as far as /proc can be read."""
    try:
        return living_descendants()
    except OSError as error:
        log.warning("cannot look for processes: %s", error)
        return []


def _signal(pids: Sequence[int], *signals: signal.Signals) -> None:
    for pid in pids:
        for number in signals:
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                break
