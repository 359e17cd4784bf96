"""A server for the probes that nobody can make deaf.

Role: host/probes.py and cli/runner.py serve /healthz and /readyz through it. The port of a
runner is open to the agent of its pod, that of the operator to the whole cluster, so whoever
connects is trusted with nothing.

Guarantees: at most ``CONNECTIONS`` at once, and a new one is never refused: it takes the place
of the oldest; each lives for at most ``SECONDS`` and is closed when it has sent more than
``MOST_BYTES``. So the memory and the descriptors that strangers take are bounded, and a probe,
which sends a line and reads the answer, is always served.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Callable, Optional, cast

from aiohttp import web

CONNECTIONS = 256
SECONDS = 5.0
MOST_BYTES = 16 * 1024
#: Connections that are taken in one turn of the event loop. A probe is answered some five turns
#: after it was taken, so this many times five have to be fewer than ``CONNECTIONS``.
_AT_ONCE = 16
#: Those that the kernel keeps waiting meanwhile.
_WAITING = 512


class _Bounded(asyncio.Protocol):
    """One connection, handed on to aiohttp's protocol while it keeps its bounds."""

    def __init__(self, inner: asyncio.Protocol, opened: _Opened) -> None:
        self._inner, self._opened = inner, opened
        self._transport: Optional[asyncio.Transport] = None
        self._deadline: Optional[asyncio.TimerHandle] = None
        self._received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(SECONDS, self.end)
        self._inner.connection_made(transport)
        self._opened.begin(self)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > MOST_BYTES:
            self.end()
        else:
            self._inner.data_received(data)

    def eof_received(self) -> Optional[bool]:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Optional[Exception]) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._opened.end(self)
        self._inner.connection_lost(exc)

    def end(self) -> None:
        """Close it without waiting for the other side."""
        if self._transport is not None:
            self._transport.abort()


class _Opened:
    """The connections that are open, the oldest first."""

    def __init__(self) -> None:
        self._all: dict[_Bounded, None] = {}

    def begin(self, one: _Bounded) -> None:
        self._all[one] = None
        if len(self._all) > CONNECTIONS:
            oldest = next(iter(self._all))
            del self._all[oldest]
            oldest.end()

    def end(self, one: _Bounded) -> None:
        self._all.pop(one, None)


class _Site(web.BaseSite):
    """A listening socket whose connections are bounded."""

    def __init__(self, runner: web.AppRunner, listening: socket.socket) -> None:
        super().__init__(runner)
        self._listening = listening

    @property
    def name(self) -> str:
        """Where it listens, as aiohttp shows it."""
        host, port = self._listening.getsockname()[:2]
        return f"http://{host}:{port}"

    async def start(self) -> None:
        """Begin to listen."""
        await super().start()
        # It is there once the runner was set up, and a connection's protocol is made by a call.
        make = cast(Callable[[], asyncio.Protocol], self._runner.server)
        opened = _Opened()
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Bounded(make(), opened), sock=self._listening, backlog=_AT_ONCE
        )
        # asyncio takes as many in one turn as the kernel may keep; these are two things.
        self._listening.listen(_WAITING)


async def serve_bounded(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve an application; the caller closes the answer with ``cleanup``.

    Raises OSError where the port is taken.
    """
    # Nobody is waited for in the end: the longest is over in SECONDS.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.setblocking(False)
        await _Site(runner, listening).start()
    except BaseException:
        listening.close()
        await runner.cleanup()
        raise
    return runner
