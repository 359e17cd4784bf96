"""How long nothing has come of a git that talks to a server.

Role: ``git.py`` watches each git by it that remote.py starts.

Guarantees: what counts is what its processes did, not what a server says of itself: bytes that any
of them read or wrote, and time of a processor. A slow server, a hook that takes its time while git
says that it is alive, a large pack that is taken apart here, all go on; what did nothing at all for
that long is ended with its children. An ssh that has died of its server is no sign of life, nor is
one that only asks whether the server is there: so much each of them may say. Where the machine
does not show it, nothing is ended here, and the deadline of the command is what there is.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
#: Looks in the time after which it is too long.
_LOOKS = 12
#: Bytes that an ssh reads and writes for the sake of the connection alone, in that time: 80 each
#: ServerAliveInterval (credentials.py).
_CHATTER = 4096
# Of what follows the name of a program in /proc/PID/stat: session, and time in both modes.
_SESSION, _USER, _SYSTEM = 3, 11, 12


class _Done(NamedTuple):
    """What the processes of a session have done so far."""

    work: int
    chatter: int


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
            if now.work != seen.work or now.chatter - seen.chatter > _CHATTER:
                seen, since = now, time.monotonic()
            elif now.work and time.monotonic() - since >= self._seconds:
                self.over = True
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._session, signal.SIGKILL)
                return


def _done(session: int) -> _Done:
    work = chatter = 0
    for process in _PROC.glob("[0-9]*"):
        try:
            name, _, rest = (process / "stat").read_text("latin-1").rpartition(") ")
            fields = rest.split()
            if int(fields[_SESSION]) != session:
                continue
            lines = (process / "io").read_text("ascii").split("\n")
        except (OSError, ValueError, IndexError):
            continue  # gone meanwhile, or nobody may see it
        moved = dict(line.split(": ") for line in lines if line)
        size = int(moved["rchar"]) + int(moved["wchar"])
        if name.endswith("(ssh"):
            chatter += size
        else:
            work += size + int(fields[_USER]) + int(fields[_SYSTEM])
    return _Done(work, chatter)
