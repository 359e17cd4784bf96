"""How long nothing has come of a git that talks to a server.

Role: ``git.py`` watches each git by it that remote.py starts.

Guarantees: what counts is what its processes did, not what a server says of itself: bytes that any
of them read or wrote, sent or received, and time of a processor. A slow server or network, a hook
that takes its time while git says that it is alive, a large pack that is taken apart here, all go
on; what did nothing at all for that long is ended with its children. Who waits for an http server
looks for an answer 20 times a second, and an ssh asks whether its server is there: that little of
either is no sign of life, nor is an ssh that has died of its server. Where the machine does not
show it, nothing is ended here, and the deadline of the command is what there is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import Iterator, NamedTuple

from kiro_swarm.workspace.sockets import transferred

_PROC = Path("/proc")
#: Looks in the time after which it is too long.
_LOOKS = 12
#: Bytes that an ssh reads and writes for the sake of the connection alone, in that time: 80 each
#: ServerAliveInterval (credentials.py).
_CHATTER = 4096
#: Of a processor, what a git takes that does nothing but wait for an http server is a thousandth.
_WAITING = 0.01
_TICKS = os.sysconf("SC_CLK_TCK")
# Of what follows the name of a program in /proc/PID/stat: session, and time in both modes.
_SESSION, _USER, _SYSTEM = 3, 11, 12


class Done(NamedTuple):
    """What the processes of a session have done so far."""

    size: int
    """Bytes that were moved, by an ssh not counted."""
    seconds: float
    """Of a processor."""
    chatter: int
    """Bytes of an ssh."""


class Watch:
    """Watches the session of a process, until the block is left.

    :param seconds: after so long without a sign of life the session is ended.
    """

    def __init__(self, session: int, seconds: float) -> None:
        #: Whether it was ended for its silence.
        self.over = False
        self._session = session
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        seen, since = _done(self._session), time.monotonic()
        while not self._ended.wait(self._seconds / _LOOKS):
            now = _done(self._session)
            if is_alive(seen, now, self._seconds):
                seen, since = now, time.monotonic()
            elif now.size and time.monotonic() - since >= self._seconds:
                self.over = True
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._session, signal.SIGKILL)
                return


def is_alive(seen: Done, now: Done, seconds: float) -> bool:
    """Whether anything came of it between two looks that are at most ``seconds`` apart."""
    return (
        now.size != seen.size
        or now.seconds - seen.seconds > _WAITING * seconds
        or now.chatter - seen.chatter > _CHATTER
    )


def _done(session: int) -> Done:
    size = ticks = chatter = 0
    sent = transferred()
    shown = sent is not None
    for process in _PROC.glob("[0-9]*"):
        try:
            name, _, rest = (process / "stat").read_text("latin-1").rpartition(") ")
            fields = rest.split()
            if int(fields[_SESSION]) != session:
                continue
            lines = (process / "io").read_text("ascii").split("\n")
            moved = dict(line.split(": ") for line in lines if line)
            copied = int(moved["rchar"]) + int(moved["wchar"])
            if name.endswith("(ssh"):
                chatter += copied
                continue
            size += copied
            ticks += int(fields[_USER]) + int(fields[_SYSTEM])
            size += sum((sent or {}).get(inode, 0) for inode in _sockets(process))
        except PermissionError:
            shown = False
        except (OSError, ValueError, IndexError):
            continue  # gone meanwhile, or nobody may see it
    if not shown:
        # What comes of a server cannot be seen, so any sign of it counts.
        size += ticks
    return Done(size, ticks / _TICKS, chatter)


def _sockets(process: Path) -> Iterator[int]:
    for descriptor in (process / "fd").iterdir():
        with contextlib.suppress(OSError):
            kind, _, inode = os.readlink(descriptor).partition(":[")
            if kind == "socket":
                yield int(inode[:-1])
