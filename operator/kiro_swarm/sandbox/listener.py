"""The socket of the entrypoint, and that it stays ours.

Used by the entrypoint alone. What it runs may write in the folder of the socket, and could put
a socket of its own in its place. Guarantees: after ``restore``, whoever connects to the path
is served by this process.
"""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Callable, Optional

from kiro_swarm.sandbox.disk import remove

_BUFFER = 64 * 1024
_Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


class Listener:
    """Listens on ``path``, permissions ``mode``. Make it inside the running event loop."""

    def __init__(self, path: Path, mode: int, accept: _Accept) -> None:
        self.path = path
        self._mode = mode
        self._accept = accept
        self._server: Optional[asyncio.AbstractServer] = None
        self._ours: object = None

    async def open(self) -> None:
        """Begin to listen; a socket file left by an earlier process is replaced.

        Raises OSError where the socket cannot be made.
        """
        # The permissions must hold from the moment on which the socket is there.
        previous = os.umask(0o777 & ~self._mode)
        try:
            self._server = await asyncio.start_unix_server(
                self._accept, str(self.path), limit=_BUFFER
            )
        finally:
            os.umask(previous)
        self._ours = self._found()

    async def restore(self) -> None:
        """Listen anew where the file is no longer ours, unless closed. Raises OSError."""
        if self._server is None or self._found() == self._ours:
            return
        self._server.close()
        remove(self.path)
        await self.open()

    def close(self) -> None:
        """Listen no more; connections that are served go on."""
        if self._server is not None:
            self._server.close()
            self._server = None
        with suppress(FileNotFoundError):
            os.unlink(self.path)

    def _found(self) -> object:
        try:
            facts = os.lstat(self.path)
        except OSError:
            return None
        # A mode that was changed would keep the runner out.
        return facts.st_dev, facts.st_ino, stat.S_IMODE(facts.st_mode)
