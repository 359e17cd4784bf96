"""Process 1 of the agent container: starts what the runner asks for over a socket.

Called by `kiro-swarm agent-entrypoint`. It holds no credentials and trusts no request
to end by itself. Guarantees: one process tree at a time (a second request waits until
the tree of the first is gone); both deadlines are kept here, whatever the client does;
when a request is over, or its connection is closed, nothing that it started is alive;
output is passed on with back-pressure, so a flood fills no memory. Output also goes to
this process's own stdout, where `kubectl logs` finds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from typing import Any

from kiro_swarm.sandbox.execution import Execution, Send
from kiro_swarm.sandbox.frames import (
    MAX_REQUEST_BYTES,
    BadRequestError,
    ExecRequest,
    Request,
    encode,
    parse_request,
)
from kiro_swarm.sandbox.processes import Processes

log = logging.getLogger(__name__)

GRACE_SECONDS = 3.0
_REQUEST_SECONDS = 10.0


async def serve(path: str, mode: int, grace_seconds: float = GRACE_SECONDS) -> None:
    """Listen on `path` (permissions `mode`) until SIGTERM or SIGINT.

    Raises OSError where the socket cannot be made. A socket file left by an earlier
    process is replaced.
    """
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    entrypoint = Entrypoint(Processes(), grace_seconds)
    # The permissions must hold from the moment on which the socket is there.
    previous = os.umask(0o777 & ~mode)
    try:
        server = await asyncio.start_unix_server(
            entrypoint.accept, path, limit=MAX_REQUEST_BYTES
        )
    finally:
        os.umask(previous)
    log.info("listening on %s", path)
    await stopping.wait()
    server.close()
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    await entrypoint.close()


class Entrypoint:
    """Answers connections. Make it inside the running event loop."""

    def __init__(self, processes: Processes, grace_seconds: float) -> None:
        self._processes = processes
        self._grace_seconds = grace_seconds
        self._one_at_a_time = asyncio.Lock()
        self._connections: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """End every request and every process."""
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve the one request of a connection, beside all others."""
        connection = asyncio.ensure_future(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        async def send(frame: dict[str, Any]) -> None:
            writer.write(encode(frame))
            await writer.drain()

        # A client that is gone cannot be told anything, so that is no error here.
        with contextlib.suppress(ConnectionError):
            try:
                request = await _read_request(reader)
            except BadRequestError as bad:
                await send({"error": str(bad)})
            else:
                if isinstance(request, ExecRequest):
                    await self._exec(request, reader, send)
                else:
                    await send({"ok": True})
        writer.close()

    async def _exec(
        self, request: ExecRequest, reader: asyncio.StreamReader, send: Send
    ) -> None:
        hung_up = asyncio.ensure_future(_end_of(reader))
        try:
            async with self._one_at_a_time:
                if not hung_up.done():
                    execution = Execution(
                        request, self._processes, send, hung_up, self._grace_seconds
                    )
                    await execution.run()
        finally:
            hung_up.cancel()


async def _read_request(reader: asyncio.StreamReader) -> Request:
    try:
        line = await asyncio.wait_for(reader.readline(), _REQUEST_SECONDS)
    except asyncio.TimeoutError:
        message = f"request: none within {_REQUEST_SECONDS:.0f} seconds"
        raise BadRequestError(message) from None
    except ValueError:
        message = f"request: longer than {MAX_REQUEST_BYTES} bytes"
        raise BadRequestError(message) from None
    return parse_request(line)


async def _end_of(reader: asyncio.StreamReader) -> None:
    """Return when the client has closed the connection."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(4096):
            pass
