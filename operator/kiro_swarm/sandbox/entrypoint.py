"""Process 1 of the agent container: starts what the runner asks for over a socket.

Called by ``kiro-swarm agent-entrypoint``. It holds no credentials and trusts no request
to end by itself. Guarantees: one process tree at a time (a second request waits until
the tree of the first is gone); both deadlines are kept here, whatever the client does;
when a request is over, or its connection is closed, nothing that it started is alive; what
it started is not served itself, cannot look into this process, and cannot take its socket;
what is left of it elsewhere is gone when a client has asked for a container as new; streams
are passed on with back-pressure both ways, so a flood fills no memory; whatever bytes a
client sends, it gets an answer, and the next client too. Where one of these cannot be held
any more, for a process has changed this one, say, it ends, and the container with it. What a
request names also goes to this process's own stdout, where ``kubectl logs`` finds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Callable

from kiro_swarm.sandbox.bounds import ProtocolError
from kiro_swarm.sandbox.conversation import ContainerSide
from kiro_swarm.sandbox.execution import Execution
from kiro_swarm.sandbox.handshake import (
    MAX_REQUEST_BYTES,
    HeldRequest,
    RenewRequest,
    Request,
    RunRequest,
    answer_line,
    parse_request,
)
from kiro_swarm.sandbox.held import held_by
from kiro_swarm.sandbox.lines import read_line, within
from kiro_swarm.sandbox.link import Link
from kiro_swarm.sandbox.listener import Listener
from kiro_swarm.sandbox.port import Held
from kiro_swarm.sandbox.processes import Processes, is_ours, living_descendants
from kiro_swarm.sandbox.renewal import Renewal, SpoiledError, protect_this_process

log = logging.getLogger(__name__)

GRACE_SECONDS = 3.0
_REQUEST_SECONDS = 10.0
# How long a client may take to read its last frames.
_FLUSH_SECONDS = 10.0
_BUFFER = 64 * 1024
MAX_CONNECTIONS = 32
# Process, user and group of a peer, as the kernel gives them.
_CREDENTIALS = struct.Struct("3i")


async def serve(
    path: str,
    mode: int,
    grace_seconds: float = GRACE_SECONDS,
    scratch: Sequence[Path] = (),
) -> None:
    """Listen on ``path`` (permissions ``mode``) until SIGTERM or SIGINT.

    ``scratch``: where the processes of this container may write, as ``Renewal`` takes it.
    Raises OSError where the socket cannot be made. A socket file left by an earlier
    process is replaced.
    """
    loop = asyncio.get_running_loop()
    protect_this_process()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    renewal = Renewal(scratch, Path(path))
    # A container that was started again has the folders of the one before.
    renewal.clear()
    entrypoint = Entrypoint(Processes(), grace_seconds, renewal, stopping.set)
    entrypoint.listener = Listener(Path(path), mode, entrypoint.accept)
    await entrypoint.listener.open()
    log.info("listening on %s", path)
    await stopping.wait()
    entrypoint.listener.close()
    await entrypoint.close()


class Entrypoint:
    """Answers connections. Make it inside the running event loop."""

    listener: Listener

    def __init__(
        self,
        processes: Processes,
        grace_seconds: float,
        renewal: Renewal,
        stop: Callable[[], None],
    ) -> None:
        self._processes = processes
        self._grace_seconds = grace_seconds
        self._renewal = renewal
        self._stop = stop
        self._one_at_a_time = asyncio.Lock()
        self._looking = asyncio.Lock()
        self._connections: set[asyncio.Task[None]] = set()
        # Why this process can be used no more.
        self._spoiled = ""

    async def close(self) -> None:
        """End every request and every process."""
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve the one request of a connection, beside all others.

        What runs in here is not served: a request of its own would outlive the one that
        it belongs to, and hold up the next.
        """
        if is_ours(_peer(writer)):
            writer.write(answer_line("request: a process of this container asks"))
            writer.close()
            return
        if len(self._connections) >= MAX_CONNECTIONS:
            writer.write(answer_line(f"request: {MAX_CONNECTIONS} others are served"))
            writer.close()
            return
        connection = asyncio.ensure_future(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        # A client that is gone cannot be told anything, so that is no error here.
        try:
            with contextlib.suppress(ConnectionError, EOFError, asyncio.TimeoutError):
                try:
                    request, rest = await _read_request(reader)
                except ProtocolError as bad:
                    writer.write(answer_line(str(bad)))
                else:
                    if isinstance(request, RenewRequest):
                        writer.write(answer_line(await self._renew() or None))
                    elif isinstance(request, HeldRequest):
                        held = await self._held(request.place)
                        writer.write(answer_line(held=held))
                    else:
                        writer.write(answer_line())
                    if isinstance(request, RunRequest):
                        await self._run(request, reader, writer, rest)
                        # Who writes to a closed socket never reads what came before it,
                        # so ours is closed when the client's is.
                        writer.write_eof()
                        await within(_FLUSH_SECONDS, _end_of(reader))
            writer.close()
            with contextlib.suppress(OSError, asyncio.TimeoutError):
                await within(_FLUSH_SECONDS, writer.wait_closed())
        except Exception as error:
            log.exception("a request ends this container")
            self._spoiled = self._spoiled or repr(error)
        finally:
            writer.transport.abort()
            if self._spoiled:
                # The kubelet makes the next one.
                log.warning("%s; the container ends", self._spoiled)
                self._stop()

    async def _run(
        self,
        request: RunRequest,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        rest: bytes,
    ) -> None:
        side = ContainerSide(request.stdin_limit_bytes, request.output_limit_bytes)
        link = Link(reader, writer, rest, side)
        try:
            async with self._one_at_a_time:
                if link.gone.done():
                    link.refuse()
                else:
                    end = self._end_and_keep_the_socket
                    await Execution(request, self._processes, link, end).run()
        finally:
            link.close()

    async def _end_and_keep_the_socket(self) -> None:
        """Before the runner hears of the end, and connects again."""
        await self._end_all()
        self._renewal.clear_beside(self.listener.path)
        await self.listener.restore()

    async def _end_all(self) -> None:
        """End all processes. Raises SpoiledError: some cannot be ended."""
        # First: without its open files or its memory this process can neither look for
        # others nor listen.
        try:
            self._renewal.restore_process()
        except SpoiledError as error:
            self._spoiled = str(error)
        if not await self._processes.end_all(self._grace_seconds):
            self._spoiled = "processes cannot be ended"
            raise SpoiledError(self._spoiled)

    async def _held(self, place: str) -> Held:
        """What is held beside what runs; in a thread, for a file may be slow to answer."""
        async with self._looking:
            try:
                return await asyncio.get_running_loop().run_in_executor(
                    None, lambda: held_by(living_descendants(), place)
                )
            except OSError as error:
                log.warning("what is held cannot be told: %s", error)
                return Held()

    async def _renew(self) -> str:
        """Make the container as new; why it is not, empty when it is."""
        async with self._one_at_a_time:
            try:
                await self._end_all()
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(None, self._renewal.clear)
                self._renewal.restore_process()
            except SpoiledError as error:
                self._spoiled = str(error)
            except OSError as error:
                return f"something cannot be removed: {error}"
            except Exception as error:  # noqa: BLE001 (this one is not as new then)
                self._spoiled = repr(error)
        return f"it is started again: {self._spoiled}" if self._spoiled else ""


async def _end_of(reader: asyncio.StreamReader) -> None:
    """Return when the client has gone, which it does when it has the last frame."""
    await asyncio.sleep(0)  # the link has stopped reading by then
    while await reader.read(_BUFFER):
        pass


def _peer(writer: asyncio.StreamWriter) -> int:
    """The pid of who has connected, as our namespace numbers it; 0 for one of another."""
    connection = writer.get_extra_info("socket")
    credentials = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
    )
    return int(_CREDENTIALS.unpack(credentials)[0])


async def _read_request(reader: asyncio.StreamReader) -> tuple[Request, bytes]:
    try:
        line, rest = await within(
            _REQUEST_SECONDS, read_line(reader, MAX_REQUEST_BYTES)
        )
    except asyncio.TimeoutError:
        message = f"request: none within {_REQUEST_SECONDS:.0f} seconds"
        raise ProtocolError(message) from None
    return parse_request(line), rest
