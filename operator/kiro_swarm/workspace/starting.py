"""How a program is started from a large process.

Role: ``git.py`` starts every git by ``start``.

Guarantees: the program has three pipes, a session of its own, the environment and descriptors
that are named and no others, and signals as a shell leaves them; a failure raises what
``subprocess`` raises, with the program's name, and leaves nothing open.

Before Python 3.10 ``subprocess`` forks, which copies the page tables of the whole process: 7.5 ms
of a core for each git that is started from 200 MB. ``posix_spawn`` takes 0.5 ms. What it cannot
do, or not on this machine, is left to ``subprocess``.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import select
import signal
import subprocess
import sys
import time
from typing import Iterator, Mapping, Optional, Sequence, Union

_FORKS = sys.version_info < (3, 10)
_READ = 1 << 15
#: How long is waited between two looks whether a process has ended: at first, at most.
_FIRST, _LONGEST = 0.0005, 0.05
#: What Python ignores and programs go by.
_RESTORED = (signal.SIGPIPE, signal.SIGXFSZ)


def start(
    command: Sequence[str], env: Mapping[str, str], inherited: Sequence[int] = ()
) -> Union[subprocess.Popen[bytes], Spawned]:
    """Start ``command``, found on the PATH of ``env``, in the folder of this process."""
    if _FORKS:
        with contextlib.suppress(NotImplementedError):
            return Spawned(command, env, inherited)
    return subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=inherited,
    )


class Spawned:
    """A process of ``posix_spawn``: as much of ``subprocess.Popen`` as is used of one.

    ``git.py`` uses it, and GitPython's AutoInterrupt once nobody wants it any more. It is for
    one thread. Raises NotImplementedError, and starts nothing, where this way does not work: a
    Python built for a C library before 2.26 knows no sessions, a machine without /proc does not
    say what is open, and the C library refuses a descriptor above the limit of this process.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], inherited: Sequence[int]
    ) -> None:
        self.args = command
        self.returncode: Optional[int] = None
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            source, stdin = _pipe(theirs, ours)
            stdout, output = _pipe(ours, theirs)
            stderr, errors = _pipe(ours, theirs)
            actions: list[tuple[int, ...]] = []
            for fd in _strays(inherited):
                actions.append((os.POSIX_SPAWN_CLOSE, fd))
            for number, fd in enumerate((source, output, errors)):
                actions.append((os.POSIX_SPAWN_DUP2, fd, number))
            for fd in inherited:
                # Some C libraries leave a copy of a descriptor onto itself closed on exec, so
                # it goes by way of a number that is free there, that of our end of a pipe.
                actions.append((os.POSIX_SPAWN_DUP2, fd, stdin))
                actions.append((os.POSIX_SPAWN_DUP2, stdin, fd))
                actions.append((os.POSIX_SPAWN_CLOSE, stdin))
            self.pid = _spawn(command, env, actions)
            ours.pop_all()
        self.stdin = io.FileIO(stdin, "w")
        self.stdout = io.FileIO(stdout)
        self.stderr = io.FileIO(stderr)

    def communicate(
        self, said: bytes = b"", timeout: Optional[float] = None
    ) -> tuple[bytes, bytes]:
        """Write ``said``, read everything, wait for the end.

        Raises TimeoutExpired after ``timeout`` seconds, and leaves the process alone.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        left = memoryview(said)
        if not left:
            self.stdin.close()
        answers = {end: bytearray() for end in (self.stdout, self.stderr)}
        ends = {it.fileno(): it for it in (self.stdin, *answers) if not it.closed}
        waits = select.poll()
        for fd, end in ends.items():
            waits.register(fd, select.POLLIN if end in answers else select.POLLOUT)
        while ends:
            seconds = self._left(deadline)
            for fd, _ in waits.poll(None if seconds is None else seconds * 1000):
                if ends[fd] in answers:
                    some = os.read(fd, _READ)
                    answers[ends[fd]] += some
                    over = not some
                else:
                    left = left[_write(fd, left) :]
                    over = not left
                if over:
                    waits.unregister(fd)
                    ends.pop(fd).close()
        self.wait(self._left(deadline))
        return bytes(answers[self.stdout]), bytes(answers[self.stderr])

    def poll(self) -> Optional[int]:
        """Its exit status, or the negative of a signal; None while it runs."""
        return self._look(os.WNOHANG)

    def wait(self, timeout: Optional[float] = None) -> int:
        """The same at its end; raises TimeoutExpired where it takes longer."""
        deadline = None if timeout is None else time.monotonic() + timeout
        status = self._look(0 if deadline is None else os.WNOHANG)
        pause = _FIRST
        while status is None:
            pause = min(2 * pause, self._left(deadline) or 0, _LONGEST)
            time.sleep(pause)
            status = self._look(os.WNOHANG)
        return status

    def terminate(self) -> None:
        """Ask it to end."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def _look(self, flags: int) -> Optional[int]:
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, flags)
            except ChildProcessError:
                # Somebody else has waited for it. subprocess takes it for well ended, too.
                pid, status = self.pid, 0
            if pid == self.pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def _left(self, deadline: Optional[float]) -> Optional[float]:
        if deadline is None:
            return None
        seconds = deadline - time.monotonic()
        if seconds < 0:
            raise subprocess.TimeoutExpired(self.args, 0)
        return seconds


def _pipe(reads: contextlib.ExitStack, writes: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe whose ends are closed by whom they belong to, and are none of 0, 1 and 2."""
    ends = list(os.pipe())
    with contextlib.ExitStack() as low:
        for owner, fd in zip((reads, writes), ends):
            (owner if fd > 2 else low).callback(os.close, fd)
        for end, owner in enumerate((reads, writes)):
            if ends[end] <= 2:
                ends[end] = fcntl.fcntl(ends[end], fcntl.F_DUPFD_CLOEXEC, 3)
                owner.callback(os.close, ends[end])
    return ends[0], ends[1]


def _strays(inherited: Sequence[int]) -> Iterator[int]:
    """What a program would have beside that: whoever started this process left it open."""
    try:
        names = os.listdir("/proc/self/fd")
    except OSError as error:
        raise NotImplementedError("what is open cannot be told") from error
    for name in names:
        # It is closed meanwhile, if only the one that listed them.
        with contextlib.suppress(OSError):
            fd = int(name)
            if fd > 2 and fd not in inherited and os.get_inheritable(fd):
                yield fd


def _spawn(
    command: Sequence[str], env: Mapping[str, str], actions: list[tuple[int, ...]]
) -> int:
    missing, refused = errno.ENOENT, 0
    for folder in os.get_exec_path(env):
        path = os.path.join(folder, command[0])
        try:
            # Much cheaper than a start that fails.
            os.stat(path)
            return os.posix_spawn(
                path,
                list(command),
                env,
                file_actions=actions,
                setsid=True,
                setsigdef=_RESTORED,
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            missing = error.errno or missing
        except OSError as error:
            if error.errno == errno.EBADF:
                raise NotImplementedError("a descriptor is refused") from error
            refused = refused or error.errno or errno.EIO
    number = refused or missing
    raise OSError(number, os.strerror(number), command[0])


def _write(fd: int, said: memoryview) -> int:
    """Write what does not wait; all counts as written to who reads no more."""
    try:
        return os.write(fd, said[: select.PIPE_BUF])
    except BrokenPipeError:
        return len(said)
